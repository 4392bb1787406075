//! A database to ask: each test runs on both kinds.

use std::sync::atomic::{AtomicU32, Ordering};

use database::{Connection, Database, Options};
use diesel::{Connection as _, PgConnection, connection::SimpleConnection};

/// Makes two tests of each of these functions: on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::support::sqlite()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::support::postgres()).await;
                }
            )*
        }
    };
}
pub(crate) use on_both;

/// A migrated database in memory.
pub(crate) fn sqlite() -> Database {
    migrated("sqlite::memory:")
}

/// A migrated schema of its own.
pub(crate) fn postgres() -> Database {
    migrated(&schema())
}

#[expect(clippy::disallowed_methods, reason = "where the server is, is told to tests by their environment")]
fn address() -> String {
    std::env::var("ORGBRIDGE_TEST_POSTGRES").expect("a server: ./scripts/test starts one")
}

/// The address of an empty schema of its own on the server that `scripts/test` starts.
pub(crate) fn schema() -> String {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let server = address();
    let schema = format!("store_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::establish(&server).unwrap();
    connection.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).unwrap();
    format!("{server}?options=-csearch_path%3D{schema}")
}

pub(crate) fn open(url: &str) -> Database {
    Database::open(&Options { pool_size: 3, ..Options::new(url) }).unwrap()
}

fn migrated(url: &str) -> Database {
    let database = open(url);
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

/// Lets time pass for leases: on a server its own clock counts, so what they hold until is moved instead.
pub(crate) async fn pass(database: &Database, seconds: i64) {
    let pass = move |conn: &mut Connection| {
        if let Connection::Postgres(c) = conn {
            let millis = seconds * 1000;
            c.batch_execute(&format!(
                "UPDATE destinations SET lease_until = lease_until - {millis};
                 UPDATE tenants SET outbox_until = outbox_until - {millis};
                 UPDATE record_runs SET lease_until = lease_until - {millis};
                 UPDATE form_polls SET lease_until = lease_until - {millis}"
            ))?;
        }
        Ok(())
    };
    write(database, pass).await;
}

/// Whether this is SQLite.
pub(crate) async fn is_file(database: &Database) -> bool {
    write(database, |conn| Ok(matches!(conn, Connection::Sqlite(_)))).await
}
