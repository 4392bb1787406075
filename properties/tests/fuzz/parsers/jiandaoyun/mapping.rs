//! A mapping file. Whoever writes one is an operator, and has it from an editor, an input method or another platform.

use std::collections::BTreeSet;

use common::UnixMillis;
use jiandaoyun::{
    api::{Record, Widgets},
    mapping::{Honoured, Mapping, Why, Zone, sample},
};
use platform_sim::jiandaoyun::samples::{contract_form, rich_form};
use serde_json::{Value, json};

use super::{CANARY, NOW, START, WORDS, widgets};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

/// The longest text that is written back into a form.
const LONGEST_STATUS_CHARS: usize = 200;

#[test]
fn a_mapping_file_can_be_used_or_has_problems() {
    let forms = [widgets(&contract_form()), widgets(&rich_form())];
    let records: Vec<Record> = made::jiandaoyun::records().iter().step_by(5).map(|record| read(record)).collect();
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "“",
        "”",
        "＂",
        "：",
        "，",
        "\u{feff}",
        "{_widget_1001}",
        "{_widget_2.0.name}",
        "{{LAST_SYNC_TIME|datetime}}",
        "\"source\":{",
        "\"target\":{",
        "\"filter\":{\"rel\":\"or\",",
        "\"cond\":[",
        "\"cond_1\":{",
        "\"field\":\"updateTime\",",
        "\"field\":\"userid\",",
        "\"field\":\"extattr\",",
        "\"field\":\"extattr.工号\",",
        "\"method\":\"range\",",
        "\"type\":\"number\",",
        "\"value\":[",
        "\"request\":[",
        "\"convert\":[\"trim\",{\"join\":\"-\"}],",
        "\"convert\":{\"lookup\":{\"table\":{\"研发部\":12},\"default\":1}},",
        "\"check\":[\"mobile\",{\"max_bytes\":64},{\"one_of\":[\"x\"]}],",
        "\"on_invalid\":\"default\",",
        "\"default\":\"13800138000\",",
        "\"required\":true,",
        "\"status\":{\"field\":\"_widget_1009\",\"rejected\":\"{reason}{reason}\"},",
        "\"fields\":\"_widget_1001，_id\",",
        "\"limit\":\"100\",",
    ]);
    let parse = |input: &[u8]| parse(&forms, &records, &String::from_utf8_lossy(input));
    fuzz(&Parser { name: "jdy_mapping", tokens: &tokens, limits: Limits::FILE, made: made(), parse: &parse });
}

fn read(record: &[u8]) -> Record {
    sample(serde_json::from_slice(record).unwrap()).unwrap()
}

fn parse(forms: &[Widgets], records: &[Record], text: &str) -> Came {
    let read = Mapping::parse_text(text, &Zone::china());
    assert!(Mapping::parse_text(text, &Zone::china()) == read, "the same file is another mapping");
    match read {
        Ok((mapping, warnings)) => {
            assert!(warnings.iter().all(|warning| !warning.at.is_empty() && !warning.text.is_empty()), "{warnings:?}");
            is_usable(&mapping, records);
            let bound: Vec<String> = forms.iter().map(|form| bound_to(&mapping, form, records)).collect();
            let words: BTreeSet<&str> = warnings.iter().map(|warning| warning.word).collect();
            Came::taken(format!("{words:?} {bound:?}"))
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "it was refused without a reason");
            assert!(problems.iter().all(|problem| !problem.at.is_empty() && !problem.text.is_empty()), "{problems:?}");
            let words: BTreeSet<&str> = problems.iter().map(|problem| problem.word).collect();
            Came::refused(format!("{words:?}"))
        }
    }
}

/// What becomes of a mapping at a form.
fn bound_to(mapping: &Mapping, form: &Widgets, records: &[Record]) -> String {
    match mapping.bind(form) {
        Ok((bound, _)) => {
            assert_eq!(bound.form(), mapping.form());
            let stateless = Record { flow_state: None, ..record_of(json!(null)) };
            assert_eq!(bound.admits(&stateless, None, START), Err(Why::NotApproved), "the form has a workflow");
            is_usable(&bound, records);
            "fits".to_owned()
        }
        Err(problems) => {
            let words: BTreeSet<&str> = problems.iter().map(|problem| problem.word).collect();
            assert!(!words.is_empty(), "it was refused without a reason");
            format!("{words:?}")
        }
    }
}

/// Does with a mapping whatever is done with one.
fn is_usable(mapping: &Mapping, records: &[Record]) {
    assert!((1..=100).contains(&mapping.page_size()));
    assert!(!format!("{mapping:?}").contains(CANARY), "{mapping:?}");
    let fields = mapping.fields();
    assert!(fields.iter().any(|name| name == "updateTime") && !fields.iter().any(|name| name == "_id"), "{fields:?}");
    let asked = mapping.filter(Some(NOW), Honoured::default()).map(|filter| filter.to_json());
    let conditions = asked.as_ref().and_then(|asked| asked["cond"].as_array()).map(Vec::len);
    assert!(conditions > Some(0), "nothing is asked: {asked:?}");
    assert!(mapping.filter(None, Honoured { time: false, flow: false }).is_none_or(|own| !own.conditions.is_empty()));
    assert!(!mapping.probes(NOW).is_empty());
    for state in [0, 3] {
        let refused = mapping.admits(&record_of(json!(state)), None, UnixMillis(0));
        assert_eq!(refused, Err(Why::NotApproved), "nobody approved this one");
    }
    for record in records {
        let is_admitted = mapping.admits(record, Some(START), START).is_ok();
        assert!(!is_admitted || record.created_at().is_some_and(|at| at >= START), "{record:?}");
        let mapped = mapping.map(record);
        assert!(mapping.map(record) == mapped, "the same record becomes something else");
        assert!(mapped.is_valid() || !mapped.complaints().is_empty(), "it is refused without a reason");
        assert!(serde_json::from_str::<Value>(&mapped.request_text()).is_ok());
    }
    if let Some(status) = mapping.status() {
        for data in [status.created(), status.rejected("name: there is no value")] {
            let text = data.get(status.field()).and_then(|written| written["value"].as_str());
            assert!(text.is_some_and(|text| text.chars().count() <= LONGEST_STATUS_CHARS), "{data:?}");
        }
    }
}

/// A record in a state of its workflow.
fn record_of(state: Value) -> Record {
    let record = json!({
        "createTime": "2026-11-20T02:41:51.430Z", "updateTime": "2026-11-21T03:12:15.293Z", "flowState": state,
        "_widget_1001": "张三", "_widget_1002": "13800138000", "_widget_1003": "[1,2,3]", "_widget_1005": "user1234",
    });
    sample(record).unwrap()
}

/// Files that are as long as they may be in one of their parts.
fn made() -> Vec<Vec<u8>> {
    let entry = |field: &str, value: &str| format!("{{\"field\":\"{field}\",\"value\":\"{value}\"}}");
    let file = |filter: &str, more: &str| {
        let source = "\"appId\":\"64a0c0ffee000000000000aa\",\"entryId\":\"64a0c0ffee000000000000bb\"";
        let [userid, name] = [entry("userid", "{_widget_1005}"), entry("name", "{_widget_1001}")];
        let mobile = entry("mobile", "{_widget_1002}");
        format!("{{\"source\":{{{source},\"filter\":{{{filter}}}}},\"request\":[{userid},{name},{mobile}{more}]}}")
            .into_bytes()
    };
    let many = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    let condition = |nth: usize| {
        let values = ["\"工程师\""; 200].join(",");
        format!(
            "\"cond_{nth}\":{{\"field\":\"_widget_1004\",\"type\":\"text\",\"method\":\"nin\",\"value\":[{values}]}},"
        )
    };
    let table = many(5_000, &|nth| format!("\"k{nth}\":{nth},"));
    let upper = ["\"upper\""; 16].join(",");
    let conversions = format!("\"value\":\"{{_widget_1001}}{{_widget_1004}}\",\"convert\":[{upper}]");
    let mut made = vec![
        file("", &many(197, &|nth| format!(",{{\"field\":\"extattr.a{nth}\",{conversions}}}"))),
        file("", &format!(",{}", entry("position", &"{_widget_1001}".repeat(5_000)))),
        file(
            "",
            &format!(
                ",{{\"field\":\"department\",\"value\":\"{{_widget_1003}}\",\"convert\":{{\"lookup\":{{{table}\"x\":1}}}}}}"
            ),
        ),
        file("", &many(20_000, &|nth| format!(",{}", entry(&format!("no{nth}"), "x")))),
        file(&format!("{}\"rel\":\"and\"", many(50, &condition)), ""),
        file(&format!("{}\"rel\":\"or\"", many(300, &condition)), ""),
        "“".repeat(300_000).into_bytes(),
        format!("{{“{}", "” ".repeat(200_000)).into_bytes(),
        format!("{{“{}”：1}}", "\u{3000}".repeat(300_000)).into_bytes(),
        " ".repeat((1 << 20) + 1).into_bytes(),
    ];
    // What is needed is looked for among what is asked for.
    let asked = format!("{{\"source\":{{\"fields\":[{}\"z\"],", many(20_000, &|nth| format!("\"a{nth}\",")));
    let needing = file("", &format!(",{}", entry("position", &"{_b}".repeat(40_000))));
    made.push([asked.as_bytes(), needing.strip_prefix(b"{\"source\":{").unwrap()].concat());
    made.extend(made::json("{\"source\":{\"appId\":\"64a0c0ffee000000000000aa\"},"));
    made
}
