//! The comparison of a tenant's attendance and approvals with their platform: how far it got, when the next one is due, and who is at it. A
//! tenant has one at a time.

use std::collections::BTreeSet;

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    clock::shared_clock,
    convert::{parse, signed, unsigned},
    gaps,
    schema::dingtalk::record_runs,
    snapshots::{self, Hold},
};

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Where it goes on; `None` when it is over.
    pub place: Option<String>,
    /// How far back it looks.
    pub since: UnixMillis,
    /// When it began, by our clock.
    pub started_at: UnixMillis,
    /// When the next one is due.
    pub due_at: UnixMillis,
    /// How far back the next one has to look at least, where callbacks may be missing.
    pub back_to: Option<UnixMillis>,
    /// How many records differed so far.
    pub differences: u64,
}

#[derive(Queryable)]
struct Loaded {
    place: Option<String>,
    since: i64,
    started_at: i64,
    due_at: i64,
    back_to: Option<i64>,
    differences: i64,
}

/// The newest comparison of a tenant.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, tenant: &TenantId) -> Result<Option<Run>> {
    let query = record_runs::table.find(tenant.as_str()).select((
        record_runs::place,
        record_runs::since,
        record_runs::started_at,
        record_runs::due_at,
        record_runs::back_to,
        record_runs::differences,
    ));
    let found: Option<Loaded> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(found.map(|row| Run {
        place: row.place,
        since: UnixMillis(row.since),
        started_at: UnixMillis(row.started_at),
        due_at: UnixMillis(row.due_at),
        back_to: row.back_to.map(UnixMillis),
        differences: unsigned(row.differences),
    }))
}

/// The tenants of whom a comparison is due or under way, and those that were pulled and never compared.
///
/// # Errors
/// Those of the database.
pub fn tenants_to_compare(conn: &mut Connection, now: UnixMillis) -> Result<BTreeSet<TenantId>> {
    let query = record_runs::table
        .filter(record_runs::place.is_null())
        .filter(record_runs::started_at.gt(0_i64))
        .filter(record_runs::due_at.gt(now.0))
        .select(record_runs::tenant);
    let settled: Vec<String> = on_backend!(conn, c => query.load(c))?;
    let settled: BTreeSet<TenantId> = settled.iter().map(|tenant| parse(tenant)).collect::<Result<_>>()?;
    let pulled = snapshots::differences(conn)?.into_iter().map(|(tenant, _)| tenant);
    Ok(pulled.filter(|tenant| !settled.contains(tenant)).collect())
}

/// How many records differed at the last comparison of each tenant of whom none is under way.
///
/// # Errors
/// Those of the database.
pub fn differences(conn: &mut Connection) -> Result<Vec<(TenantId, u64)>> {
    let query = record_runs::table
        .filter(record_runs::place.is_null())
        .filter(record_runs::started_at.gt(0_i64))
        .select((record_runs::tenant, record_runs::differences));
    let found: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
    found.into_iter().map(|(tenant, count)| Ok((parse(&tenant)?, unsigned(count)))).collect()
}

/// Makes the row of a tenant that has none: the first comparison is due at `due_at`.
///
/// # Errors
/// Those of the database.
pub fn announce(conn: &mut Connection, tenant: &TenantId, due_at: UnixMillis) -> Result<()> {
    let row = (
        record_runs::tenant.eq(tenant.as_str()),
        record_runs::since.eq(0_i64),
        record_runs::started_at.eq(0_i64),
        record_runs::due_at.eq(due_at.0),
        record_runs::differences.eq(0_i64),
        record_runs::lease_until.eq(0_i64),
    );
    on_backend!(conn, c => diesel::insert_into(record_runs::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Makes the next comparison due now, and has it look back to this moment at least. A tenant without a row is not compared.
///
/// # Errors
/// Those of the database.
pub fn want(conn: &mut Connection, tenant: &TenantId, back_to: UnixMillis) -> Result<()> {
    let row = || record_runs::table.find(tenant.as_str());
    on_backend!(conn, c => diesel::update(row()).set(record_runs::due_at.eq(0_i64)).execute(c))?;
    let shorter = row().filter(record_runs::back_to.is_null().or(record_runs::back_to.gt(back_to.0)));
    on_backend!(conn, c => diesel::update(shorter).set(record_runs::back_to.eq(back_to.0)).execute(c))?;
    Ok(())
}

/// Makes the next comparison due where callbacks may be missing since the last one began, before that is forgotten.
///
/// # Errors
/// Those of the database.
pub fn want_for_gap(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let Some(gap) = gaps::get(conn, tenant)? else { return Ok(()) };
    if get(conn, tenant)?.is_some_and(|run| run.started_at < gap.until) {
        want(conn, tenant, gap.since)
    } else {
        Ok(())
    }
}

/// Takes a tenant's comparison if nobody holds it, the one who asks included; `false` where somebody does, or there is no row.
///
/// # Errors
/// Those of the database.
pub fn take(conn: &mut Connection, tenant: &TenantId, hold: &Hold<'_>) -> Result<bool> {
    let (now, until) = shared_clock(conn, hold.now, hold.until)?;
    let row = record_runs::table.find(tenant.as_str()).filter(record_runs::lease_until.le(now.0));
    let values = (record_runs::lease_owner.eq(hold.owner), record_runs::lease_until.eq(until.0));
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Frees all of them where only one process can use the database at a time: whoever held them is gone.
///
/// # Errors
/// Those of the database.
pub fn free_leases(conn: &mut Connection) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => {
            diesel::update(record_runs::table).set(record_runs::lease_until.eq(0_i64)).execute(c)?;
        }
        Connection::Postgres(_) => {}
    }
    Ok(())
}

/// Begins one that is held, which looks back to `since` or further where callbacks may be missing; `None` when somebody else took it.
///
/// # Errors
/// Those of the database.
pub fn begin(
    conn: &mut Connection,
    tenant: &TenantId,
    (place, since, due_at): (&str, UnixMillis, UnixMillis),
    hold: &Hold<'_>,
) -> Result<Option<Run>> {
    let Some(before) = get(conn, tenant)? else { return Ok(None) };
    let since = before.back_to.map_or(since, |back_to| back_to.min(since));
    let (place, started_at) = (Some(place.to_owned()), hold.now);
    let run = Run { place, since, started_at, due_at, back_to: None, differences: 0 };
    let row = record_runs::table.find(tenant.as_str()).filter(record_runs::lease_owner.eq(hold.owner));
    let values = (
        record_runs::since.eq(run.since.0),
        record_runs::started_at.eq(run.started_at.0),
        record_runs::due_at.eq(run.due_at.0),
        record_runs::back_to.eq(None::<i64>),
    );
    if on_backend!(conn, c => diesel::update(row).set(values).execute(c))? == 0 {
        return Ok(None);
    }
    Ok(advance(conn, tenant, &run, hold)?.then_some(run))
}

/// Writes how far one got, and holds it longer; `false` when somebody else took it. When the next one is due is left as it is: it may have
/// become so meanwhile.
///
/// # Errors
/// Those of the database.
pub fn advance(conn: &mut Connection, tenant: &TenantId, to: &Run, hold: &Hold<'_>) -> Result<bool> {
    let (_, until) = shared_clock(conn, hold.now, hold.until)?;
    let row = record_runs::table.find(tenant.as_str()).filter(record_runs::lease_owner.eq(hold.owner));
    let values = (
        record_runs::place.eq(&to.place),
        record_runs::differences.eq(signed(to.differences)),
        record_runs::lease_until.eq(until.0),
    );
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Gives one back, so that another process may go on with it at once.
///
/// # Errors
/// Those of the database.
pub fn give_back(conn: &mut Connection, tenant: &TenantId, owner: &str) -> Result<()> {
    let row = record_runs::table.find(tenant.as_str()).filter(record_runs::lease_owner.eq(owner));
    let values = (record_runs::lease_owner.eq(None::<String>), record_runs::lease_until.eq(0_i64));
    on_backend!(conn, c => diesel::update(row).set(values).execute(c))?;
    Ok(())
}

/// Forgets that of a tenant that is removed. Whoever is at it finds that it lost it.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    on_backend!(conn, c => diesel::delete(record_runs::table.find(tenant.as_str())).execute(c))?;
    Ok(())
}
