//! Answers, and how good ones are spelled (reference dingtalk 4.1).

use serde_json::{Map, Value, json};

use super::interface::Style;
use super::refusal::request_id;

const JSON: &str = "application/json; charset=UTF-8";
const HTML: &str = "text/html; charset=UTF-8";

/// An answer without how it is delivered.
pub(super) struct Envelope {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Envelope {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: JSON, body: body.to_string().into_bytes() }
    }

    pub(super) fn html(status: u16, body: &str) -> Self {
        Self { status, content_type: HTML, body: body.as_bytes().to_vec() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, content_type: JSON, body: Vec::new() }
    }
}

/// What was asked for.
pub(super) enum Good {
    /// Old: it is under `result`. New: it is the whole.
    Result(Value),
    /// Old: these are beside the code.
    Beside(Map<String, Value>),
}

impl Good {
    /// Members of an object beside the code.
    pub(super) fn beside(members: Value) -> Self {
        match members {
            Value::Object(members) => Self::Beside(members),
            result => Self::Result(result),
        }
    }

    pub(super) fn envelope(self, style: Style, number: u64) -> Envelope {
        let body = match self {
            Self::Result(whole) if style == Style::New => whole,
            Self::Result(result) => old(json!({ "result": result }), style, number),
            Self::Beside(members) => old(Value::Object(members), style, number),
        };
        Envelope::json(200, &body)
    }
}

fn old(mut body: Value, style: Style, number: u64) -> Value {
    if let Value::Object(members) = &mut body {
        members.insert("errcode".to_owned(), Value::from(0));
        members.insert("errmsg".to_owned(), Value::from("ok"));
        if style == Style::Topapi {
            members.insert("request_id".to_owned(), Value::from(request_id(number)));
        }
    }
    body
}
