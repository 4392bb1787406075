//! SQLite's ways.
//!
//! Members' ids compare without regard to case (`COLLATE NOCASE`), as WeCom compares them. A transaction that writes
//! holds the file's write lock from its start, so there is nothing more to lock.

use database::{Connection, on_backend};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};

use super::{dialect::Dialect, schema::TABLES};

/// SQLite's ways.
#[derive(Default)]
pub(super) struct Sqlite {
    /// Whether `members.id` compares without regard to case, so that its index can be used for that.
    folds_case: bool,
}

/// What PostgreSQL's spelling is here. SQLite's `lower` knows the letters A to Z only, and parameters that begin with a
/// dollar sign are numbered by their first use instead of by their number.
const SPELLINGS: [(&str, &str); 8] = [
    ("core.", ""),
    (" COLLATE \"C\"", ""),
    (
        "= ANY (ARRAY(SELECT value ->> 0 FROM jsonb_array_elements($2::jsonb)))",
        "IN (SELECT value ->> 0 FROM json_each($2))",
    ),
    ("jsonb_array_elements($2::jsonb)", "json_each($2)"),
    ("jsonb_array_elements_text(departments.leaders::jsonb)", "json_each(departments.leaders)"),
    (
        "CASE jsonb_typeof(members.attributes::jsonb) WHEN 'object' THEN members.attributes::jsonb ELSE '{}' END \
         || (told -> 'attributes')",
        "json_patch(CASE WHEN json_valid(members.attributes) THEN members.attributes ELSE '{}' END, told -> 'attributes')",
    ),
    ("::jsonb", ""),
    ("$", "?"),
];

/// Attendance and approvals have an index on the member, without which each rename would read all of them. They have
/// row ids, unlike the rest: SQLite, knowing no statistics, would otherwise take the primary key for the better way.
const CREATE: [&str; TABLES.len()] = [
    "CREATE TABLE departments (
        tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text NOT NULL, name_en text,
        position bigint, leaders text NOT NULL DEFAULT '[]', version bigint NOT NULL, source_time bigint NOT NULL,
        deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
    ) WITHOUT ROWID;",
    "CREATE TABLE members (
        tenant_id text NOT NULL, id text NOT NULL COLLATE NOCASE, name text NOT NULL, mobile text, email text,
        title text, gender text NOT NULL, status text NOT NULL, employee_number text, main_department_id text,
        manager_id text COLLATE NOCASE, attributes text NOT NULL DEFAULT '{}', version bigint NOT NULL,
        source_time bigint NOT NULL, deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, main_department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
    ) WITHOUT ROWID;",
    "CREATE TABLE member_departments (
        tenant_id text NOT NULL, member_id text NOT NULL COLLATE NOCASE, department_id text NOT NULL,
        is_leader integer NOT NULL DEFAULT 0, position bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, member_id, department_id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE,
        FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id) ON UPDATE CASCADE
    ) WITHOUT ROWID;",
    "CREATE TABLE attendance (
        tenant_id text NOT NULL, record_id text NOT NULL, member_id text NOT NULL COLLATE NOCASE, work_date text,
        kind text NOT NULL, check_type text, planned_at bigint, checked_at bigint, result text, source text,
        details text NOT NULL DEFAULT '{}', version bigint NOT NULL,
        PRIMARY KEY (tenant_id, record_id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE
    );
    CREATE INDEX attendance_member ON attendance (tenant_id, member_id);",
    "CREATE TABLE approvals (
        tenant_id text NOT NULL, instance_id text NOT NULL, template text, title text,
        applicant_id text COLLATE NOCASE, status text NOT NULL, result text NOT NULL, started_at bigint,
        finished_at bigint, details text NOT NULL DEFAULT '{}', version bigint NOT NULL,
        PRIMARY KEY (tenant_id, instance_id),
        FOREIGN KEY (tenant_id, applicant_id) REFERENCES members (tenant_id, id) ON UPDATE CASCADE
    );
    CREATE INDEX approvals_applicant ON approvals (tenant_id, applicant_id);",
];

const MEMBERS: &str = "SELECT id, coalesce(version, 0) AS version, CAST(deleted_at AS bigint) AS deleted_at,
        main_department_id
    FROM members WHERE tenant_id = ?1 AND id IN (SELECT value ->> 0 FROM json_each(?2))";

/// Where somebody else made the table, its index may not serve this: one look at all of the tenant's rows per batch.
const MEMBERS_UNFOLDED: &str = "SELECT id, coalesce(version, 0) AS version, CAST(deleted_at AS bigint) AS deleted_at,
        main_department_id
    FROM members WHERE tenant_id = ?1 AND lower(id) IN (SELECT value ->> 0 FROM json_each(?2))";

const LEADERS: &str = "UPDATE departments SET leaders =
        (SELECT json_group_array(coalesce(
             (SELECT r.value ->> 1 FROM json_each(?2) AS r WHERE lower(r.value ->> 0) = lower(l.value)), l.value))
         FROM json_each(departments.leaders) AS l)
    WHERE tenant_id = ?1 AND leaders <> '[]' AND EXISTS
        (SELECT 1 FROM json_each(departments.leaders) AS l
         WHERE lower(l.value) IN (SELECT lower(value ->> 0) FROM json_each(?2)))";

/// Beginnings of what SQLite says when the fault is not in a row: the file, the schema or our statement.
const NOT_ABOUT_ROWS: [&str; 12] = [
    "attempt to write a readonly database",
    "no such ",
    "table ",
    "out of memory",
    "database ",
    "file is not a database",
    "interrupted",
    "ON CONFLICT clause",
    "foreign key mismatch",
    "cannot ",
    "near ",
    "malformed JSON",
];

impl Dialect for Sqlite {
    fn spell(&self, statement: &str) -> String {
        SPELLINGS.iter().fold(statement.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }

    fn create(&self) -> [&'static str; TABLES.len()] {
        CREATE
    }

    fn columns(&self) -> &'static str {
        "SELECT name FROM pragma_table_info(?1)"
    }

    fn members(&self) -> &'static str {
        if self.folds_case { MEMBERS } else { MEMBERS_UNFOLDED }
    }

    fn leaders(&self) -> &'static str {
        LEADERS
    }

    fn look(&mut self, c: &mut Connection) -> database::Result<()> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let query = sql_query(
            "SELECT count(*) AS count FROM pragma_index_list('members') AS l, pragma_index_xinfo(l.name) AS x
             WHERE l.origin = 'pk' AND x.name = 'id' AND x.coll = 'NOCASE'",
        );
        let found: Count = on_backend!(c, c => query.get_result(c))?;
        self.folds_case = found.count > 0;
        Ok(())
    }

    fn is_about_rows(&self, message: &str) -> Option<bool> {
        Some(!NOT_ABOUT_ROWS.iter().any(|beginning| message.starts_with(beginning)))
    }
}
