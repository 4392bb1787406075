//! Pairs of an entity and a row that a person said are not the same.

use common::{DestinationId, EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use super::{core_key, those};
use crate::{
    convert::entity_key,
    schema::links::{link_rejections, links},
};

/// A person says that a row is not an entity's. A link of the two is removed; nobody proposes it again.
///
/// # Errors
/// Those of the database.
pub fn reject(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    entity: &EntityKey,
    core_id: &str,
    now: UnixMillis,
) -> Result<()> {
    let of = (tenant.as_str(), destination.as_str());
    let key = core_key(entity.kind, core_id);
    let link = those!(links, of, entity.kind.as_str())
        .filter(links::platform_id.eq(&*entity.id))
        .filter(links::core_key.eq(&key));
    on_backend!(conn, c => diesel::delete(link).execute(c))?;
    insert(conn, of, entity, (&key, core_id), now)
}

fn insert(
    conn: &mut Connection,
    of: (&str, &str),
    entity: &EntityKey,
    (key, core_id): (&str, &str),
    since: UnixMillis,
) -> Result<()> {
    let row = (
        link_rejections::tenant.eq(of.0),
        link_rejections::destination.eq(of.1),
        link_rejections::kind.eq(entity.kind.as_str()),
        link_rejections::platform_id.eq(&*entity.id),
        link_rejections::core_key.eq(key),
        link_rejections::core_id.eq(core_id),
        link_rejections::since.eq(since.0),
    );
    on_backend!(conn, c =>
        diesel::insert_into(link_rejections::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// A person takes a no back: the pair may be proposed again.
///
/// # Errors
/// Those of the database.
pub fn allow(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    entity: &EntityKey,
    core_id: &str,
) -> Result<()> {
    let of = (tenant.as_str(), destination.as_str());
    let pair = those!(link_rejections, of, entity.kind.as_str())
        .filter(link_rejections::platform_id.eq(&*entity.id))
        .filter(link_rejections::core_key.eq(core_key(entity.kind, core_id)));
    on_backend!(conn, c => diesel::delete(pair).execute(c))?;
    Ok(())
}

/// All pairs of one kind of entity that were rejected, as entity and id of the row. Persons make them, so they are few.
///
/// # Errors
/// Those of the database.
pub fn rejected(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    kind: EntityKind,
) -> Result<Vec<(EntityKey, String)>> {
    let query = those!(link_rejections, (tenant.as_str(), destination.as_str()), kind.as_str())
        .order((link_rejections::platform_id, link_rejections::core_key))
        .select((link_rejections::platform_id, link_rejections::core_id));
    let rows: Vec<(String, String)> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(|(id, core_id)| Ok((entity_key(kind.as_str(), &id)?, core_id))).collect()
}

/// What was rejected of an entity goes on under its new id.
pub(super) fn rename(conn: &mut Connection, of: (&str, &str), from: &EntityKey, to: &EntityKey) -> Result<()> {
    if from == to {
        return Ok(());
    }
    let old = those!(link_rejections, of, from.kind.as_str())
        .filter(link_rejections::platform_id.eq(&*from.id))
        .select((link_rejections::core_key, link_rejections::core_id, link_rejections::since));
    let pairs: Vec<(String, String, i64)> = on_backend!(conn, c => old.load(c))?;
    for (key, core_id, since) in &pairs {
        insert(conn, of, to, (key, core_id), UnixMillis(*since))?;
    }
    let old = those!(link_rejections, of, from.kind.as_str()).filter(link_rejections::platform_id.eq(&*from.id));
    on_backend!(conn, c => diesel::delete(old).execute(c))?;
    Ok(())
}

pub(super) fn clear(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<()> {
    let all = link_rejections::table
        .filter(link_rejections::tenant.eq(tenant.as_str()))
        .filter(link_rejections::destination.eq(destination.as_str()));
    on_backend!(conn, c => diesel::delete(all).execute(c))?;
    Ok(())
}
