//! Destinations that collect until the first sync is applied, and how they start then.

use std::collections::BTreeSet;

use common::{DestinationId, TenantId};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    convert::{parse, signed},
    destinations::{Backfill, State},
    schema::sink::destinations,
};

/// All destinations that collect.
///
/// # Errors
/// Those of the database.
pub fn collecting(conn: &mut Connection) -> Result<BTreeSet<(TenantId, DestinationId)>> {
    let query = destinations::table
        .filter(destinations::state.eq(State::Collecting.as_str()))
        .select((destinations::tenant, destinations::id));
    let rows: Vec<(String, String)> = on_backend!(conn, c => query.load(c))?;
    rows.iter().map(|(tenant, id)| Ok((parse(tenant)?, parse(id)?))).collect()
}

/// Whether one of these destinations of a tenant collects.
///
/// # Errors
/// Those of the database.
pub fn is_collecting(conn: &mut Connection, tenant: &TenantId, ids: &[DestinationId]) -> Result<bool> {
    let ids: Vec<&str> = ids.iter().map(DestinationId::as_str).collect();
    let query = destinations::table
        .filter(destinations::tenant.eq(tenant.as_str()))
        .filter(destinations::id.eq_any(ids))
        .filter(destinations::state.eq(State::Collecting.as_str()))
        .select(destinations::id);
    let found: Option<String> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(found.is_some())
}

/// A core product holds rows that we did not write: all destinations of the tenant that nothing was delivered to collect from now
/// on, as those do that are [declared](crate::destinations::declare) with such a product.
///
/// # Errors
/// Those of the database.
pub fn hold_back(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let fresh = destinations::table
        .filter(destinations::tenant.eq(tenant.as_str()))
        .filter(destinations::state.eq(State::Active.as_str()))
        .filter(destinations::last_success_at.is_null());
    let values = destinations::state.eq(State::Collecting.as_str());
    on_backend!(conn, c => diesel::update(fresh).set(values).execute(c))?;
    Ok(())
}

/// The tenant's products hold nothing of their own: whatever collected takes all changes from the first one on.
///
/// # Errors
/// Those of the database.
pub fn start_all(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let collecting = destinations::table
        .filter(destinations::tenant.eq(tenant.as_str()))
        .filter(destinations::state.eq(State::Collecting.as_str()));
    let values = destinations::state.eq(State::Active.as_str());
    on_backend!(conn, c => diesel::update(collecting).set(values).execute(c))?;
    Ok(())
}

/// A core product that collected takes changes from now on, those after `version`: what came before is in the plan.
///
/// # Errors
/// Those of the database.
pub fn start_core(conn: &mut Connection, tenant: &TenantId, id: &DestinationId, version: u64) -> Result<()> {
    let collecting = destinations::table
        .filter(destinations::tenant.eq(tenant.as_str()))
        .filter(destinations::id.eq(id.as_str()))
        .filter(destinations::state.eq(State::Collecting.as_str()));
    let values = (
        destinations::state.eq(State::Active.as_str()),
        destinations::position.eq(signed(version)),
        destinations::started_version.eq(signed(version)),
        destinations::backfill.eq(None::<String>),
    );
    on_backend!(conn, c => diesel::update(collecting).set(values).execute(c))?;
    Ok(())
}

/// These destinations of the tenant take everything that they collected, as what members are to be made of: that is in no plan, and
/// nobody tells it again.
///
/// # Errors
/// Those of the database.
pub fn start_as_collected(conn: &mut Connection, tenant: &TenantId, ids: &[DestinationId]) -> Result<()> {
    let ids: Vec<&str> = ids.iter().map(DestinationId::as_str).collect();
    let collecting = destinations::table
        .filter(destinations::tenant.eq(tenant.as_str()))
        .filter(destinations::id.eq_any(ids))
        .filter(destinations::state.eq(State::Collecting.as_str()));
    let values = destinations::state.eq(State::Active.as_str());
    on_backend!(conn, c => diesel::update(collecting).set(values).execute(c))?;
    Ok(())
}

/// All other destinations of the tenant that collected start after `version` too, without those in `without`. Those in `backfill` get
/// what existed before.
///
/// # Errors
/// Those of the database.
pub fn start_others(
    conn: &mut Connection,
    tenant: &TenantId,
    version: u64,
    backfill: &[DestinationId],
    without: &[DestinationId],
) -> Result<()> {
    let without: Vec<&str> = without.iter().map(DestinationId::as_str).collect();
    let collecting = || {
        destinations::table
            .filter(destinations::tenant.eq(tenant.as_str()))
            .filter(destinations::id.ne_all(without.clone()))
            .filter(destinations::state.eq(State::Collecting.as_str()))
    };
    for id in backfill {
        let wants = collecting().filter(destinations::id.eq(id.as_str()));
        let values =
            (destinations::state.eq(State::Active.as_str()), destinations::backfill.eq(Backfill::Wanted.as_str()));
        on_backend!(conn, c => diesel::update(wants).set(values).execute(c))?;
    }
    let values = (
        destinations::state.eq(State::Active.as_str()),
        destinations::position.eq(signed(version)),
        destinations::started_version.eq(signed(version)),
    );
    on_backend!(conn, c => diesel::update(collecting()).set(values).execute(c))?;
    Ok(())
}
