//! The embedded queue's door to its own database.

use std::{sync::Arc, time::Duration};

use database::{Fault, Faults};

use crate::{faults::Kind, life::Side, world::World};

const SLOWEST_MILLIS: usize = 60;

/// See the module.
pub(crate) struct QueueStoreDoor(Arc<World>);

impl QueueStoreDoor {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self(Arc::clone(world))
    }

    fn fault(&self, what: &str, side: Side) -> Fault {
        let habits = &self.0.habits;
        let mut state = self.0.state();
        state.trace.note("queue", what, side.as_str());
        let fails = match side {
            Side::Before => state.happens(Kind::QueueStoreFailed, habits.queue_fails),
            Side::After => state.happens(Kind::QueueCommitAnswerLost, habits.queue_answer_is_lost),
        };
        if fails {
            Fault::Fail
        } else if state.happens(Kind::StoreSlow, habits.store_is_slow * 2) {
            Fault::Delay(Duration::from_millis(state.dice.between(1, SLOWEST_MILLIS) as u64))
        } else {
            Fault::None
        }
    }
}

impl Faults for QueueStoreDoor {
    fn before(&self, what: &'static str) -> Fault {
        self.fault(what, Side::Before)
    }

    fn after(&self, what: &'static str) -> Fault {
        self.fault(what, Side::After)
    }
}
