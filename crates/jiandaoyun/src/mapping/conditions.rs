//! The conditions of a mapping: which records are asked for, and looked at again here (reference jiandaoyun 6 and 12.1).
//!
//! Two of them are ours whatever the file says: how far the workflow is, and since when. The others are the file's.

use serde_json::{Map, Value};

use super::{
    Zone,
    condition::Condition,
    finding::{Findings, shown},
    path::Path,
    word::{bare, is_blank, type_word, word},
};
use crate::api::{Method, Rel, as_number};

/// More than a filter of the platform holds.
const MOST_CONDITIONS: usize = 50;

/// Ran through to the end (reference jiandaoyun 8).
const APPROVED: i64 = 1;
/// Running, and refused: nobody is created for these.
const NEVER_APPROVED: [i64; 2] = [0, 3];

/// Names of the record's id: the second is the one that the platform takes in filters.
const ID_NAMES: [&str; 2] = ["_id", "data_id"];

/// When another platform asked last, and when it asks: it fills these in.
const LAST_SYNC: &str = "LAST_SYNC_TIME";
const CURRENT: &str = "CURRENT_TIME";

/// All conditions of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conditions {
    /// The states of the workflow that count as approved; `None` when the file does not say.
    pub(crate) approved: Option<Vec<i64>>,
    /// How the file's own conditions go together.
    pub(crate) rel: Rel,
    /// The file's own.
    pub(crate) own: Vec<Condition>,
}

impl Conditions {
    /// The state of the workflow that counts as approved where the file does not say.
    pub(crate) const APPROVED: [i64; 1] = [APPROVED];

    /// Reads a filter: conditions in a list `cond`, or one by one under names such as `cond_1`. `None` when one of them is wrong.
    pub(crate) fn read(filter: &Value, zone: &Zone, findings: &mut Findings) -> Option<Self> {
        let mut conditions = Self { approved: None, rel: Rel::And, own: Vec::new() };
        if is_blank(filter) {
            return Some(conditions);
        }
        let Some(map) = filter.as_object() else {
            findings.refuse("source.filter", "bad_shape", "must be an object with rel and conditions");
            return None;
        };
        conditions.rel = rel(map, findings)?;
        let listed = listed(map, findings)?;
        if listed.len() > MOST_CONDITIONS {
            findings.refuse("source.filter", "too_many", format!("there may be {MOST_CONDITIONS} conditions at most"));
            return None;
        }
        let mut are_right = true;
        for (at, told) in &listed {
            are_right &= conditions.add(told, at, zone, findings).is_some();
        }
        if conditions.rel == Rel::Or && listed.len() > conditions.own.len() {
            let text = "the state of the workflow and the time must hold in any case, whatever else does";
            findings.warn("source.filter.rel", "or", text);
        }
        are_right.then_some(conditions)
    }

    /// Adds a condition; `None` when it is wrong.
    fn add(&mut self, told: &Value, at: &str, zone: &Zone, findings: &mut Findings) -> Option<()> {
        let at_key = |key: &str| format!("{at}.{key}");
        let Some(map) = told.as_object() else {
            findings.refuse(at, "bad_shape", "must be an object with field, method and value");
            return None;
        };
        let field = word(map.get("field").unwrap_or(&Value::Null), &at_key("field"), findings)?;
        if Path::read(&field).is_none_or(|path| path.leads_within()) {
            findings.refuse(&at_key("field"), "bad_name", format!("{} is no name of a field", shown(&field)));
            return None;
        }
        let kind = map.get("type").filter(|kind| !is_blank(kind));
        let kind = kind.map_or(Some(String::new()), |kind| type_word(kind, &at_key("type"), findings))?;
        let method = word(map.get("method").unwrap_or(&Value::Null), &at_key("method"), findings)?;
        let Some(method) = Method::read(&method.to_ascii_lowercase()) else {
            findings.refuse(&at_key("method"), "unknown_method", format!("there is no method {}", shown(&method)));
            return None;
        };
        let values = values(map.get("value").unwrap_or(&Value::Null), method, &at_key("value"), findings);
        if ID_NAMES.contains(&field.as_str()) && !matches!(method, Method::Eq | Method::In) {
            findings.warn(at, "cursor_condition", "records are paged by the platform's own cursor: this was dropped");
            return Some(());
        }
        let placeholders: Vec<String> = values.iter().filter_map(placeholder).collect();
        if !placeholders.is_empty() {
            look_at_time(&field, method, &placeholders, at, findings)?;
            // What stands beside them is the file's own.
            let own = |value: Value| if placeholder(&value).is_some() { Value::Null } else { value };
            let values: Vec<Value> = values.into_iter().map(own).collect();
            if !values.iter().all(is_blank) {
                self.own.push(Condition::read(field, &kind, method, values, at, zone, findings)?);
            }
            return Some(());
        }
        if field == "flowState" {
            let approved = approved(method, &values, at, findings)?;
            // Where the file says it twice both must hold.
            let both: Vec<i64> = match self.approved.take() {
                Some(before) => before.into_iter().filter(|state| approved.contains(state)).collect(),
                None => approved,
            };
            if both.is_empty() {
                let text = "no state is approved by all conditions on it: nobody would ever be created";
                findings.refuse(&at_key("value"), "flow_value", text);
                return None;
            }
            self.approved = Some(both);
            return Some(());
        }
        self.own.push(Condition::read(field, &kind, method, values, at, zone, findings)?);
        Some(())
    }
}

fn rel(map: &Map<String, Value>, findings: &mut Findings) -> Option<Rel> {
    let Some(told) = map.get("rel").filter(|told| !is_blank(told)) else { return Some(Rel::And) };
    match &*word(told, "source.filter.rel", findings)?.to_ascii_lowercase() {
        "and" => Some(Rel::And),
        "or" => Some(Rel::Or),
        _ => {
            findings.refuse("source.filter.rel", "bad_word", "must be and or or");
            None
        }
    }
}

/// The conditions with their places in the file. Whatever else stands in a filter is refused: a condition that is overlooked lets
/// people in.
fn listed<'v>(map: &'v Map<String, Value>, findings: &mut Findings) -> Option<Vec<(String, &'v Value)>> {
    let mut all = Vec::new();
    let mut are_numbered = false;
    for (key, told) in map.iter().filter(|(key, _)| *key != "rel") {
        let at = format!("source.filter.{key}");
        match told {
            Value::Array(items) if key == "cond" => {
                all.extend(items.iter().enumerate().map(|(place, item)| (format!("{at}[{place}]"), item)));
            }
            Value::Object(condition) if condition.contains_key("field") => {
                are_numbered = true;
                all.push((at, told));
            }
            blank if is_blank(blank) => {}
            _ => {
                findings.refuse(&at, "bad_shape", "must be a condition: an object with field, method and value");
                return None;
            }
        }
    }
    if are_numbered {
        let text = "conditions under names of their own were read as a list of conditions";
        findings.warn("source.filter", "named_conditions", text);
    }
    Some(all)
}

/// The values of a condition as a list.
fn values(told: &Value, method: Method, at: &str, findings: &mut Findings) -> Vec<Value> {
    if !method.takes_values() {
        return Vec::new();
    }
    match told {
        Value::Array(values) => values.clone(),
        Value::Null => Vec::new(),
        Value::String(text) => {
            findings.warn(at, "value_as_text", "read as a list of values, as the platform wants it");
            of_text(text, method)
        }
        one => {
            findings.warn(at, "single_value", "read as a list of one value, as the platform wants it");
            vec![one.clone()]
        }
    }
}

/// The values of a text: a list in JSON, the two ends of a range, or one.
fn of_text(text: &str, method: Method) -> Vec<Value> {
    if let Ok(Value::Array(values)) = serde_json::from_str(text) {
        return values;
    }
    let several = matches!(method, Method::Range | Method::In | Method::Nin | Method::All);
    match text.split([',', '，']).map(bare).collect::<Vec<_>>().as_slice() {
        [""] => Vec::new(),
        parts if several => {
            parts.iter().map(|part| if part.is_empty() { Value::Null } else { Value::from(*part) }).collect()
        }
        _ => vec![Value::from(bare(text))],
    }
}

/// The name of a placeholder `{{NAME|type}}` in a value.
fn placeholder(value: &Value) -> Option<String> {
    let (_, inside) = value.as_str()?.split_once("{{")?;
    let name = inside.split(['|', '}']).next().unwrap_or_default();
    Some(name.trim().to_owned())
}

/// Looks at a condition on the time of the last sync; `None` when it cannot be understood. Since when is ours to say: by the time
/// of the last change, as a range, since the platform knows no other way (reference jiandaoyun 0).
fn look_at_time(field: &str, method: Method, names: &[String], at: &str, findings: &mut Findings) -> Option<()> {
    let is_time = matches!(field, "updateTime" | "createTime");
    let unknown = names.iter().find(|name| !is_time || !matches!(name.as_str(), LAST_SYNC | CURRENT));
    if let Some(unknown) = unknown {
        let text = format!("{} cannot be filled in here", shown(unknown));
        findings.refuse(&format!("{at}.value"), "unknown_placeholder", text);
        return None;
    }
    if field != "updateTime" {
        let text = "an approval changes a record and not its creation: the time of the last change is looked at";
        findings.warn(&format!("{at}.field"), "time_field", text);
    }
    if method != Method::Range {
        findings.warn(&format!("{at}.method"), "time_method", "times are compared as a range, from the last sync on");
    }
    Some(())
}

/// The states of the workflow that a condition takes for approved.
fn approved(method: Method, values: &[Value], at: &str, findings: &mut Findings) -> Option<Vec<i64>> {
    if !matches!(method, Method::Eq | Method::In) {
        let text = "must say which state is approved: eq 1";
        findings.refuse(&format!("{at}.method"), "flow_method", text);
        return None;
    }
    let at = format!("{at}.value");
    let states: Option<Vec<i64>> = values.iter().map(as_number).collect();
    let Some(states) = states.filter(|states| !states.is_empty()) else {
        findings.refuse(&at, "flow_value", "must be the number of a state: 1 is approved");
        return None;
    };
    if states.iter().any(|state| NEVER_APPROVED.contains(state)) {
        findings.refuse(&at, "flow_value", "0 is a running workflow and 3 a refusal: neither is an approval");
        return None;
    }
    if values.iter().any(Value::is_string) {
        findings.warn(&at, "number_as_text", "read as a number: the platform ignores a text here");
    }
    if states.iter().any(|state| *state != APPROVED) {
        findings.warn(&at, "flow_state", "only 1 is a workflow that ran through to its end");
    }
    Some(states)
}

#[cfg(test)]
mod tests;
