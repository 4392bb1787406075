//! Every sample of reference dingtalk 1.5, 3.1 to 3.4 and 4.7, in each shape that it may come in.

mod approvals;
mod attendance;
mod contacts;
mod hostile;
mod shapes;

use serde_json::{Map, Value, json};

use super::*;
use crate::normalise_failed;

const CORP: &str = "ding0000test0000corp";
const BORN: UnixMillis = UnixMillis(1_790_000_000_123);
const NOW: UnixMillis = UnixMillis(1_790_000_001_000);

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// A frame as the platform sends it, with the id in its headers that its data has.
fn stream(name: &str, data: &str) -> Vec<Event> {
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    let id = value["eventId"].as_str().unwrap_or("1ff0");
    let headers = json!({
        "topic": "*", "messageId": "m1", "eventType": name, "eventId": id, "eventCorpId": CORP,
        "eventBornTime": BORN.0.to_string(),
    });
    let frame = json!({ "specVersion": "1.0", "type": "EVENT", "headers": headers, "data": data }).to_string();
    normalise_frame(&tenant(), CORP, &Frame::parse(&frame).unwrap(), NOW, Some("00-ab".into()), Wanted::ALL).unwrap()
}

/// The text of a push in the present dialect.
fn push(name: &str, data: &str) -> String {
    let mut members: Map<String, Value> = serde_json::from_str(data).unwrap();
    members.insert("EventType".into(), json!(name));
    members.insert("EventTime".into(), json!(BORN.0));
    members.insert("CorpId".into(), json!(CORP));
    members.insert("BizId".into(), json!("1790000000001"));
    Value::Object(members).to_string()
}

fn http(text: &str) -> Vec<Event> {
    normalise_http(&tenant(), CORP, text, NOW, None, Wanted::ALL).unwrap()
}

/// What the list of failed pushes has of an event.
fn failed(name: &str, body: &Value) -> Vec<Event> {
    let entry = json!({ "call_back_tag": name, "event_time": BORN.0, name: body });
    let page = json!({ "errcode": 0, "errmsg": "ok", "has_more": false, "failed_list": [entry] });
    normalise_failed(&tenant(), CORP, &page.to_string(), NOW, Wanted::ALL)
}

fn seen(event: &Event) -> Option<&Observation> {
    match &event.body {
        EventBody::Directory(seen) => Some(seen),
        EventBody::Callback(_) => None,
    }
}

/// Each event in short: `member updated? user0001`, with a question mark for a hint, or `callback label_conf_add`.
fn in_short(events: &[Event]) -> Vec<String> {
    let short = |event: &Event| match &event.body {
        EventBody::Directory(seen) => {
            let mark = if seen.hint { "?" } else { "" };
            format!("{} {}{mark} {}", seen.kind.as_str(), seen.what.as_str(), seen.id)
        }
        EventBody::Callback(callback) => format!("callback {}", callback.name),
    };
    events.iter().map(short).collect()
}

fn contents(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.keys.content.as_str()).collect()
}
