//! What data pushes tell (reference jiandaoyun 11).

use serde::Serialize;
use serde_json::Value;

use super::FormId;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// A record was submitted.
    Create,
    /// A record was changed, or its workflow took a step.
    Update,
    /// A record was restored from the bin.
    Recover,
    /// A record was deleted.
    Remove,
    /// The form itself was changed.
    FormUpdate,
}

impl Op {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "data_create",
            Self::Update => "data_update",
            Self::Recover => "data_recover",
            Self::Remove => "data_remove",
            Self::FormUpdate => "form_update",
        }
    }
}

/// One push.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub op: Op,
    /// When, Unix ms.
    pub at_ms: i64,
    /// To which form.
    pub form: FormId,
    /// To which of its records; empty where it is the form itself.
    pub record: String,
    /// What is told of it, in the read form.
    pub data: Value,
}

impl Event {
    /// The body: compact JSON with characters as they are.
    #[must_use]
    pub fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            op: &'a str,
            #[serde(rename = "opTime")]
            op_time: i64,
            data: &'a Value,
        }
        let body = Body { op: self.op.name(), op_time: self.at_ms, data: &self.data };
        // A value that was read or made as JSON can be written as JSON.
        serde_json::to_string(&body).unwrap_or_default()
    }
}
