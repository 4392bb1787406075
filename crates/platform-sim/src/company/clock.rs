//! The virtual clock of a company.

use std::collections::HashSet;

/// How many operations share a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Each has its own.
    #[default]
    OwnSecond,
    /// Up to so many share one, as in an import.
    PerSecond(u32),
    /// The clock stands still unless it is set.
    Frozen,
}

#[derive(Debug)]
pub(super) struct Clock {
    now_seconds: i64,
    pace: Pace,
    distinct: bool,
    used: u32,
    written: HashSet<String>,
    read: HashSet<String>,
}

impl Clock {
    pub(super) fn new(start_seconds: i64, pace: Pace, distinct: bool) -> Self {
        Self { now_seconds: start_seconds, pace, distinct, used: 0, written: HashSet::new(), read: HashSet::new() }
    }

    pub(super) fn now_seconds(&self) -> i64 {
        self.now_seconds
    }

    pub(super) fn set(&mut self, seconds: i64) {
        self.now_seconds = seconds;
        self.used = 0;
        self.written.clear();
        self.read.clear();
    }

    pub(super) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// The second of the next operation, which changes (`writes`) and refers to (`reads`) these.
    pub(super) fn tick(&mut self, writes: &[String], reads: &[String]) -> i64 {
        let full = match self.pace {
            Pace::OwnSecond => self.used >= 1,
            Pace::PerSecond(limit) => self.used >= limit.max(1),
            Pace::Frozen => false,
        };
        let rewritten = writes.iter().any(|key| self.written.contains(key) || self.read.contains(key));
        let again = self.distinct && (rewritten || reads.iter().any(|key| self.written.contains(key)));
        if full || (again && self.pace != Pace::Frozen) {
            self.set(self.now_seconds + 1);
        }
        self.used = self.used.saturating_add(1);
        self.written.extend(writes.iter().cloned());
        self.read.extend(reads.iter().cloned());
        self.now_seconds
    }
}
