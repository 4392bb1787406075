//! The source half: which form, and which of its records (contract, "Mapping file").

use serde_json::{Map, Value};

use super::{
    Zone,
    conditions::Conditions,
    finding::{Findings, shown},
    path::Path,
    word::{bare, is_blank, number, word},
};
use crate::{Form, api::MOST_RECORDS, form::is_object_id};

/// What stands in a source.
const KEYS: [&str; 9] = ["api", "method", "effect", "appId", "entryId", "fields", "limit", "filter", "describe"];

/// The interface that is called, whatever the file names.
const PRESENT_API: &str = "v5/app/entry/data/list";

/// What the source half says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) form: Form,
    /// Fields that are asked for beside those that the mapping needs.
    pub(crate) fields: Vec<String>,
    pub(crate) page_size: u8,
    pub(crate) conditions: Conditions,
}

impl Source {
    pub(crate) fn read(map: &Map<String, Value>, zone: &Zone, findings: &mut Findings) -> Option<Self> {
        for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            findings.warn("source", "unknown_key", format!("{} is not known and was ignored", shown(key)));
        }
        look_at_method(map, findings);
        // All of them, so that all that is wrong is told at once.
        let form = form(map, findings);
        let fields = map.get("fields").map_or(Some(Vec::new()), |told| fields(told, findings));
        let page_size = page_size(map.get("limit"), findings);
        let conditions = Conditions::read(map.get("filter").unwrap_or(&Value::Null), zone, findings);
        Some(Self { form: form?, fields: fields?, page_size: page_size?, conditions: conditions? })
    }
}

fn look_at_method(map: &Map<String, Value>, findings: &mut Findings) {
    let method = map.get("method").and_then(Value::as_str).map(bare).unwrap_or_default();
    if !method.is_empty() && !method.eq_ignore_ascii_case("post") {
        findings.warn("source.method", "method", "every interface of the platform is called with POST");
    }
}

/// The form: by its ids, else by an old path that has them in it (reference jiandaoyun 1).
fn form(map: &Map<String, Value>, findings: &mut Findings) -> Option<Form> {
    let api = map.get("api").and_then(Value::as_str).map(bare).unwrap_or_default();
    if !api.is_empty() && !api.ends_with(PRESENT_API) {
        let text = "an old interface only says which form is meant; version 5 is called";
        findings.warn("source.api", "old_api", text);
    }
    let in_path = |after: &str| {
        let mut parts = api.split('/').skip_while(|part| *part != after).skip(1);
        parts.next().filter(|part| is_object_id(part)).map(str::to_owned)
    };
    let mut id = |key: &str, after: &str| {
        let given = map.get(key).filter(|told| !is_blank(told));
        let given = given.and_then(|told| word(told, &format!("source.{key}"), findings));
        let old = in_path(after);
        if given.is_some() && old.is_some() && given != old {
            findings.warn("source.api", "another_form", format!("the path names another form; {key} counts"));
        }
        given.or(old).unwrap_or_default()
    };
    let (app_id, entry_id) = (id("appId", "app"), id("entryId", "entry"));
    let form = Form::new(&app_id, &entry_id);
    if form.is_none() {
        let text = "appId and entryId must be 24 hexadecimal digits each, as in the browser's address of the form";
        findings.refuse("source", "no_form", text);
    }
    form
}

/// The fields as a list, or as a text with commas between.
fn fields(told: &Value, findings: &mut Findings) -> Option<Vec<String>> {
    let at = "source.fields";
    let words: Vec<&str> = match told {
        Value::Null => Vec::new(),
        Value::String(text) => text.split([',', '，', ';', '；', '、']).collect(),
        Value::Array(items) if items.iter().all(Value::is_string) => items.iter().filter_map(Value::as_str).collect(),
        _ => {
            findings.refuse(at, "bad_shape", "must be a list of names");
            return None;
        }
    };
    if told.is_string() && !words.is_empty() {
        findings.warn(at, "list_as_text", "read as a list of names");
    }
    let words: Vec<String> =
        words.into_iter().map(|name| bare(name).to_owned()).filter(|name| !name.is_empty()).collect();
    let odd = words.iter().find(|name| Path::read(name).is_none_or(|path| path.leads_within()));
    if let Some(odd) = odd {
        findings.refuse(at, "bad_name", format!("{} is no name of a field", shown(odd)));
        return None;
    }
    Some(words)
}

/// How many records a page has.
fn page_size(told: Option<&Value>, findings: &mut Findings) -> Option<u8> {
    let Some(told) = told.filter(|told| !is_blank(told)) else { return Some(MOST_RECORDS) };
    let wanted = number(told, "source.limit", findings)?;
    let page_size = wanted.clamp(1, i64::from(MOST_RECORDS));
    if page_size != wanted {
        findings.warn(
            "source.limit",
            "limit_out_of_range",
            format!("the platform takes 1 to {MOST_RECORDS}: {page_size}"),
        );
    }
    u8::try_from(page_size).ok()
}
