//! From a comparison to a plan that is kept, and what the brake says of it.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use common::{DestinationId, EntityKind};
use database::Connection;
use directory::plan::{Action, Brake, Counts, Excess, Item, Plan, Verdict};
use store::runs::{self, ItemState, NewItem, RunState, Step, Update, Wanted};

use super::{
    image,
    products::Core,
    renames,
    sides::{self, Images, Rules},
    work::{Next, Trouble, Work},
};

/// Items whose rows are looked at and that are kept at once.
const PAGE: usize = 500;

/// Rows: where, of which kind, and their ids.
pub(super) type Rows = BTreeSet<(DestinationId, EntityKind, String)>;

/// What the comparison with all products came to.
pub(super) struct Kept {
    /// The place of the last item.
    pub(super) seq: u64,
    pub(super) counts: Counts,
    /// Both sides were whole.
    pub(super) is_complete: bool,
    /// Of which version the mirror was.
    pub(super) version: u64,
    /// What the brake does not let pass.
    excesses: Vec<(DestinationId, Excess)>,
}

impl Work {
    /// Compares the mirror with each product, and keeps what is to be done. What was kept before a crash is made anew.
    pub(super) async fn plan(&mut self) -> Result<Next, Trouble> {
        self.forget_items().await?;
        let kept = self.compare(0, None).await?;
        fail::fail_point!("synchronizer.kept_before_planned");
        let planned = Update {
            counts: Some(kept.counts),
            complete: Some(kept.is_complete),
            mirror_version: Some(kept.version),
            ..self.planned(kept.seq, &kept.excesses)
        };
        self.record(planned).await?;
        fail::fail_point!("synchronizer.planned_before_apply");
        self.reload().await?;
        self.is_looked_at = true;
        Ok(if self.run.state == RunState::Applying { Next::Again } else { Next::Over })
    }

    /// Compares the mirror with each product, and keeps what is to be done behind the place `seq`. With `removals`, nothing else is
    /// removed.
    pub(super) async fn compare(&mut self, seq: u64, removals: Option<&Rows>) -> Result<Kept, Trouble> {
        let rules = Rules {
            is_complete: self.run.is_complete,
            now: self.now(),
            delete_after_seconds: self.parts.config.delete_after_seconds,
        };
        let mut kept =
            Kept { seq, counts: Counts::default(), is_complete: true, version: u64::MAX, excesses: Vec::new() };
        let cores = self.cores().await?;
        for core in cores.iter() {
            self.follow_renames(core).await?;
            let compared = sides::compare(&self.parts.context.database, &self.tenant.file, core, rules).await?;
            let plan = &compared.plan;
            let items = match removals {
                None => Cow::Borrowed(plan.items()),
                Some(removals) => Cow::Owned(without_others(plan.items(), &core.id, removals)),
            };
            items.iter().for_each(|item| add(&mut kept.counts, item.action));
            kept.is_complete &= plan.is_complete();
            kept.version = kept.version.min(compared.version);
            if let Verdict::Quarantine { why } = self.brake().verdict(plan.removals(), plan.live()) {
                kept.excesses.extend(why.into_iter().map(|excess| (core.id.clone(), excess)));
            }
            kept.seq = self.keep(core, plan, &items, kept.seq).await?;
        }
        if kept.version == u64::MAX {
            kept.version = 0;
        }
        self.compared = Some(Arc::new(cores.iter().map(|core| core.id.clone()).collect()));
        Ok(kept)
    }

    /// What a product that collects is not told of, the comparison is to know.
    async fn follow_renames(&self, core: &Core) -> Result<(), Trouble> {
        let (tenant, id) = (self.run.tenant.clone(), core.id.clone());
        let follow = move |conn: &mut Connection| renames::follow(conn, &tenant, &id);
        Ok(self.parts.context.database.write("runs.renames", follow).await?)
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

    /// Keeps items of a plan behind a place; returns the place of the last one.
    async fn keep(&self, core: &Core, plan: &Plan, items: &[Item], mut seq: u64) -> Result<u64, Trouble> {
        for page in items.chunks(PAGE) {
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

fn add(counts: &mut Counts, action: Action) {
    let count = match action {
        Action::Link => &mut counts.link,
        Action::Create => &mut counts.create,
        Action::Update => &mut counts.update,
        Action::Disable => &mut counts.disable,
        Action::Delete => &mut counts.delete,
        Action::Unsure => &mut counts.unsure,
        Action::Impossible => &mut counts.impossible,
    };
    *count = count.saturating_add(1);
}

/// The items without the removal of other rows than these. If another one stays, so do all departments: it may be in them.
fn without_others(items: &[Item], destination: &DestinationId, removals: &Rows) -> Vec<Item> {
    let removes = |item: &Item| matches!(item.action, Action::Disable | Action::Delete);
    let is_among = |item: &Item| {
        let row = item.core_id.as_deref().map(|id| (destination.clone(), item.kind, id.to_owned()));
        row.is_some_and(|row| removals.contains(&row))
    };
    let all_go = items.iter().filter(|item| removes(item)).all(is_among);
    let goes = |item: &Item| is_among(item) && (all_go || item.kind != EntityKind::Department);
    items.iter().filter(|item| !removes(item) || goes(item)).cloned().collect()
}
