//! What was asked, and what became of it: for tests of how often the API is called and how it took it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::Interface;
use crate::jiandaoyun::FormId;

const SECOND_MS: i64 = 1_000;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Good,
    /// It was answered with this code.
    Code(i64),
    /// It was answered with this HTTP status and no code.
    Status(u16),
    /// The connection was cut, or no answer came, as scripted.
    Unanswered,
}

impl Outcome {
    /// Whether it was one call too many.
    #[must_use]
    pub const fn is_throttled(self) -> bool {
        matches!(self, Self::Code(8303 | 8304 | 8309) | Self::Status(429))
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was called.
    pub interface: Interface,
    /// When it came, Unix ms by the clock that was injected.
    pub at_ms: i64,
    /// With which key; `None` without a good one.
    pub key: Option<String>,
    /// Where it came from.
    pub peer: IpAddr,
    /// Which form it was about, where that could be read.
    pub form: Option<FormId>,
    /// Which record it was about: the cursor, where it is a page.
    pub record: Option<String>,
    /// How many records were answered.
    pub rows: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// The calls of one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All calls.
    pub calls: u64,
    /// Those of them that were done.
    pub good: u64,
    /// Those of them that were one too many.
    pub throttled: u64,
    /// The most calls within any second.
    pub highest_per_second: usize,
}

#[derive(Default)]
struct Counter {
    tally: Tally,
    last_second_ms: VecDeque<i64>,
}

#[derive(Default)]
pub(super) struct Journal {
    counters: BTreeMap<Interface, Counter>,
    pub(super) records: Vec<Record>,
    /// Requests of paths that do not exist.
    pub(super) unknown: u64,
}

impl Journal {
    pub(super) fn arrived(&mut self, interface: Interface, now_ms: i64) {
        let counter = self.counters.entry(interface).or_default();
        counter.tally.calls += 1;
        let second = &mut counter.last_second_ms;
        while second.front().is_some_and(|call_ms| *call_ms <= now_ms.saturating_sub(SECOND_MS)) {
            second.pop_front();
        }
        second.push_back(now_ms);
        counter.tally.highest_per_second = counter.tally.highest_per_second.max(second.len());
    }

    pub(super) fn answered(&mut self, record: Record, keep: bool) {
        let tally = &mut self.counters.entry(record.interface).or_default().tally;
        tally.good += u64::from(record.outcome == Outcome::Good);
        tally.throttled += u64::from(record.outcome.is_throttled());
        if keep {
            self.records.push(record);
        }
    }

    pub(super) fn tally(&self, interface: Interface) -> Tally {
        self.counters.get(&interface).map(|counter| counter.tally).unwrap_or_default()
    }

    pub(super) fn throttled(&self) -> u64 {
        self.counters.values().map(|counter| counter.tally.throttled).sum()
    }
}
