//! What to do with a tenant's changes at one destination: pure decisions, without I/O, clock or randomness.
//!
//! A [`Courier`] knows the destination's position and its *exceptions*: entities whose newest change was passed over without
//! arriving. For the next changes it [plans](Courier::plan) steps; whoever carries them out [settles](Courier::settle) each with what
//! came of it. Nothing is ever to be sent before what it refers to, nor is a department removed before what was in it:
//! what would break that waits as an exception of its own, and everything else goes on.

mod blockers;
mod exception;
mod ledger;
mod plan;
mod settle;
#[cfg(test)]
mod tests;

use common::{Action, EntityKey, EntityKind, UnixMillis};

pub use exception::{Exception, Former, State};
use ledger::Ledger;
pub use plan::{Decision, Part, Step};
pub use settle::{Settled, Verdict};

/// A change is held after it failed this often in a row while the destination answers.
pub const HELD_AFTER_FAILURES: u32 = 3;

/// The state of one destination.
#[derive(Debug, Clone, Default)]
pub struct Courier {
    position: u64,
    ledger: Ledger,
    /// The change at the head of the line that failed, and how often in a row.
    failing: Option<(u64, u32)>,
    /// Changes above the position were sent without an answer, none of them above this version.
    unheard: u64,
}

impl Courier {
    /// At a position, with the exceptions below it.
    pub fn new(position: u64, exceptions: impl IntoIterator<Item = (EntityKey, Exception)>) -> Self {
        let mut ledger = Ledger::default();
        for (key, exception) in exceptions {
            ledger.put(key, exception);
        }
        ledger.release_orphans();
        ledger.forget_dirt();
        Self { position, ledger, failing: None, unheard: 0 }
    }

    /// Everything up to this version is applied, skipped, or an exception.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The exception of an entity.
    pub fn exception(&self, key: &EntityKey) -> Option<&Exception> {
        self.ledger.get(key)
    }

    /// All exceptions, by entity.
    pub fn exceptions(&self) -> impl Iterator<Item = (&EntityKey, &Exception)> {
        self.ledger.iter()
    }

    /// Passes over versions that exist no more.
    pub fn skip_to(&mut self, position: u64) {
        self.position = self.position.max(position);
    }

    /// Counts a failure of the change at the head of the line that is tried in place; returns how many there were in a row.
    pub fn failed_in_place(&mut self, version: u64) -> u32 {
        let before = match self.failing {
            Some((failing, count)) if failing == version => count,
            _ => 0,
        };
        self.failing = Some((version, before + 1));
        before + 1
    }

    /// This version was sent, perhaps, and nobody heard an answer: should it become an exception, the destination may have it all
    /// the same.
    pub fn note_unheard(&mut self, version: u64) {
        if version > self.position {
            self.unheard = self.unheard.max(version);
            return;
        }
        self.note_unheard_among(|held| held == version);
    }

    /// The same of the exceptions with such versions.
    pub fn note_unheard_among(&mut self, is_among: impl Fn(u64) -> bool) {
        self.note_unheard_if(|exception| is_among(exception.version));
    }

    /// The same of all exceptions that are tried again by themselves.
    pub fn note_unheard_held(&mut self) {
        self.note_unheard_if(|exception| exception.state == State::Held);
    }

    fn note_unheard_if(&mut self, is_meant: impl Fn(&Exception) -> bool) {
        let is_news = |exception: &Exception| exception.absent && !exception.unsure && is_meant(exception);
        let meant = self.ledger.iter().filter(|(_, exception)| is_news(exception)).map(|(key, _)| key.clone());
        for key in meant.collect::<Vec<_>>() {
            if let Some(mut exception) = self.ledger.take(&key) {
                exception.unsure = true;
                self.ledger.put(key, exception);
            }
        }
    }

    /// The destination said of an entity that it has nothing of it, whatever was sent before.
    pub fn note_nowhere(&mut self, key: &EntityKey) {
        if let Some(mut exception) = self.ledger.take(key) {
            exception.unsure = false;
            self.ledger.put(key.clone(), exception);
        }
    }

    /// Whether a step only takes away what may not be there: that the destination refuses it then says nothing.
    pub fn may_be_gone(&self, step: &Step) -> bool {
        let is_removal = matches!(step.send.action, Action::Remove);
        let is_unsure = match step.part {
            Part::FormerRow => step.formerly.iter().any(|former| former.unsure && former.key == step.send.entity),
            Part::Whole => self.exception(&step.key).is_some_and(|exception| exception.absent && exception.unsure),
        };
        is_removal && is_unsure
    }

    /// The exceptions whose time has come, in the order in which they are to be tried: at most `limit`.
    pub fn due(&self, now: UnixMillis, limit: usize) -> Vec<(u64, EntityKey)> {
        let mut due: Vec<(u64, EntityKey)> = self
            .ledger
            .iter()
            .filter(|(_, exception)| exception.state == State::Held && exception.next_attempt <= now)
            .map(|(key, exception)| (exception.version, key.clone()))
            .collect();
        due.sort_unstable();
        due.truncate(limit);
        due
    }

    /// When the next exception is due; `None` when none is waiting for its time.
    pub fn next_due(&self) -> Option<UnixMillis> {
        let held = self.ledger.iter().filter(|(_, exception)| exception.state == State::Held);
        held.map(|(_, exception)| exception.next_attempt).min()
    }

    /// The exceptions that are held or wait since before `since`: their time is up.
    pub fn overdue(&self, since: UnixMillis) -> Vec<EntityKey> {
        let open = self.ledger.iter().filter(|(_, exception)| !exception.is_dead());
        open.filter(|(_, exception)| exception.since < since).map(|(key, _)| key.clone()).collect()
    }

    /// Gives up on an exception. What it waits for brings it back.
    pub fn give_up(&mut self, key: &EntityKey) {
        let Some(mut exception) = self.ledger.take(key) else { return };
        if key.kind == EntityKind::Callback {
            return;
        }
        let on = match exception.state {
            State::Waiting { on } | State::Dead { on } => on,
            State::Held => Default::default(),
        };
        exception.state = State::Dead { on };
        self.ledger.put(key.clone(), exception);
    }

    /// Moves the clocks of what was open before `away_since`: since then the destination was away for so long.
    pub fn shift_clocks(&mut self, away_since: UnixMillis, millis: i64) {
        self.ledger.shift(away_since, millis);
    }

    /// The entities whose exceptions changed since the last call, each with what it is now; `None`: there is none any more.
    pub fn take_changed(&mut self) -> Vec<(EntityKey, Option<Exception>)> {
        self.ledger.take_dirty()
    }
}
