//! Migrations: up, down, up again gives the same schema; and both databases have the same one.

use std::{collections::BTreeMap, fs, path::Path};

use database::{Connection, Database, on_backend};
use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};

use crate::support::{self, on_both, write};

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

const SQLITE: &str = "SELECT m.name || '.' || c.name AS place,
        c.type || CASE WHEN c.\"notnull\" = 0 AND c.pk = 0 THEN ' NULL' ELSE '' END || CASE WHEN c.pk > 0 THEN ' PK' ELSE '' END AS kind
     FROM sqlite_master AS m, pragma_table_info(m.name) AS c
     WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'
     UNION ALL SELECT name, 'index on ' || tbl_name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'";

const POSTGRES: &str = "SELECT c.table_name || '.' || c.column_name AS place,
        upper(c.data_type) || CASE WHEN c.is_nullable = 'YES' THEN ' NULL' ELSE '' END
          || CASE WHEN k.column_name IS NOT NULL THEN ' PK' ELSE '' END AS kind
     FROM information_schema.columns AS c
     LEFT JOIN information_schema.key_column_usage AS k
       ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name
     WHERE c.table_schema = current_schema AND c.table_name NOT LIKE '\\_\\_%'
     UNION ALL SELECT indexname, 'index on ' || tablename FROM pg_indexes
       WHERE schemaname = current_schema AND indexname NOT LIKE '%pkey'";

/// All columns and indexes, with their types in SQLite's words.
fn schema(conn: &mut Connection) -> database::Result<BTreeMap<String, String>> {
    let rows: Vec<Column> = match conn {
        Connection::Sqlite(c) => sql_query(SQLITE).load(c)?,
        Connection::Postgres(c) => sql_query(POSTGRES).load(c)?,
    };
    Ok(rows.into_iter().map(|column| (column.place, same_words(&column.kind))).collect())
}

/// A row id is a 64-bit integer in both.
fn same_words(kind: &str) -> String {
    kind.replace("INTEGER PK", "BIGINT PK")
}

async fn down_leaves_nothing_and_up_again_gives_the_same(database: Database) {
    let backend =
        write(&database, |conn| Ok(if matches!(conn, Connection::Sqlite(_)) { "sqlite" } else { "postgres" }));
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).join(backend.await);
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let script = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let before = write(&database, schema).await;
    for folder in folders.iter().rev() {
        let down = script(folder, "down.sql");
        write(&database, move |conn| Ok(on_backend!(conn, c => c.batch_execute(&down))?)).await;
    }
    assert!(write(&database, schema).await.is_empty());
    for folder in &folders {
        let up = script(folder, "up.sql");
        write(&database, move |conn| Ok(on_backend!(conn, c => c.batch_execute(&up))?)).await;
    }
    assert_eq!(write(&database, schema).await, before);
}

async fn migrating_again_changes_nothing(database: Database) {
    assert!(database.migrate(store::migrations()).unwrap().is_empty());
}

on_both! {
    down_leaves_nothing_and_up_again_gives_the_same
    migrating_again_changes_nothing
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let sqlite = write(&support::sqlite(), schema).await;
    assert!(!sqlite.is_empty());
    assert_eq!(write(&support::postgres(), schema).await, sqlite);
}

#[tokio::test]
async fn replicas_that_migrate_at_once_wait_for_each_other() {
    let url = support::schema();
    let replica = |url: String| {
        tokio::task::spawn_blocking(move || support::open(&url).migrate(store::migrations()).unwrap().len())
    };
    let replicas: Vec<_> = (0..4).map(|_| replica(url.clone())).collect();
    let mut applied = 0;
    for replica in replicas {
        applied += replica.await.unwrap();
    }
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres")).unwrap().count();
    assert_eq!(applied, folders, "each migration ran once");
}
