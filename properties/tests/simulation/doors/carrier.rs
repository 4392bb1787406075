//! Between the queue and whoever takes its messages.

use std::{future::pending, sync::Arc, time::Duration};

use async_trait::async_trait;
use broker::{Delivery, Failure, Handler};
use common::Hop;
use tokio::{sync::Notify, time::sleep};

use crate::{
    faults::Kind,
    life::{Life, Side},
    world::World,
};

/// Carries batches to the handler of one consumer.
pub(crate) struct Carrier {
    world: Arc<World>,
    life: Arc<Life>,
    hop: Hop,
    handler: Arc<dyn Handler>,
    cut: Arc<Notify>,
}

/// What becomes of a batch beside being handled.
struct Fate {
    /// Somebody else has it too.
    is_shared: bool,
    /// The consumer is cut off after so long, done or not.
    cut_after: Option<Duration>,
    /// It comes again after so long.
    again_after: Option<Duration>,
    /// The queue does not hear that it is handled.
    is_unacknowledged: bool,
}

impl Carrier {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>, hop: Hop, handler: Arc<dyn Handler>) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life), hop, handler, cut: Arc::default() }
    }

    /// Waits until the consumer is to be cut off.
    pub(crate) async fn cut(&self) {
        self.cut.notified().await;
    }

    pub(crate) fn could_be_instead_of(&self, other: &Self) -> bool {
        self.hop == other.hop && self.life.name != other.life.name && !self.life.is_over()
    }

    const fn what(&self) -> &'static str {
        match self.hop {
            Hop::Events => "handle.events",
            Hop::Changes => "handle.changes",
        }
    }

    async fn pass(&self, side: Side) {
        if !self.world.passes(&self.life, self.what(), side) {
            pending::<()>().await;
        }
    }

    fn fate(&self) -> Fate {
        let habits = &self.world.habits;
        let mut state = self.world.state();
        let is_shared = state.happens(Kind::Overlapped, habits.overlaps);
        let is_cut = state.happens(Kind::HandedOver, habits.hands_over);
        let comes_again = state.happens(Kind::Redelivered, habits.redelivers);
        let is_unacknowledged = state.happens(Kind::AcknowledgementLost, habits.acknowledgement_is_lost);
        let mut within = |most: usize| Duration::from_millis(state.dice.between(0, most) as u64);
        Fate {
            is_shared,
            cut_after: is_cut.then(|| within(30)),
            again_after: comes_again.then(|| within(1500)),
            is_unacknowledged,
        }
    }

    /// Hands a copy of a batch to a handler, now or later, as a process that has it in hand too.
    fn hand_copy(&self, batch: &[Delivery], to: (Arc<dyn Handler>, Arc<Life>), after: Duration) {
        let mut copy = batch.to_vec();
        copy.iter_mut().for_each(|delivery| delivery.redelivered = true);
        let (world, what, (handler, life)) = (Arc::clone(&self.world), self.what(), to);
        tokio::spawn(async move {
            sleep(after).await;
            if !life.is_over() {
                let is_taken = handler.handle(&copy).await.is_ok();
                world.note(&life.name, what, if is_taken { "copy taken" } else { "copy not taken" });
            }
        });
    }

    fn itself(&self) -> (Arc<dyn Handler>, Arc<Life>) {
        (Arc::clone(&self.handler), Arc::clone(&self.life))
    }

    fn cut_off(&self, after: Duration) {
        let cut = Arc::clone(&self.cut);
        tokio::spawn(async move {
            sleep(after).await;
            cut.notify_one();
        });
    }
}

#[async_trait]
impl Handler for Carrier {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        self.pass(Side::Before).await;
        let fate = self.fate();
        if fate.is_shared
            && let Some(other) = self.world.other_than(self)
        {
            self.hand_copy(batch, other.itself(), Duration::ZERO);
        }
        if let Some(after) = fate.cut_after {
            self.cut_off(after);
        }
        if let Some(bug) = self.world.bug {
            bug.at_hand_out(&self.world, self.hop);
        }
        let mut handled = self.handler.handle(batch).await;
        if let Some(bug) = self.world.bug {
            handled = bug.handled(&self.world, self.hop, batch, handled);
        }
        if handled.is_ok() {
            if let Some(after) = fate.again_after {
                self.hand_copy(batch, self.itself(), after);
            }
            if fate.is_unacknowledged {
                self.cut.notify_one();
                pending::<()>().await;
            }
        }
        self.pass(Side::After).await;
        handled
    }

    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.handler.bury(delivery).await
    }
}
