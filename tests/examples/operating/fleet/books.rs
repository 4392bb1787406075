//! What PostgreSQL knows, and what it is told to remember.

use std::collections::HashMap;

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use tokio::task::spawn_blocking;

pub(super) const CORE_SCHEMA: &str = "core";
/// By when each member's row came: nobody changes those of newcomers.
const ARRIVALS: &str = "SELECT tenant_id, id, \
     (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at_micros \
     FROM core.members WHERE deleted_at IS NULL AND id LIKE 'newcomer.%'";
const ROWS: &str = "SELECT (SELECT count(*) FROM core.members WHERE deleted_at IS NULL) \
     + (SELECT count(*) FROM core.departments WHERE deleted_at IS NULL) AS count";
/// Of all but who asks, with what it rolled back.
const TRANSACTIONS: &str =
    "SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()";
const SESSIONS: &str = "SELECT count(*) AS count FROM pg_stat_activity \
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// When members arrived in the core product, in microseconds since 1970, by tenant and id.
pub(crate) type Arrivals = HashMap<(String, String), i64>;

/// Both databases.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub(super) ours: String,
    pub(super) core: String,
}

#[derive(QueryableByName)]
struct Arrival {
    #[diesel(sql_type = Text)]
    tenant_id: String,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    at_micros: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What holds from the next start on.
pub(super) fn configure(url: &str, connections: Option<u32>) {
    let mut server = PgConnection::establish(url).expect("PostgreSQL");
    server.batch_execute("ALTER SYSTEM SET track_commit_timestamp = on").expect("a setting");
    if let Some(connections) = connections {
        server.batch_execute(&format!("ALTER SYSTEM SET max_connections = {connections}")).expect("a setting");
    }
}

impl Books {
    /// When each newcomer's row was committed; nothing while PostgreSQL, or the table, is not there.
    pub(crate) async fn arrivals(&self) -> Option<Arrivals> {
        let rows = ask(&self.core, |server| sql_query(ARRIVALS).load::<Arrival>(server)).await?;
        Some(rows.into_iter().map(|row| ((row.tenant_id, row.id), row.at_micros)).collect())
    }

    /// How many live rows the core product has; nothing while that cannot be asked.
    pub(crate) async fn core_rows(&self) -> Option<i64> {
        count(&self.core, ROWS).await
    }

    /// How many sessions PostgreSQL has; nothing when it takes no more.
    pub(crate) async fn sessions(&self) -> Option<i64> {
        count(&self.ours, SESSIONS).await
    }

    /// How many transactions there were so far in our database, and in the core product's.
    pub(crate) async fn transactions(&self) -> [Option<i64>; 2] {
        [count(&self.ours, TRANSACTIONS).await, count(&self.core, TRANSACTIONS).await]
    }
}

async fn count(url: &str, query: &'static str) -> Option<i64> {
    let rows = ask(url, move |server| sql_query(query).load::<Count>(server)).await?;
    rows.first().map(|row| row.count)
}

async fn ask<T: Send + 'static>(
    url: &str,
    question: impl FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
) -> Option<T> {
    // One that is full or just starting may not answer at all.
    let url = format!("{url}?connect_timeout=5");
    let look = move || question(&mut PgConnection::establish(&url).ok()?).ok();
    spawn_blocking(look).await.unwrap()
}
