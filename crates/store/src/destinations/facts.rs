//! What is asked about all destinations at once.

use std::collections::{BTreeMap, BTreeSet};

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{
    dsl::exists,
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};

use super::{Backfill, State};
use crate::{
    convert::{parse, unsigned},
    held::HeldState,
    schema::sink::{destinations, held},
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
    /// Something is held for it, or waits, that is not given up on.
    pub has_held: bool,
}

/// All destinations, with what a sender must notice soon.
///
/// # Errors
/// Those of the database.
pub fn watch(conn: &mut Connection) -> Result<Vec<Watched>> {
    let open = held::table
        .filter(held::tenant.eq(destinations::tenant))
        .filter(held::destination.eq(destinations::id))
        .filter(held::state.ne(HeldState::Dead.as_str()));
    let query = destinations::table.select((
        destinations::tenant,
        destinations::id,
        destinations::position,
        destinations::state,
        destinations::backfill,
        destinations::touched,
        exists(open),
    ));
    let rows: Vec<WatchedRow> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(WatchedRow::read).collect()
}

#[derive(Queryable)]
struct WatchedRow {
    tenant: String,
    id: String,
    position: i64,
    state: String,
    backfill: Option<String>,
    touched: i64,
    has_held: bool,
}

impl WatchedRow {
    fn read(self) -> Result<Watched> {
        Ok(Watched {
            tenant: parse(&self.tenant)?,
            id: parse(&self.id)?,
            position: unsigned(self.position),
            state: parse(&self.state)?,
            backfill: self.backfill.as_deref().map(parse).transpose()?,
            touched: self.touched,
            has_held: self.has_held,
        })
    }
}

/// Per tenant with destinations, the lowest of their positions: what the outbox need not keep any more. A destination that
/// waits for its back-fill needs nothing of what is there, unless it collects, and neither do those that nobody delivers to (`idle`).
///
/// # Errors
/// Those of the database.
pub fn lowest_positions(conn: &mut Connection, idle: &BTreeSet<(TenantId, DestinationId)>) -> Result<Vec<Position>> {
    let mut lowest: BTreeMap<TenantId, u64> = BTreeMap::new();
    for one in watch(conn)? {
        if idle.contains(&(one.tenant.clone(), one.id.clone())) {
            continue;
        }
        let is_filled_anew = one.backfill == Some(Backfill::Wanted) && one.state != State::Collecting;
        let needed = if is_filled_anew { u64::MAX } else { one.position };
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
