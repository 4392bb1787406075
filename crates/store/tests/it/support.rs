//! A database to ask.

use database::{Connection, Database, Options};

/// A migrated database in memory.
pub(crate) fn database() -> Database {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(store::migrations()).unwrap();
    database
}

/// Runs queries in one transaction.
pub(crate) async fn write<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
) -> T {
    database.write("test", work).await.unwrap()
}

pub(crate) fn tenant() -> common::TenantId {
    "acme".parse().unwrap()
}
