//! What was asked, and what became of it: for tests of how often the API is called and how it took it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::{About, Interface};
use crate::dingtalk::time;

const MINUTE_MS: i64 = 60_000;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Good,
    /// An old interface answered with this code, bare or inside another one.
    Code(i64),
    /// A new interface answered with this code.
    Word(&'static str),
    /// The address is banned (status 1111).
    Banned,
    /// It was answered with this HTTP status and nothing else, as scripted.
    Status(u16),
    /// The connection was cut or never answered, as scripted.
    Unanswered,
}

impl Outcome {
    /// Whether it was one call too many.
    #[must_use]
    pub fn is_throttled(self) -> bool {
        match self {
            Self::Code(code) => (90_001..=90_018).contains(&code),
            Self::Word(word) => word.contains("QpsLimit") || word.contains("QpmLimit"),
            Self::Banned => true,
            Self::Good | Self::Status(_) | Self::Unanswered => false,
        }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was called.
    pub interface: Interface,
    /// When it came, Unix ms by the clock that was injected.
    pub at_ms: i64,
    /// Who called; `None` without a good token.
    pub client_id: Option<String>,
    /// Where it came from.
    pub peer: IpAddr,
    /// What it was about, where that could be read.
    pub about: Option<About>,
    /// Whether it counts towards the month's quota.
    pub counted: bool,
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
    /// The most calls within any 60 seconds.
    pub highest_per_minute: usize,
}

#[derive(Default)]
struct Counter {
    tally: Tally,
    last_minute_ms: VecDeque<i64>,
}

#[derive(Default)]
pub(super) struct Journal {
    counters: BTreeMap<Interface, Counter>,
    pub(super) records: Vec<Record>,
    /// Requests of paths that do not exist.
    pub(super) unknown: u64,
    /// Calls that count towards the quota, by month and interface.
    used: BTreeMap<String, BTreeMap<Interface, u64>>,
}

impl Journal {
    pub(super) fn arrived(&mut self, interface: Interface, now_ms: i64) {
        let counter = self.counters.entry(interface).or_default();
        counter.tally.calls += 1;
        let minute = &mut counter.last_minute_ms;
        while minute.front().is_some_and(|call_ms| *call_ms <= now_ms.saturating_sub(MINUTE_MS)) {
            minute.pop_front();
        }
        minute.push_back(now_ms);
        counter.tally.highest_per_minute = counter.tally.highest_per_minute.max(minute.len());
    }

    /// Counts a call towards the quota of its month.
    pub(super) fn spend(&mut self, interface: Interface, now_ms: i64) {
        *self.used.entry(time::month(now_ms)).or_default().entry(interface).or_default() += 1;
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

    /// Calls that count towards the quota of a month (`yyyy-MM`), by interface.
    pub(super) fn used_by_interface(&self, month: &str) -> BTreeMap<Interface, u64> {
        self.used.get(month).cloned().unwrap_or_default()
    }

    pub(super) fn used(&self, month: &str) -> u64 {
        self.used.get(month).map(|used| used.values().sum()).unwrap_or_default()
    }
}
