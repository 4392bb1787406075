//! One sender per destination at a time: a lease with a fence.
//!
//! The fence grows with every change of hands, and everything that a sender records names the fence it holds: who lost the
//! lease without noticing cannot record anything any more.

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use super::{Backfill, State};
use crate::{clock::shared_clock, convert::signed, schema::sink::destinations};

/// The right to send to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose destination.
    pub tenant: TenantId,
    /// The destination.
    pub destination: DestinationId,
    /// Who holds it.
    pub owner: String,
    /// Grows each time that the lease changes hands.
    pub fence: i64,
}

/// The row of a lease's destination, while the lease is held.
macro_rules! held_by {
    ($lease:expr) => {
        destinations::table
            .find(($lease.tenant.as_str(), $lease.destination.as_str()))
            .filter(destinations::fence.eq($lease.fence))
            .filter(destinations::lease_owner.eq(&$lease.owner))
    };
}

/// Takes the lease if nobody else holds it at `now`, and something may be delivered; the one who held it last gets a new fence
/// too.
///
/// # Errors
/// Those of the database.
pub fn acquire(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    owner: &str,
    now: UnixMillis,
    until: UnixMillis,
) -> Result<Option<Lease>> {
    let (now, until) = shared_clock(conn, now, until)?;
    let row = destinations::table
        .find((tenant.as_str(), destination.as_str()))
        .filter(destinations::state.eq(State::Active.as_str()))
        .filter(
            destinations::backfill.is_null().or(destinations::backfill.eq(Backfill::Done.as_str()).assume_not_null()),
        );
    let free = destinations::lease_until.le(now.0).or(destinations::lease_owner.eq(owner)).assume_not_null();
    let values = (
        destinations::lease_owner.eq(owner),
        destinations::lease_until.eq(until.0),
        destinations::fence.eq(destinations::fence + 1),
    );
    let query = diesel::update(row.filter(free)).set(values).returning(destinations::fence);
    let fence: Option<i64> = on_backend!(conn, c => query.get_result(c).optional())?;
    let lease =
        |fence| Lease { tenant: tenant.clone(), destination: destination.clone(), owner: owner.to_owned(), fence };
    Ok(fence.map(lease))
}

/// Holds it longer; `false` when it is lost.
///
/// # Errors
/// Those of the database.
pub fn renew(conn: &mut Connection, lease: &Lease, now: UnixMillis, until: UnixMillis) -> Result<bool> {
    let (_, until) = shared_clock(conn, now, until)?;
    set_until(conn, lease, until)
}

fn set_until(conn: &mut Connection, lease: &Lease, until: UnixMillis) -> Result<bool> {
    let values = destinations::lease_until.eq(until.0);
    Ok(on_backend!(conn, c => diesel::update(held_by!(lease)).set(values).execute(c))? > 0)
}

/// Gives it back, so that another may take it at once; `false` when somebody else has had it meanwhile.
///
/// # Errors
/// Those of the database.
pub fn release(conn: &mut Connection, lease: &Lease) -> Result<bool> {
    set_until(conn, lease, UnixMillis(0))
}

/// Whether it is still held, for a transaction that records something under it: until that ends nobody else gets it.
///
/// # Errors
/// Those of the database.
pub fn holds(conn: &mut Connection, lease: &Lease) -> Result<bool> {
    let query = held_by!(lease).select(destinations::fence);
    let fence: Option<i64> = match conn {
        Connection::Sqlite(c) => query.first(c).optional()?,
        Connection::Postgres(c) => query.for_no_key_update().first(c).optional()?,
    };
    Ok(fence.is_some())
}

/// How far a sender got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The new position.
    pub position: u64,
    /// The second of the last message; `None` leaves what is there.
    pub last_second: Option<i64>,
    /// When the destination took something, if it did: an earlier failure is over then.
    pub delivered_at: Option<UnixMillis>,
}

/// Records how far a sender got; `false` when the lease is lost, and nothing was recorded.
///
/// # Errors
/// Those of the database.
pub fn advance(conn: &mut Connection, lease: &Lease, progress: &Progress) -> Result<bool> {
    let target = || held_by!(lease);
    let position = destinations::position.eq(signed(progress.position));
    let second = progress.last_second.map(|second| destinations::last_second.eq(second));
    let changed = on_backend!(conn, c => diesel::update(target()).set((position, second)).execute(c))?;
    if let Some(at) = progress.delivered_at.filter(|_| changed > 0) {
        let values = (
            destinations::last_error.eq(None::<String>),
            destinations::failing_since.eq(None::<i64>),
            destinations::last_success_at.eq(at.0),
        );
        on_backend!(conn, c => diesel::update(target()).set(values).execute(c))?;
    }
    Ok(changed > 0)
}

/// The handshake succeeded.
///
/// # Errors
/// Those of the database.
pub fn handshaken(conn: &mut Connection, lease: &Lease, now: UnixMillis) -> Result<()> {
    let target = held_by!(lease);
    on_backend!(conn, c => diesel::update(target).set(destinations::handshake_at.eq(now.0)).execute(c))?;
    Ok(())
}

/// The destination as a whole failed; `error` holds no personal data. Since when it fails is kept from the first time.
///
/// # Errors
/// Those of the database.
pub fn failed(conn: &mut Connection, lease: &Lease, error: &str, now: UnixMillis) -> Result<()> {
    let target = || held_by!(lease);
    let first = target().filter(destinations::failing_since.is_null());
    on_backend!(conn, c => diesel::update(first).set(destinations::failing_since.eq(now.0)).execute(c))?;
    on_backend!(conn, c => diesel::update(target()).set(destinations::last_error.eq(error)).execute(c))?;
    Ok(())
}

/// Notes which settings the stored messages are made for; a handshake of other settings counts no more.
///
/// # Errors
/// Those of the database.
pub fn set_fingerprint(conn: &mut Connection, lease: &Lease, fingerprint: &str) -> Result<()> {
    let target = held_by!(lease);
    let values = (destinations::fingerprint.eq(fingerprint), destinations::handshake_at.eq(None::<i64>));
    on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    Ok(())
}

/// Frees all leases where only one process can use the database at a time: a SQLite file serves one process, which locks its
/// directory, so whoever held them is gone and nobody needs to wait until they expire.
///
/// # Errors
/// Those of the database.
pub fn free_leases(conn: &mut Connection) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => {
            diesel::update(destinations::table).set(destinations::lease_until.eq(0)).execute(c)?;
        }
        Connection::Postgres(_) => {}
    }
    Ok(())
}
