//! What came of a run.

use platform_sim::{Oa, Subject, Violation};
use serde_json::{Map, Value, json};

use super::{curse::Curse, load::Told, nemesis::Toll, settling::Standing, tally::Tally};

/// All processes say that they are ready within that many seconds after the last fault.
pub(super) const READY_WITHIN_SECONDS: u64 = 60;
/// How many examples a complaint gives.
const EXAMPLES: usize = 5;

/// What came of a run.
#[derive(Debug)]
pub struct Ledger {
    pub(super) seed: u64,
    pub(super) told: Told,
    pub(super) toll: Toll,
    pub(super) curse: Curse,
    pub(super) standing: Standing,
    pub(super) oa: Post,
    pub(super) cursed_oa: Post,
    pub(super) dead: usize,
    pub(super) parked: usize,
    pub(super) foreign_key_errors: usize,
    /// A process ended though nobody had told it to.
    pub(super) ended_by_itself: bool,
    /// Processes whose metrics could not be had at the end.
    pub(super) silent_processes: usize,
    /// PostgreSQL's disk was full for a while: then one send may have been tried, and forgotten, more than once.
    pub(super) postgres_was_full: bool,
    /// Nothing if some process was not in time.
    pub(super) ready_after_seconds: Option<f64>,
    pub(super) settled_after_seconds: f64,
    pub(super) seconds: f64,
    /// Examples of what is not right, and the ends of logs; empty where everything is.
    pub(super) details: Vec<String>,
}

/// What came to an OA.
#[derive(Debug)]
pub(super) struct Post {
    /// Messages that came again as they were.
    repeats: u64,
    violations: Vec<Violation>,
}

impl Post {
    pub(super) fn of(oa: &Oa) -> Self {
        let repeats = oa.repeats();
        Self { repeats: repeats.all - repeats.sealed_anew, violations: oa.violations() }
    }
}

impl Ledger {
    /// All of it, as one JSON object.
    pub fn to_json(&self) -> Value {
        let Standing { core, oa, cursed_oa, spooled } = &self.standing;
        let sum = |of: fn(&Tally) -> usize| of(core) + of(oa);
        let pairs = [
            ("seed", json!(self.seed)),
            ("callbacks", json!(self.told.callbacks)),
            ("answered", json!(self.told.answered)),
            ("applied_core", json!(core.applied)),
            ("applied_oa", json!(oa.applied)),
            ("lost", json!(sum(|tally| tally.lost))),
            ("doubled", json!(sum(|tally| tally.doubled))),
            ("unexpected", json!(sum(|tally| tally.unexpected))),
            ("core", core.to_json()),
            ("oa", oa.to_json()),
            ("repeats_at_oa", json!(self.oa.repeats)),
            ("faults_that_may_repeat", json!(self.toll.may_repeat)),
            ("violations", json!(self.oa.violations.len())),
            ("cursed_oa", cursed_oa.to_json(&self.curse)),
            ("repeats_at_cursed_oa", json!(self.cursed_oa.repeats)),
            ("violations_at_cursed_oa", json!(self.cursed_oa.violations.len())),
            ("kills", json!(self.toll.kills)),
            ("faults", json!(self.toll.faults)),
            ("started_again", json!(self.toll.started_again)),
            ("load", self.told.to_json()),
            ("dead", json!(self.dead)),
            ("parked", json!(self.parked)),
            ("spooled", json!(spooled)),
            ("foreign_key_errors", json!(self.foreign_key_errors)),
            ("ready_after_seconds", json!(self.ready_after_seconds)),
            ("settled_after_seconds", json!(self.settled_after_seconds)),
            ("seconds", json!(self.seconds)),
        ];
        Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<String, Value>>())
    }

    /// What is not as it was promised; nothing after a good run.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut expect = |is_so: bool, what: String| {
            if !is_so {
                complaints.push(what);
            }
        };
        let (told, toll, standing) = (&self.told, &self.toll, &self.standing);
        expect(told.answered == told.callbacks, format!("{} of {} were answered", told.answered, told.callbacks));
        expect(told.refused == 0, format!("{} good callbacks were refused", told.refused));
        expect(standing.core.is_right(), format!("the core: {:?}", standing.core));
        expect(standing.oa.is_right(), format!("the OA: {:?}", standing.oa));
        let cursed = &standing.cursed_oa;
        let strays: Vec<&Subject> = cursed.strays.iter().take(EXAMPLES).collect();
        let how = cursed.to_json(&self.curse);
        expect(cursed.is_right(), format!("the OA that never takes {:?}: {how}, {strays:?}", self.curse.subject()));
        for (whose, post) in [("the OA", &self.oa), ("the other OA", &self.cursed_oa)] {
            let some: Vec<&Violation> = post.violations.iter().take(EXAMPLES).collect();
            expect(some.is_empty(), format!("{whose}: {} violations, such as {some:?}", post.violations.len()));
            let is_bounded = post.repeats <= toll.may_repeat as u64 || self.postgres_was_full;
            expect(is_bounded, format!("{whose}: {} repeats after {} faults", post.repeats, toll.may_repeat));
        }
        expect(self.dead == 0, format!("{} dead letters", self.dead));
        expect(self.parked == 0, format!("{} parked", self.parked));
        expect(standing.spooled == 0.0, format!("{} events in spools", standing.spooled));
        expect(self.foreign_key_errors == 0, format!("{} errors of foreign keys", self.foreign_key_errors));
        expect(!self.ended_by_itself, "a process ended by itself".to_owned());
        expect(self.silent_processes == 0, format!("{} processes tell no metrics", self.silent_processes));
        let is_ready = self.ready_after_seconds.is_some();
        expect(is_ready, format!("not all processes were ready within {READY_WITHIN_SECONDS} s"));
        complaints
    }

    /// Examples of what is not right, and the ends of the logs.
    pub fn details(&self) -> String {
        self.details.join("\n")
    }
}
