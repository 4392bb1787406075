//! Deciding what the next changes come to.

use std::collections::BTreeSet;

use common::{Action, Change, EntityKey, EntityKind, UnixMillis};

use super::{Courier, Exception, Former, Verdict, blockers};

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
    /// The change as it came; what is kept when it becomes an exception.
    pub change: Change,
    /// The change as it is to be sent: where renames have not arrived, to the id that the destination knows.
    pub send: Change,
    /// What sending it is for.
    pub part: Part,
    /// The key that the entity had before this change, by our books.
    pub renames: Option<EntityKey>,
    /// What is to be done: [`Decision::Skip`], [`Decision::Wait`] or [`Decision::Deliver`].
    pub decision: Decision,
    /// It is an exception that is tried again: the position has passed it already.
    pub again: bool,
    /// Where else the destination has the entity.
    pub(super) formerly: Vec<Former>,
    /// The rename leads back to the id that the destination still has.
    pub(super) came_back: bool,
}

/// What sending a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The change itself.
    Whole,
    /// First a row is removed that the entity left behind under a former id; the change itself follows.
    FormerRow,
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
                    let departments = step.change.leaves.iter().filter(|left| left.kind == EntityKind::Department);
                    flight.left.extend(departments.cloned());
                    ahead.skip_to(step.version);
                }
            }
            steps.push(step);
        }
        steps
    }

    fn step(&self, change: Change) -> Step {
        let key = change.entity.clone();
        let version = change.version;
        let renames = match &change.action {
            Action::Upsert { renamed_from, .. } => renamed_from.clone().filter(|former| *former != key),
            _ => None,
        };
        let mut formerly = self.ledger.get(&key).map(|exception| exception.formerly.clone()).unwrap_or_default();
        if let Some(former) = &renames {
            match self.ledger.get(former) {
                Some(exception) => {
                    formerly.extend(exception.formerly.iter().cloned());
                    if !exception.absent || exception.unsure {
                        formerly.push(Former { key: former.clone(), version, unsure: exception.absent });
                    }
                }
                None => formerly.push(Former { key: former.clone(), version, unsure: false }),
            }
        }
        let came_back = formerly.iter().any(|former| former.key == key);
        formerly.retain(|former| former.key != key);
        let (send, part) = to_send(&change, &formerly);
        Step {
            key,
            version,
            change,
            send,
            part,
            renames,
            decision: Decision::Deliver,
            again: false,
            formerly,
            came_back,
        }
    }

    /// The step that tries an exception again, with the change that was kept for it.
    pub fn retry(&self, key: &EntityKey, change: Change) -> Option<Step> {
        let exception = self.ledger.get(key)?;
        let formerly = exception.formerly.clone();
        let (send, part) = to_send(&change, &formerly);
        let mut step = Step {
            key: key.clone(),
            version: exception.version,
            change,
            send,
            part,
            renames: None,
            decision: Decision::Deliver,
            again: true,
            formerly,
            came_back: false,
        };
        let on = blockers::of(&self.ledger, &step);
        if !on.is_empty() {
            step.decision = Decision::Wait { on };
        }
        Some(step)
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
        let on = blockers::of(&self.ledger, step);
        if on.is_empty() { Decision::Deliver } else { Decision::Wait { on } }
    }

    /// Whether the decision depends on what comes of something in flight. Where an entity without an exception is in flight,
    /// what refers to it goes along: a destination that takes batches refuses it by itself if the first one fails.
    fn hangs_in_the_air(&self, step: &Step, flight: &Flight) -> bool {
        let unsure = |key: &EntityKey| {
            flight.renamed.contains(key) || (flight.entities.contains(key) && self.ledger.get(key).is_some())
        };
        let change = &step.change;
        let vacates = matches!(change.action, Action::Remove) || blockers::moves(&self.ledger, &step.key, change);
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

/// What is to be sent of a change to a destination that has the entity also `formerly`. An old row is renamed along with an
/// upsert, if it is surely there; of several, and before a removal, they are removed one by one.
fn to_send(change: &Change, formerly: &[Former]) -> (Change, Part) {
    let mut send = change.clone();
    let is_removal = matches!(change.action, Action::Remove);
    match formerly.first() {
        Some(former) if is_removal || former.unsure || formerly.len() > 1 => {
            send.entity = former.key.clone();
            send.version = former.version;
            send.action = Action::Remove;
            send.refers_to.clear();
            send.first = false;
            (send, Part::FormerRow)
        }
        former => {
            if let Action::Upsert { renamed_from, .. } = &mut send.action {
                *renamed_from = former.map(|former| former.key.clone());
            }
            (send, Part::Whole)
        }
    }
}
