//! The frames of Stream mode (reference dingtalk 1.5 to 1.7).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::events::Event;

#[cfg(test)]
mod tests;

/// Which connection of which app a frame goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    pub(super) app_id: &'a str,
    pub(super) connection_id: &'a str,
}

/// What identifies one push.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    pub(super) message_id: &'a str,
    pub(super) now_ms: i64,
}

/// A frame that carries an event.
pub(super) fn event(event: &Event, to: Address<'_>, stamp: Stamp<'_>) -> String {
    let mut headers = addressed("*", to, stamp);
    headers.extend([
        ("eventType", event.kind.clone()),
        ("eventId", event.id.clone()),
        ("eventCorpId", event.corp_id.clone()),
        ("eventBornTime", event.born_ms.to_string()),
        ("eventUnifiedAppId", to.app_id.to_owned()),
    ]);
    frame("EVENT", &headers, &event.stream_data())
}

/// A frame of the connection itself; it has neither an app nor a connection id.
pub(super) fn system(topic: &str, stamp: Stamp<'_>, data: &str) -> String {
    frame("SYSTEM", &common(topic, stamp), data)
}

/// A frame that asks the app something.
pub(super) fn callback(topic: &str, to: Address<'_>, stamp: Stamp<'_>, data: &str) -> String {
    frame("CALLBACK", &addressed(topic, to, stamp), data)
}

type Headers = BTreeMap<&'static str, String>;

fn common(topic: &str, stamp: Stamp<'_>) -> Headers {
    BTreeMap::from([
        ("contentType", "application/json".to_owned()),
        ("messageId", stamp.message_id.to_owned()),
        ("time", stamp.now_ms.to_string()),
        ("topic", topic.to_owned()),
    ])
}

fn addressed(topic: &str, to: Address<'_>, stamp: Stamp<'_>) -> Headers {
    let mut headers = common(topic, stamp);
    headers.extend([("appId", to.app_id.to_owned()), ("connectionId", to.connection_id.to_owned())]);
    headers
}

/// `data` is a text that is JSON itself, as on the wire.
fn frame(kind: &str, headers: &Headers, data: &str) -> String {
    json!({"specVersion": "1.0", "type": kind, "headers": headers, "data": data}).to_string()
}

/// What a client says to a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The push that it is about.
    pub message_id: String,
    /// 200 for done.
    pub code: i64,
    /// Free text.
    pub message: String,
    /// JSON in a text.
    pub data: String,
}

impl Reply {
    /// A frame from a client; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let frame: Value = serde_json::from_str(text).ok()?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let message_id = frame.get("headers")?.get("messageId")?.as_str()?.to_owned();
        Some(Self {
            message_id,
            code: frame.get("code")?.as_i64()?,
            message: text(frame.get("message")),
            data: text(frame.get("data")),
        })
    }

    /// The status in its data; none where the client echoes the event, as the Python SDK does.
    #[must_use]
    pub fn status(&self) -> Option<String> {
        let data: Value = serde_json::from_str(&self.data).ok()?;
        data.get("status")?.as_str().map(str::to_owned)
    }

    /// What it means for an event (reference dingtalk 1.6).
    #[must_use]
    pub fn fate(&self) -> Fate {
        let later = self.status().as_deref() == Some("LATER");
        match (self.code, later) {
            (200, false) => Fate::Delivered,
            (_, true) => Fate::Later,
            (_, false) => Fate::Failed,
        }
    }
}

/// What came of one sending of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing yet.
    UnderWay,
    /// Code 200, and not `LATER`.
    Delivered,
    /// `LATER`, with whatever code.
    Later,
    /// Another code than 200.
    Failed,
    /// No reply in time.
    Unanswered,
}
