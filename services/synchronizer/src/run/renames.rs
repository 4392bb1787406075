//! Links follow renames. Where changes are delivered the sink sees to it; a product that collects is never told of a rename that came
//! before it starts, and what a person said of somebody's former id holds for the new one.

#[cfg(test)]
mod tests;

use common::{DestinationId, EntityKey, EntityKind, EntityMap, TenantId, UnixMillis};
use database::Connection;
use directory::{Record, Told};
use store::{
    links::{self, Link},
    outbox, records, runs,
};

/// Links read at once.
const PAGE: i64 = 1000;
/// A trail of renames is followed this far; WeCom allows one rename per member (reference wecom 2.3).
const RENAMES_MAX: usize = 16;

/// Moves the links of members who go on under other ids, if the product collects. Locks the tenant.
///
/// # Errors
/// Those of the database.
pub(super) fn follow(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> database::Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    if runs::is_collecting(conn, tenant, std::slice::from_ref(destination))? {
        follow_all(conn, tenant, destination)?;
    }
    Ok(())
}

fn follow_all(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> database::Result<()> {
    let mut after: Option<String> = None;
    loop {
        let page = links::list(conn, tenant, destination, EntityKind::Member, after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.entity.id.as_ref().to_owned());
        let keys: Vec<EntityKey> = page.iter().map(|link| link.entity.clone()).collect();
        let known: EntityMap<records::Row> = records::load(conn, tenant, &keys)?.into_iter().collect();
        for link in page {
            let Some(next) = known.get(&link.entity).and_then(|row| renamed(&row.record, link.since)) else { continue };
            let (to, since) = last_of(conn, tenant, next)?;
            if links::rename(conn, tenant, destination, &link.entity, &to)? {
                // From now on it is about who bears the new id.
                links::set(conn, tenant, destination, &[Link { entity: to, since, ..link }])?;
            }
        }
    }
}

/// Follows renames to the last id, and says since when that is borne.
fn last_of(
    conn: &mut Connection,
    tenant: &TenantId,
    (mut to, mut since): (EntityKey, UnixMillis),
) -> database::Result<(EntityKey, UnixMillis)> {
    for _ in 0..RENAMES_MAX {
        let known = records::load(conn, tenant, std::slice::from_ref(&to))?;
        let Some(next) = known.first().and_then(|(_, row)| renamed(&row.record, since)) else { break };
        (to, since) = next;
    }
    Ok((to, since))
}

/// Under which id whoever bore this one at a time goes on, and since when; `None` where that is not so, or not sent yet.
fn renamed(record: &Record, at: UnixMillis) -> Option<(EntityKey, UnixMillis)> {
    let end = record.facts.iter().find(|fact| fact.ends_life() && fact.at >= at).filter(|_| !record.is_live())?;
    match &end.told {
        Told::RenamedTo(to) => Some((EntityKey::member(to), end.at)),
        _ => None,
    }
}
