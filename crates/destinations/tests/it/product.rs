//! A core product: a database that changes go to, and a look at its tables.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use common::{Change, EntityKey};
use database::{Database, Options, on_backend};
use destinations::{
    Batch, Links, Outcome, TenantFacts, Unavailable,
    sql::{SchemaName, SqlTables},
};
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query,
    sql_types::Text,
};
use serde_json::Value;

/// The databases that a product may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Makes of each of these functions one test per kind of database.
macro_rules! on_each_kind {
    ($($test:ident,)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::product::Kind::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::product::Kind::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_each_kind;

/// A destination, and the database that it writes to: one in memory, or a schema that is dropped at the end.
pub(crate) struct Core {
    pub(crate) tables: SqlTables,
    pub(crate) kind: Kind,
    pub(crate) schema: SchemaName,
    database: Database,
    version: AtomicU64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Core {
    pub(crate) async fn new(kind: Kind) -> Self {
        let core = Self::unprepared(kind);
        core.prepare().await.unwrap();
        core
    }

    /// Without tables as yet, and without a schema.
    pub(crate) fn unprepared(kind: Kind) -> Self {
        Self::in_schema(kind, random_schema("test"))
    }

    pub(crate) fn in_schema(kind: Kind, schema: SchemaName) -> Self {
        let url = match kind {
            Kind::Sqlite => "sqlite::memory:".to_owned(),
            Kind::Postgres => server_url(),
        };
        let database = Database::open(&Options::new(url)).unwrap().inline();
        let facts = TenantFacts {
            root_name: "ACME".to_owned(),
            employee_number: "工号".to_owned(),
            corp_id: "ww1".to_owned(),
            ..TenantFacts::default()
        };
        let tables = SqlTables::over(database.clone(), schema.clone(), "acme".parse().unwrap(), facts);
        Self { tables, kind, schema, database, version: AtomicU64::new(0) }
    }

    /// One of two texts, by the kind of database.
    pub(crate) fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self.kind {
            Kind::Sqlite => sqlite,
            Kind::Postgres => postgres,
        }
    }

    /// Does something behind the destination's back.
    pub(crate) async fn execute(&self, sql: &str) {
        self.try_to(sql).await.unwrap();
    }

    /// The same where it may fail.
    pub(crate) async fn try_to(&self, sql: &str) -> database::Result<()> {
        let sql = match self.kind {
            Kind::Sqlite => sql.to_owned(),
            Kind::Postgres => {
                format!("CREATE SCHEMA IF NOT EXISTS {}; {}; {sql}", self.schema.quoted(), self.search_path())
            }
        };
        self.database
            .write("test", move |c| Ok::<_, database::Error>(on_backend!(c, c => c.batch_execute(&sql))?))
            .await
    }

    fn search_path(&self) -> String {
        format!("SET LOCAL search_path TO {}", self.schema.quoted())
    }

    /// The rows of a query, columns joined by `|`, null as `-`, JSON in one way of writing it.
    pub(crate) async fn rows(&self, columns: &str, rest: &str) -> Vec<String> {
        let line = columns.split(", ").map(|c| format!("coalesce(CAST({c} AS text), '-')"));
        let sql = format!("SELECT {} AS line FROM {rest}", line.collect::<Vec<_>>().join(" || '|' || "));
        let before = self.either("", &self.search_path()).to_owned();
        let lines: Vec<Line> = self
            .database
            .read("test", move |c| {
                on_backend!(c, c => c.batch_execute(&before))?;
                Ok::<_, database::Error>(on_backend!(c, c => sql_query(sql).load(c))?)
            })
            .await
            .unwrap();
        lines.into_iter().map(|line| line.line.split('|').map(same_json).collect::<Vec<_>>().join("|")).collect()
    }

    /// Members in the order of their ids, whatever their case.
    pub(crate) async fn members(&self, columns: &str) -> Vec<String> {
        let rows = self.rows(&format!("lower(id), {columns}"), "members").await;
        let mut rows: Vec<(&str, &str)> = rows.iter().map(|row| row.split_once('|').unwrap()).collect();
        rows.sort_by_key(|(id, _)| *id);
        rows.into_iter().map(|(_, row)| row.to_owned()).collect()
    }

    /// Who is in which department, whether as its leader, and at which place of the member's list.
    pub(crate) async fn memberships(&self) -> Vec<String> {
        let columns = "member_id, department_id, CAST(is_leader AS integer), position";
        let mut rows = self.rows(columns, "member_departments").await;
        rows.sort_by_key(|row| {
            let (member, rest) = row.split_once('|').unwrap();
            let (_, position) = rest.rsplit_once('|').unwrap();
            (member.to_ascii_lowercase(), position.parse::<u32>().unwrap())
        });
        rows
    }

    /// The names of a table's columns.
    pub(crate) async fn columns(&self, table: &str) -> String {
        let rows = match self.kind {
            Kind::Sqlite => self.rows("name", &format!("pragma_table_info('{table}')")).await,
            Kind::Postgres => {
                let of_the_table = format!("table_schema = '{}' AND table_name = '{table}'", self.schema.as_str());
                let rest = format!("information_schema.columns WHERE {of_the_table} ORDER BY ordinal_position");
                self.rows("column_name", &rest).await
            }
        };
        rows.join(" ")
    }

    /// The names of the tables that there are.
    pub(crate) async fn tables_there(&self) -> Vec<String> {
        match self.kind {
            Kind::Sqlite => self.rows("name", "sqlite_schema WHERE type = 'table' ORDER BY name").await,
            Kind::Postgres => {
                let rest = format!("pg_tables WHERE schemaname = '{}' ORDER BY tablename", self.schema.as_str());
                self.rows("tablename", &rest).await
            }
        }
    }

    /// Makes tables and root ready, where nothing is linked.
    pub(crate) async fn prepare(&self) -> Result<(), Unavailable> {
        self.tables.prepare(&Links::default()).await
    }

    /// Applies changes as one batch, where nothing is linked.
    pub(crate) async fn send(&self, changes: &[Change]) -> Result<Vec<Outcome>, Unavailable> {
        self.tables.apply(changes, &Links::default()).await
    }

    /// Gives the changes the next versions and applies them as one batch.
    pub(crate) async fn apply(&self, changes: Vec<Change>) -> Vec<Outcome> {
        self.apply_linked(changes, &Links::default()).await
    }

    /// The same where entities are linked with rows.
    pub(crate) async fn apply_linked(&self, changes: Vec<Change>, links: &Links) -> Vec<Outcome> {
        self.tables.apply(&self.numbered(changes), links).await.unwrap()
    }

    /// Applies changes as one batch, and insists that all are applied.
    pub(crate) async fn take(&self, changes: Vec<Change>) {
        self.take_linked(changes, &Links::default()).await;
    }

    /// The same where entities are linked with rows.
    pub(crate) async fn take_linked(&self, changes: Vec<Change>, links: &Links) {
        let outcomes = self.apply_linked(changes, links).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{outcomes:?}");
    }

    pub(crate) fn numbered(&self, mut changes: Vec<Change>) -> Vec<Change> {
        for change in &mut changes {
            change.version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        }
        changes
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.kind == Kind::Postgres {
            drop_schema(&self.schema);
        }
    }
}

/// Links of members and departments with rows: pairs of ids.
pub(crate) fn links(members: &[(&str, &str)], departments: &[(&str, &str)]) -> Links {
    let members = members.iter().map(|(id, row)| (EntityKey::member(id), (*row).to_owned()));
    let departments = departments.iter().map(|(id, row)| (EntityKey::department(id), (*row).to_owned()));
    members.chain(departments).collect()
}

/// Leaves nothing behind, also after a test that failed; what cannot be dropped is left to whoever set the server up.
pub(crate) fn drop_schema(schema: &SchemaName) {
    if let Ok(mut connection) = PgConnection::establish(&server_url()) {
        let drop = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {} CASCADE", schema.quoted());
        connection.batch_execute(&drop).unwrap_or_default();
    }
}

/// A schema that nobody else has.
pub(crate) fn random_schema(name: &str) -> SchemaName {
    SchemaName::new(format!("{name}_{:016x}", rand::random::<u64>())).unwrap()
}

/// A database of a PostgreSQL server in which schemas may be made.
#[expect(clippy::disallowed_methods, reason = "the tests' servers are started outside and named in the environment")]
pub(crate) fn server_url() -> String {
    std::env::var("ORGBRIDGE_TEST_POSTGRES").expect("start the servers: ./scripts/test does")
}

/// JSON as SQLite and PostgreSQL would both have it if they agreed on spaces and on the order of keys.
fn same_json(cell: &str) -> String {
    if let Ok(object) = serde_json::from_str::<BTreeMap<String, Value>>(cell) {
        serde_json::to_string(&object).unwrap()
    } else if let Ok(list) = serde_json::from_str::<Vec<Value>>(cell) {
        serde_json::to_string(&list).unwrap()
    } else {
        cell.to_owned()
    }
}
