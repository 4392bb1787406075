//! What was asked, and what became of it: for tests of how often the API is called and how it took it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::{About, Identity, Interface};

const MINUTE_MS: i64 = 60_000;
/// "Too many calls" (reference wecom 4).
pub(super) const THROTTLED: i64 = 45009;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered with this return code; 0 is good.
    Code(i64),
    /// It was answered with this HTTP status, as scripted.
    Status(u16),
    /// The connection was cut, as scripted.
    Cut,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was called.
    pub interface: Interface,
    /// When it came, Unix milliseconds by the clock that was injected.
    pub at_ms: i64,
    /// Who called; `None` without a good token.
    pub identity: Option<Identity>,
    /// Where it came from.
    pub peer: IpAddr,
    /// What it was about, where that could be read.
    pub about: Option<About>,
    /// What became of it.
    pub outcome: Outcome,
}

/// The calls of one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All calls.
    pub calls: u64,
    /// Those of them with return code 0.
    pub good: u64,
    /// Those of them that were one too many or came during a block.
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
    /// Members who were created, in order.
    pub(super) created: Vec<String>,
    /// Members who were sent an invitation, in order.
    pub(super) invited: Vec<String>,
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

    pub(super) fn answered(&mut self, record: Record, keep: bool) {
        let tally = &mut self.counters.entry(record.interface).or_default().tally;
        tally.good += u64::from(record.outcome == Outcome::Code(0));
        tally.throttled += u64::from(record.outcome == Outcome::Code(THROTTLED));
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
