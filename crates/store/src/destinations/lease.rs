//! One sender per destination at a time: a lease with a fence.
//!
//! The fence grows with every change of hands, and everything that a sender records names the fence it holds: who lost the
//! lease without noticing cannot record anything any more.

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{convert::signed, schema::sink::destinations};

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

impl Lease {
    fn key(&self) -> (&str, &str) {
        (self.tenant.as_str(), self.destination.as_str())
    }
}

/// Takes the lease if nobody else holds it at `now`; the one who held it last gets a new fence too.
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
    let row = destinations::table.find((tenant.as_str(), destination.as_str()));
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
pub fn renew(conn: &mut Connection, lease: &Lease, until: UnixMillis) -> Result<bool> {
    let target = destinations::table.find(lease.key()).filter(destinations::fence.eq(lease.fence));
    let values = destinations::lease_until.eq(until.0);
    Ok(on_backend!(conn, c => diesel::update(target).set(values).execute(c))? > 0)
}

/// Gives it back, so that another may take it at once.
///
/// # Errors
/// Those of the database.
pub fn release(conn: &mut Connection, lease: &Lease) -> Result<()> {
    renew(conn, lease, UnixMillis(0)).map(drop)
}

/// Whether it is still held, for a transaction that records something under it.
///
/// # Errors
/// Those of the database.
pub fn holds(conn: &mut Connection, lease: &Lease) -> Result<bool> {
    let query = destinations::table.find(lease.key()).select(destinations::fence);
    let fence: Option<i64> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(fence == Some(lease.fence))
}

/// Records the position and the second of the last message rendered (`None`: as it was); `false` when the lease is lost.
///
/// # Errors
/// Those of the database.
pub fn advance(conn: &mut Connection, lease: &Lease, position: u64, last_second: Option<i64>) -> Result<bool> {
    let target = destinations::table.find(lease.key()).filter(destinations::fence.eq(lease.fence));
    let position = destinations::position.eq(signed(position));
    let changed = match last_second {
        Some(second) => on_backend!(conn, c =>
            diesel::update(target).set((position, destinations::last_second.eq(second))).execute(c))?,
        None => on_backend!(conn, c => diesel::update(target).set(position).execute(c))?,
    };
    Ok(changed > 0)
}

/// The handshake succeeded.
///
/// # Errors
/// Those of the database.
pub fn handshaken(conn: &mut Connection, lease: &Lease, now: UnixMillis) -> Result<()> {
    let target = destinations::table.find(lease.key());
    on_backend!(conn, c => diesel::update(target).set(destinations::handshake_at.eq(now.0)).execute(c))?;
    Ok(())
}

/// The destination as a whole failed; `error` holds no personal data.
///
/// # Errors
/// Those of the database.
pub fn failed(conn: &mut Connection, lease: &Lease, error: &str, now: UnixMillis) -> Result<()> {
    let target = destinations::table.find(lease.key());
    let values = (destinations::last_error.eq(error), destinations::last_error_at.eq(now.0));
    on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    Ok(())
}

/// The destination took something: an earlier failure is over.
///
/// # Errors
/// Those of the database.
pub fn answered(conn: &mut Connection, lease: &Lease, now: UnixMillis) -> Result<()> {
    let target = destinations::table.find(lease.key());
    let values = (
        destinations::last_error.eq(None::<String>),
        destinations::last_error_at.eq(None::<i64>),
        destinations::last_success_at.eq(now.0),
    );
    on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    Ok(())
}
