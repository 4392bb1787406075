//! The target half: what is created of a record (contract, "Mapping file").

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Zone,
    entry::Entry,
    finding::{Findings, shown},
    status::StatusField,
    word::{bare, flag_of},
};

/// What stands in a target, and beside it where both halves are one file.
const KEYS: [&str; 9] = ["api", "method", "effect", "idCheck", "request", "status", "source", "target", "describe"];

/// The only interface that is called.
const CREATE: &str = "user/create";

/// More than the platform has fields.
const MOST_ENTRIES: usize = 200;

/// What the target half says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) entries: Vec<Entry>,
    /// Whether it is looked up first whether a member has the id already.
    pub(crate) id_check: bool,
    pub(crate) status: Option<StatusField>,
}

impl Request {
    pub(crate) fn read(map: &Map<String, Value>, zone: &Zone, findings: &mut Findings) -> Option<Self> {
        for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            findings.warn("target", "unknown_key", format!("{} is not known and was ignored", shown(key)));
        }
        // All of them, so that all that is wrong is told at once.
        let is_create = is_create(map, findings);
        let id_check = map.get("idCheck").filter(|told| !told.is_null());
        let id_check = id_check.map_or(Some(false), |told| flag_of(told, "idCheck", findings));
        let status = StatusField::read(map.get("status"), findings);
        let entries = entries(map, zone, findings);
        let request = Self { entries: entries?, id_check: id_check?, status: status? };
        (request.is_whole(findings) && is_create).then_some(request)
    }

    /// Whether somebody can be created of it at all.
    fn is_whole(&self, findings: &mut Findings) -> bool {
        let has = |field: &str| self.entries.iter().any(|entry| entry.field == field);
        let mut is_whole = true;
        for field in ["userid", "name"] {
            if !has(field) {
                findings.refuse("request", "field_missing", format!("nobody can be created without {field}"));
                is_whole = false;
            }
        }
        if !has("mobile") && !has("email") {
            findings.refuse("request", "field_missing", "nobody can be created without mobile or email");
            is_whole = false;
        }
        if !has("department") {
            let text = "without department the platform puts members where nobody looks";
            findings.warn("request", "no_department", text);
        }
        if let Some(status) = &self.status
            && self.uses(status.field())
        {
            let text = "the field that the status is written to must not be a part of the request";
            findings.refuse("status.field", "status_used", text);
            is_whole = false;
        }
        is_whole
    }

    /// Whether a field of the form is a part of the request.
    pub(crate) fn uses(&self, field: &str) -> bool {
        self.entries.iter().any(|entry| entry.template.paths().iter().any(|path| path.head() == field))
    }
}

/// Whether members are created: nothing else is done.
fn is_create(map: &Map<String, Value>, findings: &mut Findings) -> bool {
    let api = map.get("api").and_then(Value::as_str).map(bare).unwrap_or_default();
    let path = api.split('?').next().unwrap_or_default().trim_end_matches('/');
    let is_create = path.is_empty() || path.ends_with(CREATE);
    if !is_create {
        findings.refuse("target.api", "other_api", format!("{} cannot be called: only {CREATE} is", shown(path)));
    }
    is_create
}

fn entries(map: &Map<String, Value>, zone: &Zone, findings: &mut Findings) -> Option<Vec<Entry>> {
    let Some(told) = map.get("request").and_then(Value::as_array) else {
        findings.refuse("request", "no_request", "must be a list of fields with what they are made of");
        return None;
    };
    if told.len() > MOST_ENTRIES {
        findings.refuse("request", "too_many", format!("there may be {MOST_ENTRIES} fields at most"));
        return None;
    }
    let numbered = told.iter().enumerate();
    let entries: Vec<Entry> = numbered
        .filter_map(|(place, entry)| Entry::read(entry, &format!("request[{place}]"), zone, findings))
        .collect();
    let mut seen = BTreeSet::new();
    for entry in &entries {
        if !seen.insert(&*entry.field) {
            let text = format!("{} is there twice", shown(&entry.field));
            findings.refuse(&entry.at, "doubled_field", text);
        }
    }
    Some(entries)
}
