//! Extended attributes (reference wecom 3.4).

use serde_json::{Map, Value, json};

use crate::{
    api::as_number,
    mapping::{plain, reason::Reason},
};

/// The longest text of an attribute.
const LONGEST_TEXT: usize = 64;
const LONGEST_TITLE: usize = 12;

/// The text of one attribute.
pub(super) fn text(value: &Value) -> Result<Option<Value>, Reason> {
    super::filled(&plain::text(value)?, |text| super::within(text, 1, LONGEST_TEXT))
}

/// All attributes at once: `{"attrs": [..]}`, or the list alone, also as a text of JSON. Those without a value are left out.
pub(super) fn settle(value: &Value) -> Result<Option<Value>, Reason> {
    let parsed = match value {
        Value::String(text) => serde_json::from_str(text).ok().ok_or(Reason::NoAttributes)?,
        other => other.clone(),
    };
    let list = match &parsed {
        Value::Array(list) => list,
        Value::Object(map) => map.get("attrs").and_then(Value::as_array).ok_or(Reason::NoAttributes)?,
        _ => return Err(Reason::NoAttributes),
    };
    let mut attributes = Vec::new();
    for attribute in list {
        attributes.extend(read(attribute.as_object().ok_or(Reason::NoAttributes)?)?);
    }
    Ok((!attributes.is_empty()).then(|| json!({"attrs": attributes})))
}

fn read(attribute: &Map<String, Value>) -> Result<Option<Value>, Reason> {
    let name = attribute.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or(Reason::NoAttributes)?;
    let within = |object: &str, field: &str| attribute.get(object).and_then(|object| object.get(field));
    let kind = attribute.get("type").map_or(Some(0), as_number);
    match kind {
        Some(0) => {
            let told = within("text", "value").or_else(|| attribute.get("value")).unwrap_or(&Value::Null);
            Ok(text(told)?.map(|value| json!({"type": 0, "name": name, "text": {"value": value}})))
        }
        Some(1) => {
            let url = within("web", "url").and_then(Value::as_str).unwrap_or_default().trim();
            let title = plain::text(within("web", "title").unwrap_or(&Value::Null))?;
            if url.is_empty() {
                return Ok(None);
            }
            if !(url.starts_with("http://") || url.starts_with("https://")) {
                return Err(Reason::NoAttributes);
            }
            let title = super::within(title.trim(), 1, LONGEST_TITLE)?;
            Ok(Some(json!({"type": 1, "name": name, "web": {"url": url, "title": title}})))
        }
        _ => Err(Reason::NoAttributes),
    }
}
