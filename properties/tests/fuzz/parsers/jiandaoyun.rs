//! What comes from Jiandaoyun, and the file that says what is made of it.

mod answer;
mod mapping;
mod push;
mod record;

use common::UnixMillis;
use jiandaoyun::{
    api::{Widget, Widgets},
    mapping::{Mapping, Zone},
};
use platform_sim::jiandaoyun as jdy;

/// 2026-11-27, in the same week as most records.
const NOW: UnixMillis = UnixMillis::from_seconds(1_795_737_600);
/// 2026-11-01: who submitted before that is not taken.
const START: UnixMillis = UnixMillis::from_seconds(1_793_491_200);

/// It stands in the corpus where people write, and in secrets: it must be nowhere in what is said of that.
const CANARY: &str = "canary-4711";

/// The file of the contract, and one with each conversion and most fields.
const CONTRACT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/jdy_mapping/good-contract.json"));
const RICH: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/jdy_mapping/good-rich.json"));

/// JSON, and what of it means something.
const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\\"",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "12.0",
    "\"1\"",
    "\"是\"",
    "\"\"",
    "{}",
    "[]",
    "canary-4711",
    "\"_id\":\"69d8ab62d78c62093e724f25\",",
    "\"appId\":\"64a0c0ffee000000000000aa\",",
    "\"entryId\":\"64a0c0ffee000000000000bb\",",
    "\"createTime\":\"2026-11-20T02:41:51.430Z\",",
    "\"updateTime\":\"2026-11-21T03:12:15.293Z\",",
    "\"flowState\":1,",
    "\"flowState\":3,",
    "\"name\":\"张三\",",
    "\"phone\":\"+86 138-0013-8000\",",
    "\"verified\":false,",
    "\"username\":\"wang.wu\",",
    "\"dept_no\":12,",
    "\"integrate_id\":\"12\",",
    "\"2026-11-30T16:00:00.000Z\"",
    "\"2026年12月1日\"",
];

/// The mapping of a file that is right, as it is bound to a form of the simulator.
fn bound(file: &str, form: &jdy::NewForm) -> Mapping {
    let (mapping, _) = Mapping::parse_text(file, &Zone::china()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (mapping, _) = mapping.bind(&widgets(form)).unwrap_or_else(|problems| panic!("{problems:?}"));
    mapping
}

/// The fields of a form as the client tells them.
fn widgets(form: &jdy::NewForm) -> Widgets {
    Widgets { widgets: form.widgets.iter().map(widget).collect(), has_flow: form.workflow, modified_at: None }
}

fn widget(told: &jdy::Widget) -> Widget {
    Widget {
        name: told.name().to_owned(),
        widget_name: told.id.clone(),
        label: told.label.clone(),
        kind: told.kind.name().to_owned(),
        items: told.items.iter().map(widget).collect(),
    }
}
