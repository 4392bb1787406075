//! Who waits for what, and what was released but not yet worked off.

use std::collections::BTreeSet;

use common::{EntityKey, TenantId};
use database::{Connection, Result, on_backend};
use diesel::{prelude::*, upsert::excluded};
use directory::WaitChange;

use crate::{
    bulk,
    convert::{ROWS_PER_STATEMENT, after_key, by_kind, entity_key, until_key},
    schema::{
        resolver::{releases, waiting},
        tenants::tenants,
    },
};

/// Adds and takes away rows.
pub fn change(conn: &mut Connection, tenant: &TenantId, changes: &[WaitChange]) -> Result<()> {
    if let Connection::Postgres(c) = conn {
        let (mut come, mut gone) = (bulk::Waiting::default(), bulk::Waiting::default());
        for change in changes {
            let columns = if change.add { &mut come } else { &mut gone };
            columns.on_kind.push(change.wait.on.kind.as_str());
            columns.on_id.push(&change.wait.on.id);
            columns.kind.push(change.waiter.kind.as_str());
            columns.id.push(&change.waiter.id);
            columns.why.push(change.wait.why.as_str());
        }
        if !come.id.is_empty() {
            bulk::wait(c, tenant.as_str(), &come)?;
        }
        if !gone.id.is_empty() {
            bulk::wait_no_more(c, tenant.as_str(), gone)?;
        }
        return Ok(());
    }
    let added: Vec<&WaitChange> = changes.iter().filter(|change| change.add).collect();
    for piece in added.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|change| {
                (
                    waiting::tenant.eq(tenant.as_str()),
                    waiting::on_kind.eq(change.wait.on.kind.as_str()),
                    waiting::on_id.eq(&*change.wait.on.id),
                    waiting::kind.eq(change.waiter.kind.as_str()),
                    waiting::id.eq(&*change.waiter.id),
                    waiting::why.eq(change.wait.why.as_str()),
                )
            })
            .collect();
        on_backend!(conn, c => diesel::insert_into(waiting::table).values(rows).on_conflict_do_nothing().execute(c))?;
    }
    let mut gone: Vec<&WaitChange> = changes.iter().filter(|change| !change.add).collect();
    gone.sort_by(|a, b| (&a.wait, a.waiter.kind).cmp(&(&b.wait, b.waiter.kind)));
    for same in gone.chunk_by(|a, b| a.wait == b.wait && a.waiter.kind == b.waiter.kind) {
        delete(conn, tenant, same)?;
    }
    Ok(())
}

/// Takes away the rows of waiters of one kind that wait for one thing: most often many members of one department.
fn delete(conn: &mut Connection, tenant: &TenantId, same: &[&WaitChange]) -> Result<()> {
    let Some(first) = same.first() else { return Ok(()) };
    for piece in same.chunks(ROWS_PER_STATEMENT) {
        let ids: Vec<&str> = piece.iter().map(|change| &*change.waiter.id).collect();
        on_backend!(conn, c => diesel::delete(waiting::table
            .filter(waiting::tenant.eq(tenant.as_str()))
            .filter(waiting::on_kind.eq(first.wait.on.kind.as_str()))
            .filter(waiting::on_id.eq(&*first.wait.on.id))
            .filter(waiting::kind.eq(first.waiter.kind.as_str()))
            .filter(waiting::why.eq(first.wait.why.as_str()))
            .filter(waiting::id.eq_any(ids)))
        .execute(c))?;
    }
    Ok(())
}

/// Notes that these appeared, moved or went, those of them that somebody waits for. Returns whether there is any.
pub fn release(conn: &mut Connection, tenant: &TenantId, keys: &BTreeSet<EntityKey>) -> Result<bool> {
    let keys: Vec<EntityKey> = keys.iter().cloned().collect();
    let mut awaited = Vec::new();
    for (kind, ids) in by_kind(&keys) {
        let found: Vec<String> = match conn {
            Connection::Postgres(c) => bulk::awaited(c, tenant.as_str(), kind, ids)?,
            Connection::Sqlite(c) => waiting::table
                .filter(waiting::tenant.eq(tenant.as_str()))
                .filter(waiting::on_kind.eq(kind))
                .filter(waiting::on_id.eq_any(ids))
                .select(waiting::on_id)
                .distinct()
                .load(c)?,
        };
        awaited.extend(found.into_iter().map(|id| (kind, id)));
    }
    for piece in awaited.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|(kind, id)| {
                (
                    releases::tenant.eq(tenant.as_str()),
                    releases::kind.eq(*kind),
                    releases::id.eq(id),
                    releases::after_kind.eq(""),
                    releases::after_id.eq(""),
                )
            })
            .collect();
        on_backend!(conn, c => diesel::insert_into(releases::table)
            .values(rows)
            .on_conflict((releases::tenant, releases::kind, releases::id))
            .do_update()
            .set((
                releases::after_kind.eq(excluded(releases::after_kind)),
                releases::after_id.eq(excluded(releases::after_id)),
            ))
            .execute(c))?;
    }
    Ok(!awaited.is_empty())
}

/// Waiters that were taken out to be looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Each with what it waited for and no longer has a row for. Whoever still waits needs a new one.
    pub waiters: Vec<(EntityKey, EntityKey)>,
    /// Something is left for the next slice.
    pub is_more: bool,
}

/// Takes up to `limit` waiters of what was released, their rows with them, and notes how far it got: whoever is returned must
/// be looked at in the same transaction.
pub fn take_released(conn: &mut Connection, tenant: &TenantId, limit: usize) -> Result<Taken> {
    let mut taken = Taken::default();
    while taken.waiters.len() < limit {
        let next: Option<(String, String, String, String)> = on_backend!(conn, c => releases::table
            .filter(releases::tenant.eq(tenant.as_str()))
            .order((releases::kind, releases::id))
            .select((releases::kind, releases::id, releases::after_kind, releases::after_id))
            .first(c)
            .optional())?;
        let Some((kind, id, after_kind, after_id)) = next else { return Ok(taken) };
        let room = limit - taken.waiters.len();
        let (on, after) = ((kind.as_str(), id.as_str()), (after_kind.as_str(), after_id.as_str()));
        let waiters = waiters_after(conn, tenant, on, after, room)?;
        if let Some((last_kind, last_id)) = waiters.last() {
            delete_range(conn, tenant, on, after, (last_kind, last_id))?;
        }
        let released = entity_key(&kind, &id)?;
        for (kind, id) in &waiters {
            taken.waiters.push((entity_key(kind, id)?, released.clone()));
        }
        let row = releases::table
            .filter(releases::tenant.eq(tenant.as_str()))
            .filter(releases::kind.eq(&kind))
            .filter(releases::id.eq(&id));
        match waiters.last() {
            Some((after_kind, after_id)) if waiters.len() >= room => on_backend!(conn, c => diesel::update(row)
                .set((releases::after_kind.eq(after_kind), releases::after_id.eq(after_id)))
                .execute(c))?,
            _ => on_backend!(conn, c => diesel::delete(row).execute(c))?,
        };
    }
    taken.is_more = true;
    Ok(taken)
}

fn waiters_after(
    conn: &mut Connection,
    tenant: &TenantId,
    (on_kind, on_id): (&str, &str),
    (kind, id): (&str, &str),
    limit: usize,
) -> Result<Vec<(String, String)>> {
    Ok(on_backend!(conn, c => waiting::table
        .filter(waiting::tenant.eq(tenant.as_str()))
        .filter(waiting::on_kind.eq(on_kind))
        .filter(waiting::on_id.eq(on_id))
        .filter(after_key!("waiting", kind, id))
        .select((waiting::kind, waiting::id))
        .distinct()
        .order((waiting::kind, waiting::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(c))?)
}

/// Takes away the rows of those who wait for one thing, after one waiter and up to another: neighbours, in one statement.
fn delete_range(
    conn: &mut Connection,
    tenant: &TenantId,
    (on_kind, on_id): (&str, &str),
    (after_kind, after_id): (&str, &str),
    (last_kind, last_id): (&str, &str),
) -> Result<()> {
    on_backend!(conn, c => diesel::delete(waiting::table
        .filter(waiting::tenant.eq(tenant.as_str()))
        .filter(waiting::on_kind.eq(on_kind))
        .filter(waiting::on_id.eq(on_id))
        .filter(after_key!("waiting", after_kind, after_id))
        .filter(until_key!("waiting", last_kind, last_id)))
    .execute(c))?;
    Ok(())
}

/// A tenant, what was released there, and how far its waiters were looked at: kinds and ids.
pub type Release = (String, String, String, String, String);

/// Whether somebody who waited may be due by now and was not looked at yet.
///
/// # Errors
/// Those of the database.
pub fn has_releases(conn: &mut Connection, tenant: &TenantId) -> Result<bool> {
    let any = releases::table.filter(releases::tenant.eq(tenant.as_str())).select(releases::id).limit(1);
    let found: Option<String> = on_backend!(conn, c => any.first(c).optional())?;
    Ok(found.is_some())
}

/// The release that is worked off next, of each tenant that has any.
pub fn first_releases(conn: &mut Connection) -> Result<Vec<Release>> {
    let all = releases::table.order((releases::tenant, releases::kind, releases::id)).select((
        releases::tenant,
        releases::kind,
        releases::id,
        releases::after_kind,
        releases::after_id,
    ));
    let mut first: Vec<Release> = on_backend!(conn, c => all.load(c))?;
    first.dedup_by(|next, before| next.0 == before.0);
    if first.is_empty() {
        return Ok(first);
    }
    // A tenant that was removed keeps its rows, and nobody works on them.
    let ids: Vec<&str> = first.iter().map(|release| release.0.as_str()).collect();
    let applied = tenants::table.filter(tenants::id.eq_any(ids)).filter(tenants::removed_at.is_null());
    let applied: BTreeSet<String> = on_backend!(conn, c => applied.select(tenants::id).load(c))?.into_iter().collect();
    first.retain(|release| applied.contains(&release.0));
    Ok(first)
}
