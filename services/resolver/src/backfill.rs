//! What a destination that was added later gets of what existed before: all that is live, parents first, and nobody named as a leader
//! before he is there. What is recorded of members comes behind them, but for what is recorded of those who have left: they have no row there.

use std::collections::BTreeMap;

use common::{Action, Change, DestinationId, EntityKey, EntityKind, Field, TenantId, UnixMillis};
use database::{Connection, Result};
use service::tenant::DestinationKind;
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
    let row = destinations::get(conn, tenant, destination)?;
    let Some(row) = row.filter(|row| row.backfill == Some(Backfill::Wanted)) else { return Ok(()) };
    let mut pen = Pen { conn, tenant, destination, now, last: before };
    pen.write_all()?;
    pen.write_those_with_later_leaders()?;
    if DestinationKind::from_name(&row.kind).is_some_and(DestinationKind::takes_records) {
        outbox::request_records(conn, tenant, destination, now)?;
    }
    destinations::backfilled(conn, tenant, destination, before)
}

/// What writes, and how far it is.
struct Pen<'a> {
    conn: &'a mut Connection,
    tenant: &'a TenantId,
    destination: &'a DestinationId,
    now: UnixMillis,
    last: u64,
}

impl Pen<'_> {
    /// Departments, parents first, then members in the order of their keys; each names only leaders that come before it.
    fn write_all(&mut self) -> Result<()> {
        let mut departments = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(&mut after)?;
            let (mut page_departments, mut members): (Vec<_>, Vec<_>) =
                page.into_iter().partition(|change| change.kind() == EntityKind::Department);
            departments.append(&mut page_departments);
            // Keys sort departments before members: with the first member, or the end, all departments are at hand.
            if !departments.is_empty() && (after.is_none() || !members.is_empty()) {
                let mut ordered = parents_first(std::mem::take(&mut departments));
                ordered.iter_mut().for_each(keep_earlier_leaders);
                self.append(&mut ordered)?;
            }
            members.iter_mut().for_each(keep_earlier_leaders);
            self.append(&mut members)?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Once more, now that all leaders are there.
    fn write_those_with_later_leaders(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let mut page = self.page(&mut after)?;
            page.retain_mut(|change| {
                change.first = false;
                leaders(change).iter().any(|leader| comes_later(leader, &change.entity))
            });
            self.append(&mut page)?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The next live entities of the directory as changes for this destination only; `after` is `None` behind the last page.
    fn page(&mut self, after: &mut Option<EntityKey>) -> Result<Vec<Change>> {
        let rows = records::live_after(self.conn, self.tenant, after.as_ref(), PAGE)?;
        let is_last = (rows.len() as i64) < PAGE;
        *after = rows.last().filter(|_| !is_last).map(|(key, _)| key.clone());
        let change = |(entity, row): (EntityKey, records::Row)| {
            let sent = row.record.sent?;
            Some(Change {
                tenant: self.tenant.clone(),
                version: 0,
                entity,
                action: Action::Upsert { entity: sent.entity, renamed_from: None },
                source_time: sent.at,
                received_at: row.record.received_at,
                refers_to: sent.refers_to,
                leaves: Vec::new(),
                first: true,
                only_for: Some(self.destination.clone()),
            })
        };
        Ok(rows.into_iter().filter_map(change).collect())
    }

    fn append(&mut self, changes: &mut [Change]) -> Result<()> {
        outbox::append(self.conn, self.tenant, self.last, changes, self.now)?;
        self.last += changes.len() as u64;
        Ok(())
    }
}

fn leaders(change: &Change) -> &[String] {
    match &change.action {
        Action::Upsert { entity, .. } => entity.fields.list(Field::Leaders),
        Action::Remove | Action::Callback(_) => &[],
    }
}

fn comes_later(leader: &str, than: &EntityKey) -> bool {
    EntityKey::member(leader) > *than
}

fn keep_earlier_leaders(change: &mut Change) {
    let key = change.entity.clone();
    let all = leaders(change);
    let earlier: Vec<String> = all.iter().filter(|leader| !comes_later(leader, &key)).cloned().collect();
    if earlier.len() < all.len()
        && let Action::Upsert { entity, .. } = &mut change.action
    {
        entity.fields.set(Field::Leaders, earlier);
    }
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
