//! The synchronizer: started, cut off, started again.

use std::{pin::pin, sync::Arc, time::Duration};

use broker::Lane;
use common::Backoff;
use service::{Context, Parts, config::SynchronizerConfig};
use synchronizer::{Steps, Synchronizer, Timing};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use crate::{door::Door, doorman::Doorman, faults::Kind, mailbox::Mailbox, world::World};

/// Pieces of work of a look, about: it is cut off after some of them.
const PIECES: usize = 40;
/// When so often nothing has moved, nobody can go on before time passes.
const QUIET: u32 = 64;
/// When so often nothing has moved, a call that seems to be on its way never was.
const LOST: u32 = 20_000;
/// So much time passes then.
const NAP: Duration = Duration::from_millis(500);
/// Nobody sleeps for longer: he would never wake.
const MOST_NAPS: u32 = 10_000;

/// One after the other, the processes of a run.
pub(crate) struct Process {
    world: Arc<World>,
    http: outbound::Client,
    starts: u64,
    running: Running,
}

/// The one that runs.
struct Running {
    context: Context,
    door: Arc<Door>,
    steps: Steps,
}

impl Process {
    pub(crate) async fn start(world: &Arc<World>, http: &outbound::Client) -> Self {
        let running = Running::start(world, http, 0).await;
        Self { world: Arc::clone(world), http: http.clone(), starts: 0, running }
    }

    /// One look at everything. If it is cut off, another process goes on.
    pub(crate) async fn look(&mut self) {
        let is_to_be_cut = {
            let mut state = self.world.state();
            let cut = [Kind::CutOff, Kind::CutOffAfterCommit].into_iter().find(|kind| state.strikes(*kind));
            cut.map(|kind| (state.dice.below(PIECES), kind == Kind::CutOffAfterCommit))
        };
        if let Some((left, is_committed)) = is_to_be_cut {
            self.running.door.cut_after(left, is_committed);
        }
        let looked = drive(&self.world, Box::pin(self.running.steps.once())).await;
        self.world.note("synchronizer", "looks", if looked.is_ok() { "" } else { "in vain" });
        if self.running.door.is_cut_off() {
            self.starts += 1;
            self.world.note("synchronizer", "starts", "again");
            self.running.context.stop.cancel();
            self.running = Running::start(&self.world, &self.http, self.starts).await;
        }
        self.running.door.spare();
    }

    pub(crate) fn stop(&self) {
        self.running.context.stop.cancel();
    }
}

impl Running {
    async fn start(world: &Arc<World>, http: &outbound::Client, number: u64) -> Self {
        let door = Arc::new(Door::default());
        let parts = Parts {
            database: world.tables.clone().with_faults(door.clone()),
            broker: Arc::new(Mailbox(Arc::clone(world))),
            clock: world.clocks.clone(),
            sealer: world.sealer.clone(),
            stop: CancellationToken::new(),
            instance: format!("synchronizer-{number}"),
            needs_database: true,
        };
        let context = Context::assemble(parts).await.unwrap();
        let timing = Timing {
            compared: world.habits.compared_at_once,
            round: world.habits.asked_at_once,
            backoff: Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(20) },
            ..Timing::default()
        };
        let (config, lanes) = (SynchronizerConfig::default(), vec![Lane::shared()]);
        let governor = Arc::new(Doorman(Arc::clone(world)));
        let synchronizer = Synchronizer::new(config, lanes, context.clone(), http.clone(), governor)
            .with_timing(timing)
            .with_products(Arc::new(world.product.opener()));
        Self { context, door, steps: synchronizer.steps().unwrap() }
    }
}

/// Carries work to its end. When nobody can go on before time passes, it passes.
async fn drive<T>(world: &World, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let (mut seen, mut quiet, mut naps) = (world.calls.moves(), 0, 0);
    loop {
        tokio::select! {
            biased;
            done = work.as_mut() => return done,
            () = yield_now() => {}
        }
        let moves = world.calls.moves();
        quiet = if moves == seen { quiet + 1 } else { 0 };
        seen = moves;
        if quiet == LOST {
            world.calls.end();
        } else if quiet > 0 && quiet % QUIET == 0 && !world.calls.is_open() {
            naps += 1;
            assert!(naps < MOST_NAPS, "the synchronizer waits for nothing");
            world.pass(NAP).await;
        }
    }
}
