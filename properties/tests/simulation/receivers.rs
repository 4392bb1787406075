//! The destinations: a core with tables and an OA that gets messages. Both are strict: what should never have been sent they note.

mod link;
mod oa;
mod product;
mod relay;
mod shown;
mod tables;

use std::{collections::BTreeMap, sync::Arc};

use common::{Change, EntityKey, EntityKind};
use destinations::{BuildError, Destination};
use platform_sim::Snapshot;
use service::{Tenant, tenant::DestinationFile};
use sink::Build;
use tokio::time::Instant;

use self::{link::Link, oa::Oa, product::Core, relay::ToOa, tables::ToCore};
use crate::{
    faults::Kind,
    life::Life,
    world::{State, World},
};

pub(crate) use link::REQUEST_TIMEOUT;

/// Which destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    Core,
    Oa,
}

/// What they have, and their moods.
#[derive(Default)]
pub(crate) struct Receivers {
    core: Core,
    oa: Oa,
    /// Until when one does not answer.
    away: BTreeMap<Which, Instant>,
    /// How often an entity is still refused.
    refusals: BTreeMap<(Which, EntityKey), usize>,
    /// Changes of departments that the OA was told of.
    departments_told: usize,
    /// A department that the OA never takes while things go wrong.
    cursed: Option<EntityKey>,
}

impl Receivers {
    pub(crate) fn go_away(&mut self, which: Which, until: Instant) {
        let end = self.away.entry(which).or_insert(until);
        *end = (*end).max(until);
    }

    pub(crate) fn calm_down(&mut self) {
        self.away.clear();
        self.refusals.clear();
    }

    fn is_away(&self, which: Which) -> bool {
        self.away.get(&which).is_some_and(|until| Instant::now() < *until)
    }

    /// What a destination shows in the end.
    pub(crate) fn shown(&self, which: Which) -> Snapshot {
        match which {
            Which::Core => shown::snapshot(self.core.entities()),
            Which::Oa => shown::snapshot(self.oa.entities()),
        }
    }

    pub(crate) const fn oa(&self) -> &Oa {
        &self.oa
    }
}

impl State {
    /// Whether a change is answered with 500, this time. Now and then a destination begins to refuse an entity for a while.
    fn refuses(&mut self, which: Which, change: &Change, once_in: usize) -> bool {
        let name = (which, change.entity.clone());
        if self.happens(Kind::ChangeRefused, once_in) {
            // So often that it is held, too.
            let times = self.dice.between(1, 5);
            self.receivers.refusals.insert(name.clone(), times);
        }
        let Some(left) = self.receivers.refusals.get_mut(&name) else { return false };
        *left -= 1;
        if *left == 0 {
            self.receivers.refusals.remove(&name);
        }
        true
    }

    /// Whether a change is of the department that the OA never takes: that of the `nth` change of one; 0: there is none.
    fn is_cursed(&mut self, change: &Change, nth: usize) -> bool {
        if nth == 0 || self.is_calm || change.kind() != EntityKind::Department || change.entity.is_root() {
            return false;
        }
        if self.receivers.cursed.is_none() {
            self.receivers.departments_told += 1;
            self.receivers.cursed = (self.receivers.departments_told == nth).then(|| change.entity.clone());
        }
        let is_cursed = self.receivers.cursed.as_ref() == Some(&change.entity);
        if is_cursed {
            self.happened(Kind::ChangeRefused);
        }
        is_cursed
    }
}

/// Makes the destinations of one process.
pub(crate) struct Builder {
    world: Arc<World>,
    life: Arc<Life>,
}

impl Builder {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life) }
    }
}

impl Build for Builder {
    fn build(&self, _: &Tenant, file: &DestinationFile) -> Result<Destination, BuildError> {
        let link = |which| Link::new(&self.world, &self.life, which);
        Ok(match file.id.as_str() {
            "core" => Destination::Batch(Box::new(ToCore::new(link(Which::Core)))),
            _ => Destination::Messages(Box::new(ToOa::new(link(Which::Oa)))),
        })
    }
}
