//! From a record of a form to a request of `user/create`: the mapping that a company configures (contract, "Mapping file"; reference
//! jiandaoyun 12.2).
//!
//! The layout is that of integration platforms, so that an existing file can be pasted in. What is odd about one is understood and
//! told as a [`Warning`]; what is wrong is told as [`Problem`]s, all at once. There is no language in it: a field is a text with
//! places for values of the record, and a row of named conversions and checks.
//!
//! Values in, values out: no I/O, no clock, no randomness.

mod admit;
mod bind;
mod check;
mod condition;
mod conditions;
mod convert;
mod entry;
mod finding;
mod kinds;
mod layout;
mod map;
mod moment;
mod path;
mod plain;
mod reason;
mod request;
mod source;
mod status;
mod target;
mod template;
mod text;
mod word;

use std::{collections::BTreeSet, fmt};

pub use common::Zone;
use serde_json::Value;

pub use self::{
    admit::{Honoured, Probe, Probed, Why},
    entry::{OnInvalid, Step},
    finding::{Problem, Warning},
    map::{FieldProblem, FieldTrace, Mapped, Outcome, sample},
    reason::Reason,
    status::StatusField,
};
use self::{conditions::Conditions, finding::Findings, layout::Halves, request::Request, source::Source};
use crate::Form;

/// A mapping. Cheap enough to clone once in a while; printing it shows no value of it.
#[derive(Clone, PartialEq)]
pub struct Mapping {
    form: Form,
    /// Fields that are asked for beside those that are needed.
    fields: Vec<String>,
    page_size: u8,
    conditions: Conditions,
    request: Request,
    zone: Zone,
    /// Whether the form has a workflow; `None` while nobody has looked.
    has_flow: Option<bool>,
}

impl Mapping {
    /// Reads a mapping: a whole file, or its halves as `{"source": .., "target": ..}`. Wherever a text stands in place of an object, it
    /// is read as that of a file, with signs of editors mended. `zone` is where dates are midnights.
    ///
    /// # Errors
    /// All that keeps it from being used.
    pub fn parse(file: &Value, zone: &Zone) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let mut findings = Findings::default();
        let read = Self::read(file, zone, &mut findings);
        findings.finish(read)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Those of [`Mapping::parse`].
    pub fn parse_text(text: &str, zone: &Zone) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let mut findings = Findings::default();
        let read = text::read(text, "mapping", &mut findings).and_then(|file| Self::read(&file, zone, &mut findings));
        findings.finish(read)
    }

    fn read(file: &Value, zone: &Zone, findings: &mut Findings) -> Option<Self> {
        let halves = Halves::find(file, findings)?;
        // Both, so that all that is wrong is told at once.
        let source = Source::read(&halves.source, zone, findings);
        let request = Request::read(&halves.target, zone, findings);
        let Source { form, fields, page_size, conditions } = source?;
        let mapping = Self { form, fields, page_size, conditions, request: request?, zone: *zone, has_flow: None };
        mapping.look_at_fields(findings);
        Some(mapping)
    }

    /// A list of fields in the file that lacks some which the mapping needs would leave them empty.
    fn look_at_fields(&self, findings: &mut Findings) {
        let asked: BTreeSet<&str> = self.fields.iter().map(String::as_str).collect();
        let mut needed = self.request.entries.iter().flat_map(|entry| entry.template.paths());
        if !asked.is_empty() && needed.any(|path| !asked.contains(path.head())) {
            findings.warn("source.fields", "fields_incomplete", "fields that the request needs are asked for too");
        }
    }

    /// The form.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// How many records a page has: 1 to 100.
    pub fn page_size(&self) -> u8 {
        self.page_size
    }

    /// Whether it is looked up before a member is created whether somebody has the user id: `idCheck`.
    pub fn id_check(&self) -> bool {
        self.request.id_check
    }

    /// Where it is written what became of a record, if anywhere.
    pub fn status(&self) -> Option<&StatusField> {
        self.request.status.as_ref()
    }
}

/// Without what it holds: there are names of people in tables and defaults.
impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("form", &self.form).field("has_flow", &self.has_flow).finish_non_exhaustive()
    }
}
