//! Attendance records and approvals: rows that refer to a member, and to which nothing refers. So a removal takes the row away, and
//! what is there needs no look: a statement that writes over nothing newer is all.

use std::collections::BTreeMap;

use common::{Entity, EntityKey, EntityKind, Field, Fields};
use database::Connection;
use serde_json::{Map, Value, json};

use super::{
    Tables,
    known::Known,
    wanted::{Wanted, filled},
    write::run,
};

/// What writes one sort of them, and what takes them away.
pub(super) struct Statements {
    /// Rows begin with the id, that of the member and the version; the columns follow.
    put: &'static str,
    /// Rows are pairs of an id and the version of its removal.
    remove: &'static str,
}

pub(super) const ATTENDANCE: Statements = Statements {
    put: "INSERT INTO core.attendance
            (tenant_id, record_id, member_id, version, work_date, kind, check_type, planned_at, checked_at, result,
             source, details)
        SELECT $1, value ->> 0, value ->> 1, CAST(value ->> 2 AS bigint), value ->> 3, value ->> 4, value ->> 5,
            CAST(value ->> 6 AS bigint), CAST(value ->> 7 AS bigint), value ->> 8, value ->> 9, value -> 10
        FROM jsonb_array_elements($2::jsonb) WHERE true
        ON CONFLICT (tenant_id, record_id) DO UPDATE SET member_id = excluded.member_id, version = excluded.version,
            work_date = excluded.work_date, kind = excluded.kind, check_type = excluded.check_type,
            planned_at = excluded.planned_at, checked_at = excluded.checked_at, result = excluded.result,
            source = excluded.source, details = excluded.details
        WHERE coalesce(attendance.version, 0) < excluded.version",
    remove: "DELETE FROM core.attendance
        WHERE tenant_id = $1 AND record_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
            AND coalesce(version, 0) < (SELECT CAST(value ->> 1 AS bigint) FROM jsonb_array_elements($2::jsonb)
                WHERE value ->> 0 = attendance.record_id)",
};

pub(super) const APPROVALS: Statements = Statements {
    put: "INSERT INTO core.approvals
            (tenant_id, instance_id, applicant_id, version, template, title, status, result, started_at, finished_at,
             details)
        SELECT $1, value ->> 0, value ->> 1, CAST(value ->> 2 AS bigint), value ->> 3, value ->> 4, value ->> 5,
            value ->> 6, CAST(value ->> 7 AS bigint), CAST(value ->> 8 AS bigint), value -> 9
        FROM jsonb_array_elements($2::jsonb) WHERE true
        ON CONFLICT (tenant_id, instance_id) DO UPDATE SET applicant_id = excluded.applicant_id,
            version = excluded.version, template = excluded.template, title = excluded.title,
            status = excluded.status, result = excluded.result, started_at = excluded.started_at,
            finished_at = excluded.finished_at, details = excluded.details
        WHERE coalesce(approvals.version, 0) < excluded.version",
    remove: "DELETE FROM core.approvals
        WHERE tenant_id = $1 AND instance_id = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))
            AND coalesce(version, 0) < (SELECT CAST(value ->> 1 AS bigint) FROM jsonb_array_elements($2::jsonb)
                WHERE value ->> 0 = approvals.instance_id)",
};

/// All of them.
pub(super) const STATEMENTS: [&str; 4] = [ATTENDANCE.put, ATTENDANCE.remove, APPROVALS.put, APPROVALS.remove];

/// One as it is to be.
pub(super) struct Paper {
    /// Whose it is. An approval may be nobody's.
    pub(super) member: Option<EntityKey>,
    /// The values of its columns, in the order of its statement.
    columns: Vec<Value>,
}

impl Paper {
    pub(super) fn attendance(entity: &Entity) -> Self {
        let fields = &entity.fields;
        let text = |field| filled(fields, field);
        let columns = vec![
            json!(text(Field::WorkDate)),
            json!(text(Field::RecordKind)),
            json!(text(Field::CheckType)),
            json!(fields.number(Field::PlannedAt)),
            json!(fields.number(Field::CheckedAt)),
            json!(text(Field::Outcome)),
            json!(text(Field::Source)),
            details(fields),
        ];
        Self { member: text(Field::Member).map(|id| EntityKey::member(&id)), columns }
    }

    /// One whose state nobody told is under way, and has no result.
    pub(super) fn approval(entity: &Entity) -> Self {
        let fields = &entity.fields;
        let text = |field| filled(fields, field);
        let columns = vec![
            json!(text(Field::Template)),
            json!(text(Field::Subject)),
            json!(text(Field::Status).unwrap_or_else(|| "running".to_owned())),
            json!(text(Field::Result).unwrap_or_else(|| "none".to_owned())),
            json!(fields.number(Field::StartedAt)),
            json!(fields.number(Field::FinishedAt)),
            details(fields),
        ];
        Self { member: text(Field::Applicant).map(|id| EntityKey::member(&id)), columns }
    }
}

/// What else the platform told. It is an object; anything else is kept as the text that it is.
fn details(fields: &Fields) -> Value {
    match fields.text(Field::Details).filter(|text| !text.is_empty()) {
        None => json!({}),
        Some(text) => serde_json::from_str(text).map_or_else(|_| json!(text), without_nul),
    }
}

/// PostgreSQL has no text with U+0000 in it, and people may have put it into a form.
fn without_nul(value: Value) -> Value {
    let clean = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(list) => Value::Array(list.into_iter().map(without_nul).collect()),
        Value::Object(object) => Value::Object(
            object.into_iter().map(|(name, value)| (clean(name), without_nul(value))).collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

/// What a segment writes of one sort.
#[derive(Default)]
pub(super) struct Papers<'a> {
    /// By id.
    put: BTreeMap<&'a str, Row<'a>>,
    /// Versions of removals by id.
    gone: BTreeMap<&'a str, i64>,
}

struct Row<'a> {
    paper: &'a Paper,
    /// The id of the member's row.
    member_id: Option<String>,
    version: i64,
}

impl<'a> Papers<'a> {
    pub(super) fn put(&mut self, wanted: &'a Wanted, paper: &'a Paper, known: &Known) {
        let member_id = paper.member.as_ref().and_then(|member| known.row(member)).map(|row| row.id.clone());
        self.gone.remove(&*wanted.key.id);
        self.put.insert(&wanted.key.id, Row { paper, member_id, version: wanted.version });
    }

    pub(super) fn remove(&mut self, wanted: &'a Wanted) {
        self.put.remove(&*wanted.key.id);
        self.gone.insert(&wanted.key.id, wanted.version);
    }

    /// Writes them.
    pub(super) fn write(&self, c: &mut Connection, tables: &Tables, statements: &Statements) -> database::Result<()> {
        let gone: Vec<(&str, i64)> = self.gone.iter().map(|(id, version)| (*id, *version)).collect();
        run(c, tables, statements.remove, &gone)?;
        let rows: Vec<Vec<Value>> = self.put.iter().map(|(id, row)| row.values(id)).collect();
        run(c, tables, statements.put, &rows)
    }
}

impl Row<'_> {
    fn values(&self, id: &str) -> Vec<Value> {
        let mut values = vec![json!(id), json!(self.member_id), json!(self.version)];
        values.extend(self.paper.columns.iter().cloned());
        values
    }
}

/// Whether entities of this kind are one of the two.
pub(super) const fn is_paper(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Attendance | EntityKind::Approval)
}
