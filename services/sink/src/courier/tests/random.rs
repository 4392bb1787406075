//! Random histories against a destination that refuses some entities for a while.

use std::collections::{BTreeMap, BTreeSet};

use common::{Change, EntityKey, UnixMillis};

use super::super::{Courier, Decision, Settled, State, Step, Verdict};
use super::world::{Answer, Dice, Strict, World};

struct Run {
    courier: Courier,
    destination: Strict,
    kept: BTreeMap<EntityKey, Change>,
    now: i64,
    batches: bool,
    ever_refused: BTreeSet<EntityKey>,
    sent_to: BTreeMap<EntityKey, EntityKey>,
}

impl Run {
    fn deliver(&mut self, changes: &[Change], dice: &mut Dice) {
        let last = changes.last().map_or(0, |change| change.version);
        let mut rounds = 0;
        while self.courier.position() < last {
            rounds += 1;
            assert!(rounds < 10_000, "no progress at {}", self.courier.position());
            let limit = 1 + dice.below(20);
            let steps = self.courier.plan(changes, |_| true, limit);
            assert!(!steps.is_empty(), "nothing planned at {}", self.courier.position());
            self.carry_out(&steps, dice);
            self.try_due(dice);
        }
    }

    fn try_due(&mut self, dice: &mut Dice) {
        for _ in 0..10_000 {
            self.now += 10;
            let due = self.courier.due(UnixMillis(self.now), 1 + dice.below(5));
            if due.is_empty() {
                return;
            }
            let retry = |(_, key): &(u64, EntityKey)| self.courier.retry(key, self.kept[key].clone()).unwrap();
            let steps: Vec<Step> = due.iter().map(retry).collect();
            self.carry_out(&steps, dice);
        }
        panic!("due without end");
    }

    /// As the service does it: a batch goes out as a whole and is settled in order; messages go one by one and what
    /// stands behind one that was not taken is planned anew.
    fn carry_out(&mut self, steps: &[Step], dice: &mut Dice) {
        let mut answers = Vec::new();
        if self.batches {
            for step in steps.iter().filter(|step| step.decision == Decision::Deliver) {
                answers.push(self.destination.apply(&step.send, true));
            }
        }
        let mut answers = answers.into_iter();
        for step in steps {
            let mut verdict = Verdict::Applied;
            self.sent_to.insert(step.key.clone(), step.send.entity.clone());
            if step.decision == Decision::Deliver {
                let next_attempt = UnixMillis(self.now + 5);
                let answer =
                    if self.batches { answers.next().unwrap() } else { self.destination.apply(&step.send, false) };
                verdict = match answer {
                    Answer::Applied => Verdict::Applied,
                    Answer::Rejected if dice.chance(50) => Verdict::Rejected { reason: String::new() },
                    Answer::Rejected => Verdict::Failed { next_attempt, reason: String::new() },
                    Answer::Missing(what) => Verdict::Missing { next_attempt, what: Some(what) },
                };
            }
            let settled = self.courier.settle(step, verdict, UnixMillis(self.now));
            self.keep(step);
            if settled != Settled::Applied && step.decision == Decision::Deliver && !self.batches {
                return;
            }
        }
    }

    /// Stores what changed, and forgets the courier's memory now and then, as a restart does.
    fn keep(&mut self, step: &Step) {
        for (key, exception) in self.courier.take_changed() {
            match exception {
                Some(exception) if key == step.key && exception.version == step.version => {
                    self.kept.insert(key, step.change.clone());
                }
                Some(_) => assert!(self.kept.contains_key(&key)),
                None => drop(self.kept.remove(&key)),
            }
        }
        assert_eq!(self.kept.len(), self.courier.exceptions().count());
    }

    fn restart(&mut self) {
        let exceptions: Vec<_> =
            self.courier.exceptions().map(|(key, exception)| (key.clone(), exception.clone())).collect();
        self.courier = Courier::new(self.courier.position(), exceptions);
    }

    /// Every exception that is not at rest is explained by a refusal.
    fn check_explained(&self) {
        for (key, exception) in self.courier.exceptions() {
            match &exception.state {
                State::Waiting { on } => {
                    assert!(!on.is_empty(), "{key} waits for nothing");
                    let known = |other: &EntityKey| self.courier.exception(other).is_some();
                    assert!(on.iter().all(known), "{key} waits for what will never come");
                }
                State::Held => assert!(self.destination.refused.contains(&self.sent_to[key]), "{key} is held"),
                State::Dead { .. } => assert!(self.ever_refused.contains(&self.sent_to[key]), "{key} is dead"),
            }
        }
    }
}

fn history(seed: u64, batches: bool) {
    let mut dice = Dice::new(seed);
    let mut world = World::new();
    let mut run = Run {
        courier: Courier::default(),
        destination: Strict::new(),
        kept: BTreeMap::new(),
        now: 0,
        batches,
        ever_refused: BTreeSet::new(),
        sent_to: BTreeMap::new(),
    };
    for _ in 0..6 {
        let changes: Vec<Change> = (0..1 + dice.below(25)).map(|_| world.next(&mut dice)).collect();
        let touched: BTreeSet<EntityKey> = changes.iter().map(|change| change.entity.clone()).collect();
        let refusing = dice.below(30);
        run.destination.refused = touched.into_iter().filter(|_| dice.chance(refusing)).collect();
        run.destination.refused.extend(world.live.keys().filter(|key| !key.is_root() && dice.chance(3)).cloned());
        run.ever_refused.extend(run.destination.refused.iter().cloned());
        run.deliver(&changes, &mut dice);
        // Held ones are tried until the refusals turned into rejections or the end of it.
        for _ in 0..12 {
            run.try_due(&mut dice);
        }
        run.check_explained();
        if dice.chance(50) {
            run.restart();
        }
    }
    heal(&mut run, &mut world, &mut dice);
    let left: Vec<_> = run.courier.exceptions().collect();
    assert!(left.is_empty(), "seed {seed}: {left:#?}");
    let there: BTreeMap<_, _> = run.destination.rows.iter().map(|(key, row)| (key, &row.0)).collect();
    assert_eq!(there, world.live.iter().collect(), "seed {seed}");
}

/// The destination refuses nothing any more, and a person replays what is dead, in any order.
fn heal(run: &mut Run, world: &mut World, dice: &mut Dice) {
    run.destination.refused.clear();
    for _ in 0..1000 {
        run.try_due(dice);
        let dead: Vec<EntityKey> = run.courier.exceptions().map(|(key, _)| key.clone()).collect();
        let Some(key) = dice.pick(&dead) else { return };
        let replay = world.replay(key);
        run.deliver(&[replay], dice);
    }
}

#[test]
fn any_history_arrives_by_messages() {
    (0..1500).for_each(|seed| history(seed, false));
}

#[test]
fn any_history_arrives_by_batches() {
    (0..1500).for_each(|seed| history(seed, true));
}
