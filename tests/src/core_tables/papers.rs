//! Attendance records and approvals of the core product.

use std::collections::BTreeMap;

use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use serde_json::Value;

use super::{Core, Rows};

/// Its columns by name; those without a value are not there.
pub type Paper = BTreeMap<String, String>;

/// Papers by id.
pub type Papers = BTreeMap<String, Paper>;

/// What only approvals that cover a day have: the details as DingTalk told them.
const COVERS: [&str; 4] = ["leave", "overtime", "trip", "outing"];

#[derive(QueryableByName)]
struct AttendanceRow {
    #[diesel(sql_type = Text)]
    record_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    member_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    work_date: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    check_type: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    planned_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    checked_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    result: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    details: Option<String>,
}

#[derive(QueryableByName)]
struct ApprovalRow {
    #[diesel(sql_type = Text)]
    instance_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    template: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    applicant_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    result: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    started_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_at: Option<i64>,
}

impl Core {
    /// Reads the attendance records; none while there is no table yet, or no database. Of the details only those are told that
    /// say what covers a day.
    pub async fn attendance(&self) -> Papers {
        self.read("test.attendance", attendance).await
    }

    /// Reads the approvals; none while there is no table yet, or no database.
    pub async fn approvals(&self) -> Papers {
        self.read("test.approvals", approvals).await
    }
}

/// One with these columns.
pub(crate) fn paper<const COLUMNS: usize>(columns: [(&str, Option<String>); COLUMNS]) -> Paper {
    columns.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Details as columns.
pub(crate) fn details(details: &Value) -> Paper {
    let members = details.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    members.map(|(name, value)| (format!("details/{name}"), value.to_string())).collect()
}

fn attendance(conn: &mut Connection, Rows { prefix, tenant }: &Rows) -> database::Result<Papers> {
    let query = format!(
        "SELECT record_id, member_id, work_date, kind, check_type, planned_at, checked_at, result, source, \
         CAST(details AS text) AS details FROM {prefix}attendance WHERE tenant_id = '{tenant}'"
    );
    let rows: Vec<AttendanceRow> = on_backend!(conn, c => sql_query(query).load(c))?;
    Ok(rows.into_iter().map(AttendanceRow::into_paper).collect())
}

fn approvals(conn: &mut Connection, Rows { prefix, tenant }: &Rows) -> database::Result<Papers> {
    let query = format!(
        "SELECT instance_id, template, title, applicant_id, status, result, started_at, finished_at \
         FROM {prefix}approvals WHERE tenant_id = '{tenant}'"
    );
    let rows: Vec<ApprovalRow> = on_backend!(conn, c => sql_query(query).load(c))?;
    Ok(rows.into_iter().map(ApprovalRow::into_paper).collect())
}

impl AttendanceRow {
    fn into_paper(self) -> (String, Paper) {
        let covers = self.kind.as_deref().is_some_and(|kind| COVERS.contains(&kind));
        let told: Option<Value> =
            self.details.as_deref().filter(|_| covers).and_then(|text| serde_json::from_str(text).ok());
        let mut paper = paper([
            ("member_id", self.member_id),
            ("work_date", self.work_date),
            ("kind", self.kind),
            ("check_type", self.check_type),
            ("planned_at", self.planned_at.map(|at| at.to_string())),
            ("checked_at", self.checked_at.map(|at| at.to_string())),
            ("result", self.result),
            ("source", self.source),
        ]);
        paper.extend(details(&told.unwrap_or_default()));
        (self.record_id, paper)
    }
}

impl ApprovalRow {
    fn into_paper(self) -> (String, Paper) {
        let paper = paper([
            ("template", self.template),
            ("title", self.title),
            ("applicant_id", self.applicant_id),
            ("status", self.status),
            ("result", self.result),
            ("started_at", self.started_at.map(|at| at.to_string())),
            ("finished_at", self.finished_at.map(|at| at.to_string())),
        ]);
        (self.instance_id, paper)
    }
}
