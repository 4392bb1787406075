//! Carries changes to an OA as the sink does, with the sink's courier deciding: outages, changes that fail, changes that are
//! rejected, crashes between an answer and the note of it, restarts.

use std::collections::{BTreeMap, BTreeSet};

use common::{Action, Change, Entity, EntityKey, EntityKind};
use sink::courier::{Courier, Decision, HELD_AFTER_FAILURES, Settled, State, Step, Verdict};

use crate::{
    bugs::Bug,
    dice::Dice,
    oa::{Answer, Oa},
};

const PATIENCE: usize = 10_000;

/// Delivers everything, and checks that what did not arrive was rejected, or hangs on something that was.
pub(crate) fn carry(
    outbox: &[Change],
    truth: &BTreeMap<EntityKey, Entity>,
    dice: &mut Dice,
    bug: Option<Bug>,
) -> Result<(), String> {
    let mut carrier = Carrier::new(outbox, dice, bug);
    let result = carrier.run(dice).and_then(|()| carrier.check(truth));
    result.map_err(|reason| format!("{reason}\nwhat the OA was asked: {:?}", carrier.asked))
}

/// Entities that an OA may refuse. Where departments move, a refused one can leave the OA's tree in a shape in which a later
/// move closes a circle; the courier, which does not know that tree, could not tell.
fn entities_to_refuse(outbox: &[Change]) -> BTreeSet<&EntityKey> {
    let is_department = |change: &Change| change.kind() == EntityKind::Department;
    let moves = |change: &Change| is_department(change) && !change.first && !change.leaves.is_empty();
    let trees_change = outbox.iter().any(|change| moves(change) && change.action != Action::Remove);
    let may_be_refused = outbox.iter().filter(|change| !(trees_change && is_department(change)));
    may_be_refused.map(|change| &change.entity).filter(|key| !key.is_root()).collect()
}

struct Carrier<'a> {
    outbox: &'a [Change],
    oa: Oa,
    /// The OA takes several changes in one go.
    takes_batches: bool,
    courier: Courier,
    /// The changes of the exceptions, as the sink's table keeps them.
    kept: BTreeMap<EntityKey, Change>,
    /// Under which id each of them was sent last.
    sent_to: BTreeMap<EntityKey, EntityKey>,
    /// What the OA was asked, and its answers.
    asked: Vec<(EntityKey, u64, Option<Answer>)>,
    /// What was sent without our learning what came of it. It goes first: until then nobody knows what the OA has.
    in_flight: Vec<Step>,
    bug: Option<Bug>,
}

impl<'a> Carrier<'a> {
    fn new(outbox: &'a [Change], dice: &mut Dice, bug: Option<Bug>) -> Self {
        let mut oa = Oa::default();
        oa.has_foreign_keys = dice.once_in(2);
        let rejects_some = dice.once_in(2);
        for key in entities_to_refuse(outbox) {
            if rejects_some && dice.once_in(8) {
                oa.rejects.insert(key.clone());
            } else if dice.once_in(4) {
                oa.fails_with.insert(key.clone());
            }
        }
        let takes_batches = oa.has_foreign_keys;
        Self {
            outbox,
            oa,
            takes_batches,
            courier: Courier::default(),
            kept: BTreeMap::new(),
            sent_to: BTreeMap::new(),
            asked: Vec::new(),
            in_flight: Vec::new(),
            bug,
        }
    }

    fn run(&mut self, dice: &mut Dice) -> Result<(), String> {
        for _ in 0..PATIENCE {
            self.oa.now = self.oa.now.plus_seconds(1);
            self.moods_change(dice);
            let in_flight = std::mem::take(&mut self.in_flight);
            if !in_flight.is_empty() {
                self.carry_out(&in_flight, dice)?;
            } else if dice.once_in(3) {
                self.deliver_due(dice)?;
            } else {
                self.deliver_next(dice)?;
            }
            if dice.once_in(10) {
                self.restart();
            }
            if self.is_done() {
                return Ok(());
            }
        }
        let open: Vec<_> = self.courier.exceptions().collect();
        Err(format!("at version {} nothing goes on; open: {open:?}", self.courier.position()))
    }

    fn moods_change(&mut self, dice: &mut Dice) {
        self.oa.is_away = if self.oa.is_away { !dice.once_in(2) } else { dice.once_in(8) };
        if dice.once_in(10)
            && let Some(healed) = self.oa.fails_with.first().cloned()
        {
            self.oa.fails_with.remove(&healed);
        }
    }

    fn is_done(&self) -> bool {
        let all_passed = self.courier.position() == self.outbox.len() as u64;
        all_passed && self.oa.fails_with.is_empty() && self.courier.next_due().is_none()
    }

    /// The next changes, some of them again, as a broker hands them over.
    fn deliver_next(&mut self, dice: &mut Dice) -> Result<(), String> {
        let position = usize::try_from(self.courier.position()).unwrap();
        let position = if self.bug == Some(Bug::NoPositionCheck) {
            self.courier = self.courier_at(position.saturating_sub(dice.below(3)) as u64);
            position
        } else {
            position
        };
        let first = position.saturating_sub(dice.below(3));
        let last = (position + dice.between(1, 8)).min(self.outbox.len());
        let changes = self.outbox.get(first..last).unwrap_or_default();
        let steps = self.courier.plan(changes, |_| true, dice.between(1, 6));
        self.carry_out(&steps, dice)
    }

    fn deliver_due(&mut self, dice: &mut Dice) -> Result<(), String> {
        for (_, key) in self.courier.due(self.oa.now, dice.between(1, 4)) {
            if !self.in_flight.is_empty() {
                break;
            }
            if let Some(step) = self.courier.retry(&key, self.kept[&key].clone()) {
                self.carry_out(&[step], dice)?;
            }
        }
        Ok(())
    }

    /// Messages go one by one, and what stands behind one that failed is planned anew. A batch goes out as a whole, and is noted
    /// as a whole.
    fn carry_out(&mut self, steps: &[Step], dice: &mut Dice) -> Result<(), String> {
        let mut answers: Vec<Option<Answer>> = Vec::new();
        for step in steps {
            let is_sent = step.decision == Decision::Deliver;
            self.asked.push((step.send.entity.clone(), step.send.version, None));
            let answer = if is_sent { Some(self.oa.take(&step.send)?) } else { None };
            self.asked.last_mut().unwrap().2.clone_from(&answer);
            answers.push(answer);
            if answers.contains(&Some(Answer::Away)) || dice.once_in(12) {
                // Nobody answered, or we did not live to hear it.
                self.in_flight = if self.takes_batches { steps.to_vec() } else { vec![step.clone()] };
                return Ok(());
            }
            if self.takes_batches {
                continue;
            }
            let answer = answers.pop().flatten();
            if self.settle(step, answer)? != Some(Settled::Applied) && is_sent {
                return Ok(());
            }
        }
        for (step, answer) in steps.iter().zip(answers) {
            self.settle(step, answer)?;
        }
        Ok(())
    }

    /// What it came to; `None` if it is to be tried again in its place.
    fn settle(&mut self, step: &Step, answer: Option<Answer>) -> Result<Option<Settled>, String> {
        let Some(verdict) = self.judge(step, answer) else { return Ok(None) };
        let settled = self.courier.settle(step, verdict, self.oa.now);
        self.sent_to.insert(step.key.clone(), step.send.entity.clone());
        self.keep(step)?;
        Ok(Some(settled))
    }

    /// `None`: to be tried again in its place.
    fn judge(&mut self, step: &Step, answer: Option<Answer>) -> Option<Verdict> {
        let next_attempt = self.oa.now.plus_seconds(5);
        match answer {
            None | Some(Answer::Applied) => Some(Verdict::Applied),
            Some(Answer::Away) => None,
            Some(Answer::Rejected) => Some(Verdict::Rejected { reason: String::new() }),
            Some(Answer::Missing(what)) => Some(Verdict::Missing { next_attempt, what: Some(what) }),
            Some(Answer::Failed) => {
                let is_patient = !step.again && !self.takes_batches;
                let goes_on_trying = is_patient && self.courier.failed_in_place(step.version) < HELD_AFTER_FAILURES;
                (!goes_on_trying).then_some(Verdict::Failed { next_attempt, reason: String::new() })
            }
        }
    }

    fn keep(&mut self, step: &Step) -> Result<(), String> {
        for (key, exception) in self.courier.take_changed() {
            match exception {
                None => drop(self.kept.remove(&key)),
                Some(exception) if key == step.key && exception.version == step.version => {
                    self.kept.insert(key, step.change.clone());
                }
                Some(_) if self.kept.contains_key(&key) => {}
                Some(exception) => return Err(format!("nobody kept the change of {key}: {exception:?}")),
            }
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.courier = self.courier_at(self.courier.position());
    }

    fn courier_at(&self, position: u64) -> Courier {
        let exceptions = self.courier.exceptions().map(|(key, exception)| (key.clone(), exception.clone()));
        let keeps = self.bug != Some(Bug::ExceptionsForgotten);
        Courier::new(position, exceptions.filter(|_| keeps))
    }

    fn check(&self, truth: &BTreeMap<EntityKey, Entity>) -> Result<(), String> {
        let mut excused: BTreeSet<&EntityKey> = BTreeSet::new();
        for (key, exception) in self.courier.exceptions() {
            self.check_explained(key)?;
            excused.insert(key);
            excused.extend(exception.formerly.iter().map(|former| &former.key));
        }
        for key in truth.keys().chain(self.oa.keys()).filter(|key| !excused.contains(key)) {
            if self.oa.row(key) != truth.get(key) {
                return Err(format!("the OA has {key} as {:?}, not as {:?}", self.oa.row(key), truth.get(key)));
            }
        }
        Ok(())
    }

    /// What did not arrive was rejected or waits, in the end, for something that was.
    fn check_explained(&self, key: &EntityKey) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![key.clone()];
        while let Some(next) = open.pop() {
            let Some(exception) = self.courier.exception(&next) else {
                return Err(format!("{key} waits for {next}, which is no exception"));
            };
            match &exception.state {
                State::Dead { .. } if self.oa.rejects.contains(&self.sent_to[&next]) => return Ok(()),
                State::Waiting { on } => open.extend(on.iter().filter(|on| seen.insert((*on).clone())).cloned()),
                state => return Err(format!("{next} is {state:?} without having been rejected")),
            }
        }
        Err(format!("{key} waits for what waits for it"))
    }
}
