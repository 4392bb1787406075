//! PostgreSQL's ways (13 and later).
//!
//! # Members' ids
//!
//! WeCom compares them without regard to case; PostgreSQL has no such comparison that suits a product's tables. A
//! non-deterministic collation needs a server built with ICU, cannot be searched with `LIKE` before PostgreSQL 18 and
//! binds every table of the product that refers to members; `citext` is an extension that somebody has to install. So
//! ids are plain `text`, kept as they were first seen. They are looked up by `lower(id COLLATE "C")`, and a unique
//! index on that keeps two spellings of one id out. Foreign keys are on the ids as they are: what we write refers to a
//! member as its row spells it. The collation `"C"` folds the letters A to Z and nothing else, wherever the server
//! stands, which is also what our row ids are made for; where it is not said, a Turkish database would fold `I` to `ı`.
//!
//! The folded id comes first in that index: it would do for foreign keys otherwise, by the tenant alone, and as long as the table
//! has no statistics the server takes it for as good as the primary key, and reads all of a tenant's members for each row.
//!
//! Where somebody else made the table and has no such index, a batch looks through all of the tenant's members.

use common::TenantId;
use database::{Connection, on_backend};
use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Bool, Text},
};

use super::{SchemaName, dialect::Dialect, schema::TABLES};

/// PostgreSQL's ways.
pub(super) struct Postgres {
    schema: SchemaName,
    /// The schema as statements have it before a table. They name it each time, so that the session's search path stays
    /// as the product's own triggers need it, and no table of the same name elsewhere is ever taken for ours.
    prefix: String,
}

/// Attendance and approvals have an index on the member, without which each rename would read all of them.
const CREATE: [&str; TABLES.len()] = [
    "CREATE TABLE core.departments (
        tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text NOT NULL, name_en text,
        position bigint, leaders jsonb NOT NULL DEFAULT '[]', version bigint NOT NULL, source_time bigint NOT NULL,
        deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, parent_id) REFERENCES core.departments (tenant_id, id) ON UPDATE CASCADE
    )",
    "CREATE TABLE core.members (
        tenant_id text NOT NULL, id text NOT NULL, name text NOT NULL, mobile text, email text,
        title text, gender text NOT NULL, status text NOT NULL, employee_number text, main_department_id text,
        manager_id text, attributes jsonb NOT NULL DEFAULT '{}', version bigint NOT NULL,
        source_time bigint NOT NULL, deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, main_department_id) REFERENCES core.departments (tenant_id, id) ON UPDATE CASCADE
    );
    CREATE UNIQUE INDEX members_folded ON core.members (lower(id COLLATE \"C\"), tenant_id)",
    "CREATE TABLE core.member_departments (
        tenant_id text NOT NULL, member_id text NOT NULL, department_id text NOT NULL,
        is_leader boolean NOT NULL DEFAULT false, position bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, member_id, department_id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES core.members (tenant_id, id) ON UPDATE CASCADE,
        FOREIGN KEY (tenant_id, department_id) REFERENCES core.departments (tenant_id, id) ON UPDATE CASCADE
    )",
    "CREATE TABLE core.attendance (
        tenant_id text NOT NULL, record_id text NOT NULL, member_id text NOT NULL, work_date text,
        kind text NOT NULL, check_type text, planned_at bigint, checked_at bigint, result text, source text,
        details jsonb NOT NULL DEFAULT '{}', version bigint NOT NULL,
        PRIMARY KEY (tenant_id, record_id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES core.members (tenant_id, id) ON UPDATE CASCADE
    );
    CREATE INDEX attendance_member ON core.attendance (tenant_id, member_id)",
    "CREATE TABLE core.approvals (
        tenant_id text NOT NULL, instance_id text NOT NULL, template text, title text,
        applicant_id text, status text NOT NULL, result text NOT NULL, started_at bigint,
        finished_at bigint, details jsonb NOT NULL DEFAULT '{}', version bigint NOT NULL,
        PRIMARY KEY (tenant_id, instance_id),
        FOREIGN KEY (tenant_id, applicant_id) REFERENCES core.members (tenant_id, id) ON UPDATE CASCADE
    );
    CREATE INDEX approvals_applicant ON core.approvals (tenant_id, applicant_id)",
];

/// The ids as an array: so the index is used without statistics too, of which a table that just filled has none.
const MEMBERS: &str = "SELECT id, CAST(coalesce(version, 0) AS bigint) AS version,
        CAST(deleted_at AS bigint) AS deleted_at, main_department_id
    FROM core.members
    WHERE tenant_id = $1
        AND lower(id COLLATE \"C\") = ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))";

const LEADERS: &str = "WITH renamed AS MATERIALIZED
        (SELECT lower((value ->> 0) COLLATE \"C\") AS old, value ->> 1 AS new FROM jsonb_array_elements($2::jsonb))
    UPDATE core.departments SET leaders =
        (SELECT jsonb_agg(coalesce(renamed.new, l.leader) ORDER BY l.place)
         FROM jsonb_array_elements_text(departments.leaders::jsonb) WITH ORDINALITY AS l (leader, place)
             LEFT JOIN renamed ON renamed.old = lower(l.leader COLLATE \"C\"))
    WHERE tenant_id = $1 AND EXISTS
        (SELECT 1 FROM jsonb_array_elements_text(departments.leaders::jsonb) AS l (leader)
             JOIN renamed ON renamed.old = lower(l.leader COLLATE \"C\"))";

impl Postgres {
    pub(super) fn new(schema: SchemaName) -> Self {
        let prefix = format!("{}.", schema.quoted());
        Self { schema, prefix }
    }
}

impl Dialect for Postgres {
    fn spell(&self, statement: &str) -> String {
        statement.replace("core.", &self.prefix)
    }

    fn create(&self) -> [&'static str; TABLES.len()] {
        CREATE
    }

    /// Not from `information_schema`, which hides what we have no rights to.
    fn columns(&self) -> &'static str {
        "SELECT CAST(attname AS text) AS name FROM pg_catalog.pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped"
    }

    fn members(&self) -> &'static str {
        MEMBERS
    }

    fn leaders(&self) -> &'static str {
        LEADERS
    }

    /// `IF NOT EXISTS` alone would not do: it fails when two come at the same moment, and when one may not make schemas
    /// though this one is there.
    fn make_room(&self, c: &mut Connection) -> database::Result<()> {
        let lock = sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(format!("orgbridge: tables in {}", self.schema.as_str()));
        on_backend!(c, c => lock.execute(c))?;
        let is_there = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1) AS yes";
        if !ask(c, is_there, self.schema.as_str())? {
            let create = format!("CREATE SCHEMA {}", self.schema.quoted());
            on_backend!(c, c => c.batch_execute(&create))?;
        }
        Ok(())
    }

    /// An advisory lock, since it is in nobody's way but our own: the product reads and writes meanwhile. It is not
    /// waited for, since it may be a dead sender's until the server notices.
    fn lock(&self, c: &mut Connection, tenant: &TenantId) -> database::Result<()> {
        let name = format!("orgbridge: changes of {} in {}", tenant.as_str(), self.schema.as_str());
        let is_ours = ask(c, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS yes", &name)?;
        if is_ours { Ok(()) } else { Err(database::Error::Busy) }
    }

    /// A server may say it in any language.
    fn is_about_rows(&self, _: &str) -> Option<bool> {
        None
    }
}

/// Asks a question about a text.
fn ask(c: &mut Connection, question: &str, about: &str) -> database::Result<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        yes: bool,
    }
    let query = sql_query(question).bind::<Text, _>(about);
    let answer: Answer = on_backend!(c, c => query.get_result(c))?;
    Ok(answer.yes)
}
