//! The store's queries against a real database.

mod migrations;
mod resolver_tables;

use database::{Connection, Database, Options};

/// A migrated database in memory.
fn database() -> Database {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(store::migrations()).unwrap();
    database
}

/// Runs queries in one transaction.
async fn write<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
) -> T {
    database.write("test", work).await.unwrap()
}

fn tenant() -> common::TenantId {
    "acme".parse().unwrap()
}
