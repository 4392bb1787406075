//! One field of the request: what it is made of, and what becomes of it.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Zone,
    check::Check,
    convert::Conversion,
    finding::{Findings, shown},
    reason::Reason,
    target::Target,
    template::{Template, Unreadable},
    word::{flag_of, is_blank, type_word, word},
};

/// What stands in an entry.
const KEYS: [&str; 10] =
    ["field", "label", "type", "describe", "value", "convert", "default", "required", "check", "on_invalid"];

/// What happens to a record whose value the platform would not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// The record is left out and listed.
    Skip,
    /// The entry's default is sent, or the field is left out where it has none and is not required.
    Default,
    /// The record failed, and a person is to see it.
    Fail,
}

/// An entry of the request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Where it stands in the file.
    pub(crate) at: String,
    pub(crate) field: String,
    pub(crate) label: String,
    pub(crate) target: Target,
    /// The template as it was written.
    pub(crate) from: String,
    pub(crate) template: Template,
    pub(crate) convert: Vec<Conversion>,
    pub(crate) checks: Vec<Check>,
    /// What the platform takes.
    pub(crate) default: Option<Value>,
    pub(crate) is_required: bool,
    pub(crate) on_invalid: OnInvalid,
}

/// One thing that was done with a value.
#[derive(Clone, PartialEq, Serialize)]
pub struct Step {
    /// The conversion.
    pub name: String,
    /// What came out of it.
    pub value: Value,
}

/// What became of a value on its way.
pub(crate) struct Passage {
    pub(crate) input: Value,
    pub(crate) steps: Vec<Step>,
    /// What is sent; `None` for nothing.
    pub(crate) output: Result<Option<Value>, Reason>,
}

impl Entry {
    /// Reads an entry; `None` for one that is not used, and for one that is wrong.
    pub(crate) fn read(value: &Value, at: &str, zone: &Zone, findings: &mut Findings) -> Option<Self> {
        let Some(map) = value.as_object() else {
            findings.refuse(at, "bad_shape", "must be an object with a field and a value");
            return None;
        };
        for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            findings.warn(at, "unknown_key", format!("{} is not known and was ignored", shown(key)));
        }
        let at_key = |key: &str| format!("{at}.{key}");
        let Some(name) = map.get("field") else {
            findings.refuse(at, "no_field", "must name a field of the request");
            return None;
        };
        let field = word(name, &at_key("field"), findings)?;
        let default = map.get("default").filter(|default| !is_blank(default));
        let value = map.get("value").filter(|value| !is_blank(value));
        let Some(target) = Target::named(&field) else {
            if value.is_some() || default.is_some() {
                let text = format!("the platform's user/create has no field {}: it is not sent", shown(&field));
                findings.warn(&at_key("field"), "unknown_field", text);
            }
            return None;
        };
        if let Some(kind) = map.get("type").filter(|kind| !is_blank(kind)) {
            type_word(kind, &at_key("type"), findings);
        }
        let is_required = map.get("required").filter(|required| !required.is_null());
        let is_required = match is_required {
            Some(required) => flag_of(required, &at_key("required"), findings)?,
            None => target.is_needed() && value.is_some(),
        };
        if value.is_none() && default.is_none() {
            if is_required {
                findings.refuse(&at_key("value"), "no_value", "is required and has no value");
            }
            return None;
        }
        let template = template(value.unwrap_or(&Value::Null), &target, &at_key("value"), findings)?;
        let mut entry = Self {
            at: at.to_owned(),
            label: map.get("label").and_then(Value::as_str).unwrap_or_default().to_owned(),
            from: value.map(as_written).unwrap_or_default(),
            convert: Conversion::read_all(map.get("convert").unwrap_or(&Value::Null), &at_key("convert"), findings),
            checks: Check::read_all(map.get("check").unwrap_or(&Value::Null), &at_key("check"), findings),
            on_invalid: on_invalid(map, &at_key("on_invalid"), findings)?,
            default: None,
            field,
            target,
            template,
            is_required,
        };
        entry.default = entry.settled_default(default, findings);
        entry.try_fixed(zone, findings);
        Some(entry)
    }

    /// The default as the platform takes it.
    fn settled_default(&self, default: Option<&Value>, findings: &mut Findings) -> Option<Value> {
        let settled = self.target.settle(default?).and_then(|settled| self.checked(settled));
        settled.unwrap_or_else(|reason| {
            findings.refuse(&format!("{}.default", self.at), "bad_default", reason.to_string());
            None
        })
    }

    /// A value that is the same for every record is either right or wrong at once.
    fn try_fixed(&self, zone: &Zone, findings: &mut Findings) {
        if !self.template.paths().is_empty() {
            return;
        }
        if let Err(reason) = self.pass(&Map::new(), zone).output {
            findings.refuse(&format!("{}.value", self.at), "bad_value", reason.to_string());
        }
    }

    /// Takes the value out of a record, converts it, brings it into the form that the platform takes, and checks it.
    pub(crate) fn pass(&self, values: &Map<String, Value>, zone: &Zone) -> Passage {
        let mut steps = Vec::new();
        let input = match self.template.fill(values, self.target.is_identity()) {
            Ok(input) => input,
            Err(reason) => return Passage { input: Value::Null, steps, output: Err(reason) },
        };
        let mut value = input.clone();
        for conversion in &self.convert {
            value = match conversion.apply(value, zone) {
                Ok(value) => value,
                Err(reason) => return Passage { input, steps, output: Err(reason) },
            };
            steps.push(Step { name: conversion.name().to_owned(), value: value.clone() });
        }
        let output = self.target.settle(&value).and_then(|settled| self.checked(settled));
        Passage { input, steps, output }
    }

    /// Whether something is made of a moment before it is sent.
    pub(crate) fn converts_moments(&self) -> bool {
        self.convert.iter().any(Conversion::is_of_moment)
    }

    fn checked(&self, settled: Option<Value>) -> Result<Option<Value>, Reason> {
        if let Some(value) = &settled {
            self.checks.iter().try_for_each(|check| check.passes(value))?;
        }
        Ok(settled)
    }
}

fn template(value: &Value, target: &Target, at: &str, findings: &mut Findings) -> Option<Template> {
    // A text of JSON has braces that are none of places.
    let parsed = value.as_str().filter(|_| target.takes_objects()).and_then(|text| serde_json::from_str(text).ok());
    let parsed: Option<Value> = parsed.filter(|parsed: &Value| parsed.is_object() || parsed.is_array());
    match Template::read(parsed.as_ref().unwrap_or(value)) {
        Ok(template) => Some(template),
        Err(Unreadable::Foreign(inside)) => {
            let placeholder = shown(&format!("{{{inside}"));
            let text = format!("{placeholder} is filled in by another platform, and by nobody here");
            findings.refuse(at, "unknown_placeholder", text);
            None
        }
        Err(Unreadable::NoPath(inside)) => {
            let text =
                format!("{} is no name of a field: widget ids and aliases are, such as {{_widget_1}}", shown(&inside));
            findings.refuse(at, "bad_placeholder", text);
            None
        }
        Err(Unreadable::TooDeep) => {
            findings.refuse(at, "too_deep", "lists and objects are too deep in each other");
            None
        }
    }
}

fn on_invalid(map: &Map<String, Value>, at: &str, findings: &mut Findings) -> Option<OnInvalid> {
    let Some(told) = map.get("on_invalid").filter(|told| !told.is_null()) else { return Some(OnInvalid::Fail) };
    match &*word(told, at, findings)?.to_lowercase() {
        "skip" => Some(OnInvalid::Skip),
        "default" => Some(OnInvalid::Default),
        "fail" => Some(OnInvalid::Fail),
        _ => {
            findings.refuse(at, "bad_word", "must be skip, default or fail");
            None
        }
    }
}

fn as_written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Without the value.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("name", &self.name).finish_non_exhaustive()
    }
}
