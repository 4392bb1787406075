//! Changes to send, and a look at the tables they went to.

use std::sync::atomic::{AtomicU64, Ordering};

use common::{Action, Change, Entity, EntityKey, Field, Fields, UnixMillis};
use database::{Database, Options, on_backend};
use destinations::{Batch, Outcome, TenantFacts, sqlite::SqliteTables};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};

/// A destination over a database in memory, and that database.
pub(crate) struct Core {
    pub(crate) tables: SqliteTables,
    database: Database,
    version: AtomicU64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Core {
    pub(crate) async fn new() -> Self {
        let core = Self::unprepared();
        core.tables.prepare().await.unwrap();
        core
    }

    /// Without tables as yet.
    pub(crate) fn unprepared() -> Self {
        let database = Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
        let facts =
            TenantFacts {
                root_name: "ACME".to_owned(), employee_number: "工号".to_owned(), corp_id: "ww1".to_owned()
            };
        let tables = SqliteTables::over(database.clone(), "acme".parse().unwrap(), facts);
        Self { tables, database, version: AtomicU64::new(0) }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        self.database
            .write("test", move |c| Ok::<_, database::Error>(on_backend!(c, c => c.batch_execute(&sql))?))
            .await
            .unwrap();
    }

    /// The rows of a query, columns joined by `|`, null as `-`.
    pub(crate) async fn rows(&self, columns: &str, rest: &str) -> Vec<String> {
        let line = columns.split(", ").map(|c| format!("ifnull({c}, '-')")).collect::<Vec<_>>().join(" || '|' || ");
        let sql = format!("SELECT {line} AS line FROM {rest}");
        let lines: Vec<Line> = self
            .database
            .read("test", move |c| Ok::<_, database::Error>(on_backend!(c, c => sql_query(sql).load(c))?))
            .await
            .unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    pub(crate) async fn members(&self, columns: &str) -> Vec<String> {
        self.rows(columns, "members ORDER BY id").await
    }

    pub(crate) async fn memberships(&self) -> Vec<String> {
        self.rows("member_id, department_id, is_leader, position", "member_departments ORDER BY member_id, position")
            .await
    }

    /// Gives the changes the next versions and applies them as one batch.
    pub(crate) async fn apply(&self, changes: Vec<Change>) -> Vec<Outcome> {
        self.tables.apply(&self.numbered(changes)).await.unwrap()
    }

    /// Applies changes as one batch, and insists that all are applied.
    pub(crate) async fn take(&self, changes: Vec<Change>) {
        let outcomes = self.apply(changes).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{outcomes:?}");
    }

    pub(crate) fn numbered(&self, mut changes: Vec<Change>) -> Vec<Change> {
        for change in &mut changes {
            change.version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        }
        changes
    }
}

fn change(entity: EntityKey, action: Action, refers_to: Vec<EntityKey>) -> Change {
    Change {
        tenant: "acme".parse().unwrap(),
        version: 0,
        entity,
        action,
        source_time: UnixMillis::from_seconds(1_767_225_600),
        received_at: UnixMillis::from_seconds(1_767_225_601),
        refers_to,
        leaves: vec![],
        first: false,
        only_for: None,
    }
}

fn upsert(key: EntityKey, shown_id: &str, fields: Fields, renamed_from: Option<EntityKey>) -> Change {
    let mut refers_to: Vec<EntityKey> =
        fields.list(Field::Departments).iter().map(|id| EntityKey::department(id)).collect();
    refers_to.extend(fields.text(Field::Parent).map(EntityKey::department));
    let entity = Entity { shown_id: shown_id.to_owned(), fields, incomplete: false };
    change(key, Action::Upsert { entity, renamed_from }, refers_to)
}

pub(crate) fn department(id: &str, parent: &str) -> Change {
    let fields = Fields::new().with(Field::Name, format!("D{id}")).with(Field::Parent, parent);
    department_with(id, fields)
}

pub(crate) fn department_with(id: &str, fields: Fields) -> Change {
    upsert(EntityKey::department(id), id, fields, None)
}

pub(crate) fn in_departments(departments: &[&str]) -> Fields {
    Fields::new().with(Field::Name, "张三").with(Field::Departments, departments)
}

pub(crate) fn member(id: &str, departments: &[&str]) -> Change {
    member_with(id, in_departments(departments))
}

pub(crate) fn member_with(id: &str, fields: Fields) -> Change {
    upsert(EntityKey::member(id), id, fields, None)
}

pub(crate) fn renamed(from: &str, to: &str, fields: Fields) -> Change {
    upsert(EntityKey::member(to), to, fields, Some(EntityKey::member(from)))
}

pub(crate) fn remove_member(id: &str) -> Change {
    change(EntityKey::member(id), Action::Remove, vec![])
}

pub(crate) fn remove_department(id: &str) -> Change {
    change(EntityKey::department(id), Action::Remove, vec![])
}
