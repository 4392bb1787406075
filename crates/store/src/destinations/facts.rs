//! What is asked about all destinations at once.

use std::collections::BTreeMap;

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};

use super::{Backfill, State};
use crate::{
    convert::{parse, unsigned},
    schema::sink::destinations,
};

/// How far the slowest destination of a tenant is.
pub type Position = (TenantId, u64);

/// What can change about a destination behind its sender's back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id within the tenant.
    pub id: DestinationId,
    /// Its position.
    pub position: u64,
    /// What an operator wants of it.
    pub state: State,
    /// Whether it waits for its back-fill.
    pub backfill: Option<Backfill>,
    /// See [`super::Destination::touched`].
    pub touched: i64,
}

/// All destinations, with what a sender must notice soon.
///
/// # Errors
/// Those of the database.
pub fn watch(conn: &mut Connection) -> Result<Vec<Watched>> {
    let query = destinations::table.select((
        destinations::tenant,
        destinations::id,
        destinations::position,
        destinations::state,
        destinations::backfill,
        destinations::touched,
    ));
    let rows: Vec<(String, String, i64, String, Option<String>, i64)> = on_backend!(conn, c => query.load(c))?;
    let read = |(tenant, id, position, state, backfill, touched): (String, String, i64, String, Option<String>, i64)| {
        Ok(Watched {
            tenant: parse(&tenant)?,
            id: parse(&id)?,
            position: unsigned(position),
            state: parse(&state)?,
            backfill: backfill.as_deref().map(parse).transpose()?,
            touched,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Per tenant with destinations, the lowest of their positions: what the outbox need not keep any more. A destination that
/// waits for its back-fill needs nothing of what is there.
///
/// # Errors
/// Those of the database.
pub fn lowest_positions(conn: &mut Connection) -> Result<Vec<Position>> {
    let mut lowest: BTreeMap<TenantId, u64> = BTreeMap::new();
    for one in watch(conn)? {
        let needed = if one.backfill == Some(Backfill::Wanted) { u64::MAX } else { one.position };
        lowest.entry(one.tenant).and_modify(|low| *low = (*low).min(needed)).or_insert(needed);
    }
    Ok(lowest.into_iter().collect())
}

/// What a destination has not got yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id within the tenant.
    pub destination: DestinationId,
    /// Changes above its position, and those held or waiting below it. Dead ones are not counted.
    pub changes: u64,
    /// When the oldest of them was committed; `None` when there are none.
    pub oldest: Option<UnixMillis>,
}

#[derive(QueryableByName)]
struct BacklogRow {
    #[diesel(sql_type = Text)]
    tenant: String,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    behind: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    oldest_behind: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    oldest_held: Option<i64>,
}

const BACKLOG: &str = "\
    SELECT d.tenant, d.id, \
           CASE WHEN t.last_version > d.position THEN t.last_version - d.position ELSE 0 END AS behind, \
           (SELECT count(*) FROM held h WHERE h.tenant = d.tenant AND h.destination = d.id AND h.state <> 'dead') AS held, \
           (SELECT o.created_at FROM outbox o WHERE o.tenant = d.tenant AND o.version > d.position \
             ORDER BY o.version LIMIT 1) AS oldest_behind, \
           (SELECT min(h.since) FROM held h WHERE h.tenant = d.tenant AND h.destination = d.id AND h.state <> 'dead') \
             AS oldest_held \
      FROM destinations d JOIN tenants t ON t.id = d.tenant";

/// The backlog of every destination, for metrics.
///
/// # Errors
/// Those of the database.
pub fn backlog(conn: &mut Connection) -> Result<Vec<Backlog>> {
    let rows: Vec<BacklogRow> = on_backend!(conn, c => diesel::sql_query(BACKLOG).load(c))?;
    let read = |row: BacklogRow| {
        Ok(Backlog {
            tenant: parse(&row.tenant)?,
            destination: parse(&row.id)?,
            changes: unsigned(row.behind.saturating_add(row.held)),
            oldest: row.oldest_behind.into_iter().chain(row.oldest_held).min().map(UnixMillis),
        })
    };
    rows.into_iter().map(read).collect()
}
