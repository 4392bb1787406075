//! A circuit breaker: after some failures in a row a destination is asked only whether it is back.

use std::time::Duration;

use common::Backoff;

/// Failures in a row after which it opens.
const OPENS_AFTER: u32 = 5;

/// Counts the failures of one destination.
#[derive(Debug)]
pub(super) struct Breaker {
    backoff: Backoff,
    failures: u32,
}

impl Breaker {
    pub(super) const fn new(backoff: Backoff) -> Self {
        Self { backoff, failures: 0 }
    }

    /// Failures in a row so far.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure; returns how long to wait. `roll` in `0.0..1.0` spreads the wait.
    pub(super) fn failed(&mut self, roll: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.backoff.wait(self.failures, roll)
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Whether it must be asked before anything is sent.
    pub(super) const fn is_open(&self) -> bool {
        self.failures >= OPENS_AFTER
    }

    pub(super) const fn just_opened(&self) -> bool {
        self.failures == OPENS_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_waits_longer_and_longer() {
        let mut breaker = Breaker::new(Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) });
        let waits: Vec<u64> = (0..8).map(|_| breaker.failed(1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(breaker.is_open());
        breaker.succeeded();
        assert!(!breaker.is_open());
        assert_eq!(breaker.failed(1.0).as_secs(), 1);
    }
}
