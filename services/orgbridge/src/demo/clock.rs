//! The demo's clock: it begins in the morning, and lets a working day pass in seconds.

use std::sync::atomic::{AtomicI64, Ordering};

use common::{Clock, UnixMillis};
use service::SystemClock;

/// How long ago the day began. More happens in less: a company of 100,000 needs about an hour.
const DAY_MILLIS: i64 = 12 * 3_600_000;

/// Behind the system's clock by what is left of the day.
pub(super) struct DemoClock {
    behind_millis: AtomicI64,
}

impl DemoClock {
    /// It is morning.
    pub(super) const fn in_the_morning() -> Self {
        Self { behind_millis: AtomicI64::new(DAY_MILLIS) }
    }

    /// Lets time pass, though not beyond the present.
    pub(super) fn pass_seconds(&self, seconds: i64) {
        let behind = self.behind_millis.load(Ordering::Relaxed) - seconds.max(0).saturating_mul(1000);
        self.behind_millis.store(behind.max(0), Ordering::Relaxed);
    }

    /// Lets time pass until it is so late, in Unix seconds.
    pub(super) fn reach(&self, seconds: i64) {
        self.pass_seconds(seconds - self.now().seconds());
    }

    /// The day is over: from now on it is as late as it is.
    pub(super) fn catch_up(&self) {
        self.behind_millis.store(0, Ordering::Relaxed);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> UnixMillis {
        SystemClock.now().plus_millis(-self.behind_millis.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_when_told_to_and_never_beyond_the_present() {
        let clock = DemoClock::in_the_morning();
        let morning = clock.now().seconds();
        clock.pass_seconds(60);
        assert!((60..120).contains(&(clock.now().seconds() - morning)));
        clock.reach(morning + 600);
        assert!((600..660).contains(&(clock.now().seconds() - morning)));
        clock.pass_seconds(i64::MAX);
        assert!(clock.now() <= SystemClock.now());
        clock.catch_up();
        assert!(SystemClock.now().since(clock.now()) < 60_000);
    }
}
