//! Migrations: up, down, up again gives the same schema.

use std::{fs, path::Path};

use database::{Connection, on_backend};
use diesel::{RunQueryDsl, connection::SimpleConnection, sql_types::Text};

use crate::support;

#[derive(diesel::QueryableByName)]
struct Definition {
    #[diesel(sql_type = Text)]
    sql: String,
}

fn schema(conn: &mut Connection) -> database::Result<Vec<String>> {
    let rows: Vec<Definition> = on_backend!(conn, c => diesel::sql_query(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name"
    ).load(c))?;
    Ok(rows.into_iter().map(|row| row.sql).collect())
}

#[tokio::test]
async fn down_leaves_nothing_and_up_again_gives_the_same() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite"));
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let script = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let database = support::database();
    let before = support::write(&database, schema).await;
    for folder in folders.iter().rev() {
        let down = script(folder, "down.sql");
        support::write(&database, move |conn| Ok(on_backend!(conn, c => c.batch_execute(&down))?)).await;
    }
    assert!(support::write(&database, schema).await.is_empty());
    for folder in &folders {
        let up = script(folder, "up.sql");
        support::write(&database, move |conn| Ok(on_backend!(conn, c => c.batch_execute(&up))?)).await;
    }
    assert_eq!(support::write(&database, schema).await, before);
}
