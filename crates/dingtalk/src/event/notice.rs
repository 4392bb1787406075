//! One event, in whichever of the three shapes it came (reference dingtalk 3.1 and 4.7).

use common::UnixMillis;
use serde_json::{Map, Value, json};

use super::body::Body;
use crate::stream::Frame;

const LONGEST_NAME_BYTES: usize = 64;
const LONGEST_ID_BYTES: usize = 128;

/// What every event has, and what it says.
pub(crate) struct Notice<'a> {
    /// Its type: `user_add_org`. `unknown` where it has none that could stand in a log.
    pub(crate) name: String,
    /// The organisation that it belongs to.
    pub(crate) corp: Option<String>,
    /// The platform's name for it, equal in each delivery.
    pub(crate) id: Option<String>,
    /// When it came into being, by the platform's clock; equal in all shapes.
    pub(crate) born: Option<UnixMillis>,
    pub(crate) body: Body<'a>,
    form: Form<'a>,
}

/// How it came.
enum Form<'a> {
    /// As a push: what has to be passed on, byte for byte.
    Push(&'a str),
    /// As an object without the members that a push has besides, with its text.
    Bare(&'a Map<String, Value>, &'a str),
    /// As something that is no object.
    Text(&'a str),
}

impl<'a> Notice<'a> {
    /// Of a decrypted push in either dialect.
    pub(crate) fn of_push(object: &'a Map<String, Value>, text: &'a str) -> Self {
        let body = Body::of(object);
        Self {
            name: name(body.text("eventtype").as_deref()),
            corp: body.text("corpid"),
            id: body.text("eventid").or_else(|| body.text("bizid")).filter(|id| is_plain(id)),
            born: body.time("eventtime").or_else(|| body.time("timestamp")),
            body,
            form: Form::Push(text),
        }
    }

    /// Of a frame, with its data if that is an object.
    pub(crate) fn of_frame(frame: &'a Frame, data: Option<&'a Map<String, Value>>) -> Self {
        let body = data.map(Body::of).unwrap_or_default();
        let own = |header: Option<&str>| header.map(str::to_owned);
        Self {
            name: name(frame.event_type()),
            corp: own(frame.event_corp_id()).or_else(|| body.text("corpid")),
            id: own(frame.event_id()).or_else(|| body.text("eventid")).filter(|id| is_plain(id)),
            born: frame.event_born_time().or_else(|| body.time("timestamp")),
            body,
            form: data.map_or(Form::Text(&frame.data), |object| Form::Bare(object, &frame.data)),
        }
    }

    /// Of an entry of the list of failed pushes, which has no id.
    pub(crate) fn of_entry(
        tag: &str,
        corp: Option<String>,
        born: Option<UnixMillis>,
        object: &'a Map<String, Value>,
        text: &'a str,
    ) -> Self {
        Self { name: name(Some(tag)), corp, id: None, born, body: Body::of(object), form: Form::Bare(object, text) }
    }

    /// What it says, where that is no object.
    pub(crate) const fn unreadable(&self) -> Option<&'a str> {
        match self.form {
            Form::Text(text) => Some(text),
            Form::Push(_) | Form::Bare(..) => None,
        }
    }

    /// The event as a push in the present dialect: for relays, whose receivers know no other. A push stays as it came. One
    /// without an id gets this one.
    pub(crate) fn as_push(&self, id: &str) -> String {
        let id = self.id.as_deref().unwrap_or(id);
        let mut header = Map::new();
        header.insert("EventType".to_owned(), json!(self.name));
        header.insert("BizId".to_owned(), json!(id));
        header.insert("eventId".to_owned(), json!(id));
        if let Some(corp) = &self.corp {
            header.insert("CorpId".to_owned(), json!(corp));
        }
        if let Some(born) = self.born {
            header.insert("EventTime".to_owned(), json!(born.0));
        }
        match self.form {
            Form::Push(text) => text.to_owned(),
            Form::Bare(object, text) => join(header, object, text),
            Form::Text(text) => {
                header.insert("data".to_owned(), json!(text));
                Value::Object(header).to_string()
            }
        }
    }
}

/// The object with those members of the header that it has not itself. Its own text is not touched.
fn join(mut header: Map<String, Value>, object: &Map<String, Value>, text: &str) -> String {
    header.retain(|name, _| !object.contains_key(name));
    let header = Value::Object(header).to_string();
    let (Some(head), Some(rest)) = (header.strip_suffix('}'), text.trim_start().strip_prefix('{')) else {
        return text.to_owned();
    };
    let comma = if head.len() > 1 && !object.is_empty() { "," } else { "" };
    format!("{head}{comma}{rest}")
}

/// A type as it can stand in logs, subjects and keys.
fn name(name: Option<&str>) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let plain = |name: &&str| (1..=LONGEST_NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed);
    name.filter(plain).unwrap_or("unknown").to_owned()
}

/// An id that can be a key.
fn is_plain(id: &str) -> bool {
    (1..=LONGEST_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(data: &str) -> Frame {
        let headers = json!({
            "eventType": "attend_group_change", "eventId": "e1", "eventCorpId": "ding1", "eventBornTime": "1790000000123",
        });
        Frame::parse(&json!({ "type": "EVENT", "headers": headers, "data": data }).to_string()).unwrap()
    }

    fn pushed(data: &str) -> String {
        let (frame, value): (_, Value) = (frame(data), serde_json::from_str(data).unwrap_or_default());
        Notice::of_frame(&frame, value.as_object()).as_push("made-up")
    }

    #[test]
    fn a_frame_becomes_a_push_and_its_data_stays_as_it_is() {
        let data =
            " { \"eventId\":\"own\", \"corpid\" : \"ding1\",\"order\":123456789012345678901234567890, \"x\":1.50 }";
        let text = pushed(data);
        assert!(text.ends_with(data.trim_start().strip_prefix('{').unwrap()), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&read["EventType"], &read["eventId"]), (&json!("attend_group_change"), &json!("own")));
        assert_eq!((&read["EventTime"], &read["CorpId"]), (&json!(1_790_000_000_123_i64), &json!("ding1")));
        assert_eq!((&read["BizId"], text.matches("\"eventId\"").count()), (&json!("e1"), 1));
    }

    #[test]
    fn empty_data_and_data_of_another_kind_are_kept_too() {
        let empty: Value = serde_json::from_str(&pushed("{ }")).unwrap();
        assert_eq!((&empty["EventType"], &empty["data"]), (&json!("attend_group_change"), &Value::Null));
        for data in ["[1]", "", "not json {"] {
            let read: Value = serde_json::from_str(&pushed(data)).unwrap();
            assert_eq!((&read["data"], &read["eventId"]), (&json!(data), &json!("e1")));
        }
    }

    #[test]
    fn names_and_ids_that_are_none_are_not_taken() {
        assert_eq!(name(Some("label_conf_add")), "label_conf_add");
        for bad in ["", "a\nb", "a b", "中", &"x".repeat(65)] {
            assert_eq!(name(Some(bad)), "unknown", "{bad}");
        }
        assert!(is_plain("0f1e") && !is_plain("a b") && !is_plain("") && !is_plain(&"x".repeat(129)));
    }
}
