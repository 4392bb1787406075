//! A request that is being put together of what comes out of the entries.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{FieldProblem, FieldTrace, Mapped, Outcome};
use crate::mapping::{
    entry::{Entry, OnInvalid, Passage},
    reason::Reason,
    target::Target,
};

/// The bytes of the digest that tells contents apart.
const CONTENT_BYTES: usize = 16;

/// A request that is being put together.
#[derive(Default)]
pub(super) struct Draft {
    request: Map<String, Value>,
    attributes: Vec<Value>,
    fields: Vec<FieldTrace>,
    problems: Vec<FieldProblem>,
}

impl Draft {
    /// Adds what came out of an entry.
    pub(super) fn take(&mut self, entry: &Entry, passage: Passage) {
        let Passage { input, steps, output } = passage;
        let outcome = outcome(entry, output);
        match &outcome {
            Outcome::Sent(value) | Outcome::Defaulted(value) => self.set(entry, value),
            Outcome::Invalid(reason) => self.refuse(&entry.field, *reason, entry.on_invalid),
            Outcome::LeftOut => {}
        }
        let (field, label, from) = (entry.field.clone(), entry.label.clone(), entry.from.clone());
        self.fields.push(FieldTrace { field, label, from, value: input, steps, outcome });
    }

    fn set(&mut self, entry: &Entry, value: &Value) {
        match &entry.target {
            Target::Attribute(name) => self.attributes.push(json!({"type": 0, "name": name, "text": {"value": value}})),
            Target::Named(_) if entry.target.takes_objects() => {
                let attributes = value.get("attrs").and_then(Value::as_array).cloned().unwrap_or_default();
                self.attributes.extend(attributes);
            }
            Target::Named(row) => {
                self.request.insert(row.name.to_owned(), value.clone());
            }
        }
    }

    fn refuse(&mut self, field: &str, reason: Reason, policy: OnInvalid) {
        self.problems.push(FieldProblem { field: field.to_owned(), reason, policy });
    }

    /// The fields that are about the departments one by one.
    pub(super) fn compare_with_departments(&mut self, entries: &[Entry]) {
        let departments = match self.request.get("department") {
            Some(Value::Array(departments)) => departments.clone(),
            _ => Vec::new(),
        };
        for entry in entries {
            let Some(value) = self.request.get(&entry.field) else { continue };
            let reason = match &*entry.field {
                "main_department" if !departments.contains(value) => Reason::NotInDepartments,
                "order" | "is_leader_in_dept" if value.as_array().map(Vec::len) != Some(departments.len()) => {
                    Reason::NotAsManyAsDepartments
                }
                _ => continue,
            };
            // What is wrong with the departments was said already.
            let is_known = self.problems.iter().any(|problem| problem.field == "department");
            self.request.remove(&entry.field);
            let is_left_out = entry.on_invalid == OnInvalid::Default && !entry.is_required;
            let outcome = if is_left_out { Outcome::LeftOut } else { Outcome::Invalid(reason) };
            if let Some(trace) = self.fields.iter_mut().find(|trace| trace.field == entry.field) {
                trace.outcome = outcome;
            }
            if !is_left_out && !is_known {
                self.refuse(&entry.field, reason, entry.on_invalid);
            }
        }
    }

    /// The platform takes nobody without a mobile number and an e-mail address (reference wecom 4, 60129).
    pub(super) fn look_for_addresses(&mut self, entries: &[Entry]) {
        let is_address = |field: &str| matches!(field, "mobile" | "email");
        let is_there = self.request.keys().any(|field| is_address(field));
        let is_said = self.problems.iter().any(|problem| is_address(&problem.field));
        let Some(entry) = entries.iter().find(|entry| is_address(&entry.field)) else { return };
        if !is_there && !is_said {
            self.refuse(&entry.field, Reason::NeitherMobileNorEmail, entry.on_invalid);
        }
    }

    pub(super) fn finish(mut self) -> Mapped {
        if !self.attributes.is_empty() {
            self.request.insert("extattr".to_owned(), json!({"attrs": self.attributes}));
        }
        let content = content_of(&self);
        let Self { request, fields, problems, .. } = self;
        Mapped { request, fields, problems, content }
    }
}

/// What becomes of what came out.
fn outcome(entry: &Entry, output: Result<Option<Value>, Reason>) -> Outcome {
    let reason = match output {
        Ok(Some(value)) => return Outcome::Sent(value),
        Ok(None) => Reason::Missing,
        Err(reason) => reason,
    };
    if reason != Reason::Missing && entry.on_invalid != OnInvalid::Default {
        return Outcome::Invalid(reason);
    }
    match (&entry.default, entry.is_required) {
        (Some(default), _) => Outcome::Defaulted(default.clone()),
        (None, true) => Outcome::Invalid(reason),
        (None, false) => Outcome::LeftOut,
    }
}

/// The digest of a request, or of what went into one that cannot be sent: each of them is told once.
fn content_of(draft: &Draft) -> String {
    let mut hash = Sha256::new();
    if draft.problems.is_empty() {
        hash.update(Value::Object(draft.request.clone()).to_string());
    } else {
        let inputs: Vec<Value> = draft.fields.iter().map(|trace| json!([trace.field, trace.value])).collect();
        hash.update([0]);
        hash.update(Value::Array(inputs).to_string());
        // The same values may be wrong for another reason, once the mapping was changed.
        for problem in &draft.problems {
            hash.update(problem.reason.as_str());
        }
    }
    let digest: [u8; 32] = hash.finalize().into();
    hex::encode(digest.get(..CONTENT_BYTES).unwrap_or_default())
}
