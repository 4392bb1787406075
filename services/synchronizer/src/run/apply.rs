//! Applying a plan: slice by slice, each one transaction of ours.

use std::collections::BTreeMap;

use common::{Change, DestinationId, EntityKey, EntityKind, EntityMap, TenantId, UnixMillis};
use database::Connection;
use directory::plan::{Action, Row};
use store::{
    destinations::{self as positions, State},
    links::{self, Link},
    outbox,
    runs::{self, ItemState, PlanItem, Run, RunKind, RunLease, RunState, Settled, Step, Update},
};

use super::{
    judge::{Fate, Judge},
    products::Core,
    renames, undo,
    work::{Next, Trouble, Work, to_do},
};

/// Items of one transaction.
const SLICE: i64 = 500;

/// What a slice is written from.
struct Slice {
    lease: RunLease,
    run: Run,
    tenant: TenantId,
    destination: DestinationId,
    items: Vec<PlanItem>,
    /// The rows as they are.
    rows: EntityMap<Row>,
    /// See [`Work::is_behind_plan`].
    is_behind: bool,
    employee_number: String,
    now: UnixMillis,
}

impl Work {
    /// Applies the next slice.
    pub(super) async fn apply(&mut self) -> Result<Next, Trouble> {
        self.look_again().await?;
        let id = self.run.id.clone();
        let read = move |conn: &mut Connection| runs::pending(conn, &id, SLICE);
        let mut items = self.parts.context.database.read("runs.pending", read).await?;
        let (cores, compared) = (self.cores().await?, self.compared().await?);
        let Some(first) = items.first().map(|item| &item.planned) else {
            for core in cores.iter().filter(|core| compared.contains(&core.id)) {
                self.start(core).await?;
            }
            let total = self.run.total;
            self.record(Update { done: total, ..Update::new(RunState::Applying, Step::Deliver, total) }).await?;
            return Ok(Next::Again);
        };
        let (destination, has_links) = (first.destination.clone(), first.item.action == Action::Link);
        items.retain(|item| item.planned.destination == destination);
        let Some(core) = cores.iter().find(|core| core.id == destination) else {
            self.pass_over(&items, "the destination is there no more, or paused").await?;
            return Ok(Next::Again);
        };
        // Links come first in a plan. Until all are set nothing is delivered: it would make second rows of those that they name.
        if !has_links {
            self.start(core).await?;
        }
        let slice = self.slice(core, items).await?;
        let written = self.parts.context.database.write("runs.slice", move |conn| slice.write(conn)).await?;
        fail::fail_point!("synchronizer.slice_committed_before_next");
        let update = written.ok_or(Trouble::LeaseLost)?;
        self.follow(&update);
        Ok(Next::Again)
    }

    /// A product that collected until now takes changes from here on.
    async fn start(&self, core: &Core) -> Result<(), Trouble> {
        if self.run.kind == RunKind::Undo {
            return Ok(());
        }
        let (tenant, id, version) = (self.run.tenant.clone(), core.id.clone(), self.run.mirror_version);
        let start = move |conn: &mut Connection| -> database::Result<()> {
            renames::follow(conn, &tenant, &id)?;
            runs::start_core(conn, &tenant, &id, version)
        };
        Ok(self.parts.context.database.write("runs.start-core", start).await?)
    }

    async fn slice(&self, core: &Core, items: Vec<PlanItem>) -> Result<Slice, Trouble> {
        let planned = || items.iter().map(|item| &item.planned.item);
        let ids: Vec<(EntityKind, String)> =
            planned().filter_map(|item| Some((item.kind, item.core_id.as_deref()?.to_owned()))).collect();
        // Asked before the rows are read: what the product takes in between, they show.
        let is_behind = self.is_behind_plan(core).await?;
        let rows = core.rows(&ids).await?;
        let wecom = self.tenant.file.wecom.as_ref();
        Ok(Slice {
            lease: self.lease.clone(),
            run: self.run.clone(),
            tenant: self.run.tenant.clone(),
            destination: core.id.clone(),
            items,
            rows,
            is_behind,
            employee_number: wecom.map(|wecom| wecom.employee_number.clone()).unwrap_or_default(),
            now: self.now(),
        })
    }

    /// Whether a product has yet to take changes that the plan was made with. One that collects never gets them.
    async fn is_behind_plan(&self, core: &Core) -> Result<bool, Trouble> {
        let (tenant, id, version) = (self.run.tenant.clone(), core.id.clone(), self.run.mirror_version);
        let read = move |conn: &mut Connection| positions::get(conn, &tenant, &id);
        let row = self.parts.context.database.read("runs.position", read).await?;
        Ok(row.is_some_and(|row| row.state != State::Collecting && row.position < version))
    }

    /// Nothing is done about these items.
    pub(super) async fn pass_over(&self, items: &[PlanItem], why: &'static str) -> Result<(), Trouble> {
        let settled: Vec<Settled> = items.iter().map(|item| skipped(item, why)).collect();
        self.settle_items(settled).await
    }

    pub(super) async fn settle_items(&self, settled: Vec<Settled>) -> Result<(), Trouble> {
        let lease = self.lease.clone();
        let settle = move |conn: &mut Connection| -> database::Result<bool> {
            let is_ours = runs::holds(conn, &lease)?;
            if is_ours {
                runs::settle(conn, &lease.run, &settled)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.parts.context.database.write("runs.settle-items", settle).await?;
        if is_ours { Ok(()) } else { Err(Trouble::LeaseLost) }
    }
}

impl Slice {
    /// Looks again, sets links, publishes, and notes all of it. `None` when the lease is lost, and nothing was written.
    fn write(self, conn: &mut Connection) -> database::Result<Option<Update>> {
        let versions = outbox::lock_tenants(conn, [&self.tenant])?;
        let Some(last) = versions.get(&self.tenant).copied() else { return Ok(None) };
        if !runs::holds(conn, &self.lease)? {
            return Ok(None);
        }
        let fates = self.fates(conn)?;
        let (mut new_links, mut changes, mut settled) = (Vec::new(), Vec::<Change>::new(), Vec::new());
        for (item, fate) in self.items.iter().zip(fates) {
            settled.push(match fate {
                Fate::Skip(why) => skipped(item, why),
                Fate::Link(link) => {
                    new_links.push(link);
                    done(item, ItemState::Applied, None)
                }
                Fate::Send { change, link } => {
                    changes.push(*change);
                    new_links.extend(link);
                    done(item, ItemState::Sent, Some(last + changes.len() as u64))
                }
            });
        }
        self.set_links(conn, &new_links)?;
        outbox::append(conn, &self.tenant, last, &mut changes, self.now)?;
        runs::settle(conn, &self.run.id, &settled)?;
        let published = last + changes.len() as u64;
        let progress = self.run.done.saturating_add(self.items.len() as u64);
        let update = Update {
            done: progress,
            last_version: Some(if changes.is_empty() { self.run.last_version } else { published }),
            ..Update::new(RunState::Applying, Step::Apply, to_do(&self.run.counts))
        };
        let is_ours = runs::update(conn, &self.lease, &update, self.now)?;
        fail::fail_point!("synchronizer.slice_before_commit");
        Ok(is_ours.then_some(update))
    }

    fn fates(&self, conn: &mut Connection) -> database::Result<Vec<Fate>> {
        let place = (&self.tenant, &self.destination);
        let judge = Judge::open(conn, place, &self.items, &self.rows, self.now, self.is_behind)?;
        if self.run.kind == RunKind::Undo {
            return undo::fates(conn, &judge, &self.items, &self.employee_number);
        }
        Ok(self.items.iter().map(|item| judge.fate(item)).collect())
    }

    /// What stood for a row only, and who has gone, gives way to who has it now.
    fn set_links(&self, conn: &mut Connection, new: &[Link]) -> database::Result<()> {
        let once: BTreeMap<&EntityKey, &Link> = new.iter().map(|link| (&link.entity, link)).collect();
        let new: Vec<Link> = once.into_values().cloned().collect();
        for kind in [EntityKind::Department, EntityKind::Member] {
            let rows: Vec<String> =
                new.iter().filter(|link| link.entity.kind == kind).map(|link| link.core_id.clone()).collect();
            let former = links::of_rows(conn, &self.tenant, &self.destination, kind, &rows)?;
            let former: Vec<EntityKey> = former.into_iter().map(|link| link.entity).collect();
            links::remove(conn, &self.tenant, &self.destination, &former)?;
        }
        links::set(conn, &self.tenant, &self.destination, &new)
    }
}

fn done(item: &PlanItem, state: ItemState, version: Option<u64>) -> Settled {
    Settled { seq: item.planned.seq, state, version, note: None }
}

fn skipped(item: &PlanItem, why: &str) -> Settled {
    Settled { seq: item.planned.seq, state: ItemState::Skipped, version: None, note: Some(why.to_owned()) }
}
