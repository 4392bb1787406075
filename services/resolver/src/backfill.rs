//! What a destination that was added later gets of what existed before: all that is live, parents first.

use std::collections::BTreeMap;

use common::{Action, Change, DestinationId, EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Result};
use store::{
    destinations::{self, Backfill},
    outbox, records,
};

/// Entities read and written at once.
const PAGE: i64 = 1000;

/// Writes the back-fill of one destination in the transaction it is called in, so that it is one snapshot: ordinary changes
/// come either before it, and are in it, or behind it.
pub(crate) fn write(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    now: UnixMillis,
) -> Result<()> {
    let versions = outbox::lock_tenants(conn, [tenant])?;
    let Some(before) = versions.get(tenant).copied() else { return Ok(()) };
    // Looked at again under the lock: another resolver may have written it meanwhile.
    let is_wanted = destinations::get(conn, tenant, destination)?
        .is_some_and(|destination| destination.backfill == Some(Backfill::Wanted));
    if !is_wanted {
        return Ok(());
    }
    let mut last = before;
    let mut departments = Vec::new();
    let mut after: Option<EntityKey> = None;
    loop {
        let page = records::live_after(conn, tenant, after.as_ref(), PAGE)?;
        after = page.last().map(|(key, _)| key.clone());
        let is_last = (page.len() as i64) < PAGE;
        let rows = page.into_iter().filter_map(|(key, row)| Some((key, row.record.sent?, row.record.received_at)));
        let (mut page_departments, mut members) = (Vec::new(), Vec::new());
        for (key, sent, received_at) in rows {
            let change = Change {
                tenant: tenant.clone(),
                version: 0,
                entity: key.clone(),
                action: Action::Upsert { entity: sent.entity, renamed_from: None },
                source_time: sent.at,
                received_at,
                refers_to: sent.refers_to,
                leaves: Vec::new(),
                first: true,
                only_for: Some(destination.clone()),
            };
            if key.kind == EntityKind::Department { page_departments.push(change) } else { members.push(change) }
        }
        departments.append(&mut page_departments);
        // Keys sort departments before members: with the first member, or the end, all departments are at hand.
        if !departments.is_empty() && (is_last || !members.is_empty()) {
            let mut ordered = parents_first(std::mem::take(&mut departments));
            outbox::append(conn, tenant, last, &mut ordered, now)?;
            last += ordered.len() as u64;
        }
        outbox::append(conn, tenant, last, &mut members, now)?;
        last += members.len() as u64;
        if is_last {
            break;
        }
    }
    destinations::backfilled(conn, tenant, destination, before)
}

/// Orders departments so that each comes after its parent.
fn parents_first(departments: Vec<Change>) -> Vec<Change> {
    let parents: BTreeMap<EntityKey, EntityKey> = departments
        .iter()
        .filter_map(|change| Some((change.entity.clone(), change.refers_to.first()?.clone())))
        .collect();
    let depth = |change: &Change| {
        let mut depth = 0_usize;
        let mut current = &change.entity;
        while let Some(parent) = parents.get(current) {
            depth += 1;
            current = parent;
            if depth > parents.len() {
                break;
            }
        }
        depth
    };
    let mut ranked: Vec<(usize, Change)> = departments.into_iter().map(|change| (depth(&change), change)).collect();
    ranked.sort_by_key(|(depth, _)| *depth);
    ranked.into_iter().map(|(_, change)| change).collect()
}
