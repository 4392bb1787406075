//! What the platform sends: one text message, one frame (reference dingtalk 1.5 and 1.7).

use std::collections::BTreeMap;

use common::UnixMillis;
use serde::Deserialize;
use serde_json::Value;

use crate::event::time;

/// The longest frame that is read, in bytes; the official Java client has the same limit (reference dingtalk 1.4).
pub const LONGEST_FRAME_BYTES: usize = 256 * 1024;

/// What a frame is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// The connection itself: `ping`, `disconnect`, `KEEPALIVE`.
    System,
    /// An event of the organisation.
    Event,
    /// Robots, cards and the like; none is subscribed to.
    Callback,
    /// Nothing that is documented.
    Other,
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// `1.0`; empty where it is missing.
    pub spec_version: String,
    /// What it is about.
    pub kind: FrameKind,
    /// Its headers, all as texts.
    pub headers: BTreeMap<String, String>,
    /// A JSON document as text.
    pub data: String,
}

/// A text that is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It is longer than [`LONGEST_FRAME_BYTES`].
    #[error("the frame is longer than 256 KiB")]
    TooLong,
    /// It is no JSON object with a type.
    #[error("the frame is not a JSON object with a type")]
    Misshapen,
}

/// What is on the wire. One page of the documentation calls the headers `header`; times are sometimes shown as numbers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    spec_version: Value,
    r#type: String,
    #[serde(default, alias = "header")]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    data: Value,
}

impl Frame {
    /// Reads a frame. Headers that are neither texts nor numbers are left out; a `data` that is no text is kept as its JSON.
    ///
    /// # Errors
    /// When it is too long, or no JSON object with a type.
    pub fn parse(text: &str) -> Result<Self, BadFrame> {
        if text.len() > LONGEST_FRAME_BYTES {
            return Err(BadFrame::TooLong);
        }
        let wire: Wire = serde_json::from_str(text).ok().ok_or(BadFrame::Misshapen)?;
        let headers = wire.headers.into_iter().filter_map(|(name, value)| Some((name, plain(value)?)));
        Ok(Self {
            spec_version: plain(wire.spec_version).unwrap_or_default(),
            kind: kind(&wire.r#type),
            headers: headers.collect(),
            data: match wire.data {
                Value::String(data) => data,
                Value::Null => String::new(),
                other => other.to_string(),
            },
        })
    }

    /// `*` of events, `ping`, `disconnect` or `KEEPALIVE` of the system; empty where it is missing.
    pub fn topic(&self) -> &str {
        self.header("topic").unwrap_or_default()
    }

    /// Names this push; to be repeated in the answer. Empty where it is missing.
    pub fn message_id(&self) -> &str {
        self.header("messageId").unwrap_or_default()
    }

    /// The type of event: `user_add_org`.
    pub fn event_type(&self) -> Option<&str> {
        self.header("eventType")
    }

    /// Names the event; equal in each push of it.
    pub fn event_id(&self) -> Option<&str> {
        self.header("eventId")
    }

    /// The organisation that the event belongs to.
    pub fn event_corp_id(&self) -> Option<&str> {
        self.header("eventCorpId")
    }

    /// When the event came into being, by the platform's clock.
    pub fn event_born_time(&self) -> Option<UnixMillis> {
        self.header("eventBornTime").and_then(time)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn kind(name: &str) -> FrameKind {
    match name {
        "SYSTEM" => FrameKind::System,
        "EVENT" => FrameKind::Event,
        "CALLBACK" => FrameKind::Callback,
        _ => FrameKind::Other,
    }
}

fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complete frame of reference dingtalk 1.5.
    const EVENT: &str = r#"{"specVersion":"1.0","type":"EVENT","headers":{"appId":"11111111-2222-3333-4444-555555555555","connectionId":"c0ffee00-0000-11f0-8000-000000000001","contentType":"application/json","messageId":"212b9d7c_165f_19bfa1a500a_0001","time":"1790000000456","topic":"*","eventType":"user_add_org","eventId":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","eventCorpId":"ding0000test0000corp","eventBornTime":"1790000000123","eventUnifiedAppId":"11111111-2222-3333-4444-555555555555"},"data":"{\"eventId\":\"0f1e2d3c4b5a69788796a5b4c3d2e1f0\",\"timeStamp\":\"1790000000100\",\"userId\":[\"user0001\"]}"}"#;

    #[test]
    fn the_event_of_the_reference_is_read() {
        let frame = Frame::parse(EVENT).unwrap();
        assert_eq!((frame.spec_version.as_str(), frame.kind, frame.topic()), ("1.0", FrameKind::Event, "*"));
        assert_eq!(frame.message_id(), "212b9d7c_165f_19bfa1a500a_0001");
        assert_eq!(frame.event_type(), Some("user_add_org"));
        assert_eq!(frame.event_id(), Some("0f1e2d3c4b5a69788796a5b4c3d2e1f0"));
        assert_eq!(frame.event_corp_id(), Some("ding0000test0000corp"));
        assert_eq!(frame.event_born_time(), Some(UnixMillis(1_790_000_000_123)));
        assert!(frame.data.starts_with("{\"eventId\""));
        assert_eq!(frame.headers.len(), 11);
    }

    #[test]
    fn the_system_frame_of_the_reference_is_read() {
        let text = r#"{"specVersion":"1.0","type":"SYSTEM","headers":{"contentType":"application/json","messageId":"c0a815dd1790000000456195d43","time":"1790000000456","topic":"disconnect"},"data":"{\"reason\":\"persistent connection is timeout\"}"}"#;
        let frame = Frame::parse(text).unwrap();
        assert_eq!((frame.kind, frame.topic()), (FrameKind::System, "disconnect"));
        assert_eq!((frame.event_type(), frame.event_born_time()), (None, None));
    }

    #[test]
    fn slips_of_the_documentation_are_read_too() {
        let text = r#"{"type":"EVENT","header":{"topic":"dingTalk","eventBornTime":1790000000123,"x":null,"y":{}},"data":{"a":1},"time":1790000000456}"#;
        let frame = Frame::parse(text).unwrap();
        assert_eq!((frame.spec_version.as_str(), frame.topic(), frame.message_id()), ("", "dingTalk", ""));
        assert_eq!(frame.event_born_time(), Some(UnixMillis(1_790_000_000_123)));
        assert_eq!((frame.data.as_str(), frame.headers.len()), ("{\"a\":1}", 2));
        let bare = Frame::parse(r#"{"type":"NEW"}"#).unwrap();
        assert_eq!((bare.kind, bare.data.as_str(), bare.event_id()), (FrameKind::Other, "", None));
        assert_eq!(Frame::parse(r#"{"type":"CALLBACK","specVersion":1.0}"#).unwrap().kind, FrameKind::Callback);
    }

    #[test]
    fn whatever_else_comes_is_refused() {
        let deep = format!(r#"{{"type":"EVENT","data":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        let bad =
            ["", "null", "[]", "{}", "{\"type\":1}", "{\"type\":\"EVENT\"", "\u{feff}{\"type\":\"EVENT\"}", &deep];
        for text in bad.into_iter().chain([r#"{"type":"EVENT","headers":[]}"#]) {
            assert_eq!(Frame::parse(text), Err(BadFrame::Misshapen), "{text}");
        }
        let long = format!(r#"{{"type":"EVENT","data":"{}"}}"#, "a".repeat(LONGEST_FRAME_BYTES));
        assert_eq!(Frame::parse(&long), Err(BadFrame::TooLong));
        let most = format!(r#"{{"type":"EVENT","data":"{}"}}"#, "a".repeat(LONGEST_FRAME_BYTES - 26));
        assert_eq!(most.len(), LONGEST_FRAME_BYTES);
        assert!(Frame::parse(&most).is_ok());
    }
}
