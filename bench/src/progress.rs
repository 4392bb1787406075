//! How far the pipeline is: until the core has everything.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use database::{Connection, Database, Options, on_backend};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use tests::Bridge;
use tokio::time::sleep;

/// How often the position is asked for: two rows by their keys.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often rows are counted, which reads all of them.
const COUNT_EVERY: Duration = Duration::from_millis(500);
/// When nothing happens for that long something is wrong.
const PATIENCE: Duration = Duration::from_secs(180);
/// When no more comes for that long no more will come.
const QUIET: Duration = Duration::from_secs(2);

/// The last change that the resolver made, and the last one that the core has.
const POSITION: &str = "SELECT t.last_version, d.position FROM tenants t JOIN destinations d ON d.tenant = t.id
    WHERE t.id = 'acme' AND d.id = 'core'";

#[derive(QueryableByName, Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    #[diesel(sql_type = BigInt)]
    last_version: i64,
    #[diesel(sql_type = BigInt)]
    position: i64,
}

/// Waits until the core has that many live rows, the root's among them. Looking costs next to nothing where there is a server:
/// what is read is how far the core's position is, since each entity is at least one change. `may_repeat`: entities may be sent
/// more than once, so it also waits until no more comes.
pub(crate) async fn until_all_are_there(bridge: &Bridge, rows: i64, may_repeat: bool) -> Result<()> {
    if let Some(url) = bridge.database_url() {
        let database = Database::open(&Options { pool_size: 1, ..Options::new(url) })?;
        until_the_position_is_there(&database, rows, may_repeat).await.with_context(|| bridge.logs())?;
    }
    until_counted(bridge, rows).await.with_context(|| bridge.logs())
}

async fn until_the_position_is_there(database: &Database, rows: i64, may_repeat: bool) -> Result<()> {
    let (mut before, mut moved_at) = (None, Instant::now());
    loop {
        let now = position(database).await?;
        if before != Some(now) {
            (before, moved_at) = (Some(now), Instant::now());
        }
        let is_there = now.last_version >= rows && now.position >= now.last_version;
        if is_there && (!may_repeat || moved_at.elapsed() >= QUIET) {
            return Ok(());
        }
        ensure!(moved_at.elapsed() < PATIENCE, "nothing happens any more: {now:?} of at least {rows} changes");
        sleep(LOOK_EVERY).await;
    }
}

async fn position(database: &Database) -> Result<Position> {
    let read = |conn: &mut Connection| -> database::Result<Vec<Position>> {
        let rows: Vec<Position> = on_backend!(conn, c => sql_query(POSITION).load(c))?;
        Ok(rows)
    };
    let rows = database.read("bench.position", read).await?;
    rows.first().copied().context("the tenant has no destination called core")
}

async fn until_counted(bridge: &Bridge, rows: i64) -> Result<()> {
    let (mut before, mut moved_at) = (-1, Instant::now());
    loop {
        let now = bridge.core().count().await;
        if now != before {
            (before, moved_at) = (now, Instant::now());
        }
        ensure!(now <= rows, "the core has {now} rows where {rows} are right");
        if now == rows {
            return Ok(());
        }
        ensure!(moved_at.elapsed() < PATIENCE, "nothing happens any more: the core has {now} of {rows} rows");
        sleep(COUNT_EVERY).await;
    }
}
