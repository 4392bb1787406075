//! The clocks of processes: the run's time, and how wrong each is.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use common::{Clock, UnixMillis};
use tokio::time::Instant;

use crate::life::{Role, role_of};

/// 2026-01-01T00:00:00Z, when runs begin.
pub(crate) const START: UnixMillis = UnixMillis::from_seconds(1_767_225_600);

/// A clock that can jump.
pub(crate) struct SimClock {
    began: Instant,
    skew: AtomicI64,
    highest: AtomicI64,
}

impl SimClock {
    fn new(skew_millis: i64) -> Arc<Self> {
        let skew = || AtomicI64::new(skew_millis);
        Arc::new(Self { began: Instant::now(), skew: skew(), highest: skew() })
    }

    pub(crate) fn jump(&self, millis: i64) {
        let skew = self.skew.fetch_add(millis, Ordering::Relaxed) + millis;
        self.highest.fetch_max(skew, Ordering::Relaxed);
    }

    fn set(&self, skew_millis: i64) {
        self.skew.store(skew_millis, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMillis {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        START.plus_millis(passed + self.skew.load(Ordering::Relaxed))
    }
}

/// All of them.
pub(crate) struct Clocks {
    pub(crate) gateway: Arc<SimClock>,
    pub(crate) resolvers: [Arc<SimClock>; 2],
    /// Leases are measured by one clock, see the crate.
    pub(crate) sinks: Arc<SimClock>,
}

impl Clocks {
    pub(crate) fn new(sinks_skew_millis: i64) -> Self {
        Self {
            gateway: SimClock::new(0),
            resolvers: [SimClock::new(0), SimClock::new(0)],
            sinks: SimClock::new(sinks_skew_millis),
        }
    }

    pub(crate) fn of(&self, slot: usize) -> Arc<SimClock> {
        match role_of(slot) {
            Role::Gateway => Arc::clone(&self.gateway),
            Role::Resolver => Arc::clone(&self.resolvers[slot - 1]),
            Role::Sink => Arc::clone(&self.sinks),
        }
    }

    /// Somebody sets them right: the gateway's, because the platform does not wait for an hour; the resolvers' to the latest
    /// that any of them showed, so that no lease lasts for an hour.
    pub(crate) fn set_right(&self) {
        self.gateway.set(0);
        let latest = self.resolvers.iter().map(|clock| clock.highest.load(Ordering::Relaxed)).max().unwrap_or(0);
        self.resolvers.iter().for_each(|clock| clock.set(latest));
    }
}
