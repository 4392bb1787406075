//! Values that are numbers in one answer and text in another, null, or not there.

use common::Value as FieldValue;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text, or a number as its digits. Anything else is as good as absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(deserializer).map(|value| as_text(&value))
}

/// A list of texts or numbers. A list with anything else in it, and what is no list, is as good as absent: half a list
/// would say that the other half is not there.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items.iter().map(as_text).collect(),
        _ => None,
    })
}

/// The text of a text or a number.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id of a department in its only spelling, which is that of callbacks.
pub(crate) fn department_id(text: &str) -> Option<String> {
    let text = text.trim();
    let id: u32 = if text.starts_with('+') { return None } else { text.parse().ok()? };
    (id > 0).then(|| id.to_string())
}

/// A text as a field has it. Blanks alone are nothing, as they are in callbacks.
pub(crate) fn field_text(text: String) -> FieldValue {
    if text.trim().is_empty() { "".into() } else { text.into() }
}

/// The ids of members, without blanks.
pub(crate) fn member_ids(ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}
