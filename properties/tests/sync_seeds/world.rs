//! What everybody in a run shares: the company, two clocks, what is on its way, and who decides what goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use common::{Clock, EntityKey, UnixMillis};
use database::{Connection, Database};
use platform_sim::{Api, Snapshot};
use resolver::Rules;
use service::TenantBook;
use store::Sealer;

use crate::{
    bugs::Bug,
    clocks::Clocks,
    dice::Dice,
    doorman::Calls,
    faults::{Counts, Kind},
    history::History,
    plan::Habits,
    post::{Letter, Post},
    product::Product,
    seen,
    trace::Trace,
};

/// Nothing happens sooner after something else, nor soon after a call. An answer is as of some seconds before it came, and so there is
/// no doubt which is newer.
const APART: Duration = Duration::from_secs(6);
/// How long the resolver remembers.
const MEMORY_SECONDS: i64 = 14 * 86_400;

/// What nobody should ever see.
#[derive(Debug, Clone)]
pub(crate) enum Violation {
    /// A newer value gave way to an older one.
    RolledBack(String),
    /// Somebody who was removed is there again.
    Resurrected(String),
    /// Somebody who is there was removed.
    RemovedWrongly(String),
    /// The end is not what the company is.
    Lost(String),
    /// Anything else.
    Wrong(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolledBack(what) => write!(f, "rolled back: {what}"),
            Self::Resurrected(what) => write!(f, "resurrected: {what}"),
            Self::RemovedWrongly(what) => write!(f, "removed wrongly: {what}"),
            Self::Lost(what) => write!(f, "lost: {what}"),
            Self::Wrong(what) => write!(f, "wrong: {what}"),
        }
    }
}

/// See the module.
pub(crate) struct World {
    pub(crate) habits: Habits,
    pub(crate) bug: Option<Bug>,
    pub(crate) clocks: Arc<Clocks>,
    pub(crate) api: Api,
    pub(crate) calls: Calls,
    /// Our tables, without faults.
    pub(crate) tables: Database,
    pub(crate) sealer: Sealer,
    pub(crate) tenants: TenantBook,
    pub(crate) product: Product,
    state: Mutex<State>,
}

/// What changes.
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
    pub(crate) counts: Counts,
    pub(crate) is_calm: bool,
    pub(crate) violations: Vec<Violation>,
    /// How much has happened in the company.
    pub(crate) events: usize,
    pub(crate) post: Post,
    pub(crate) history: History,
    /// What goes wrong at the next occasion.
    next: Vec<Kind>,
    /// Entities whose rows somebody deleted, or took from them.
    pub(crate) torn: BTreeSet<EntityKey>,
    /// What a person knows of the rows that the product had before: whose they are.
    pub(crate) known_rows: BTreeMap<String, EntityKey>,
    /// Up to which version the mirror was looked at.
    pub(crate) seen_version: u64,
}

impl State {
    pub(crate) fn new(dice: Dice, is_shown: bool) -> Self {
        Self {
            dice,
            trace: Trace::new(is_shown),
            counts: Counts::default(),
            is_calm: false,
            violations: Vec::new(),
            events: 0,
            post: Post::default(),
            history: History::default(),
            next: Vec::new(),
            torn: BTreeSet::new(),
            known_rows: BTreeMap::new(),
            seen_version: 0,
        }
    }

    /// Whether something happens now that does so once in so many times.
    pub(crate) fn chance(&mut self, once_in: usize) -> bool {
        once_in > 0 && !self.is_calm && self.dice.once_in(once_in)
    }

    /// Whether something goes wrong now that does so once in so many times.
    pub(crate) fn happens(&mut self, kind: Kind, once_in: usize) -> bool {
        let happens = self.chance(once_in);
        if happens {
            self.happened(kind);
        }
        happens
    }

    /// At the next occasion this goes wrong.
    pub(crate) fn is_next(&mut self, kind: Kind) {
        self.next.push(kind);
    }

    /// The occasion: whether it goes wrong.
    pub(crate) fn strikes(&mut self, kind: Kind) -> bool {
        let Some(place) = self.next.iter().position(|next| *next == kind).filter(|_| !self.is_calm) else {
            return false;
        };
        self.next.remove(place);
        self.happened(kind);
        true
    }

    pub(crate) fn happened(&mut self, kind: Kind) {
        self.counts.add(kind);
        self.trace.note("", "fault", &format!("{kind:?}"));
    }

    pub(crate) fn violated(&mut self, violation: Violation) {
        self.trace.note("", "violation", &violation.to_string());
        self.violations.push(violation);
    }
}

/// The parts of a world that are there before it.
pub(crate) struct Parts {
    pub(crate) habits: Habits,
    pub(crate) bug: Option<Bug>,
    pub(crate) clocks: Arc<Clocks>,
    pub(crate) api: Api,
    pub(crate) tables: Database,
    pub(crate) sealer: Sealer,
    pub(crate) tenants: TenantBook,
    pub(crate) product: Product,
}

impl World {
    pub(crate) fn new(parts: Parts, state: State) -> Arc<Self> {
        let Parts { habits, bug, clocks, api, tables, sealer, tenants, product } = parts;
        let (calls, state) = (Calls::default(), Mutex::new(state));
        Arc::new(Self { habits, bug, clocks, api, calls, tables, sealer, tenants, product, state })
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

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.tables.read("seeds.read", work).await.unwrap()
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.tables.write("seeds.write", work).await.unwrap()
    }

    /// The rules of a turn that begins now.
    pub(crate) fn rules(&self) -> Rules {
        let now = self.clocks.now();
        Rules { now, horizon: now.plus_seconds(-MEMORY_SECONDS), tenants: self.tenants.snapshot() }
    }

    /// Time passes: for the platform, for our clock, and for whoever sleeps.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clocks.advance(time);
        tokio::time::advance(time).await;
    }

    /// A while passes, of up to so many milliseconds.
    pub(crate) async fn pass_up_to(&self, most_millis: usize) {
        let millis = self.state().dice.between(0, most_millis);
        self.pass(Duration::from_millis(millis as u64)).await;
    }

    /// Something happens in the company, some seconds after whatever came before.
    pub(crate) async fn live(&self) {
        self.pass(APART).await;
        let ahead = self.something_happens();
        self.pass(ahead).await;
    }

    /// Returns how far the company is ahead of the clock: what belongs together takes a second each.
    fn something_happens(&self) -> Duration {
        let now = self.clocks.platform().seconds();
        let mut state = self.state();
        let is_quiet = state.dice.once_in(4);
        let (before, after, callbacks, second) = {
            let mut company = self.api.company();
            let before = company.snapshot();
            company.set_now_seconds(now);
            let callbacks = if is_quiet { company.drift(1) } else { company.live(1) };
            (before, company.snapshot(), callbacks, company.now_seconds())
        };
        let directory = |snapshot: Snapshot| seen::directory(&snapshot, self.habits.is_personal);
        let renamed = state.history.lived(second, &directory(before), &directory(after));
        if let Some((from, to)) = renamed {
            state.known_rows.values_mut().filter(|owner| **owner == from).for_each(|owner| owner.clone_from(&to));
        }
        state.events += 1;
        state.trace.note("company", "lives", &format!("{} callbacks", callbacks.len()));
        for callback in callbacks {
            self.push(&mut state, callback.plaintext);
        }
        Duration::from_secs(u64::try_from(second - now).unwrap_or_default())
    }

    /// The platform pushes a callback.
    fn push(&self, state: &mut State, plaintext: String) {
        let is_lost =
            state.strikes(Kind::CallbackLost) || state.happens(Kind::CallbackLost, self.habits.callback_is_lost);
        if is_lost {
            return;
        }
        if state.happens(Kind::CallbackRepeated, self.habits.callback_is_repeated) {
            let arrives = self.arrival(state, Kind::CallbackDelayed, 1);
            state.post.send(arrives, Letter::Callback(plaintext.clone()));
        }
        let arrives = self.arrival(state, Kind::CallbackDelayed, self.habits.callback_is_delayed);
        state.post.send(arrives, Letter::Callback(plaintext));
    }

    /// When something arrives that is delayed once in so many times.
    pub(crate) fn arrival(&self, state: &mut State, delayed: Kind, once_in: usize) -> UnixMillis {
        let seconds =
            if state.happens(delayed, once_in) { state.dice.between(1, self.habits.longest_delay_seconds) } else { 0 };
        self.clocks.platform().plus_seconds(seconds as i64)
    }

    /// Nothing goes wrong any more, and nothing happens.
    pub(crate) fn calm_down(&self) {
        self.api.heal();
        crate::disturbances::widen(&self.api);
        let mut state = self.state();
        state.is_calm = true;
        state.trace.note("", "calm", "");
    }
}
