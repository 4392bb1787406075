//! How a sink reaches the core: many changes in one transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use common::{Change, EntityKey, EntityKind};
use destinations::{Batch, Links, Outcome, Unavailable};

use super::{
    Which,
    link::{Fate, Link},
};
use crate::world::{State, Violation};

/// See the module.
pub(super) struct ToCore(Link);

impl ToCore {
    pub(super) const fn new(link: Link) -> Self {
        Self(link)
    }

    /// What arrives of a batch, and what is answered.
    fn deliver(&self, batch: &[Change]) -> (Fate, Vec<Outcome>) {
        let world = &self.0.world;
        let mut guard = world.state();
        let state = &mut *guard;
        let is_known = batch.first().is_some_and(|first| state.receivers.core.has(first));
        let fate = Fate::draw(state, world, Which::Core, is_known);
        let outcomes = if fate.arrives() { self.apply_all(state, batch) } else { Vec::new() };
        (fate, outcomes)
    }

    fn apply_all(&self, state: &mut State, batch: &[Change]) -> Vec<Outcome> {
        let mut refused: BTreeSet<EntityKey> = BTreeSet::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for change in batch {
            let (outcome, said) = self.apply_one(state, change, &refused);
            if outcome != Outcome::Applied {
                refused.insert(change.entity.clone());
            }
            state.trace.note(self.0.who(), "core", &format!("{} {} {said}", change.version, change.entity));
            outcomes.push(outcome);
        }
        outcomes
    }

    fn apply_one(&self, state: &mut State, change: &Change, refused: &BTreeSet<EntityKey>) -> (Outcome, &'static str) {
        if state.receivers.core.has(change) {
            state.receivers.core.forget_former(change);
            return (Outcome::Applied, "known");
        }
        if state.refuses(Which::Core, change, self.0.world.habits.refuses) {
            return (Outcome::Retry { reason: "500".to_owned(), after: None }, "refused");
        }
        match state.receivers.core.take(change, refused) {
            Ok(Outcome::Applied) => (Outcome::Applied, "taken"),
            Ok(other) => (other, "missing"),
            Err(why) => {
                state.violated(Violation::TooEarly(format!("core: version {}: {why}", change.version)));
                (Outcome::Missing { what: None }, "wrong")
            }
        }
    }
}

#[async_trait]
impl Batch for ToCore {
    fn takes(&self, change: &Change) -> bool {
        change.kind() != EntityKind::Callback
    }

    async fn prepare(&self, _links: &Links) -> Result<(), Unavailable> {
        self.0.ask("core.prepare").await
    }

    async fn apply(&self, batch: &[Change], _links: &Links) -> Result<Vec<Outcome>, Unavailable> {
        self.0.reach("core.apply").await?;
        let (fate, outcomes) = self.deliver(batch);
        self.0.answer("core.apply", fate).await?;
        Ok(outcomes)
    }

    async fn probe(&self) -> Result<(), Unavailable> {
        self.0.ask("core.probe").await
    }

    async fn highest_version(&self) -> Result<u64, Unavailable> {
        Ok(0)
    }
}
