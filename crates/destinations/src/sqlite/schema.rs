//! The tables themselves: made where absent, looked at where somebody made them before, never altered.

use std::collections::BTreeSet;

use common::{ROOT_DEPARTMENT, TenantId};
use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{Tables, describe};
use crate::Unavailable;

/// A table: its name, how it is made, and the columns that we write, divided by spaces.
struct Table {
    name: &'static str,
    create: &'static str,
    columns: &'static str,
}

/// In the order in which they refer to each other. Members' ids compare without regard to case, as WeCom compares them.
///
/// Attendance and approvals have an index on the member, without which each rename would read all of them. They have
/// row ids, unlike the rest: SQLite, knowing no statistics, would otherwise take the primary key for the better way.
const TABLES: [Table; 5] = [
    Table {
        name: "departments",
        create: "CREATE TABLE departments (
            tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text NOT NULL, name_en text,
            position bigint, leaders text NOT NULL DEFAULT '[]', version bigint NOT NULL, source_time bigint NOT NULL,
            deleted_at bigint,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
        ) WITHOUT ROWID;",
        columns: "tenant_id id parent_id name name_en position leaders version source_time deleted_at",
    },
    Table {
        name: "members",
        create: "CREATE TABLE members (
            tenant_id text NOT NULL, id text NOT NULL COLLATE NOCASE, name text NOT NULL, mobile text, email text,
            title text, gender text NOT NULL, status text NOT NULL, employee_number text, main_department_id text,
            manager_id text COLLATE NOCASE, attributes text NOT NULL DEFAULT '{}', version bigint NOT NULL,
            source_time bigint NOT NULL, deleted_at bigint,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, main_department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
        ) WITHOUT ROWID;",
        columns: "tenant_id id name mobile email title gender status employee_number main_department_id \
            manager_id attributes version source_time deleted_at",
    },
    Table {
        name: "member_departments",
        create: "CREATE TABLE member_departments (
            tenant_id text NOT NULL, member_id text NOT NULL COLLATE NOCASE, department_id text NOT NULL,
            is_leader integer NOT NULL DEFAULT 0, position bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (tenant_id, member_id, department_id),
            FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE,
            FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
        ) WITHOUT ROWID;",
        columns: "tenant_id member_id department_id is_leader position",
    },
    Table {
        name: "attendance",
        create: "CREATE TABLE attendance (
            tenant_id text NOT NULL, record_id text NOT NULL, member_id text NOT NULL COLLATE NOCASE, work_date text,
            kind text NOT NULL, check_type text, planned_at bigint, checked_at bigint, result text, source text,
            details text NOT NULL DEFAULT '{}', version bigint NOT NULL,
            PRIMARY KEY (tenant_id, record_id),
            FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE
        );
        CREATE INDEX attendance_member ON attendance (tenant_id, member_id);",
        columns: "tenant_id record_id member_id version",
    },
    Table {
        name: "approvals",
        create: "CREATE TABLE approvals (
            tenant_id text NOT NULL, instance_id text NOT NULL, template text, title text,
            applicant_id text COLLATE NOCASE, status text NOT NULL, result text NOT NULL, started_at bigint,
            finished_at bigint, details text NOT NULL DEFAULT '{}', version bigint NOT NULL,
            PRIMARY KEY (tenant_id, instance_id),
            FOREIGN KEY (tenant_id, applicant_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE
        );
        CREATE INDEX approvals_applicant ON approvals (tenant_id, applicant_id);",
        columns: "tenant_id instance_id applicant_id version",
    },
];

/// Why the tables cannot be used.
pub(super) enum NotReady {
    Database(database::Error),
    SomebodyElses { table: &'static str, column: &'static str },
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

/// Makes what is absent and puts the root department there.
pub(super) fn prepare(c: &mut Connection, tenant: TenantId, root_name: &str) -> Result<Tables, NotReady> {
    for table in &TABLES {
        make_sure_of(c, table)?;
    }
    put_root(c, &tenant, root_name)?;
    let folds_case = folds_case(c)?;
    Ok(Tables { tenant, folds_case })
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn make_sure_of(c: &mut Connection, table: &Table) -> Result<(), NotReady> {
    let query = sql_query("SELECT name FROM pragma_table_info(?1)").bind::<Text, _>(table.name);
    let found: Vec<Name> = on_backend!(c, c => query.load(c)).map_err(database::Error::from)?;
    if found.is_empty() {
        on_backend!(c, c => c.batch_execute(table.create)).map_err(database::Error::from)?;
        return Ok(());
    }
    let found: BTreeSet<&str> = found.iter().map(|column| column.name.as_str()).collect();
    match table.columns.split(' ').find(|column| !found.contains(column)) {
        None => Ok(()),
        Some(column) => Err(NotReady::SomebodyElses { table: table.name, column }),
    }
}

/// The root is there before anything else, and has the tenant's name until its own is known.
fn put_root(c: &mut Connection, tenant: &TenantId, root_name: &str) -> database::Result<()> {
    let query = sql_query(
        "INSERT INTO departments (tenant_id, id, name, leaders, version, source_time) VALUES (?1, ?2, ?3, '[]', 0, 0)
         ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name
         WHERE departments.version = 0 AND departments.name <> excluded.name",
    )
    .bind::<Text, _>(tenant.as_str())
    .bind::<Text, _>(ROOT_DEPARTMENT)
    .bind::<Text, _>(root_name);
    on_backend!(c, c => query.execute(c))?;
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn folds_case(c: &mut Connection) -> database::Result<bool> {
    let query = sql_query(
        "SELECT count(*) AS count FROM pragma_index_list('members') AS l, pragma_index_xinfo(l.name) AS x
         WHERE l.origin = 'pk' AND x.name = 'id' AND x.coll = 'NOCASE'",
    );
    let found: Count = on_backend!(c, c => query.get_result(c))?;
    Ok(found.count > 0)
}
