//! What becomes of a record.

mod draft;

use std::fmt;

use common::onboarding::Complaint;
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::draft::Draft;
use super::{
    Mapping,
    entry::{OnInvalid, Step},
    reason::Reason,
};
use crate::api::Record;

/// The id of a record that a person wrote down without one.
const NO_ID: &str = "000000000000000000000000";

/// What became of a record. Printing it shows no value.
#[derive(Clone, PartialEq, Serialize)]
pub struct Mapped {
    /// The request, whole where there are no problems.
    pub request: Map<String, Value>,
    /// Field by field, what went in and what came out.
    pub fields: Vec<FieldTrace>,
    /// What the platform would not take.
    pub problems: Vec<FieldProblem>,
    /// What was mapped, as a digest of 32 hexadecimal digits: the same as long as nothing that matters is changed in the record.
    pub content: String,
}

/// What went into a field, what was done with it, and what came out. Printing it shows no value.
#[derive(Clone, PartialEq, Serialize)]
pub struct FieldTrace {
    /// The field of the request.
    pub field: String,
    /// What the file calls it.
    pub label: String,
    /// What it is made of, as the file has it.
    pub from: String,
    /// What that was in this record.
    pub value: Value,
    /// Each conversion and what came out of it.
    pub steps: Vec<Step>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a field.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is sent.
    Sent(Value),
    /// The entry's default is sent.
    Defaulted(Value),
    /// There is nothing to send.
    LeftOut,
    /// The platform would not take it.
    Invalid(Reason),
}

/// A field that the platform would not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field of the request.
    pub field: String,
    /// Why.
    pub reason: Reason,
    /// What the mapping says is to happen then.
    pub policy: OnInvalid,
}

/// A record as a person writes it down for a look at what becomes of it: it may have no id. `None` when it is no object.
pub fn sample(record: Value) -> Option<Record> {
    let Value::Object(mut values) = record else { return None };
    values.entry("_id").or_insert_with(|| json!(NO_ID));
    Record::read(Value::Object(values))
}

impl Mapping {
    /// Makes a request of a record, and tells of every field what was done.
    pub fn map(&self, record: &Record) -> Mapped {
        let mut draft = Draft::default();
        for entry in &self.request.entries {
            draft.take(entry, entry.pass(&record.values, &self.zone));
        }
        draft.compare_with_departments(&self.request.entries);
        draft.look_for_addresses(&self.request.entries);
        draft.finish()
    }
}

impl Mapped {
    /// Whether it can be sent.
    pub fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    /// The request as JSON with its keys in order.
    pub fn request_text(&self) -> String {
        Value::Object(self.request.clone()).to_string()
    }

    /// The departments that the request names.
    pub fn departments(&self) -> Vec<String> {
        let list = self.request.get("department").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().map(Value::to_string).collect()
    }

    /// The problems for people, without values.
    pub fn complaints(&self) -> Vec<Complaint> {
        let complaint = |problem: &FieldProblem| Complaint::new(problem.field.as_str(), problem.reason.to_string());
        self.problems.iter().map(complaint).collect()
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped")
            .field("problems", &self.problems)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FieldTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldTrace").field("field", &self.field).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(_) => f.write_str("Sent"),
            Self::Defaulted(_) => f.write_str("Defaulted"),
            Self::LeftOut => f.write_str("LeftOut"),
            Self::Invalid(reason) => write!(f, "Invalid({})", reason.as_str()),
        }
    }
}
