//! Destinations that runs leave alone, since a run on them was undone.

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use super::{Run, planned_at};
use crate::{convert::parse, schema::runs::sync_pauses};

/// Runs leave a destination alone from now on; `run` is the one that was undone.
///
/// # Errors
/// Those of the database.
pub fn pause(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    run: &str,
    now: UnixMillis,
) -> Result<()> {
    let row = (
        sync_pauses::tenant.eq(tenant.as_str()),
        sync_pauses::destination.eq(destination.as_str()),
        sync_pauses::run.eq(run),
        sync_pauses::since.eq(now.0),
    );
    on_backend!(conn, c =>
        diesel::insert_into(sync_pauses::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// All destinations that a run was about.
pub(super) fn pause_all(conn: &mut Connection, run: &Run, now: UnixMillis) -> Result<()> {
    for destination in planned_at(conn, &run.id)? {
        pause(conn, &run.tenant, &destination, &run.id, now)?;
    }
    Ok(())
}

/// The destinations of a tenant that runs leave alone.
///
/// # Errors
/// Those of the database.
pub fn paused(conn: &mut Connection, tenant: &TenantId) -> Result<Vec<DestinationId>> {
    let query = sync_pauses::table
        .filter(sync_pauses::tenant.eq(tenant.as_str()))
        .order(sync_pauses::destination)
        .select(sync_pauses::destination);
    let rows: Vec<String> = on_backend!(conn, c => query.load(c))?;
    rows.iter().map(|id| parse(id)).collect()
}

/// Runs look after a destination again; `false` when they did all the time.
///
/// # Errors
/// Those of the database.
pub fn resume(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<bool> {
    let row = sync_pauses::table.find((tenant.as_str(), destination.as_str()));
    Ok(on_backend!(conn, c => diesel::delete(row).execute(c))? > 0)
}
