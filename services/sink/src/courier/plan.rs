//! Deciding what the next changes come to.

use std::collections::BTreeSet;

use common::{Action, Change, EntityKey, UnixMillis};

use super::{Courier, Exception, Verdict, blockers};

/// What is to be done with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: its version is at or below the position.
    Repeat,
    /// Nothing yet: versions before it are missing.
    Gap,
    /// Nothing yet: it depends on what is in flight; ask again when that has settled.
    Later,
    /// Pass it over: it is not for this destination, or removes what never came here.
    Skip,
    /// Pass it over for now: it becomes an exception.
    Wait {
        /// The exceptions in its way.
        on: BTreeSet<EntityKey>,
    },
    /// Send it.
    Deliver,
}

/// A change and what is to be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The entity that it is about for us.
    pub key: EntityKey,
    /// The version that it is about for us.
    pub version: u64,
    /// The change as it is to be sent: where a rename has not arrived, it goes to the id that the destination knows.
    pub change: Change,
    /// The key that the entity had before this change, by our books.
    pub renames: Option<EntityKey>,
    /// What is to be done: [`Decision::Skip`], [`Decision::Wait`] or [`Decision::Deliver`].
    pub decision: Decision,
    /// It is an exception that is tried again: the position has passed it already.
    pub again: bool,
}

/// What was decided to be sent and has no outcome yet.
#[derive(Default)]
struct Flight {
    entities: BTreeSet<EntityKey>,
    /// Both ids of renames: until they arrived, nobody knows which of them the destination has.
    renamed: BTreeSet<EntityKey>,
    left: BTreeSet<EntityKey>,
}

impl Courier {
    /// What one change comes to when nothing is in flight. `takes`: this kind of destination is told of such changes.
    pub fn decide(&self, change: &Change, takes: bool) -> Decision {
        self.decide_in(&self.step(change.clone()), takes, &Flight::default())
    }

    /// The steps of the next changes, given in the order of their versions: as many as can be in flight together, at most
    /// `limit`. Repeats are left out. They are to be settled in this order, and when one is not, those behind it are void.
    pub fn plan(&self, changes: &[Change], takes: impl Fn(&Change) -> bool, limit: usize) -> Vec<Step> {
        let mut ahead = self.clone();
        let mut flight = Flight::default();
        let mut steps = Vec::new();
        for change in changes {
            if steps.len() >= limit {
                break;
            }
            let mut step = ahead.step(change.clone());
            step.decision = ahead.decide_in(&step, takes(change), &flight);
            match step.decision {
                Decision::Repeat => continue,
                Decision::Gap | Decision::Later => break,
                Decision::Skip | Decision::Wait { .. } => {
                    // Time plays no part in what comes behind it.
                    ahead.settle(&step, Verdict::Applied, UnixMillis(0));
                }
                Decision::Deliver => {
                    if let Some(former) = &step.renames {
                        flight.renamed.extend([former.clone(), step.key.clone()]);
                    }
                    flight.entities.insert(step.key.clone());
                    flight.left.extend(step.change.leaves.iter().cloned());
                    ahead.skip_to(step.version);
                }
            }
            steps.push(step);
        }
        steps
    }

    /// The change as it is to be sent to where the destination knows the entity.
    fn step(&self, mut change: Change) -> Step {
        let key = change.entity.clone();
        let mut renames = None;
        let version = change.version;
        let own_former = self.ledger.get(&key).and_then(|exception| exception.formerly.clone());
        match &mut change.action {
            Action::Upsert { renamed_from, .. } => {
                renames.clone_from(renamed_from);
                let former = renamed_from.as_ref().and_then(|from| self.ledger.get(from));
                *renamed_from = match former {
                    Some(Exception { formerly: Some(former), .. }) => Some(former.key.clone()),
                    Some(exception) if exception.absent => None,
                    _ => renamed_from.take().or(own_former.map(|former| former.key)),
                };
            }
            Action::Remove => {
                if let Some(former) = own_former {
                    change.entity = former.key;
                    change.version = former.version;
                }
            }
            Action::Callback(_) => {}
        }
        // Renamed and renamed back: the destination never knew.
        if let Action::Upsert { renamed_from, .. } = &mut change.action {
            renamed_from.take_if(|former| *former == key);
        }
        let renames = renames.filter(|former| *former != key);
        Step { key, version, change, renames, decision: Decision::Deliver, again: false }
    }

    fn decide_in(&self, step: &Step, takes: bool, flight: &Flight) -> Decision {
        let change = &step.change;
        if step.version <= self.position {
            return Decision::Repeat;
        }
        if step.version > self.position + 1 {
            return Decision::Gap;
        }
        if !takes {
            return Decision::Skip;
        }
        if self.hangs_in_the_air(step, flight) {
            return Decision::Later;
        }
        let is_removal = matches!(change.action, Action::Remove);
        if is_removal && self.exception(&step.key).is_some_and(Exception::is_nowhere) {
            return Decision::Skip;
        }
        let mut on = blockers::of(&self.ledger, &step.key, change);
        // The entity itself is what stood there.
        on.retain(|other| Some(other) != step.renames.as_ref());
        if on.is_empty() { Decision::Deliver } else { Decision::Wait { on } }
    }

    /// Whether the decision depends on what comes of something in flight. Where an entity without an exception is in flight,
    /// what refers to it goes along: a destination that takes batches refuses it by itself if the first one fails.
    fn hangs_in_the_air(&self, step: &Step, flight: &Flight) -> bool {
        let unsure = |key: &EntityKey| {
            flight.renamed.contains(key) || (flight.entities.contains(key) && self.ledger.get(key).is_some())
        };
        let change = &step.change;
        let vacates = matches!(change.action, Action::Remove) || blockers::moves(change);
        let renamed_in_flight = |former: &EntityKey| {
            unsure(former) || flight.entities.contains(former) || flight.entities.contains(&step.key)
        };
        unsure(&step.key)
            || step.renames.as_ref().is_some_and(renamed_in_flight)
            || change.refers_to.iter().any(unsure)
            || self.ledger.squatters(&change.entity).any(unsure)
            || (vacates && (flight.left.contains(&change.entity) || self.ledger.occupiers(&change.entity).any(unsure)))
    }
}
