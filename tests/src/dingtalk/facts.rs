//! What an event says, whichever shape it comes in.

use platform_sim::dingtalk::Event;
use serde_json::Value;

/// Members that tell one fact from another; all shapes have them.
const TELLING: [&str; 9] =
    ["processInstanceId", "taskId", "type", "status", "result", "staffId", "remark", "action", "labelIdList"];

/// The fact that an event of the platform is.
pub fn fact_of(event: &Event) -> String {
    fact(&event.kind, &event.data)
}

/// The fact that an OA was told: a callback as it decrypted it.
pub fn fact_in(callback: &Value) -> String {
    fact(callback.get("EventType").and_then(Value::as_str).unwrap_or_default(), callback)
}

fn fact(kind: &str, data: &Value) -> String {
    let telling = TELLING.iter().filter_map(|name| Some(format!(" {name}={}", data.get(name)?)));
    telling.fold(kind.to_owned(), |fact, part| fact + &part)
}
