//! The door to our database.

use std::{sync::Arc, time::Duration};

use database::{Fault, Faults};

use crate::{
    faults::Kind,
    life::{Life, Role, Side},
    world::{World, is_only_a_look},
};

/// Longer than that nothing takes: a sink's lease must not run out meanwhile.
const SLOWEST_MILLIS: usize = 150;
/// Reads that find nothing fail more seldom.
const LOOKS_FAIL_LESS: usize = 8;

/// See the module.
pub(crate) struct StoreDoor {
    world: Arc<World>,
    life: Arc<Life>,
}

impl StoreDoor {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life) }
    }

    fn fault(&self, what: &str, side: Side) -> Fault {
        let habits = &self.world.habits;
        let rarity = if is_only_a_look(what) { LOOKS_FAIL_LESS } else { 1 };
        let mut state = self.world.state();
        let fails = match side {
            Side::Before => state.happens(Kind::StoreFailed, habits.store_fails * rarity),
            Side::After => state.happens(Kind::CommitAnswerLost, habits.commit_answer_is_lost * rarity),
        };
        if fails {
            // What a sink sent is not noted then, or it does not know that it is.
            state.excuses += u64::from(self.life.role == Role::Sink);
            return Fault::Fail;
        }
        if !is_under_a_lease(what, side) && state.happens(Kind::StoreSlow, habits.store_is_slow * rarity) {
            return Fault::Delay(Duration::from_millis(state.dice.between(1, SLOWEST_MILLIS) as u64));
        }
        Fault::None
    }
}

/// Between a look at the lease and the sending no time passes, or a clock that jumps just then would make two senders: so much a
/// lease must be trusted.
fn is_under_a_lease(what: &str, side: Side) -> bool {
    match what {
        "sink.lease" => side == Side::After,
        "sink.held" | "sink.outbox" | "sink.overdue" => true,
        _ => false,
    }
}

impl Faults for StoreDoor {
    fn before(&self, what: &'static str) -> Fault {
        if let Some(bug) = self.world.bug {
            bug.before(&self.world, what);
        }
        if !self.world.passes(&self.life, what, Side::Before) {
            return Fault::Hang;
        }
        // On SQLite a sink that starts frees all leases, since nobody else can be there. Here somebody is.
        if what == "sink.start" { Fault::Fail } else { self.fault(what, Side::Before) }
    }

    fn after(&self, what: &'static str) -> Fault {
        if let Some(bug) = self.world.bug {
            bug.after(&self.world, what);
        }
        if self.world.passes(&self.life, what, Side::After) { self.fault(what, Side::After) } else { Fault::Hang }
    }
}
