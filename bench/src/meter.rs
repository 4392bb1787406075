//! Who used how much processor time between two moments.

use std::{collections::BTreeMap, time::Instant};

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::{numbers::rounded, processes::Processes};

/// Processes by what results call them; what they started belongs to them.
pub(crate) type Roots = BTreeMap<&'static str, Vec<u32>>;

/// Counts from its start.
pub(crate) struct Meter {
    roots: Roots,
    began: Instant,
    before: Reading,
}

struct Reading {
    seconds: BTreeMap<&'static str, f64>,
    /// This process's own, and that of those of its children that have ended.
    own: (f64, f64),
}

/// Processor time between two moments, in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// How long it was by the clock.
    pub(crate) wall_seconds: f64,
    /// This process itself: the load, where it sends that by itself.
    pub(crate) own_seconds: f64,
    /// Processes that were started and have ended in between, such as wrk.
    pub(crate) ended_seconds: f64,
    seconds: BTreeMap<&'static str, f64>,
}

impl Reading {
    fn take(roots: &Roots) -> Result<Self> {
        let processes = Processes::now()?;
        let sum = |ids: &Vec<u32>| ids.iter().map(|id| processes.tree_seconds(*id)).sum::<f64>();
        Ok(Self { seconds: roots.iter().map(|(name, ids)| (*name, sum(ids))).collect(), own: processes.own_seconds() })
    }
}

impl Meter {
    /// Starts to count.
    pub(crate) fn start(roots: Roots) -> Result<Self> {
        let before = Reading::take(&roots)?;
        Ok(Self { roots, before, began: Instant::now() })
    }

    /// What was used until now.
    pub(crate) fn read(&self) -> Result<Usage> {
        let wall_seconds = self.began.elapsed().as_secs_f64();
        let now = Reading::take(&self.roots)?;
        let before = |name: &str| self.before.seconds.get(name).copied().unwrap_or_default();
        Ok(Usage {
            wall_seconds,
            own_seconds: now.own.0 - self.before.own.0,
            ended_seconds: now.own.1 - self.before.own.1,
            seconds: now.seconds.into_iter().map(|(name, seconds)| (name, seconds - before(name))).collect(),
        })
    }
}

impl Usage {
    /// Microseconds per event of those by that name.
    pub(crate) fn micros(&self, name: &str, events: usize) -> f64 {
        per_event(self.seconds.get(name).copied().unwrap_or_default(), events)
    }

    /// Microseconds per event of all that were named at the start.
    pub(crate) fn all_micros(&self, events: usize) -> f64 {
        per_event(self.seconds.values().sum(), events)
    }

    /// Microseconds per event of this process itself.
    pub(crate) fn own_micros(&self, events: usize) -> f64 {
        per_event(self.own_seconds, events)
    }

    /// Microseconds per event of what was started and has ended.
    pub(crate) fn ended_micros(&self, events: usize) -> f64 {
        per_event(self.ended_seconds, events)
    }

    /// Microseconds per event by name.
    pub(crate) fn told(&self, events: usize) -> Value {
        let micros =
            |(name, seconds): (&&'static str, &f64)| ((*name).to_owned(), json!(rounded(per_event(*seconds, events))));
        Value::Object(self.seconds.iter().map(micros).collect::<Map<String, Value>>())
    }
}

fn per_event(seconds: f64, events: usize) -> f64 {
    seconds * 1e6 / events.max(1) as f64
}
