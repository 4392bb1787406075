//! What is written back into the form, for the person who waits (reference jiandaoyun 9).

use serde_json::{Map, Value, json};

use super::{
    finding::{Findings, shown},
    path::Path,
    word::{is_blank, word},
};
use crate::api::Widgets;

/// The field types that a text can be written into.
const WRITABLE: [&str; 4] = ["text", "textarea", "radiogroup", "combo"];

/// The longest text that is written.
const LONGEST_CHARS: usize = 200;

/// Where the reason stands in the text of a rejection.
const REASON: &str = "{reason}";

/// A field that says what became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusField {
    field: String,
    created: String,
    rejected: String,
}

impl StatusField {
    /// Reads `"status": {"field": "_widget_9", "created": "..", "rejected": ".. {reason}"}`, or the name of the field alone.
    /// `Some(None)` where there is none, `None` where it is wrong.
    pub(crate) fn read(told: Option<&Value>, findings: &mut Findings) -> Option<Option<Self>> {
        let Some(told) = told.filter(|told| !is_blank(told)) else { return Some(None) };
        let none = Map::new();
        let map = told.as_object().unwrap_or(&none);
        let field = if told.is_string() { told } else { map.get("field").unwrap_or(&Value::Null) };
        let field = word(field, "status.field", findings)?;
        if Path::read(&field).is_none_or(|path| path.leads_within()) {
            findings.refuse("status.field", "bad_name", format!("{} is no name of a field", shown(&field)));
            return None;
        }
        let mut text = |key: &str, usual: &str| match map.get(key) {
            None | Some(Value::Null) => Some(usual.to_owned()),
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                findings.refuse(&format!("status.{key}"), "no_text", "must be a text");
                None
            }
        };
        let (created, rejected) = (text("created", "created"), text("rejected", "rejected: {reason}"));
        Some(Some(Self { field, created: created?, rejected: rejected? }))
    }

    /// The same by the name that records have; `None` when the form has no such field, or one that takes no text.
    pub(crate) fn bind(&self, widgets: &Widgets, findings: &mut Findings) -> Option<Self> {
        let Some(widget) = widgets.find(&self.field) else {
            findings.refuse("status.field", "unknown_name", format!("the form has no field {}", shown(&self.field)));
            return None;
        };
        if !WRITABLE.contains(&&*widget.kind) {
            let text = format!("a text cannot be written into a field of type {}", shown(&widget.kind));
            findings.refuse("status.field", "not_writable", text);
            return None;
        }
        Some(Self { field: widget.name.clone(), ..self.clone() })
    }

    /// The field.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is written into a record of which a member was created, for [`Client::update`](crate::api::Client::update).
    pub fn created(&self) -> Map<String, Value> {
        self.write(&self.created)
    }

    /// What is written into one of which none was, and why.
    pub fn rejected(&self, reason: &str) -> Map<String, Value> {
        self.write(&self.rejected.replace(REASON, reason))
    }

    fn write(&self, text: &str) -> Map<String, Value> {
        let text: String = text.chars().take(LONGEST_CHARS).collect();
        Map::from_iter([(self.field.clone(), json!({"value": text}))])
    }
}
