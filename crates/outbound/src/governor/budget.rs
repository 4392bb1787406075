//! The limits that hold for a call, all at once.

#[cfg(test)]
mod tests;

use common::UnixMillis;

use super::{Limit, Pace, Spent, Urgency};

/// How long after its start a call may leave us where no limit says so, in milliseconds.
const GRACE_MILLIS: i64 = 1_000;

/// The limits on a call, each with what is spent of it.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    lines: Vec<(Pace, Spent)>,
}

/// What may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// When calls may start, in order: as many as were wanted, or as many as begin soon.
    pub starts: Vec<UnixMillis>,
    /// When it is worth asking for the next one.
    pub ask_again: UnixMillis,
}

impl Budget {
    /// Adds a limit with what was noted as spent of it, of an allowance that the platform refused until `opened`.
    pub fn add(&mut self, limit: Limit, noted: Spent, opened: UnixMillis, now: UnixMillis) {
        let pace = Pace::of(limit);
        self.lines.push((pace, pace.recall(noted, opened, now)));
    }

    /// What is spent, limit by limit, in the order in which they were added.
    pub fn spent(&self) -> impl Iterator<Item = Spent> {
        self.lines.iter().map(|(_, spent)| *spent)
    }

    /// Lets through at most `wanted` calls that start soon after `now`, and spends them.
    pub fn reserve(&mut self, urgency: Urgency, wanted: usize, now: UnixMillis) -> Reserved {
        let ahead = self.lines.iter().map(|(pace, _)| pace.ahead_millis()).min().unwrap_or_default();
        let soon = now.plus_millis(ahead);
        let mut starts = Vec::new();
        let mut next = self.earliest(urgency, now);
        while starts.len() < wanted && next <= soon {
            for (pace, spent) in &mut self.lines {
                *spent = pace.spend(*spent, urgency, next);
            }
            starts.push(next);
            next = self.earliest(urgency, now);
        }
        // Early enough for the answer to be there by then.
        Reserved { starts, ask_again: next.plus_millis(-ahead / 2).max(now) }
    }

    /// How long after its start a call may leave us, in milliseconds.
    pub fn grace_millis(&self) -> i64 {
        self.lines.iter().map(|(pace, _)| pace.grace_millis()).min().unwrap_or(GRACE_MILLIS)
    }

    /// When the last of `calls` more calls of back-fill may start, if nothing comes between; `None` where nothing limits them.
    pub fn last_of(&self, calls: u64, now: UnixMillis) -> Option<UnixMillis> {
        let first = self.earliest(Urgency::Backfill, now);
        self.lines.iter().map(|(pace, spent)| pace.last_of(*spent, calls, first)).max()
    }

    fn earliest(&self, urgency: Urgency, now: UnixMillis) -> UnixMillis {
        self.lines.iter().map(|(pace, spent)| pace.earliest(*spent, urgency, now)).max().unwrap_or(now)
    }
}
