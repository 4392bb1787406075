//! The endless walk over a tenant's departments, for what no callback tells.

use common::{EntityKind, TenantId};
use database::{Connection, Result, on_backend};
use diesel::{prelude::*, upsert::excluded};

use crate::{
    outbox,
    schema::{resolver::records, snapshots::walks},
};

/// Goes on to the next live department of the mirror, and returns its id; `None` at the end of a round, after which it begins anew.
/// Whoever goes on has that department for himself.
///
/// # Errors
/// Those of the database.
pub fn walk_on(conn: &mut Connection, tenant: &TenantId) -> Result<Option<String>> {
    outbox::lock_tenants(conn, [tenant])?;
    let place = walks::table.find(tenant.as_str()).select(walks::place);
    let place: Option<String> = on_backend!(conn, c => place.first(c).optional())?;
    let after = place.unwrap_or_default();
    let next: Option<String> = on_backend!(conn, c => records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.eq(EntityKind::Department.as_str()))
        .filter(records::id.gt(&after))
        .filter(records::inside.is_not_null())
        .order(records::id)
        .select(records::id)
        .first(c)
        .optional())?;
    let row = (walks::tenant.eq(tenant.as_str()), walks::place.eq(next.as_deref().unwrap_or_default()));
    on_backend!(conn, c => diesel::insert_into(walks::table)
        .values(row)
        .on_conflict(walks::tenant)
        .do_update()
        .set(walks::place.eq(excluded(walks::place)))
        .execute(c))?;
    Ok(next)
}
