//! What makes two events the same fact: remembered for a while, so that a repeat is known as one.

use std::collections::BTreeMap;

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{bulk, convert::ROWS_PER_STATEMENT, schema::resolver::event_keys};

/// A key to remember, with the event that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKey {
    /// The key: a platform's own id or a content hash.
    pub key: String,
    /// The id of the event.
    pub event: String,
}

/// Those of `keys` that are remembered, each with the event that brought it first.
pub fn remembered(conn: &mut Connection, tenant: &TenantId, keys: &[&str]) -> Result<BTreeMap<String, String>> {
    if let Connection::Postgres(c) = conn {
        return Ok(bulk::remembered(c, tenant.as_str(), keys)?);
    }
    let mut found = BTreeMap::new();
    for piece in keys.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<(String, String)> = on_backend!(conn, c => event_keys::table
            .filter(event_keys::tenant.eq(tenant.as_str()))
            .filter(event_keys::key.eq_any(piece))
            .select((event_keys::key, event_keys::event))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Remembers keys. One that is there already keeps its first event.
pub fn remember(conn: &mut Connection, tenant: &TenantId, keys: &[EventKey], now: UnixMillis) -> Result<()> {
    if let Connection::Postgres(c) = conn {
        let columns = keys.iter().map(|key| (key.key.as_str(), key.event.as_str())).unzip();
        bulk::event_keys(c, tenant.as_str(), now.0, columns)?;
        return Ok(());
    }
    for piece in keys.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|key| {
                (
                    event_keys::tenant.eq(tenant.as_str()),
                    event_keys::key.eq(&key.key),
                    event_keys::event.eq(&key.event),
                    event_keys::at.eq(now.0),
                )
            })
            .collect();
        on_backend!(conn, c => diesel::insert_into(event_keys::table).values(rows).on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

/// Forgets what was remembered before `before`; returns how many.
pub fn forget(conn: &mut Connection, before: UnixMillis) -> Result<usize> {
    Ok(on_backend!(conn, c => diesel::delete(event_keys::table.filter(event_keys::at.lt(before.0))).execute(c))?)
}
