//! What an event says, in one spelling for all shapes: the content that keys are made of (reference dingtalk 6.2).

use std::collections::BTreeMap;

use common::UnixMillis;
use serde_json::Value;

use super::body::{Body, plain};

/// Members that name or carry the event, and are not in every shape.
const BOOKKEEPING: [&str; 7] = ["eventtype", "eventtime", "corpid", "bizid", "eventid", "timestamp", "resource"];

/// Parts next to each other, none of which can be taken for a piece of another.
pub(super) fn of(parts: &[&str]) -> String {
    // Texts only: JSON can say that.
    serde_json::to_string(parts).unwrap_or_default()
}

/// An event of which nothing is known but its members.
pub(super) fn unknown(name: &str, born: Option<UnixMillis>, body: &Body<'_>) -> String {
    let born = born.map(|born| born.0.to_string()).unwrap_or_default();
    let members = body.iter().filter(|(name, _)| !BOOKKEEPING.contains(name));
    let members: BTreeMap<&str, Value> = members.map(|(name, value)| (name, spelled(value))).collect();
    of(&[name, &born, &serde_json::to_string(&members).unwrap_or_default()])
}

/// Numbers as texts, lists in order, names in lower case.
fn spelled(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(spelled).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.iter().map(|(name, value)| (name.to_ascii_lowercase(), spelled(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        scalar => Value::String(plain(scalar).unwrap_or_else(|| match scalar {
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(object: &Value) -> String {
        unknown("x", Some(UnixMillis(1)), &Body::of(object.as_object().unwrap()))
    }

    #[test]
    fn parts_keep_their_borders() {
        assert_ne!(of(&["a", "b"]), of(&["ab", ""]));
        assert_ne!(of(&["a\",\"b"]), of(&["a", "b"]));
    }

    #[test]
    fn spelling_and_bookkeeping_make_no_difference() {
        let stream =
            json!({ "eventId": "1", "labelIdList": [7002, 7001], "action": "add", "x": { "B": null, "a": 1.5 } });
        let http = json!({
            "EventType": "x", "EventTime": 5, "CorpId": "c", "BizId": "b", "eventId": "2", "Action": " add ",
            "LabelIdList": ["7001", 7002], "X": { "A": 1.5, "b": "" }, "timeStamp": "9",
        });
        assert_eq!(key(&stream), key(&http));
    }

    #[test]
    fn every_other_difference_counts() {
        let keys = [
            json!({ "a": "1" }),
            json!({ "a": "2" }),
            json!({ "b": "1" }),
            json!({ "a": ["1"] }),
            json!({ "a": ["1", "1"] }),
            json!({ "a": { "a": "1" } }),
            json!({ "a": "1", "b": "1" }),
            json!({}),
        ]
        .each_ref()
        .map(key);
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        let empty = Body::default();
        assert_ne!(unknown("x", Some(UnixMillis(1)), &empty), unknown("x", Some(UnixMillis(2)), &empty));
        assert_ne!(unknown("x", None, &empty), unknown("y", None, &empty));
    }
}
