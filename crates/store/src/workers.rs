//! Which processes consume what: each says again and again that it lives.

use std::collections::BTreeSet;

use common::UnixMillis;
use database::{Connection, Result, on_backend};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
    upsert::excluded,
};

use crate::schema::workers::workers;

/// Says that `instance` consumes `queue` (a hop and a lane), forgets those not heard of for `patience_millis`, and returns who lives, sorted. Time is the
/// server's where there is one, so that clocks of processes need not agree; `now` is for SQLite.
pub fn beat(
    conn: &mut Connection,
    queue: &str,
    instance: &str,
    now: UnixMillis,
    patience_millis: i64,
) -> Result<Vec<String>> {
    match conn {
        Connection::Sqlite(c) => {
            let row = (workers::queue.eq(queue), workers::instance.eq(instance), workers::seen_at.eq(now.0));
            diesel::insert_into(workers::table)
                .values(row)
                .on_conflict((workers::queue, workers::instance))
                .do_update()
                .set(workers::seen_at.eq(excluded(workers::seen_at)))
                .execute(c)?;
            diesel::delete(workers::table.filter(workers::seen_at.lt(now.0 - patience_millis))).execute(c)?;
        }
        Connection::Postgres(c) => {
            sql_query(
                "INSERT INTO workers (queue, instance, seen_at)
                 VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                 ON CONFLICT (queue, instance) DO UPDATE SET seen_at = excluded.seen_at",
            )
            .bind::<Text, _>(queue)
            .bind::<Text, _>(instance)
            .execute(c)?;
            sql_query(
                "DELETE FROM workers WHERE ctid IN (SELECT ctid FROM workers
                   WHERE seen_at < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1 FOR UPDATE SKIP LOCKED)",
            )
            .bind::<BigInt, _>(patience_millis)
            .execute(c)?;
        }
    }
    live(conn, queue)
}

fn live(conn: &mut Connection, queue: &str) -> Result<Vec<String>> {
    let those = workers::table.filter(workers::queue.eq(queue)).order(workers::instance).select(workers::instance);
    Ok(on_backend!(conn, c => those.load(c))?)
}

/// The queues, each a hop and a lane, that are consumed by somebody who said so lately: whoever beats forgets those who did not.
///
/// # Errors
/// Those of the database.
pub fn consumed(conn: &mut Connection) -> Result<BTreeSet<String>> {
    let queues: Vec<String> = on_backend!(conn, c => workers::table.select(workers::queue).distinct().load(c))?;
    Ok(queues.into_iter().collect())
}

/// Says that `instance` consumes nothing any more.
pub fn leave(conn: &mut Connection, instance: &str) -> Result<()> {
    let gone = workers::table.filter(workers::instance.eq(instance));
    on_backend!(conn, c => diesel::delete(gone).execute(c))?;
    Ok(())
}
