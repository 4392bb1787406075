//! Whether everything that was told is where it belongs, once, when nothing more is told.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tests::chaos::Tally;
use tokio::time::{Instant, sleep};

use crate::{
    cluster::{Cluster, Exit, GATEWAY},
    load::Told,
};

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long it may take until everything agrees, after the last callback.
const PATIENCE: Duration = Duration::from_secs(300);
/// Within which a process ends that was told to.
const EXIT_WITHIN: Duration = Duration::from_secs(25);
/// How many examples of a kind a report gives.
const EXAMPLES: usize = 5;

/// How it stands.
pub(crate) struct Verdict {
    core: Tally,
    oa: Tally,
    violations: Vec<String>,
    spooled: f64,
    dead: usize,
    parked: usize,
    redelivered: Option<u64>,
    /// Containers that ended, or had to be ended, though nobody had told their pods to.
    restarts: Vec<String>,
    pub(crate) error_lines: Vec<String>,
    settled_after: Duration,
}

impl Verdict {
    /// Looks again and again until everything is right, or the time is over.
    pub(crate) async fn of(cluster: &Cluster, told: &Told) -> Self {
        let began = Instant::now();
        let (core, oa, spooled) = loop {
            let (core, oa) = tallies(cluster, told).await;
            let spooled = cluster.sum_of(GATEWAY, "orgbridge_spool_events").await;
            if (core.is_right() && oa.is_right() && spooled == 0.0) || began.elapsed() > PATIENCE {
                break (core, oa, spooled);
            }
            sleep(LOOK_EVERY).await;
        };
        let settled_after = began.elapsed();
        let violations = told.tenants.iter().flat_map(|truth| truth.customer.oa.violations());
        let restarts = cluster.pods().into_iter().filter(|pod| pod.restarts() > 0);
        Self {
            violations: violations.map(|violation| format!("{violation:?}")).collect(),
            dead: count(&cluster.ask(&["dead", "list"]).await),
            parked: count(&cluster.ask(&["parked", "list"]).await),
            redelivered: cluster.redelivered().await,
            restarts: restarts.map(|pod| format!("{} {} times", pod.name, pod.restarts())).collect(),
            error_lines: cluster.error_lines(),
            settled_after,
            spooled,
            core,
            oa,
        }
    }

    /// What every trial tells.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let sum = |of: fn(&Tally) -> usize| of(&self.core) + of(&self.oa);
        let pairs = [
            ("lost", json!(sum(|tally| tally.lost))),
            ("doubled", json!(sum(|tally| tally.doubled))),
            ("unexpected", json!(sum(|tally| tally.unexpected))),
            ("core", self.core.to_json()),
            ("oa", self.oa.to_json()),
            ("violations", json!(self.violations.len())),
            ("dead", json!(self.dead)),
            ("parked", json!(self.parked)),
            ("spooled", json!(self.spooled)),
            ("redelivered", json!(self.redelivered)),
            ("containers_started_again", json!(self.restarts)),
            ("error_lines", json!(self.error_lines.len())),
            ("settled_after_seconds", json!(self.settled_after.as_secs_f64())),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What is not as it was promised.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut expect = |is_so: bool, what: String| {
            if !is_so {
                complaints.push(what);
            }
        };
        expect(self.core.is_right(), format!("the core: {:?}", self.core));
        expect(self.oa.is_right(), format!("the OAs: {:?}", self.oa));
        expect(self.violations.is_empty(), format!("the OAs were told: {:?}", some(&self.violations)));
        expect(self.dead == 0, format!("{} dead letters", self.dead));
        expect(self.parked == 0, format!("{} parked", self.parked));
        expect(self.spooled == 0.0, format!("{} events in spools", self.spooled));
        expect(self.restarts.is_empty(), format!("containers were started again: {:?}", self.restarts));
        complaints
    }
}

/// The seconds within which pods were gone, and what is wrong with that.
pub(crate) fn exits(exits: &[Exit]) -> (f64, Vec<String>) {
    let longest = exits.iter().map(|exit| exit.took.as_secs_f64()).fold(0.0, f64::max);
    let wrong = exits.iter().filter(|exit| !exit.is_good || exit.took > EXIT_WITHIN);
    let told = |Exit { pod, took, is_good }: &Exit| format!("{pod} ended {took:?} after SIGTERM, well: {is_good}");
    (longest, wrong.map(told).collect())
}

/// The beginning of a list.
pub(crate) fn some(of: &[String]) -> &[String] {
    of.get(..EXAMPLES).unwrap_or(of)
}

async fn tallies(cluster: &Cluster, told: &Told) -> (Tally, Tally) {
    let (mut core, mut oa) = (Tally::default(), Tally::default());
    for truth in &told.tenants {
        core = core.plus(Tally::of_core(&cluster.core(&truth.customer), &truth.directory).await);
        oa = oa.plus(Tally::of_oa(&truth.customer.oa, &truth.directory, truth.others));
    }
    (core, oa)
}

/// How many rows a list has.
fn count(list: &Value) -> usize {
    list.as_array().expect("a list").len()
}
