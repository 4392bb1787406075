//! Removals that nobody stated and that were inferred from absence: how many there were lately, for the brake.

use common::{EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{prelude::*, upsert::excluded};

use crate::{
    convert::{DIRECTORY_FROM, DIRECTORY_UNTIL, ROWS_PER_STATEMENT, unsigned},
    schema::{
        resolver::records,
        snapshots::{brake_passes, inferred_removals},
    },
};

/// Numbers of departments and of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Departments.
    pub departments: u64,
    /// Members.
    pub members: u64,
}

impl Numbers {
    pub(crate) fn of(counts: Vec<(String, i64)>) -> Self {
        let count = |kind: EntityKind| {
            let found = counts.iter().find(|(name, _)| name == kind.as_str());
            found.map(|(_, count)| unsigned(*count)).unwrap_or_default()
        };
        Self { departments: count(EntityKind::Department), members: count(EntityKind::Member) }
    }
}

/// Notes removals, and forgets those before `horizon`. One that is noted already gets the new time.
///
/// # Errors
/// Those of the database.
pub fn note(
    conn: &mut Connection,
    tenant: &TenantId,
    removed: &[EntityKey],
    at: UnixMillis,
    horizon: UnixMillis,
) -> Result<()> {
    let old = inferred_removals::table
        .filter(inferred_removals::tenant.eq(tenant.as_str()))
        .filter(inferred_removals::at.lt(horizon.0));
    on_backend!(conn, c => diesel::delete(old).execute(c))?;
    for piece in removed.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|key| {
                (
                    inferred_removals::tenant.eq(tenant.as_str()),
                    inferred_removals::kind.eq(key.kind.as_str()),
                    inferred_removals::id.eq(&*key.id),
                    inferred_removals::at.eq(at.0),
                )
            })
            .collect();
        on_backend!(conn, c => diesel::insert_into(inferred_removals::table)
            .values(rows)
            .on_conflict((inferred_removals::tenant, inferred_removals::kind, inferred_removals::id))
            .do_update()
            .set(inferred_removals::at.eq(excluded(inferred_removals::at)))
            .execute(c))?;
    }
    Ok(())
}

/// How many were noted at `since` or later.
///
/// # Errors
/// Those of the database.
pub fn since(conn: &mut Connection, tenant: &TenantId, since: UnixMillis) -> Result<Numbers> {
    let counts = on_backend!(conn, c => inferred_removals::table
        .filter(inferred_removals::tenant.eq(tenant.as_str()))
        .filter(inferred_removals::at.ge(since.0))
        .group_by(inferred_removals::kind)
        .select((inferred_removals::kind, diesel::dsl::count_star()))
        .load(c))?;
    Ok(Numbers::of(counts))
}

/// How many departments and members are live. It reads all of them.
///
/// # Errors
/// Those of the database.
pub fn live(conn: &mut Connection, tenant: &TenantId) -> Result<Numbers> {
    let counts = on_backend!(conn, c => records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.between(DIRECTORY_FROM, DIRECTORY_UNTIL))
        .filter(records::inside.is_not_null())
        .group_by(records::kind)
        .select((records::kind, diesel::dsl::count_star()))
        .load(c))?;
    Ok(Numbers::of(counts))
}

/// A person lets removals pass the brake until then.
///
/// # Errors
/// Those of the database.
pub fn let_pass(conn: &mut Connection, tenant: &TenantId, until: UnixMillis) -> Result<()> {
    let row = (brake_passes::tenant.eq(tenant.as_str()), brake_passes::until.eq(until.0));
    on_backend!(conn, c => diesel::insert_into(brake_passes::table)
        .values(row)
        .on_conflict(brake_passes::tenant)
        .do_update()
        .set(brake_passes::until.eq(excluded(brake_passes::until)))
        .execute(c))?;
    Ok(())
}

/// Whether removals pass the brake at this moment because a person said so.
///
/// # Errors
/// Those of the database.
pub fn may_pass(conn: &mut Connection, tenant: &TenantId, now: UnixMillis) -> Result<bool> {
    let query = brake_passes::table.find(tenant.as_str()).select(brake_passes::until);
    let until: Option<i64> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(until.is_some_and(|until| now.0 < until))
}

/// Forgets what the brake counted and what a person allowed, of a tenant that is removed.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let noted = inferred_removals::table.filter(inferred_removals::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(noted).execute(c))?;
    on_backend!(conn, c => diesel::delete(brake_passes::table.find(tenant.as_str())).execute(c))?;
    Ok(())
}
