//! Of which kinds of entities a tenant's platform tells nothing for now, while it may tell of others: the month's quota of the interfaces
//! that tell of them is used up, or they are not permitted. Meanwhile the clocks of patience of those kinds stand still, as all clocks do
//! while a platform does not answer at all (see [`questions::silent_since`](crate::questions::silent_since)).

use common::{EntityKind, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{convert::parse, schema::dingtalk::kind_silences};

/// Notes since when nothing is told of a kind, or that it is again. What is noted already stays: silence begins once.
///
/// # Errors
/// Those of the database.
pub fn set(conn: &mut Connection, tenant: &TenantId, kind: EntityKind, since: Option<UnixMillis>) -> Result<()> {
    match since {
        Some(since) => {
            let row = (
                kind_silences::tenant.eq(tenant.as_str()),
                kind_silences::kind.eq(kind.as_str()),
                kind_silences::since.eq(since.0),
            );
            on_backend!(conn, c => diesel::insert_into(kind_silences::table)
                .values(row)
                .on_conflict_do_nothing()
                .execute(c))?;
        }
        None => {
            let row = kind_silences::table.find((tenant.as_str(), kind.as_str()));
            on_backend!(conn, c => diesel::delete(row).execute(c))?;
        }
    }
    Ok(())
}

/// Since when nothing is told of a kind; `None` while it is.
///
/// # Errors
/// Those of the database.
pub fn since(conn: &mut Connection, tenant: &TenantId, kind: EntityKind) -> Result<Option<UnixMillis>> {
    let query = kind_silences::table.find((tenant.as_str(), kind.as_str())).select(kind_silences::since);
    let since: Option<i64> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(since.map(UnixMillis))
}

/// The kinds of which nothing is told.
///
/// # Errors
/// Those of the database.
pub fn kinds(conn: &mut Connection, tenant: &TenantId) -> Result<Vec<EntityKind>> {
    let query = kind_silences::table
        .filter(kind_silences::tenant.eq(tenant.as_str()))
        .order(kind_silences::kind)
        .select(kind_silences::kind);
    let kinds: Vec<String> = on_backend!(conn, c => query.load(c))?;
    kinds.iter().map(|kind| parse(kind)).collect()
}

/// Forgets them where a tenant is removed.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let all = kind_silences::table.filter(kind_silences::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(all).execute(c))?;
    Ok(())
}
