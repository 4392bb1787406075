//! Who lets calls through to the platform: one at a time, so that those that are made at once come in the same order in each run of a
//! seed. Before each the rest of the world goes on.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::UnixMillis;
use outbound::{Allowance, Closed, Governor, Spend, Urgency};
use tokio::sync::Semaphore;

use crate::{courier, resolving, world::World};

/// Between two calls the resolver, or the courier, does something once in so many times.
const RESOLVES: usize = 4;
const DELIVERS: usize = 8;
/// Between two calls some time passes, up to so much.
const MOST_MILLIS: usize = 400;

/// The call that is on its way, if there is one.
pub(crate) struct Calls {
    turn: Semaphore,
    is_open: AtomicBool,
    moves: AtomicU64,
}

impl Default for Calls {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), is_open: AtomicBool::new(false), moves: AtomicU64::new(0) }
    }
}

impl Calls {
    /// Waits for its turn; from then on a call is on its way.
    async fn begin(&self) {
        self.turn.acquire().await.unwrap().forget();
        self.is_open.store(true, Ordering::Relaxed);
        self.moved();
    }

    /// It is answered, or nobody waits for it any more.
    pub(crate) fn end(&self) {
        if self.is_open.swap(false, Ordering::Relaxed) {
            self.turn.add_permits(1);
        }
        self.moved();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Something happened to a call.
    pub(crate) fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that is another one after each move.
    pub(crate) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }
}

/// See the module.
pub(crate) struct Doorman(pub(crate) Arc<World>);

impl fmt::Debug for Doorman {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorman").finish_non_exhaustive()
    }
}

#[async_trait]
impl Governor for Doorman {
    async fn admit(&self, _spends: &[Spend], _urgency: Urgency) -> Result<(), Closed> {
        self.0.calls.begin().await;
        the_world_goes_on(&self.0).await;
        self.0.calls.moved();
        Ok(())
    }

    async fn refused(&self, _of: &Allowance, _refuses_for: Duration) {}

    async fn done_by(&self, _spends: &[Spend], _calls: u64) -> Option<UnixMillis> {
        None
    }
}

async fn the_world_goes_on(world: &World) {
    let (lives, resolves, delivers) = {
        let mut state = world.state();
        (state.chance(world.habits.lives_meanwhile), state.chance(RESOLVES), state.chance(DELIVERS))
    };
    world.pass_up_to(MOST_MILLIS).await;
    if lives {
        world.live().await;
    }
    if resolves {
        resolving::take_what_arrived(world).await;
    }
    if delivers {
        courier::deliver(world).await;
    }
}
