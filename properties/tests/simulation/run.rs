//! One run, from its seed to what came of it.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    time::{Instant, sleep},
};

use crate::{
    bugs::Bug,
    dice::Dice,
    faults::{Counts, Kind},
    life::{Role, SLOTS, role_of},
    oracle,
    plan::{Disturbance, Plan},
    platform,
    process::{Front, keep_running},
    receivers::Which,
    site::Site,
    stores::Stores,
    world::{Violation, World},
};

/// How often it is looked whether everything is done.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// When nothing goes wrong any more everything is done within this.
const DONE_WITHIN: Duration = Duration::from_secs(60);

/// What tasks of a run share. The parts know each other in one direction only, so that nothing is left when they end.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) world: Arc<World>,
    pub(crate) site: Arc<Site>,
    pub(crate) front: Arc<Front>,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) events: usize,
    pub(crate) counts: Counts,
    pub(crate) violations: Vec<Violation>,
    /// Messages at the OA, and how many of them came again.
    pub(crate) messages: usize,
    pub(crate) repeats: u64,
    /// The same for the same run.
    pub(crate) trace: u64,
    pub(crate) steps: u64,
    pub(crate) millis: u64,
}

/// Runs a seed.
pub(crate) fn run(stores: &Stores, seed: u64, bug: Option<Bug>, is_shown: bool) -> Report {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(Box::pin(simulate(stores, seed, bug, is_shown)))
}

async fn simulate(stores: &Stores, seed: u64, bug: Option<Bug>, is_shown: bool) -> Report {
    let (plan, dice) = Plan::draw(seed);
    stores.begin().await;
    let world = World::new(stores, &plan, dice, bug, is_shown);
    let scene = Scene { site: Site::open(&world), front: Arc::default(), world };
    begin(&scene, &plan, seed);
    match wait_until_done(&scene, plan.calm_at).await {
        End::Done => oracle::check(&scene, &plan).await,
        End::Violated => {}
        End::Never(open) => scene.world.violated(Violation::Lost(format!("it does not come to an end: {open}"))),
    }
    report(&scene, &plan, seed)
}

/// Starts everybody who does something.
fn begin(scene: &Scene, plan: &Plan, seed: u64) {
    for slot in 0..SLOTS {
        tokio::spawn(keep_running(scene.clone(), slot));
    }
    let sealed = platform::seal(&plan.callbacks, &mut Dice::new(!seed));
    for arrival in &plan.arrivals {
        tokio::spawn(platform::push(scene.clone(), Arc::clone(&sealed[arrival.callback]), arrival.at));
    }
    for (at, disturbance) in &plan.disturbances {
        tokio::spawn(disturb(scene.clone(), *at, *disturbance));
    }
}

async fn disturb(scene: Scene, at: Duration, disturbance: Disturbance) {
    sleep(at).await;
    match disturbance {
        Disturbance::Kill { slot } => {
            // When nobody lives something else happens.
            if !scene.world.kill(slot) {
                go_away(&scene, Which::Oa, LOOK_EVERY);
            }
        }
        Disturbance::Away { which, time } => go_away(&scene, which, time),
        Disturbance::Jump { slot, millis } => {
            let mut state = scene.world.state();
            // The sinks' clock is that of their leases: one may be taken from who is sending.
            state.excuses += u64::from(role_of(slot) == Role::Sink);
            state.happened(if millis > 0 { Kind::ClockForward } else { Kind::ClockBack });
            scene.world.clocks.of(slot).jump(millis);
        }
        Disturbance::BrokerCrash { back_after } => {
            scene.site.crash();
            sleep(back_after).await;
            scene.site.start();
        }
    }
}

fn go_away(scene: &Scene, which: Which, time: Duration) {
    let mut state = scene.world.state();
    state.happened(Kind::DestinationAway);
    state.receivers.go_away(which, Instant::now() + time);
}

/// How a run ends.
enum End {
    Done,
    /// Something was seen that is wrong, whatever comes.
    Violated,
    /// Something is still to be done.
    Never(String),
}

/// Waits until nothing is to be done any more.
async fn wait_until_done(scene: &Scene, calm_at: Duration) -> End {
    sleep(calm_at).await;
    scene.world.calm_down();
    let deadline = Instant::now() + DONE_WITHIN;
    let mut was_done = false;
    loop {
        sleep(LOOK_EVERY).await;
        if !scene.world.state().violations.is_empty() {
            return End::Violated;
        }
        match oracle::open_work(scene).await {
            // Once more: what is under way at this moment may still do harm.
            None if was_done => return End::Done,
            None => was_done = true,
            Some(open) if Instant::now() >= deadline => return End::Never(open),
            Some(_) => was_done = false,
        }
    }
}

fn report(scene: &Scene, plan: &Plan, seed: u64) -> Report {
    let state = scene.world.state();
    Report {
        seed,
        events: plan.callbacks.len(),
        counts: state.counts,
        violations: state.violations.clone(),
        messages: state.receivers.oa().messages(),
        repeats: state.receivers.oa().repeats(),
        trace: state.trace.hash(),
        steps: state.trace.steps(),
        millis: state.trace.millis(),
    }
}
