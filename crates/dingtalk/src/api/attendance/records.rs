//! Rows of attendance as records: each row is exactly one, and the same one whichever interface told it.
//!
//! A record's id is `{member}/{date}/{kind}/{key}`. The platform has no id that goes through all of them, so the key is
//! what it has: of a result the planned check point, of a punch its record, of what an approval covers the approval.

use std::collections::BTreeMap;

use common::{Field, Fields, UnixMillis, attendance::record_id};
use serde_json::{Map, Value};

use super::{ApprovalRow, Day, PunchRow, ResultRow};

/// The records of a day: their ids, no two of them the same, and what is told of each.
pub fn records_of_day(day: &Day) -> Vec<(String, Fields)> {
    let results = day.results.iter().map(of_result);
    let punches = day.punches.iter().map(of_punch);
    let approvals = day.approvals.iter().map(of_approval);
    numbered(results.chain(punches).chain(approvals).collect())
}

/// The records of results, as [`records_of_day`].
pub fn records_of_results(rows: &[ResultRow]) -> Vec<(String, Fields)> {
    numbered(rows.iter().map(of_result).collect())
}

/// The records of punches, as [`records_of_day`].
pub fn records_of_punches(rows: &[PunchRow]) -> Vec<(String, Fields)> {
    numbered(rows.iter().map(of_punch).collect())
}

/// A record that may have its id together with others.
struct Draft {
    id: String,
    /// What tells it from others of the same id.
    at: Option<UnixMillis>,
    fields: Fields,
}

impl Draft {
    fn new(member: &str, date: &str, kind: &'static str, key: &str) -> Self {
        let fields =
            Fields::new().with(Field::Member, member).with(Field::WorkDate, date).with(Field::RecordKind, kind);
        Self { id: record_id(member, date, kind, key), at: None, fields }
    }

    fn at(mut self, at: Option<UnixMillis>) -> Self {
        self.at = at;
        self
    }

    /// What is not there is empty: it may have been there before.
    fn text(mut self, field: Field, text: Option<&String>) -> Self {
        self.fields.set(field, text.map(String::as_str).unwrap_or_default());
        self
    }

    /// The same of a time.
    fn moment(mut self, field: Field, at: Option<UnixMillis>) -> Self {
        match at {
            Some(at) => self.fields.set(field, at.0),
            None => self.fields.set(field, ""),
        }
        self
    }

    fn details(mut self, details: Map<String, Value>) -> Self {
        // The names of an object are in order.
        self.fields.set(Field::Details, Value::Object(details).to_string());
        self
    }
}

fn of_result(row: &ResultRow) -> Draft {
    let key = row.plan_id.as_ref().or(row.check_type.as_ref()).map(String::as_str).unwrap_or_default();
    // Only what both interfaces tell: else each would undo what the other one said.
    let details = [
        ("group_id", &row.group_id),
        ("location_result", &row.place),
        ("plan_id", &row.plan_id),
        ("process_instance_id", &row.approval),
        ("record_id", &row.record_id),
    ];
    Draft::new(&row.member, &row.date, "result", key)
        .at(row.planned_at.or(row.checked_at))
        .text(Field::CheckType, row.check_type.as_ref())
        .moment(Field::PlannedAt, row.planned_at)
        .moment(Field::CheckedAt, row.checked_at)
        .text(Field::Outcome, row.outcome.as_ref())
        .text(Field::Source, row.source.as_ref())
        .details(object(details))
}

fn of_punch(row: &PunchRow) -> Draft {
    let kind = if row.is_makeup() { "makeup" } else { "punch" };
    let key = row.record_id.clone().unwrap_or_else(|| row.checked_at.0.to_string());
    let details = [("invalid_record_type", &row.invalid), ("record_id", &row.record_id)];
    Draft::new(&row.member, &row.date, kind, &key)
        .at(Some(row.checked_at))
        .moment(Field::CheckedAt, Some(row.checked_at))
        .text(Field::Source, row.source.as_ref())
        .details(object(details))
}

fn of_approval(row: &ApprovalRow) -> Draft {
    let key = row.approval.clone().or_else(|| Some(row.begins_at?.0.to_string())).unwrap_or_default();
    let told = row.told.iter().filter(|(_, value)| !value.is_null());
    Draft::new(&row.member, &row.date, row.kind, &key)
        .at(row.begins_at)
        .details(told.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn object<const N: usize>(texts: [(&str, &Option<String>); N]) -> Map<String, Value> {
    texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.as_deref()?)))).collect()
}

/// Gives those that have an id together numbers in the order of their times: what comes first keeps it.
fn numbered(drafts: Vec<Draft>) -> Vec<(String, Fields)> {
    let mut by_id: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_id.entry(draft.id.clone()).or_default().push(draft);
    }
    let mut records = BTreeMap::new();
    for (id, mut same) in by_id {
        same.sort_by(|a, b| (a.at, &a.fields).cmp(&(b.at, &b.fields)));
        same.dedup_by(|a, b| a.fields == b.fields);
        for (place, draft) in same.into_iter().enumerate() {
            let id = if place == 0 { id.clone() } else { format!("{id}-{}", place + 1) };
            records.insert(id, draft.fields);
        }
    }
    records.into_iter().collect()
}
