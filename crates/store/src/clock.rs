//! Leases are compared by one clock: the server's, where there is one, so that clocks of processes need not agree.

use common::UnixMillis;
use database::{Connection, Result};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = BigInt)]
    millis: i64,
}

/// What `now` and `until` by our clock are by the clock that all share.
pub(crate) fn shared_clock(
    conn: &mut Connection,
    now: UnixMillis,
    until: UnixMillis,
) -> Result<(UnixMillis, UnixMillis)> {
    match conn {
        Connection::Sqlite(_) => Ok((now, until)),
        Connection::Postgres(c) => {
            let query = sql_query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS millis");
            let shared = UnixMillis(query.get_result::<Now>(c)?.millis);
            Ok((shared, shared.plus_millis(until.since(now))))
        }
    }
}
