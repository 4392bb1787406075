//! A JSON object as the platform writes them: names in any case, numbers for texts and texts for numbers, one thing where a list
//! is documented (reference dingtalk 3.1).

use std::collections::BTreeMap;

use common::UnixMillis;
use serde_json::{Map, Value};

/// What is less than this as a time can only be seconds: as milliseconds it would be before 1973.
const LEAST_MILLIS: i64 = 100_000_000_000;
const LONGEST_TIME_DIGITS: usize = 13;

/// An object; its members are found by their names in lower case.
#[derive(Default)]
pub(crate) struct Body<'a> {
    members: BTreeMap<String, &'a Value>,
}

impl<'a> Body<'a> {
    pub(crate) fn of(object: &'a Map<String, Value>) -> Self {
        let mut members = BTreeMap::new();
        for (name, value) in object {
            members.entry(name.to_ascii_lowercase()).or_insert(value);
        }
        Self { members }
    }

    /// A text that is not empty, or a number as text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.members.get(name).and_then(|value| plain(value))
    }

    pub(crate) fn time(&self, name: &str) -> Option<UnixMillis> {
        time(&self.text(name)?)
    }

    /// The items of a list, or the only one; `None` among them for what is neither text nor number.
    pub(crate) fn texts(&self, name: &str) -> Vec<Option<String>> {
        self.items(name).iter().map(plain).collect()
    }

    /// The objects of a list, or the only one.
    pub(crate) fn bodies(&self, name: &str) -> Vec<Body<'a>> {
        self.items(name).iter().filter_map(Value::as_object).map(Body::of).collect()
    }

    /// All members, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), *value))
    }

    fn items(&self, name: &str) -> &'a [Value] {
        match self.members.get(name).copied() {
            Some(Value::Array(items)) => items,
            Some(Value::Null) | None => &[],
            Some(one) => std::slice::from_ref(one),
        }
    }
}

/// A text without white space around it, unless it is empty; or what is as good as a text.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A time in milliseconds, or in seconds where it can be nothing else. More digits are no time: it would lie so far ahead that no
/// later event could ever win against it.
pub(crate) fn time(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    let digits = (1..=LONGEST_TIME_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = if digits { text.parse().ok()? } else { return None };
    match number {
        0 => None,
        ..LEAST_MILLIS => Some(UnixMillis::from_seconds(number)),
        _ => Some(UnixMillis(number)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_kinds_of_values_and_single_items_make_no_difference() {
        let texts = |object: Value| Body::of(object.as_object().unwrap()).texts("userid");
        for object in [json!({ "userId": ["7", "8"] }), json!({ "UserId": [7, " 8 "] }), json!({ "userid": ["7", 8] })]
        {
            assert_eq!(texts(object), [Some("7".to_owned()), Some("8".to_owned())]);
        }
        assert_eq!(texts(json!({ "USERID": "7" })), [Some("7".to_owned())]);
        assert_eq!(texts(json!({ "userId": ["", {}, 1.5] })), [None, None, None]);
        assert!(texts(json!({ "userId": null })).is_empty() && texts(json!({})).is_empty());
        let nested = json!({ "DataList": { "userId": "7" }, "dataList": [] });
        assert_eq!(Body::of(nested.as_object().unwrap()).bodies("datalist").len(), 1);
        let largest = json!({ "id": 18_446_744_073_709_551_615_u64 });
        let text = Body::of(largest.as_object().unwrap()).text("id");
        assert_eq!(text.as_deref(), Some("18446744073709551615"));
    }

    #[test]
    fn times_are_milliseconds_unless_they_are_too_small() {
        assert_eq!(time(" 1790000000123 "), Some(UnixMillis(1_790_000_000_123)));
        assert_eq!(time("1790000000"), Some(UnixMillis(1_790_000_000_000)));
        for bad in ["", "0", "-1", "+1790000000123", "17900000001234", "1.79e12", "2026-09-21", "１"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
