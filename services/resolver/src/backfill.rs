//! What a destination that was added later gets of what existed before: all that is live, parents first, and nobody named as a leader
//! before he is there. What is recorded of members comes behind them, but for what is recorded of those who have left: they have no row there.

use std::collections::{BTreeMap, BTreeSet};

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
                traceparent: None,
                refers_to: sent.refers_to,
                leaves: Vec::new(),
                first: true,
                only_for: Some(self.destination.clone()),
            })
        };
        let mut changes: Vec<Change> = rows.into_iter().filter_map(change).collect();
        self.leave_out_leaders_who_are_gone(&mut changes)?;
        Ok(changes)
    }

    /// Whoever followed somebody who left is looked at again, which may be still to come.
    fn leave_out_leaders_who_are_gone(&mut self, changes: &mut [Change]) -> Result<()> {
        let named: BTreeSet<EntityKey> = changes.iter().flat_map(leaders).map(|id| EntityKey::member(id)).collect();
        let named: Vec<EntityKey> = named.into_iter().collect();
        let found = records::load(self.conn, self.tenant, &named)?;
        let there: BTreeSet<EntityKey> =
            found.into_iter().filter(|(_, row)| row.record.is_live()).map(|(key, _)| key).collect();
        changes.iter_mut().for_each(|change| keep_leaders(change, |leader| there.contains(&EntityKey::member(leader))));
        Ok(())
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
    keep_leaders(change, |leader| !comes_later(leader, &key));
}

fn keep_leaders(change: &mut Change, is_kept: impl Fn(&str) -> bool) {
    let all = leaders(change);
    let kept: Vec<String> = all.iter().filter(|leader| is_kept(leader)).cloned().collect();
    if kept.len() < all.len()
        && let Action::Upsert { entity, .. } = &mut change.action
    {
        entity.fields.set(Field::Leaders, kept);
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

#[cfg(test)]
mod tests {
    use common::{Clock as _, Event, EventBody, EventKeys, Fields, Observation, Platform, What};
    use test_kit::Stage;

    use super::*;
    use crate::{Rules, Turn};

    const TENANT: &str = "id = \"acme\"\n[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"s\"\n";
    const OA: &str = "[[destinations]]\nid = \"oa\"\nkind = \"wecom-callback\"\nurl = \"http://127.0.0.1:9/\"\n\
        token = \"t\"\naes_key = \"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\"\nreceive_id = \"ww1\"\nbackfill = true\n";

    fn tenant() -> TenantId {
        "acme".parse().unwrap()
    }

    fn event(stage: &Stage, id: &str, seconds: i64, what: What) -> Event {
        let (kind, id, at) = (EntityKind::Member, id.to_owned(), UnixMillis::from_seconds(seconds));
        let seen = Observation { kind, id, at, what, hint: false, answer: false };
        let content = EventKeys::content_hash("ww1", Some(&seen.key()), at, b"");
        Event {
            id: content.clone(),
            tenant: tenant(),
            platform: Platform::Wecom,
            received_at: stage.clock.now(),
            keys: EventKeys { platform: None, content },
            traceparent: None,
            body: EventBody::Directory(seen),
        }
    }

    async fn turn(stage: &Stage, events: Vec<Event>) {
        let tenants = stage.context.tenants.snapshot();
        let rules = Rules { now: stage.clock.now(), horizon: UnixMillis(0), tenants };
        let take = move |conn: &mut Connection| match events.is_empty() {
            true => Turn::found(conn, &tenant(), &rules),
            false => Turn::events(conn, &events, &rules),
        };
        stage.context.database.write("test.turn", take).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_is_named_as_a_leader_who_left_though_his_followers_were_not_looked_at_since() {
        let stage = Stage::open().await;
        stage.apply(TENANT).await;
        turn(&stage, Vec::new()).await;
        let placed = |name: &str| Fields::new().with(Field::Name, name).with(Field::Departments, ["1"].as_slice());
        let led = placed("Ann").with(Field::Leaders, ["zhu"].as_slice());
        for (id, at, fields) in [("zhu", 1_000, placed("Zhu")), ("ann", 1_001, led)] {
            turn(&stage, vec![event(&stage, id, at, What::Created { fields })]).await;
        }
        // What follows this turn is still to come.
        turn(&stage, vec![event(&stage, "zhu", 1_002, What::Removed)]).await;
        stage.apply(&format!("{TENANT}{OA}")).await;
        let now = stage.clock.now();
        let changes = move |conn: &mut Connection| {
            let oa = "oa".parse().unwrap();
            write(conn, &tenant(), &oa, now)?;
            outbox::after(conn, &tenant(), 0, 1000)
        };
        let changes = stage.context.database.write("test.backfill", changes).await.unwrap();
        let named = |change: &Change| change.entity == EntityKey::member("ann") && leaders(change) == ["zhu"];
        assert!(
            changes.iter().any(|change| named(change) && change.only_for.is_none()),
            "she follows him: {changes:?}"
        );
        let filled: Vec<Change> = changes.into_iter().filter(|change| change.only_for.is_some()).collect();
        let ids: Vec<&str> = filled.iter().map(|change| &*change.entity.id).collect();
        assert_eq!((ids, filled.iter().any(named)), (vec!["1", "ann"], false), "{filled:?}");
        stage.stop().await;
    }
}
