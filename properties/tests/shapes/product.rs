//! A core product with tables of its own making, which knows two departments under ids of its own.

use std::path::Path;

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query,
    sql_types::BigInt,
};

use crate::shape::{FIRST, name};

const TABLES: &str = "
    CREATE TABLE departments (
        tenant_id text NOT NULL, id text NOT NULL, parent_id text, name text NOT NULL, name_en text, position bigint,
        leaders text NOT NULL DEFAULT '[]', version bigint NOT NULL DEFAULT 0, source_time bigint NOT NULL DEFAULT 0,
        deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, parent_id) REFERENCES departments (tenant_id, id)
    ) WITHOUT ROWID;
    CREATE TABLE members (
        tenant_id text NOT NULL, id text NOT NULL COLLATE NOCASE, name text NOT NULL, mobile text, email text,
        title text, gender text NOT NULL, status text NOT NULL, employee_number text, main_department_id text,
        manager_id text COLLATE NOCASE, attributes text NOT NULL DEFAULT '{}', version bigint NOT NULL DEFAULT 0,
        source_time bigint NOT NULL DEFAULT 0, deleted_at bigint,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, main_department_id) REFERENCES departments (tenant_id, id)
    ) WITHOUT ROWID;
    CREATE TABLE member_departments (
        tenant_id text NOT NULL, member_id text NOT NULL COLLATE NOCASE, department_id text NOT NULL,
        is_leader integer NOT NULL DEFAULT 0, position bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, member_id, department_id),
        FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
        FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id)
    ) WITHOUT ROWID;";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The product's file.
pub(crate) struct Product(SqliteConnection);

impl Product {
    /// Makes the file. With rows of its own in it nothing is delivered before the first sync.
    pub(crate) fn create(path: &Path) -> Self {
        let mut product = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let rows = format!(
            "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; {TABLES}
             INSERT INTO departments (tenant_id, id, parent_id, name)
             VALUES ('acme', 'HQ', NULL, 'Company'), ('acme', 'D-1', 'HQ', '{}');",
            name(FIRST)
        );
        product.batch_execute(&rows).unwrap();
        Self(product)
    }

    /// How many departments and members it shows.
    pub(crate) fn count(&mut self) -> usize {
        let query = sql_query(
            "SELECT (SELECT count(*) FROM departments WHERE deleted_at IS NULL)
                  + (SELECT count(*) FROM members WHERE deleted_at IS NULL) AS count",
        );
        let count: Count = query.get_result(&mut self.0).unwrap();
        usize::try_from(count.count).unwrap()
    }
}
