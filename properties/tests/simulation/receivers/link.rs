//! The line from a process to a destination.

use std::{future::pending, sync::Arc, time::Duration};

use destinations::Unavailable;
use tokio::time::sleep;

use super::Which;
use crate::{
    faults::Kind,
    life::{Life, Side},
    world::{State, World},
};

/// How long a request may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a destination takes at most when nothing is wrong.
const SLOWEST_MILLIS: usize = 20;

/// See the module.
pub(crate) struct Link {
    pub(super) world: Arc<World>,
    life: Arc<Life>,
    which: Which,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// The destination took it, and the line was cut.
    Unheard,
    /// The destination took it, and did not answer in time.
    Late,
    /// It never arrived, which is found out when the time is up.
    Swallowed,
}

impl Fate {
    /// What a destination has already it answers at once: who is unsure for long holds a change back as if it were not there.
    pub(super) fn draw(state: &mut State, world: &World, which: Which, is_known: bool) -> Self {
        let habits = &world.habits;
        let fate = if is_known {
            Self::Answered
        } else if state.happens(Kind::AnswerLost, habits.answer_is_lost) {
            Self::Unheard
        } else if state.happens(Kind::DestinationHung, habits.hangs) {
            if state.dice.once_in(2) { Self::Late } else { Self::Swallowed }
        } else {
            Self::Answered
        };
        if matches!(fate, Self::Unheard | Self::Late) && which == Which::Oa {
            state.excuses += 1;
        }
        fate
    }

    pub(super) const fn arrives(self) -> bool {
        !matches!(self, Self::Swallowed)
    }
}

impl Link {
    pub(super) fn new(world: &Arc<World>, life: &Arc<Life>, which: Which) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life), which }
    }

    pub(super) fn who(&self) -> &str {
        &self.life.name
    }

    async fn pass(&self, what: &str, side: Side) {
        if !self.world.passes(&self.life, what, side) {
            pending::<()>().await;
        }
    }

    /// Connects. What is sent then arrives at this moment or never.
    pub(super) async fn reach(&self, what: &str) -> Result<(), Unavailable> {
        self.pass(what, Side::Before).await;
        if self.world.state().receivers.is_away(self.which) {
            self.world.note(self.who(), what, "connection refused");
            return Err(Unavailable::new("connection refused"));
        }
        Ok(())
    }

    /// Waits for the answer.
    pub(super) async fn answer(&self, what: &str, fate: Fate) -> Result<(), Unavailable> {
        self.pass(what, Side::After).await;
        match fate {
            Fate::Answered => {
                let millis = self.slowness();
                if millis > 0 {
                    sleep(Duration::from_millis(millis)).await;
                }
                Ok(())
            }
            Fate::Unheard => Err(Unavailable::new("connection reset")),
            Fate::Late | Fate::Swallowed => {
                sleep(REQUEST_TIMEOUT).await;
                Err(Unavailable::new("no answer in time"))
            }
        }
    }

    fn slowness(&self) -> u64 {
        let mut state = self.world.state();
        if state.dice.once_in(4) { state.dice.between(1, SLOWEST_MILLIS) as u64 } else { 0 }
    }

    /// Asks whether it is there, which it answers at once: it is asked between a look at the lease and what is done under it.
    pub(super) async fn ask(&self, what: &str) -> Result<(), Unavailable> {
        self.reach(what).await?;
        self.pass(what, Side::After).await;
        Ok(())
    }
}
