//! The core product: what a sink would have written by now.

use std::collections::{BTreeMap, BTreeSet};

use common::Change;
use database::{Connection, Database, Options};
use destinations::{Batch, Links, Outcome, TenantFacts, sql::SqlTables};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use store::outbox;

use super::{
    rows::{Row, covers_a_day, differing},
    scene::{Scene, tenant},
};

/// So many changes go together, as a sink takes them.
const BATCH: usize = 256;

const ATTENDANCE: &str = "SELECT record_id, member_id, work_date, kind, check_type, planned_at, checked_at, result, \
    source, CAST(details AS text) AS details FROM attendance";

/// Its tables, in a file of their own.
pub(super) struct Core {
    tables: SqlTables,
    database: Database,
    /// The version up to which it has everything.
    position: u64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    record_id: String,
    #[diesel(sql_type = Text)]
    member_id: String,
    #[diesel(sql_type = Text)]
    work_date: String,
    #[diesel(sql_type = Text)]
    kind: String,
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

impl Core {
    /// Empty tables beside a scene.
    pub(super) async fn beside(scene: &Scene) -> Self {
        let url = format!("sqlite://{}", scene.stage.directory().join("core.db").display());
        let facts = TenantFacts { root_name: "ACME".to_owned(), ..TenantFacts::default() };
        let tables = SqlTables::in_file(url.clone(), tenant(), facts);
        tables.prepare(&Links::default()).await.unwrap();
        Self { tables, database: Database::open(&Options::new(url)).unwrap(), position: 0 }
    }

    /// How its attendance differs from the truth on these days, once it has all that was sent so far.
    pub(super) async fn differences(&mut self, scene: &Scene, days: &BTreeSet<String>) -> Vec<String> {
        self.catch_up(scene).await;
        differing(&self.attendance().await, &scene.truth(), Some(days))
    }

    /// What a courier does: everything after the position, in order.
    async fn catch_up(&mut self, scene: &Scene) {
        let position = self.position;
        let changes = scene.read(move |conn| outbox::after(conn, &tenant(), position, usize::MAX)).await;
        for piece in changes.chunks(BATCH) {
            let ours: Vec<Change> = piece.iter().filter(|change| self.tables.takes(change)).cloned().collect();
            if ours.is_empty() {
                continue;
            }
            let outcomes = self.tables.apply(&ours, &Links::default()).await.unwrap();
            for (change, outcome) in ours.iter().zip(outcomes) {
                assert_eq!(outcome, Outcome::Applied, "{:?} {}", change.entity, change.version);
            }
        }
        self.position = changes.last().map_or(position, |change| change.version);
    }

    async fn attendance(&self) -> BTreeMap<String, Row> {
        let read = |conn: &mut Connection| Ok::<_, database::Error>(sql_query(ATTENDANCE).load(conn.sqlite()?)?);
        let lines: Vec<Line> = self.database.read("test", read).await.unwrap();
        lines.into_iter().map(Line::into_row).collect()
    }
}

impl Line {
    fn into_row(self) -> (String, Row) {
        let details = self.details.filter(|_| covers_a_day(&self.kind));
        let row = Row {
            member: self.member_id,
            work_date: self.work_date,
            kind: self.kind,
            check_type: self.check_type.unwrap_or_default(),
            planned: self.planned_at,
            checked: self.checked_at,
            outcome: self.result.unwrap_or_default(),
            source: self.source.unwrap_or_default(),
            details: details.map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default(),
        };
        (self.record_id, row)
    }
}
