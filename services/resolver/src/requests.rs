//! What people and other services ask of the resolver through the database: roots of new tenants, back-fills, replays.

use std::collections::BTreeMap;

use common::{DestinationId, EntityKey, TenantId};
use database::{Connection, Result};
use store::{destinations, outbox};

use crate::{
    part::Part,
    turn::{Rules, Turn},
};

/// Wishes carried out in one transaction.
const REPLAYS: i64 = 500;

/// Whether there is anything to do: most often not, and looking takes no lock. Back-fills are long, so each is done where the tenant's
/// events come.
pub(crate) fn any_wanted(conn: &mut Connection, rules: &Rules, part: &Part) -> Result<bool> {
    Ok(!rootless(conn, rules)?.is_empty()
        || outbox::any_replays(conn)?
        || destinations::backfills_wanted(conn)?.iter().any(|(tenant, _)| part.has(tenant)))
}

/// Tenants whose root department is still to be created, those that this process knows.
fn rootless(conn: &mut Connection, rules: &Rules) -> Result<Vec<TenantId>> {
    let mut rootless = outbox::rootless(conn)?;
    rootless.retain(|tenant| rules.tenants.get(tenant.as_str()).is_some());
    Ok(rootless)
}

/// Creates the root departments of tenants that have none.
pub(crate) fn found(conn: &mut Connection, rules: &Rules) -> Result<Vec<Turn>> {
    let wanted = rootless(conn, rules)?;
    let versions = outbox::lock_tenants(conn, &wanted)?;
    let rootless = versions.into_iter().filter(|(_, version)| *version == 0);
    rootless.map(|(tenant, _)| Turn::found(conn, &tenant, rules)).collect()
}

/// Carries out what was asked to be sent again. The flag says whether there is more to do.
pub(crate) fn replay(conn: &mut Connection, rules: &Rules) -> Result<(Vec<Turn>, bool)> {
    let wishes = outbox::take_replays(conn, REPLAYS)?;
    let is_more = wishes.len() as i64 >= REPLAYS;
    let mut by_tenant: BTreeMap<TenantId, Vec<(EntityKey, Option<DestinationId>)>> = BTreeMap::new();
    for wish in wishes {
        by_tenant.entry(wish.tenant).or_default().push((wish.entity, wish.destination));
    }
    let turns = by_tenant.into_iter().map(|(tenant, wishes)| Turn::send_again(conn, &tenant, wishes, rules));
    Ok((turns.collect::<Result<Vec<Turn>>>()?, is_more))
}
