//! After the last slice: until the destinations have taken everything, and what is deleted for good.

use std::collections::BTreeSet;

use common::{DestinationId, EntityKey, EntityKind, EntityMap, UnixMillis};
use database::Connection;
use destinations::{Links, Purged};
use service::tenant::{DestinationFile, DestinationKind};
use store::{
    destinations::{self as positions, State},
    held::{self, Held},
    links, outbox, records,
    runs::{self, ItemState, PlanItem, Run, RunKind, RunState, Settled, Step, Update},
};

use super::{
    image,
    judge::{keeps_row, row_key},
    products::Core,
    work::{Next, Trouble, Work},
};

/// Items read at once.
const PAGE: i64 = 500;

impl Work {
    /// Waits until every destination has passed the last version, and notes what it did not take.
    pub(super) async fn deliver(&mut self) -> Result<Next, Trouble> {
        let cores = self.cores().await?;
        let ids: Vec<DestinationId> = cores.iter().map(|core| core.id.clone()).collect();
        let (tenant, last) = (self.run.tenant.clone(), self.run.last_version);
        let lagging = move |conn: &mut Connection| -> database::Result<Option<String>> {
            for id in &ids {
                if let Some(row) = positions::get(conn, &tenant, id)?.filter(|row| row.position < last) {
                    let is_paused = row.state == State::Paused;
                    let why = if is_paused { "it is paused" } else { "it has not taken everything yet" };
                    return Ok(Some(format!("{id}: {why}")));
                }
            }
            Ok(None)
        };
        if let Some(why) = self.parts.context.database.read("runs.lagging", lagging).await? {
            self.tell(why).await;
            return Ok(Next::Wait);
        }
        let mut failed = Vec::new();
        let mut placeholders = Vec::new();
        for core in cores.iter() {
            let arrived = self.arrived(core).await?;
            failed.extend(arrived.failed);
            placeholders.push((core.id.clone(), arrived.placeholders));
        }
        fail::fail_point!("synchronizer.delivered_before_record");
        let (lease, now, total) = (self.lease.clone(), self.now(), self.run.total);
        let update = Update { done: total, ..Update::new(RunState::Applying, Step::Purge, total) };
        let recorded = update.clone();
        let tenant = self.run.tenant.clone();
        let settle = move |conn: &mut Connection| -> database::Result<bool> {
            if !runs::update(conn, &lease, &recorded, now)? {
                return Ok(false);
            }
            for (id, keys) in &placeholders {
                links::remove(conn, &tenant, id, keys)?;
            }
            runs::settle_sent(conn, &lease.run, &failed)?;
            Ok(true)
        };
        if !self.parts.context.database.write("runs.delivered", settle).await? {
            return Err(Trouble::LeaseLost);
        }
        self.follow(&update);
        Ok(Next::Again)
    }

    /// What became of the changes that a product was sent. Those that it has not taken are held or dead letters there, as any
    /// other change would be.
    async fn arrived(&self, core: &Core) -> Result<Arrived, Trouble> {
        let (tenant, id, run) = (self.run.tenant.clone(), core.id.clone(), self.run.id.clone());
        let read = move |conn: &mut Connection| -> database::Result<Arrived> {
            let held: EntityMap<Held> =
                held::load(conn, &tenant, &id)?.into_iter().map(|held| (held.entity.clone(), held)).collect();
            let mut arrived = Arrived::default();
            let mut after = 0;
            loop {
                let page = runs::sent(conn, &run, after, PAGE)?;
                let Some(last) = page.last() else { return Ok(arrived) };
                after = last.planned.seq;
                page.iter().filter(|item| item.planned.destination == id).for_each(|item| arrived.count(item, &held));
            }
        };
        Ok(self.parts.context.database.read("runs.arrived", read).await?)
    }

    /// Deletes what was disabled long ago; ends the run when nothing is left.
    pub(super) async fn purge(&mut self) -> Result<Next, Trouble> {
        let id = self.run.id.clone();
        let read = move |conn: &mut Connection| runs::deletions(conn, &id, PAGE);
        let mut items = self.parts.context.database.read("runs.deletions", read).await?;
        let Some(destination) = items.first().map(|item| item.planned.destination.clone()) else {
            self.finish().await?;
            return Ok(Next::Over);
        };
        items.retain(|item| item.planned.destination == destination);
        let cores = self.cores().await?;
        let Some(core) = cores.iter().find(|core| core.id == destination) else {
            self.pass_over(&items, "the destination is there no more, or paused").await?;
            return Ok(Next::Again);
        };
        let settled = self.delete(core, &items).await?;
        fail::fail_point!("synchronizer.purged_before_record");
        self.settle_items(settled).await?;
        Ok(Next::Again)
    }

    async fn delete(&self, core: &Core, items: &[PlanItem]) -> Result<Vec<Settled>, Trouble> {
        let owned = self.owned(core, items).await?;
        let is_free = |item: &&PlanItem| row_key(&item.planned.item).is_some_and(|key| !owned.contains(&key));
        let free: Vec<&PlanItem> = items.iter().filter(is_free).collect();
        let pair = |item: &&PlanItem| {
            let (kind, core_id) = (item.planned.item.kind, item.planned.item.core_id.as_deref()?);
            Some((image::nobodys(kind, core_id), core_id.to_owned()))
        };
        let pairs: Vec<(EntityKey, String)> = free.iter().filter_map(pair).collect();
        let keys: Vec<EntityKey> = pairs.iter().map(|(key, _)| key.clone()).collect();
        let links: Links = pairs.into_iter().collect();
        let seconds = i64::try_from(self.parts.config.delete_after_seconds).unwrap_or(i64::MAX);
        let until = UnixMillis(self.now().0.saturating_sub(seconds.saturating_mul(1000)));
        let fates = core.product()?.purge(&keys, &links, until).await.map_err(|error| core.away(error))?;
        let mut settled: Vec<Settled> = free.iter().zip(fates).map(|(item, fate)| deleted(item, fate)).collect();
        let kept = items.iter().filter(|item| !is_free(item));
        settled.extend(kept.map(|item| deleted(item, Purged::Kept)));
        Ok(settled)
    }

    /// Rows that are somebody's by now.
    async fn owned(&self, core: &Core, items: &[PlanItem]) -> Result<Vec<EntityKey>, Trouble> {
        let (tenant, id) = (self.run.tenant.clone(), core.id.clone());
        let rows: Vec<EntityKey> = items.iter().filter_map(|item| row_key(&item.planned.item)).collect();
        let read = move |conn: &mut Connection| -> database::Result<Vec<EntityKey>> {
            let mut owned = Vec::new();
            for kind in [EntityKind::Department, EntityKind::Member] {
                let of_kind = rows.iter().filter(|key| key.kind == kind);
                let ids: Vec<String> = of_kind.map(|key| key.id.as_ref().to_owned()).collect();
                let found = links::of_rows(conn, &tenant, &id, kind, &ids)?;
                let entities: Vec<EntityKey> = found.iter().map(|link| link.entity.clone()).collect();
                let known: EntityMap<records::Row> = records::load(conn, &tenant, &entities)?.into_iter().collect();
                let real = found.into_iter().filter(|link| known.get(&link.entity).is_some_and(keeps_row));
                owned.extend(real.map(|link| EntityKey::new(kind, &link.core_id)));
            }
            Ok(owned)
        };
        Ok(self.parts.context.database.read("runs.owned", read).await?)
    }

    /// The run is done: who waited for the first sync starts.
    async fn finish(&mut self) -> Result<(), Trouble> {
        fail::fail_point!("synchronizer.done_before_finished");
        let (lease, run, now, compared) = (self.lease.clone(), self.run.clone(), self.now(), self.compared().await?);
        let files = || self.tenant.file.destinations.iter();
        let backfill: Vec<DestinationId> = files().filter(|file| file.backfill).map(|file| file.id.clone()).collect();
        let makes_members = |file: &&DestinationFile| file.kind() == DestinationKind::WecomMembers;
        let hires: Vec<DestinationId> = files().filter(makes_members).map(|file| file.id.clone()).collect();
        let is_unknown = |file: &&DestinationFile| file.is_readable_core() && !compared.contains(&file.id);
        let unknown: Vec<DestinationId> = files().filter(is_unknown).map(|file| file.id.clone()).collect();
        let update = Update { done: run.total, ..Update::new(RunState::Finished, Step::Done, run.total) };
        let recorded = update.clone();
        let finish = move |conn: &mut Connection| -> database::Result<bool> {
            if !runs::update(conn, &lease, &recorded, now)? {
                return Ok(false);
            }
            match (&run.undoes, run.kind) {
                (Some(undone), _) => runs::undone(conn, undone)?,
                (None, RunKind::First | RunKind::Reconcile) => {
                    runs::start_as_collected(conn, &run.tenant, &hires)?;
                    runs::start_others(conn, &run.tenant, run.mirror_version, &backfill, &unknown)?;
                    for id in started_by(conn, &run, &compared)? {
                        outbox::request_records(conn, &run.tenant, &id, now)?;
                    }
                }
                (None, RunKind::Undo) => {}
            }
            Ok(true)
        };
        if !self.parts.context.database.write("runs.finish", finish).await? {
            return Err(Trouble::LeaseLost);
        }
        self.follow(&update);
        tracing::info!(tenant.id = %self.run.tenant, run = %self.run.id, kind = self.run.kind.as_str(), "a run is finished");
        Ok(())
    }
}

/// The products that this run started: attendance records and approvals of before are not in its plan.
fn started_by(
    conn: &mut Connection,
    run: &Run,
    compared: &BTreeSet<DestinationId>,
) -> database::Result<Vec<DestinationId>> {
    let mut started = Vec::new();
    for id in compared {
        let row = positions::get(conn, &run.tenant, id)?;
        let is_started = row.is_some_and(|row| row.backfill.is_none() && row.started_version == run.mirror_version);
        started.extend(is_started.then(|| id.clone()));
    }
    Ok(started)
}

/// What became of changes that were sent.
#[derive(Default)]
struct Arrived {
    /// Items that the product has not taken.
    failed: Vec<Settled>,
    /// Keys that stood for rows only, and are needed no more: whoever gets such a row's id is to have the row.
    placeholders: Vec<EntityKey>,
}

impl Arrived {
    fn count(&mut self, item: &PlanItem, held: &EntityMap<Held>) {
        let Some(key) = changed_key(item) else { return };
        // A row that belongs to nobody may have been removed by the key of who left it.
        let of_version = || held.values().find(|held| Some(held.version) == item.version);
        let of_row = || if image::is_nobodys(&key) { of_version() } else { None };
        match held.get(&key).filter(|held| Some(held.version) >= item.version).or_else(of_row) {
            Some(held) => self.failed.push(Settled {
                seq: item.planned.seq,
                state: ItemState::Failed,
                version: item.version,
                note: Some(held.reason.clone().unwrap_or_else(|| held.state.as_str().to_owned())),
            }),
            None => self.placeholders.extend(image::is_nobodys(&key).then_some(key)),
        }
    }
}

/// The entity that an item's change is about.
fn changed_key(item: &PlanItem) -> Option<EntityKey> {
    let planned = &item.planned.item;
    planned.key().or_else(|| Some(image::nobodys(planned.kind, planned.core_id.as_deref()?)))
}

fn deleted(item: &PlanItem, fate: Purged) -> Settled {
    let (state, note) = match fate {
        Purged::Gone | Purged::Emptied => (ItemState::Applied, None),
        Purged::Kept => (ItemState::Skipped, Some("the row is not to be deleted any more".to_owned())),
        Purged::Refused { reason } => (ItemState::Failed, Some(reason)),
    };
    Settled { seq: item.planned.seq, state, version: None, note }
}
