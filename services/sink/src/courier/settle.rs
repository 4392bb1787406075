//! Taking in what came of a step.

use std::collections::BTreeSet;

use common::{Action, EntityKey, EntityKind, UnixMillis};

use super::{Courier, Decision, Exception, Part, State, Step, blockers};

/// What came of a step that was to be delivered. For the other steps it is of no matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The destination has it.
    Applied,
    /// The destination will never take it.
    Rejected {
        /// Why, without personal data.
        reason: String,
    },
    /// It failed while the destination answers; it is held and tried again.
    Failed {
        /// Not before this.
        next_attempt: UnixMillis,
        /// Why, without personal data.
        reason: String,
    },
    /// Something that it refers to is not there.
    Missing {
        /// When it is tried again, if nothing is known that it could wait for.
        next_attempt: UnixMillis,
        /// What is missing, if the destination could tell.
        what: Option<EntityKey>,
    },
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is there.
    Applied,
    /// It was none of this destination's business.
    Skipped,
    /// It waits for other exceptions.
    Waiting,
    /// It is tried again later.
    Held,
    /// It was given up on, and must become a dead letter.
    Dead,
}

impl Courier {
    /// Takes in what came of a step, and moves the position over it.
    pub fn settle(&mut self, step: &Step, verdict: Verdict, now: UnixMillis) -> Settled {
        if !step.again {
            self.position = self.position.max(step.version);
            self.failing = None;
        }
        match &step.decision {
            Decision::Repeat | Decision::Gap | Decision::Later => Settled::Skipped,
            Decision::Skip => {
                let is_removal = matches!(step.change.action, Action::Remove);
                if is_removal && self.exception(&step.key).is_some_and(Exception::is_nowhere) {
                    self.clear(step, now);
                }
                Settled::Skipped
            }
            Decision::Wait { on } => {
                let mut now_on = blockers::of(&self.ledger, step);
                now_on.extend(on.iter().filter(|other| self.ledger.get(other).is_some()).cloned());
                // What was in its way arrived by a step before it: nobody would bring it back.
                if now_on.is_empty() {
                    self.except(step, State::Held, now, now, "what it waited for is there");
                    return Settled::Held;
                }
                self.except(step, State::Waiting { on: now_on }, now, now, "waits for what it refers to");
                Settled::Waiting
            }
            Decision::Deliver => self.settle_delivery(step, verdict, now),
        }
    }

    fn settle_delivery(&mut self, step: &Step, verdict: Verdict, now: UnixMillis) -> Settled {
        match verdict {
            Verdict::Applied if step.part == Part::FormerRow => self.settle_former_row(step, now),
            Verdict::Applied => {
                self.clear(step, now);
                Settled::Applied
            }
            // Nothing refers to a callback, and no newer one takes its place: its dead letter is all that stays.
            Verdict::Rejected { .. } if step.key.kind == EntityKind::Callback => {
                self.clear(step, now);
                Settled::Dead
            }
            Verdict::Rejected { reason } => {
                self.except(step, State::Dead { on: BTreeSet::new() }, now, now, &reason);
                Settled::Dead
            }
            Verdict::Failed { next_attempt, reason } => {
                self.except(step, State::Held, next_attempt, now, &reason);
                Settled::Held
            }
            Verdict::Missing { next_attempt, what } => {
                let mut on = blockers::of(&self.ledger, step);
                on.extend(what.filter(|what| *what != step.key && self.ledger.get(what).is_some_and(|e| e.absent)));
                if on.is_empty() {
                    self.except(step, State::Held, next_attempt, now, "what it refers to is not at the destination");
                    return Settled::Held;
                }
                self.except(step, State::Waiting { on }, next_attempt, now, "waits for what it refers to");
                Settled::Waiting
            }
        }
    }

    /// One of the rows under former ids is gone; the change itself is still to come, unless it is a removal of the last row.
    fn settle_former_row(&mut self, step: &Step, now: UnixMillis) -> Settled {
        self.except(step, State::Held, now, now, "a row under a former id was removed first");
        let Some(mut exception) = self.ledger.take(&step.key) else { return Settled::Applied };
        exception.formerly.retain(|former| former.key != step.send.entity);
        if exception.removal && exception.is_nowhere() {
            self.clear(step, now);
            return Settled::Applied;
        }
        self.ledger.put(step.key.clone(), exception);
        // Somebody else may wait for the id that is free now.
        self.ledger.release(&step.key, now);
        Settled::Held
    }

    /// The entity is as it is to be: no exception any more, and those that waited for it are due.
    fn clear(&mut self, step: &Step, now: UnixMillis) {
        for key in std::iter::once(&step.key).chain(&step.renames) {
            self.ledger.take(key);
            self.ledger.release(key, now);
        }
    }

    /// The change becomes the entity's exception, in place of an older one.
    fn except(&mut self, step: &Step, state: State, next_attempt: UnixMillis, now: UnixMillis, reason: &str) {
        let old = self.ledger.take(&step.key);
        let former = step.renames.as_ref().and_then(|former| self.ledger.take(former));
        let mut there: BTreeSet<EntityKey> =
            old.iter().chain(&former).flat_map(|exception| exception.there.iter().cloned()).collect();
        let brings_a_row = step.renames.is_some() && former.is_none();
        if (old.is_none() && !step.change.first) || brings_a_row {
            there.extend(stands_in(step));
        }
        let left = there.iter().filter(|other| !step.change.refers_to.contains(other)).cloned().collect();
        let again = old.as_ref().filter(|_| step.again);
        let was_sent = step.decision == Decision::Deliver && step.part == Part::Whole && !step.again;
        let is_unheard = was_sent && step.version <= self.unheard;
        let exception = Exception {
            attempts: again.map_or(0, |old| old.attempts) + u32::from(step.decision == Decision::Deliver),
            since: again.map_or(now, |old| old.since),
            absent: !step.came_back && old.as_ref().map_or(step.change.first && !step.key.is_root(), |old| old.absent),
            unsure: is_unheard || old.as_ref().is_some_and(|old| old.unsure),
            removal: matches!(step.change.action, Action::Remove),
            formerly: step.formerly.clone(),
            version: step.version,
            reason: reason.to_owned(),
            state,
            there,
            left,
            next_attempt,
        };
        self.ledger.put(step.key.clone(), exception);
        // Who waited for the former id waits for nothing that will ever come: it is looked at again.
        if let Some(former) = &step.renames {
            self.ledger.release(former, now);
        }
    }
}

/// The departments that an entity without an exception refers to at the destination before `step` arrives. A department has one parent;
/// of a member's departments it cannot be told which are new, so it may be more than that. Members are not among them: one who is
/// removed keeps a row, so whoever refers to that need not leave first.
fn stands_in(step: &Step) -> BTreeSet<EntityKey> {
    let change = &step.change;
    if change.first && step.renames.is_none() {
        return BTreeSet::new();
    }
    let mut there: BTreeSet<EntityKey> = change.leaves.iter().cloned().collect();
    if there.is_empty() || step.key.kind != EntityKind::Department {
        there.extend(change.refers_to.iter().cloned());
    }
    there.retain(|other| other.kind == EntityKind::Department);
    there
}
