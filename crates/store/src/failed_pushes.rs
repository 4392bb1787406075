//! Pages of what a platform could not push, as they were read. Reading removes them there (reference dingtalk 4.7), so a page is here
//! before anything else is done with it, and until all that is on it was taken over.

use std::collections::BTreeSet;

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    convert::{ROWS_PER_STATEMENT, parse},
    gaps::Gap,
    schema::dingtalk::{failed_pushes, failed_reads},
};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its name, given by whoever read it.
    pub id: String,
    /// When it was read, by our clock.
    pub taken_at: UnixMillis,
    /// The answer as it came.
    pub content: String,
}

/// Keeps a page. One that is there under that name stays as it is.
///
/// # Errors
/// Those of the database.
pub fn put(conn: &mut Connection, tenant: &TenantId, id: &str, taken_at: UnixMillis, content: &str) -> Result<()> {
    let row = (
        failed_pushes::tenant.eq(tenant.as_str()),
        failed_pushes::id.eq(id),
        failed_pushes::taken_at.eq(taken_at.0),
        failed_pushes::content.eq(content),
    );
    on_backend!(conn, c =>
        diesel::insert_into(failed_pushes::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// The pages that were read first, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn oldest(conn: &mut Connection, tenant: &TenantId, limit: i64) -> Result<Vec<Page>> {
    let query = failed_pushes::table
        .filter(failed_pushes::tenant.eq(tenant.as_str()))
        .order((failed_pushes::taken_at, failed_pushes::id))
        .limit(limit)
        .select((failed_pushes::id, failed_pushes::taken_at, failed_pushes::content));
    let rows: Vec<(String, i64, String)> = on_backend!(conn, c => query.load(c))?;
    let page = |(id, taken_at, content)| Page { id, taken_at: UnixMillis(taken_at), content };
    Ok(rows.into_iter().map(page).collect())
}

/// Forgets pages of which everything was taken over.
///
/// # Errors
/// Those of the database.
pub fn remove(conn: &mut Connection, tenant: &TenantId, ids: &[String]) -> Result<()> {
    for piece in ids.chunks(ROWS_PER_STATEMENT) {
        let those = failed_pushes::table
            .filter(failed_pushes::tenant.eq(tenant.as_str()))
            .filter(failed_pushes::id.eq_any(piece));
        on_backend!(conn, c => diesel::delete(those).execute(c))?;
    }
    Ok(())
}

/// Notes that `owner` is about to read a page, which may hold what failed since `since`. What the read brings is gone at the platform, so
/// until it is noted that it ended nobody knows whether a page got lost. Returns the time of a read of the same owner that never ended:
/// what it brought could not be kept.
///
/// # Errors
/// Those of the database.
pub fn begin_read(
    conn: &mut Connection,
    tenant: &TenantId,
    owner: &str,
    since: UnixMillis,
    now: UnixMillis,
) -> Result<Option<Gap>> {
    let own = failed_reads::table.find((tenant.as_str(), owner)).select((failed_reads::since, failed_reads::began_at));
    let torn: Option<(i64, i64)> = on_backend!(conn, c => own.first(c).optional())?;
    let row = (
        failed_reads::tenant.eq(tenant.as_str()),
        failed_reads::owner.eq(owner),
        failed_reads::since.eq(since.0),
        failed_reads::began_at.eq(now.0),
    );
    on_backend!(conn, c => diesel::insert_into(failed_reads::table)
        .values(row)
        .on_conflict((failed_reads::tenant, failed_reads::owner))
        .do_update()
        .set((failed_reads::since.eq(since.0), failed_reads::began_at.eq(now.0)))
        .execute(c))?;
    Ok(torn.map(gap))
}

/// The read of `owner` ended: what it brought is kept, or nothing was read.
///
/// # Errors
/// Those of the database.
pub fn end_read(conn: &mut Connection, tenant: &TenantId, owner: &str) -> Result<()> {
    let row = failed_reads::table.find((tenant.as_str(), owner));
    on_backend!(conn, c => diesel::delete(row).execute(c))?;
    Ok(())
}

/// Takes the reads of a tenant that others than `owner` began before this moment and never ended: pages of that time may be lost.
///
/// # Errors
/// Those of the database.
pub fn take_torn_reads(
    conn: &mut Connection,
    tenant: &TenantId,
    owner: &str,
    before: UnixMillis,
) -> Result<Option<Gap>> {
    let torn = || {
        failed_reads::table
            .filter(failed_reads::tenant.eq(tenant.as_str()))
            .filter(failed_reads::owner.ne(owner))
            .filter(failed_reads::began_at.lt(before.0))
    };
    let rows: Vec<(i64, i64)> =
        on_backend!(conn, c => torn().select((failed_reads::since, failed_reads::began_at)).load(c))?;
    if !rows.is_empty() {
        on_backend!(conn, c => diesel::delete(torn()).execute(c))?;
    }
    Ok(rows.into_iter().map(gap).reduce(Gap::or))
}

/// The time in which what a read may hold failed.
const fn gap((since, until): (i64, i64)) -> Gap {
    Gap { since: UnixMillis(since), until: UnixMillis(until) }
}

/// Whether failed pushes of a tenant are being read, or were read and are not taken over yet.
///
/// # Errors
/// Those of the database.
pub fn is_under_way(conn: &mut Connection, tenant: &TenantId) -> Result<bool> {
    let reads = failed_reads::table.filter(failed_reads::tenant.eq(tenant.as_str())).count();
    let reads: i64 = on_backend!(conn, c => reads.get_result(c))?;
    Ok(reads > 0 || !oldest(conn, tenant, 1)?.is_empty())
}

/// The tenants of which pages are being read, or were read and are not taken over yet.
///
/// # Errors
/// Those of the database.
pub fn tenants_under_way(conn: &mut Connection) -> Result<BTreeSet<TenantId>> {
    let read: Vec<String> = on_backend!(conn, c => failed_reads::table.select(failed_reads::tenant).load(c))?;
    let kept = failed_pushes::table.select(failed_pushes::tenant).distinct();
    let kept: Vec<String> = on_backend!(conn, c => kept.load(c))?;
    read.iter().chain(&kept).map(|tenant| parse(tenant)).collect()
}

/// Forgets the pages of a tenant that is removed.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let all = failed_pushes::table.filter(failed_pushes::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(all).execute(c))?;
    let reads = failed_reads::table.filter(failed_reads::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(reads).execute(c))?;
    Ok(())
}
