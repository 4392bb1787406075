//! How closely calls may follow each other under one limit: numbers in, numbers out.
//!
//! This is the generic cell rate algorithm. Each call keeps its limit busy for a while, and all that is remembered of the calls so
//! far is until when. A call may start while the limit is busy for no longer than a burst. In whatever order calls are let through,
//! those that start within a stretch of time are then at most `(stretch + burst) / every` of them, rounded up: the first one makes the
//! limit busy beyond the stretch's beginning, each adds `every`, and the last starts no earlier than a burst before the end of that.
//!
//! `every` is chosen so that this is what the platform allows, for a stretch that is longer than the limit's by the blur: calls that
//! start when they may, or up to the blur later, are never too many in any window, wherever the platform lets it begin.

#[cfg(test)]
mod tests;

use common::UnixMillis;

use super::{Limit, Urgency};

/// What is aimed at, in percent of the limit, where bursts and blur leave so much.
const AIM: i64 = 95;
/// What back-fill gets of the limit at most, in percent. The rest is there for live calls.
const BACKFILL_AIM: i64 = 93;
/// The blur is a fortieth of the window, within these, in microseconds: calls are late in our process and on the way.
const LEAST_BLUR: i64 = 400_000;
const MOST_BLUR: i64 = 2_000_000;
/// Nothing is let through further ahead of time than this, in microseconds.
const MOST_AHEAD: i64 = 1_000_000;
/// No window is taken for longer than about a year, in microseconds.
const LONGEST: i64 = 400 * 86_400_000_000;

/// What is spent of one limit. All zero is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Until when all calls together keep the limit busy (the theoretical arrival time), in microseconds since the epoch.
    pub total_micros: i64,
    /// Until when back-fill alone keeps busy what it may have, in microseconds since the epoch.
    pub backfill_micros: i64,
}

/// The pace that one limit allows. Times inside are in microseconds: at a few hundred calls a second a millisecond is much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// For how long a call keeps the limit busy.
    every: i64,
    /// For how long a call of back-fill keeps busy what back-fill may have.
    backfill_every: i64,
    /// How long the limit may be busy when a live call starts.
    burst: i64,
    /// The same for back-fill: less, so that live calls go first.
    backfill_burst: i64,
    /// How far ahead of time calls may be let through.
    ahead: i64,
    /// How much later than they may calls may reach the platform.
    blur: i64,
    /// The limit is never busy for longer than this from now on: its window, with blur and burst.
    longest: i64,
}

impl Pace {
    /// The pace of a limit. At 60 calls a minute and more it is 95 % of the limit, with bursts of some hundredths of it; where the
    /// blur outweighs the window, as at 20 calls a second, it is slower. A limit of no calls is taken for one of one.
    pub fn of(limit: Limit) -> Self {
        let calls = i64::from(limit.calls).max(1);
        let per = i64::try_from(limit.per.as_micros()).unwrap_or(LONGEST).clamp(1, LONGEST);
        let blur = (per / 40).clamp(LEAST_BLUR, MOST_BLUR);
        let aimed = ceil(per * 100, AIM * calls);
        // The burst then has room for one live call beside the one that back-fill has just made.
        let roomy = ceil(per + blur, (calls - 1).max(1));
        let every = aimed.max(roomy);
        let burst = every * calls - per - blur;
        let spare = (burst - every).max(0);
        Self {
            every,
            backfill_every: ceil(every * AIM, BACKFILL_AIM),
            burst,
            // What is left of the burst when back-fill has all it may, a quarter of it, is for live calls at once.
            backfill_burst: spare / 2,
            ahead: (spare / 4).min(MOST_AHEAD),
            blur,
            longest: every * calls + blur,
        }
    }

    /// How far ahead of time calls may be let through, in milliseconds.
    pub const fn ahead_millis(&self) -> i64 {
        self.ahead / 1000
    }

    /// How much later than its start a call may leave us, in milliseconds: half of the blur, and the other half is for the way.
    pub const fn grace_millis(&self) -> i64 {
        self.blur / 2000
    }

    /// What counts at `now` of what was noted as spent. Where the platform refused until `opened`, calls begin anew without a burst.
    /// After a clock was set back, what is noted lies further ahead than it can: then a whole window is waited for.
    #[must_use]
    pub fn recall(&self, noted: Spent, opened: UnixMillis, now: UnixMillis) -> Spent {
        let latest = micros(now).saturating_add(self.longest);
        let begun = micros(opened).saturating_add(self.backfill_burst);
        Spent {
            total_micros: noted.total_micros.min(latest).max(begun),
            backfill_micros: noted.backfill_micros.min(latest).max(begun),
        }
    }

    /// When the next call may start, not before `now`.
    pub fn earliest(&self, spent: Spent, urgency: Urgency, now: UnixMillis) -> UnixMillis {
        let free = match urgency {
            Urgency::Live => spent.total_micros.saturating_sub(self.burst),
            Urgency::Backfill => spent.total_micros.max(spent.backfill_micros).saturating_sub(self.backfill_burst),
        };
        now.max(ceil_millis(free))
    }

    /// What is spent once a call starts at `start`. A live call that takes more than is kept for it makes back-fill wait for longer.
    #[must_use]
    pub fn spend(&self, spent: Spent, urgency: Urgency, start: UnixMillis) -> Spent {
        let start = micros(start);
        let busy = |until: i64, every: i64| until.max(start).saturating_add(every);
        let total_micros = busy(spent.total_micros, self.every);
        match urgency {
            Urgency::Live => Spent { total_micros, ..spent },
            Urgency::Backfill => {
                Spent { total_micros, backfill_micros: busy(spent.backfill_micros, self.backfill_every) }
            }
        }
    }

    /// When the last of `calls` calls of back-fill may start, if the first starts at `first`.
    pub fn last_of(&self, spent: Spent, calls: u64, first: UnixMillis) -> UnixMillis {
        let more = i64::try_from(calls).unwrap_or(i64::MAX).saturating_sub(1).max(0);
        let start = |until: i64, every: i64| until.max(micros(first)).saturating_add(more.saturating_mul(every));
        let total = start(spent.total_micros, self.every);
        let backfill = start(spent.backfill_micros, self.backfill_every);
        first.max(ceil_millis(total.max(backfill).saturating_sub(self.backfill_burst)))
    }
}

const fn micros(at: UnixMillis) -> i64 {
    at.0.saturating_mul(1000)
}

fn ceil_millis(micros: i64) -> UnixMillis {
    UnixMillis(ceil(micros, 1000))
}

/// Divides by something positive, rounding up.
fn ceil(dividend: i64, divisor: i64) -> i64 {
    dividend.saturating_add(divisor - 1).div_euclid(divisor)
}
