//! The tables themselves: made where absent, looked at where somebody made them before, never altered.

use std::collections::BTreeSet;

use common::TenantId;
use database::{Connection, on_backend};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};

use super::{
    SchemaName, Tables, describe,
    dialect::{self, Dialect},
};
use crate::Unavailable;

/// A table as statements name it, and the columns that we write, divided by spaces.
pub(super) struct Table {
    name: &'static str,
    columns: &'static str,
}

/// In the order in which they refer to each other.
pub(super) const TABLES: [Table; 5] = [
    Table {
        name: "core.departments",
        columns: "tenant_id id parent_id name name_en position leaders version source_time deleted_at",
    },
    Table {
        name: "core.members",
        columns: "tenant_id id name mobile email title gender status employee_number main_department_id \
            manager_id attributes version source_time deleted_at",
    },
    Table { name: "core.member_departments", columns: "tenant_id member_id department_id is_leader position" },
    Table {
        name: "core.attendance",
        columns: "tenant_id record_id member_id work_date kind check_type planned_at checked_at result source details \
            version",
    },
    Table {
        name: "core.approvals",
        columns: "tenant_id instance_id template title applicant_id status result started_at finished_at details \
            version",
    },
];

/// Why the tables cannot be used.
pub(super) enum NotReady {
    Database(database::Error),
    SomebodyElses { table: String, column: &'static str },
}

impl From<database::Error> for NotReady {
    fn from(error: database::Error) -> Self {
        Self::Database(error)
    }
}

impl From<NotReady> for Unavailable {
    fn from(error: NotReady) -> Self {
        match error {
            NotReady::Database(error) => Self::new(describe(&error)),
            NotReady::SomebodyElses { table, column } => Self::new(format!(
                "there is a table {table} already, but it has no column {column}: \
                 it belongs to something else and is left alone"
            )),
        }
    }
}

/// The row of the root department.
pub(super) struct Root {
    pub(super) id: String,
    pub(super) name: String,
    /// The product had it before us.
    pub(super) is_linked: bool,
}

/// Makes what is absent, and puts the root department there unless it is not to be.
pub(super) fn prepare(
    c: &mut Connection,
    tenant: TenantId,
    schema: &SchemaName,
    root: Option<&Root>,
) -> Result<Tables, NotReady> {
    let mut dialect = dialect::of(c, schema);
    dialect.make_room(c)?;
    for (table, create) in TABLES.iter().zip(dialect.create()) {
        make_sure_of(c, &*dialect, table, create)?;
    }
    if let Some(root) = root {
        put_root(c, &*dialect, &tenant, root)?;
    }
    dialect.look(c)?;
    Ok(Tables { tenant, dialect })
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn make_sure_of(c: &mut Connection, dialect: &dyn Dialect, table: &Table, create: &str) -> Result<(), NotReady> {
    let name = dialect.spell(table.name);
    let query = sql_query(dialect.columns()).bind::<Text, _>(&name);
    let found: Vec<Name> = on_backend!(c, c => query.load(c)).map_err(database::Error::from)?;
    if found.is_empty() {
        let create = dialect.spell(create);
        on_backend!(c, c => c.batch_execute(&create)).map_err(database::Error::from)?;
        return Ok(());
    }
    let found: BTreeSet<&str> = found.iter().map(|column| column.name.as_str()).collect();
    match table.columns.split(' ').find(|column| !found.contains(column)) {
        None => Ok(()),
        Some(column) => Err(NotReady::SomebodyElses { table: name, column }),
    }
}

/// The root is there before anything else, and has the tenant's name until its own is known.
const OWN_ROOT: &str = "INSERT INTO core.departments (tenant_id, id, name, leaders, version, source_time)
    VALUES ($1, $2, $3, '[]', 0, 0)
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name
    WHERE departments.version = 0 AND departments.name <> excluded.name";

/// The product has a name for it, and may have columns that must be filled.
const LINKED_ROOT: &str = "INSERT INTO core.departments (tenant_id, id, name, leaders, version, source_time)
    SELECT $1, $2, $3, '[]', 0, 0 WHERE NOT EXISTS
        (SELECT 1 FROM core.departments WHERE tenant_id = $1 AND id = $2)";

fn put_root(c: &mut Connection, dialect: &dyn Dialect, tenant: &TenantId, root: &Root) -> database::Result<()> {
    let query = sql_query(dialect.spell(if root.is_linked { LINKED_ROOT } else { OWN_ROOT }))
        .bind::<Text, _>(tenant.as_str())
        .bind::<Text, _>(root.id.as_str())
        .bind::<Text, _>(root.name.as_str());
    on_backend!(c, c => query.execute(c))?;
    Ok(())
}
