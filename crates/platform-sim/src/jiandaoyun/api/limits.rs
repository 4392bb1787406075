//! How many calls are too many (reference jiandaoyun 2).

use std::collections::HashMap;

use super::Interface;
use super::interface::Pace;
use super::refusal::Refusal;

/// One call, in the unit in which buckets are filled.
const CALL: i64 = 1000;

/// The limits: calls per second as a bucket of that size, and `None` for no limit. The default is what is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All calls of the company (8303).
    pub company: Option<u32>,
    /// Each interface that reads (8304).
    pub reads: Option<u32>,
    /// Each interface that writes one record.
    pub writes: Option<u32>,
    /// Each interface that writes many records.
    pub batches: Option<u32>,
    /// Each old interface.
    pub old: Option<u32>,
    /// Calls under way at once (429); the real figure is not known.
    pub parallel: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            company: Some(50),
            reads: Some(30),
            writes: Some(20),
            batches: Some(10),
            old: Some(5),
            parallel: Some(10),
        }
    }
}

impl Limits {
    /// No limits.
    #[must_use]
    pub const fn none() -> Self {
        Self { company: None, reads: None, writes: None, batches: None, old: None, parallel: None }
    }

    const fn of(&self, interface: Interface) -> Option<u32> {
        match interface.pace() {
            Pace::Read => self.reads,
            Pace::Write => self.writes,
            Pace::Batch => self.batches,
            Pace::Old => self.old,
        }
    }
}

/// Counts calls: those of the company, and those of each interface.
#[derive(Default)]
pub(super) struct Gauge(HashMap<Option<Interface>, Bucket>);

struct Bucket {
    level: i64,
    at_ms: i64,
}

impl Gauge {
    /// Counts a call; refuses it where it is one too many, and then it does not count.
    pub(super) fn admit(&mut self, limits: &Limits, interface: Interface, now_ms: i64) -> Result<(), Refusal> {
        let counted = [(None, limits.company, 8303), (Some(interface), limits.of(interface), 8304)];
        for (of, rate, code) in counted {
            if rate.is_some_and(|rate| !self.bucket(of, rate, now_ms).has_one()) {
                return Err(Refusal::Code(code));
            }
        }
        for (of, rate, _code) in counted {
            if let Some(rate) = rate {
                self.bucket(of, rate, now_ms).level -= CALL;
            }
        }
        Ok(())
    }

    /// A bucket, filled up to now.
    fn bucket(&mut self, of: Option<Interface>, rate: u32, now_ms: i64) -> &mut Bucket {
        let (rate, full) = (i64::from(rate), i64::from(rate) * CALL);
        let bucket = self.0.entry(of).or_insert(Bucket { level: full, at_ms: now_ms });
        // A rate of calls per second is as many thousandths of a call per millisecond.
        let gained = now_ms.saturating_sub(bucket.at_ms).max(0).saturating_mul(rate);
        bucket.level = bucket.level.saturating_add(gained).min(full);
        bucket.at_ms = bucket.at_ms.max(now_ms);
        bucket
    }
}

impl Bucket {
    fn has_one(&self) -> bool {
        self.level >= CALL
    }
}
