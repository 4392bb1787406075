//! The platform's clock, and ours, which is off.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use common::{Clock, UnixMillis};

/// 2026-01-01T00:00:00Z, when runs begin.
pub(crate) const START: UnixMillis = UnixMillis::from_seconds(1_767_225_600);

/// Both. As a [`Clock`] it is ours.
pub(crate) struct Clocks {
    platform: AtomicI64,
    skew: AtomicI64,
}

impl Clocks {
    /// Ours is so many milliseconds ahead.
    pub(crate) const fn new(skew_millis: i64) -> Self {
        Self { platform: AtomicI64::new(START.0), skew: AtomicI64::new(skew_millis) }
    }

    /// What the platform's shows.
    pub(crate) fn platform(&self) -> UnixMillis {
        UnixMillis(self.platform.load(Ordering::Relaxed))
    }

    /// How far ours is ahead, in milliseconds.
    pub(crate) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// Somebody sets ours.
    pub(crate) fn set_skew(&self, skew_millis: i64) {
        self.skew.store(skew_millis, Ordering::Relaxed);
    }

    /// Moves both.
    pub(crate) fn advance(&self, time: Duration) {
        self.platform.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for Clocks {
    fn now(&self) -> UnixMillis {
        self.platform().plus_millis(self.skew())
    }
}
