//! One run, from its seed to what came of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Clock as _, UnixMillis};
use platform_sim::{Api, ApiOptions, api::Era};
use service::TenantBook;
use store::runs::{Run, RunState, Wanted};

use crate::{
    bugs::{self, Bug},
    clocks::Clocks,
    courier,
    dice::Dice,
    disturbances::{self, AGENT},
    faults::{Counts, Kind},
    oracle, person,
    plan::{EVENTS, Plan, TURNS},
    process::Process,
    product::{self, Product},
    resolving, seen,
    stores::{APP, CONTACT, Stores},
    wire::Wire,
    world::{Parts, State, Violation, World},
};

/// So much later is late. A plan that nobody decided on for a whole day gives way to a new one.
const LATE: Duration = Duration::from_secs(81_000);
/// It passes in so many pieces.
const PIECES: u32 = 4;
/// Between two looks when nothing happens any more: longer than any wait but one, that of removals that were held back.
const REST: Duration = Duration::from_secs(61);
const LONG_REST: Duration = Duration::from_secs(3_601);
/// After so many looks everything is done, the second half of them far apart.
const LOOKS: usize = 40;
/// So many runs are applied in the end, each of which may find what the one before left to a person. The first one may have been open
/// already.
const LAST_RUNS: usize = 5;

/// What came of a run.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) events: usize,
    pub(crate) counts: Counts,
    pub(crate) violations: Vec<Violation>,
    /// How often the platform was called.
    pub(crate) calls: u64,
    /// The same for the same run.
    pub(crate) trace: u64,
    pub(crate) steps: u64,
    pub(crate) millis: u64,
}

/// Runs a seed.
pub(crate) fn run(stores: &Stores, seed: u64, bug: Option<Bug>, is_shown: bool) -> Report {
    stores.runtime.block_on(Box::pin(simulate(stores, seed, bug, is_shown)))
}

async fn simulate(stores: &Stores, seed: u64, bug: Option<Bug>, is_shown: bool) -> Report {
    let (plan, dice) = Plan::draw(seed);
    let Plan { company, habits, wishes, faults } = plan;
    let wire = Wire::open().await;
    stores.begin(&wire.url).await;
    let clocks = Arc::new(Clocks::new(habits.skew_millis));
    let api = {
        let clocks = Arc::clone(&clocks);
        Api::new(Arc::new(Mutex::new(company)), options(seed, &habits), Arc::new(move || clocks.platform().0))
    };
    let tenants = TenantBook::new(stores.tables.clone(), Arc::new(stores.sealer.clone()));
    tenants.refresh().await.unwrap();
    let (tables, sealer, product) = (stores.tables.clone(), stores.sealer.clone(), Product::over(&stores.rows));
    let parts = Parts { habits, bug, clocks, api, tables, sealer, tenants, product };
    let world = World::new(parts, State::new(dice, is_shown));
    let serving = wire.serve(&world);
    let mut process = Process::start(&world, &stores.http).await;
    begin(&world).await;
    let mut life = Life { world: &world, process: &mut process, wishes, faults, is_late: false };
    life.run().await;
    process.stop();
    serving.abort();
    report(&world, seed)
}

fn options(seed: u64, habits: &crate::plan::Habits) -> ApiOptions {
    let mut options = ApiOptions::new(CONTACT, APP);
    options.seed = Dice::new(seed).roll();
    options.page_rows = habits.page_rows;
    options.app_mut(AGENT).unwrap().era = if habits.is_personal { Era::Old } else { Era::New };
    options
}

/// The company as it is, and the product too.
async fn begin(world: &World) {
    let snapshot = world.api.company().snapshot();
    let directory = seen::directory(&snapshot, world.habits.is_personal);
    world.state().history.begin(world.clocks.platform().seconds(), &directory);
    resolving::found(world).await;
    if world.habits.is_filled {
        product::fill(world).await;
    }
    world.pass(Duration::from_secs(60)).await;
}

/// A run under way.
struct Life<'a> {
    world: &'a Arc<World>,
    process: &'a mut Process,
    wishes: BTreeMap<usize, bool>,
    faults: BTreeMap<usize, Vec<Kind>>,
    /// A plan is to be applied a day after it is made.
    is_late: bool,
}

impl Life<'_> {
    async fn run(&mut self) {
        for turn in 0..TURNS {
            self.turn(turn).await;
            if self.is_over() {
                return;
            }
        }
        while self.world.state().events < EVENTS {
            self.world.live().await;
        }
        self.world.calm_down();
        let calm_since = self.world.clocks.now();
        for _ in 0..LAST_RUNS {
            if self.is_over() {
                return;
            }
            person::ask(self.world, Wanted::Apply).await;
            self.come_to_rest().await;
            if self.was_nothing_to_do(calm_since).await {
                break;
            }
        }
        if !self.is_over() {
            oracle::check(self.world).await;
        }
    }

    /// Something was seen that is wrong, whatever comes.
    fn is_over(&self) -> bool {
        !self.world.state().violations.is_empty()
    }

    async fn turn(&mut self, turn: usize) {
        let (lives, most_millis, is_wider) = {
            let mut state = self.world.state();
            let lives = state.dice.between(2, 3);
            (lives, [2_000, 20_000, 70_000, 600_000][state.dice.below(4)], state.dice.once_in(3))
        };
        if is_wider {
            disturbances::widen(&self.world.api);
        }
        for kind in self.faults.remove(&turn).unwrap_or_default() {
            disturbances::happen(self.world, kind).await;
        }
        for _ in 0..lives {
            self.world.live().await;
        }
        self.world.pass_up_to(most_millis).await;
        if let Some(is_late) = self.wishes.remove(&turn) {
            self.is_late |= is_late;
            person::ask(self.world, if is_late { Wanted::Plan } else { Wanted::Apply }).await;
        }
        self.everybody_works().await;
        self.apply_late().await;
    }

    /// Everybody does what there is to do, once.
    async fn everybody_works(&mut self) {
        resolving::take_what_arrived(self.world).await;
        courier::deliver(self.world).await;
        self.process.look().await;
        if let Some(bug) = self.world.bug {
            bug.after_look(self.world).await;
        }
        person::decide(self.world).await;
        resolving::take_what_arrived(self.world).await;
        resolving::be_patient(self.world).await;
        courier::deliver(self.world).await;
    }

    /// If there is a plan that is to be applied a day later, it is.
    async fn apply_late(&mut self) {
        let is_planned = |run: &Run| run.state == RunState::Planned;
        if !self.is_late || !person::newest(self.world).await.as_ref().is_some_and(is_planned) {
            return;
        }
        let as_made = oracle::sent(self.world).await;
        for _ in 0..PIECES {
            self.world.pass(LATE / PIECES).await;
            self.world.live().await;
            self.everybody_works().await;
        }
        let Some(run) = person::newest(self.world).await.filter(is_planned) else { return };
        self.is_late = false;
        self.world.state().happened(Kind::PlanAppliedLate);
        if self.world.bug == Some(Bug::StalePlan) {
            bugs::apply_as_made(self.world, &run, &as_made).await;
        }
        person::ask(self.world, Wanted::Apply).await;
        self.everybody_works().await;
    }

    /// Until nothing is to be done any more.
    async fn come_to_rest(&mut self) {
        let mut open = None;
        for look in 0..LOOKS {
            self.world.pass(if look < LOOKS / 2 { REST } else { LONG_REST }).await;
            self.everybody_works().await;
            open = oracle::open_work(self.world).await;
            if open.is_none() || self.is_over() {
                return;
            }
        }
        let open = open.unwrap_or_default();
        self.world.violated(Violation::Wrong(format!("it does not come to an end: {open}")));
    }

    /// Whether the newest run saw everything as it is since that time, and found nothing that differs.
    async fn was_nothing_to_do(&self, since: UnixMillis) -> bool {
        let is_last = |run: &Run| run.state == RunState::Finished && run.is_complete && run.requested_at >= since;
        match person::newest(self.world).await.filter(is_last) {
            Some(run) => person::items(self.world, &run).await.is_empty(),
            None => false,
        }
    }
}

fn report(world: &World, seed: u64) -> Report {
    let calls = world.api.records().len() as u64;
    let state = world.state();
    Report {
        seed,
        events: state.events,
        counts: state.counts,
        violations: state.violations.clone(),
        calls,
        trace: state.trace.hash(),
        steps: state.trace.steps(),
        millis: state.trace.millis(),
    }
}
