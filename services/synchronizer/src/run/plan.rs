//! From a comparison to a plan that is kept, and what the brake says of it.

use common::DestinationId;
use database::Connection;
use directory::plan::{Action, Brake, Counts, Excess, Item, Plan, Verdict};
use store::runs::{self, ItemState, NewItem, RunState, Step, Update, Wanted};

use super::{
    image,
    products::Core,
    sides::{self, Images, Rules},
    work::{Next, Trouble, Work},
};

/// Items whose rows are looked at and that are kept at once.
const PAGE: usize = 500;

impl Work {
    /// Compares the mirror with each product, and keeps what is to be done. What was kept before a crash is made anew.
    pub(super) async fn plan(&mut self) -> Result<Next, Trouble> {
        self.forget_items().await?;
        let rules = Rules {
            is_complete: self.run.is_complete,
            now: self.now(),
            delete_after_seconds: self.parts.config.delete_after_seconds,
        };
        let (mut counts, mut is_complete, mut excesses) = (Counts::default(), true, Vec::new());
        let (mut seq, mut version) = (0, u64::MAX);
        let cores = self.cores().await?;
        for core in cores.iter() {
            let compared = sides::compare(&self.parts.context.database, &self.tenant.file, core, rules).await?;
            counts = plus(counts, compared.plan.counts());
            is_complete &= compared.plan.is_complete();
            version = version.min(compared.version);
            if let Verdict::Quarantine { why } = self.brake().verdict(compared.plan.removals(), compared.plan.live()) {
                excesses.extend(why.into_iter().map(|excess| (core.id.clone(), excess)));
            }
            seq = self.keep(core, &compared.plan, seq).await?;
        }
        let complete = Some(is_complete);
        let mirror_version = Some(if version == u64::MAX { 0 } else { version });
        let planned = Update { counts: Some(counts), complete, mirror_version, ..self.planned(seq, &excesses) };
        self.record(planned).await?;
        self.reload().await?;
        Ok(if self.run.state == RunState::Applying { Next::Again } else { Next::Over })
    }

    pub(super) async fn forget_items(&self) -> Result<(), Trouble> {
        let lease = self.lease.clone();
        let clear = move |conn: &mut Connection| -> database::Result<bool> {
            let is_ours = runs::holds(conn, &lease)?;
            if is_ours {
                runs::clear_items(conn, &lease.run)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.parts.context.database.write("runs.clear", clear).await?;
        if is_ours { Ok(()) } else { Err(Trouble::LeaseLost) }
    }

    /// Keeps the items of a plan after those that are kept; returns how many there are then.
    async fn keep(&self, core: &Core, plan: &Plan, mut seq: u64) -> Result<u64, Trouble> {
        for page in plan.items().chunks(PAGE) {
            let images = Images::of(&self.parts.context.database, &self.run.tenant, core, plan, page).await?;
            let mut new = Vec::with_capacity(page.len());
            for (item, (before, after)) in page.iter().zip(images.into_pairs()) {
                seq += 1;
                new.push(NewItem {
                    seq,
                    destination: core.id.clone(),
                    item: item.clone(),
                    before: before.as_ref().and_then(image::to_text),
                    after: after.as_ref().and_then(image::to_text),
                    state: first_state(item),
                });
            }
            self.insert(new).await?;
        }
        Ok(seq)
    }

    pub(super) async fn insert(&self, new: Vec<NewItem>) -> Result<(), Trouble> {
        let lease = self.lease.clone();
        let insert = move |conn: &mut Connection| -> database::Result<bool> {
            let is_ours = runs::holds(conn, &lease)?;
            if is_ours {
                runs::insert_items(conn, &lease.run, &new)?;
            }
            Ok(is_ours)
        };
        let is_ours = self.parts.context.database.write("runs.keep", insert).await?;
        if is_ours { Ok(()) } else { Err(Trouble::LeaseLost) }
    }

    /// Where a run goes from its plan. Nobody is asked about a plan that removes nothing out of the ordinary.
    fn planned(&self, items: u64, excesses: &[(DestinationId, Excess)]) -> Update {
        if !excesses.is_empty() {
            let told: Vec<String> = excesses.iter().map(|(id, excess)| format!("{id}: {excess}")).collect();
            let why = Some(format!("it would remove {}", told.join(", ")));
            return Update { why, done: items, ..Update::new(RunState::Quarantined, Step::Ready, items) };
        }
        match self.run.wanted {
            Wanted::Plan => Update { done: items, ..Update::new(RunState::Planned, Step::Ready, items) },
            Wanted::Apply => Update::new(RunState::Applying, Step::Apply, items),
        }
    }

    fn brake(&self) -> Brake {
        let config = &self.parts.config;
        Brake { share: config.brake_share, count: config.brake_count, max: config.brake_max }
    }
}

/// Nothing is done about what a person must decide.
const fn first_state(item: &Item) -> ItemState {
    match item.action {
        Action::Unsure | Action::Impossible => ItemState::Skipped,
        _ => ItemState::Pending,
    }
}

const fn plus(one: Counts, other: Counts) -> Counts {
    Counts {
        link: one.link + other.link,
        create: one.create + other.create,
        update: one.update + other.update,
        disable: one.disable + other.disable,
        delete: one.delete + other.delete,
        unsure: one.unsure + other.unsure,
        impossible: one.impossible + other.impossible,
    }
}
