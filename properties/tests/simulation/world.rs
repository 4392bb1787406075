//! What all processes of a run share, and who decides what goes wrong.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, Weak},
};

use database::Database;
use store::Sealer;

use crate::{
    bugs::Bug,
    clocks::Clocks,
    dice::Dice,
    doors::Carrier,
    faults::{Counts, Kind},
    life::{Life, Role, SLOTS, Side, role_of},
    plan::{Habits, Plan},
    receivers::Receivers,
    stores::Stores,
    trace::Trace,
};

/// No run has so many steps: something goes round in circles.
const STEPS_MAX: u64 = 60_000;

/// How many steps a doomed process has before its last one, at most: about as many as it has while things go wrong.
const fn steps_of(role: Role) -> usize {
    match role {
        Role::Gateway => 120,
        Role::Resolver => 160,
        Role::Sink => 240,
    }
}

/// What nobody should ever see.
#[derive(Debug, Clone)]
pub(crate) enum Violation {
    /// Something did not arrive.
    Lost(String),
    /// Something arrived twice that should not have, or in two versions.
    Doubled(String),
    /// Something arrived before what it refers to, or after what replaced it.
    TooEarly(String),
    /// Anything else.
    Wrong(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "lost: {what}"),
            Self::Doubled(what) => write!(f, "doubled: {what}"),
            Self::TooEarly(what) => write!(f, "too early: {what}"),
            Self::Wrong(what) => write!(f, "wrong: {what}"),
        }
    }
}

/// See the module.
pub(crate) struct World {
    /// Our tables, without faults.
    pub(crate) tables: Database,
    /// The queue's, without faults.
    pub(crate) queue: Database,
    pub(crate) sealer: Sealer,
    pub(crate) bug: Option<Bug>,
    pub(crate) habits: Habits,
    pub(crate) clocks: Clocks,
    carriers: Mutex<Vec<Weak<Carrier>>>,
    state: Mutex<State>,
}

/// What changes.
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
    pub(crate) counts: Counts,
    pub(crate) is_calm: bool,
    pub(crate) violations: Vec<Violation>,
    /// How often the OA may get a message again: once for each time that a sender could not know.
    pub(crate) excuses: u64,
    /// Callbacks that the platform still pushes.
    pub(crate) unaccepted: usize,
    pub(crate) receivers: Receivers,
    /// Up to which version a planted bug has numbered changes its own way.
    pub(crate) numbered: u64,
    starts: [u64; SLOTS],
    lives: [Option<Arc<Life>>; SLOTS],
}

impl World {
    pub(crate) fn new(stores: &Stores, plan: &Plan, dice: Dice, bug: Option<Bug>, is_shown: bool) -> Arc<Self> {
        let state = State {
            dice,
            trace: Trace::new(is_shown),
            counts: plan.counts,
            is_calm: false,
            violations: Vec::new(),
            excuses: 0,
            unaccepted: plan.arrivals.len(),
            receivers: Receivers::default(),
            numbered: 0,
            starts: [0; SLOTS],
            lives: Default::default(),
        };
        Arc::new(Self {
            tables: stores.tables.clone(),
            queue: stores.queue.clone(),
            sealer: stores.sealer.clone(),
            bug,
            habits: plan.habits,
            clocks: Clocks::new(plan.habits.sinks_skew_millis),
            carriers: Mutex::default(),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn note(&self, who: &str, what: &str, came_to: &str) {
        self.state().trace.note(who, what, came_to);
    }

    pub(crate) fn violated(&self, violation: Violation) {
        self.state().violated(violation);
    }

    /// Somebody comes to a side of a door; `false`: it never gets any further.
    pub(crate) fn passes(&self, life: &Life, what: &str, side: Side) -> bool {
        if life.is_over() {
            return false;
        }
        let mut state = self.state();
        if state.trace.steps() >= STEPS_MAX {
            if state.violations.is_empty() {
                state.violated(Violation::Wrong("it goes round in circles".to_owned()));
            }
            return false;
        }
        state.trace.note(&life.name, what, side.as_str());
        if is_only_a_look(what) || state.is_calm || !life.steps_into_doom() {
            return true;
        }
        state.kill(life, side);
        false
    }

    /// A process begins.
    pub(crate) fn begin_life(&self, slot: usize) -> Arc<Life> {
        let role = role_of(slot);
        let mut guard = self.state();
        let state = &mut *guard;
        let is_doomed = !state.is_calm && self.habits.is_doomed > 0 && state.dice.once_in(self.habits.is_doomed);
        let doom = if is_doomed { Some(state.dice.between(1, steps_of(role)) as u64) } else { None };
        state.starts[slot] += 1;
        let name = format!("{role:?}-{slot}.{}", state.starts[slot]).to_lowercase();
        let life = Arc::new(Life::new(name, role, doom));
        state.lives[slot] = Some(Arc::clone(&life));
        state.trace.note(&life.name, "starts", "");
        life
    }

    /// Kills whoever stands at a place, or behind it; `false` when nobody lives at all.
    pub(crate) fn kill(&self, slot: usize) -> bool {
        let mut state = self.state();
        let order = (slot..SLOTS).chain(0..slot);
        let living: Vec<Arc<Life>> =
            order.filter_map(|slot| state.lives[slot].clone()).filter(|life| !life.is_over()).collect();
        let Some(life) = living.first() else { return false };
        state.kill(life, Side::Before);
        true
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm_down(&self) {
        self.clocks.set_right();
        let mut state = self.state();
        state.is_calm = true;
        state.receivers.calm_down();
        state.trace.note("", "calm", "");
    }

    /// A consumer begins.
    pub(crate) fn join(&self, carrier: &Arc<Carrier>) {
        self.carriers.lock().unwrap().push(Arc::downgrade(carrier));
    }

    /// A consumer of the same hop in another process, if there is one.
    pub(crate) fn other_than(&self, carrier: &Carrier) -> Option<Arc<Carrier>> {
        let all = self.carriers.lock().unwrap();
        let others: Vec<Arc<Carrier>> =
            all.iter().filter_map(Weak::upgrade).filter(|other| other.could_be_instead_of(carrier)).collect();
        drop(all);
        self.state().dice.pick(&others).cloned()
    }
}

impl State {
    /// Whether something goes wrong now that does so once in so many times.
    pub(crate) fn happens(&mut self, kind: Kind, once_in: usize) -> bool {
        let happens = once_in > 0 && !self.is_calm && self.dice.once_in(once_in);
        if happens {
            self.happened(kind);
        }
        happens
    }

    pub(crate) fn happened(&mut self, kind: Kind) {
        self.counts.add(kind);
        self.trace.note("", "fault", &format!("{kind:?}"));
    }

    pub(crate) fn violated(&mut self, violation: Violation) {
        self.trace.note("", "violation", &violation.to_string());
        self.violations.push(violation);
    }

    fn kill(&mut self, life: &Life, side: Side) {
        if life.role == Role::Sink {
            self.excuses += 1;
        }
        self.happened(Kind::killed(life.role, side));
        self.trace.note(&life.name, "dies", side.as_str());
        life.end();
    }
}

/// Reads that find nothing most of the time: dying there is like dying between two of them.
pub(crate) fn is_only_a_look(what: &str) -> bool {
    const LOOKS: [&str; 8] = [
        "tenants.changed",
        "resolver.wanted",
        "resolver.left",
        "resolver.overdue",
        "outbox.unpublished",
        "sink.watch",
        "sink.needed",
        "sink.destinations",
    ];
    LOOKS.contains(&what)
}
