//! A component of a form, in whichever of its shapes it comes back (reference dingtalk 4.6).

use serde_json::{Map, Value};

use crate::api::lenient::as_text;

/// A component: a field of the form, or a container of others.
pub(super) struct Component {
    /// What it is for, in a name that templates do not change; empty where it has none.
    pub(super) alias: String,
    /// Its name as people see it.
    pub(super) name: String,
    /// Its type, such as `DDHolidayField`.
    pub(super) kind: String,
    /// What was filled in. Of anything but a plain text it is JSON.
    pub(super) value: String,
    /// What the platform adds to it; JSON.
    pub(super) extra: String,
}

impl Component {
    /// Reads a component of the form itself, of a suite in either of its dialects, or a cell of a table.
    pub(super) fn read(told: &Map<String, Value>) -> Self {
        let inner = told.get("props").and_then(Value::as_object);
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| written(told.get(*name)));
            found.or_else(|| names.iter().find_map(|name| written(inner?.get(*name)))).unwrap_or_default()
        };
        Self {
            alias: text(&["bizAlias"]),
            name: text(&["name", "label"]),
            kind: text(&["componentType", "componentName"]),
            value: text(&["value"]),
            extra: text(&["extValue", "extendValue", "ext_value"]),
        }
    }

    /// What is in a container: components, or rows of them.
    pub(super) fn children(&self) -> Vec<Value> {
        let items = list(&self.value);
        if items.iter().any(|item| matches!(item, Value::Object(_) | Value::Array(_))) { items } else { Vec::new() }
    }
}

/// The items of a text that is a list of JSON; none where it is none.
pub(super) fn list(json: &str) -> Vec<Value> {
    if !json.trim_start().starts_with('[') {
        return Vec::new();
    }
    serde_json::from_str(json).unwrap_or_default()
}

/// The object that a text is in JSON; an empty one where it is none.
pub(super) fn object(json: &str) -> Map<String, Value> {
    if !json.trim_start().starts_with('{') {
        return Map::new();
    }
    serde_json::from_str(json).unwrap_or_default()
}

/// A value is always a text; should it be JSON itself, it becomes one.
fn written(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        value @ (Value::Array(_) | Value::Object(_)) => Some(value.to_string()),
        value => as_text(value).filter(|text| !text.is_empty()),
    }
}
