//! Time that stands still as long as anybody has something to do.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{Clock, UnixMillis};
use tokio::{
    sync::{Notify, oneshot},
    task::yield_now,
    time::{Instant, timeout},
};

/// How long something may take by the real clock.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it is looked though nobody fell asleep.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// When somebody wakes, in Unix milliseconds; and who.
type Sleepers = BTreeMap<(i64, u64), oneshot::Sender<()>>;

/// A clock, and those who sleep by it.
pub(super) struct Time {
    now_millis: AtomicI64,
    asleep: Mutex<Sleepers>,
    next: AtomicU64,
    fell_asleep: Notify,
}

impl Clock for Time {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.now_millis.load(Ordering::SeqCst))
    }
}

impl Time {
    pub(super) fn at(now: UnixMillis) -> Arc<Self> {
        let (now_millis, next) = (AtomicI64::new(now.0), AtomicU64::new(0));
        Arc::new(Self { now_millis, asleep: Mutex::default(), next, fell_asleep: Notify::new() })
    }

    /// Sleeps until so much time has passed.
    pub(super) fn sleep(self: Arc<Self>, time: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (wake, woken) = oneshot::channel();
        let until = self.now().plus_millis(time.as_millis().try_into().unwrap());
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        self.sleepers().insert((until.0, number), wake);
        self.fell_asleep.notify_one();
        async move { woken.await.unwrap() }
    }

    /// Lets time pass whenever as many as this wait for it, until something is so.
    pub(super) async fn pass_until(&self, sleepers: usize, is_so: impl AsyncFn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so().await {
            if self.asleep() >= sleepers {
                self.wake_next();
                yield_now().await;
            } else {
                timeout(LOOK_EVERY, self.fell_asleep.notified()).await.ok();
            }
            assert!(Instant::now() < end, "it does not come to that, with {} asleep", self.asleep());
        }
    }

    /// Waits until as many as this sleep, without time passing.
    pub(super) async fn stands_still(&self, sleepers: usize) {
        let end = Instant::now() + PATIENCE;
        while self.asleep() < sleepers {
            timeout(LOOK_EVERY, self.fell_asleep.notified()).await.ok();
            assert!(Instant::now() < end, "only {} sleep", self.asleep());
        }
    }

    /// How many sleep. Who stopped waiting does not.
    fn asleep(&self) -> usize {
        let mut sleepers = self.sleepers();
        sleepers.retain(|_, wake| !wake.is_closed());
        sleepers.len()
    }

    /// It is when the next one wakes.
    fn wake_next(&self) {
        let mut sleepers = self.sleepers();
        let Some(until) = sleepers.keys().next().map(|(until, _)| *until) else { return };
        self.now_millis.fetch_max(until, Ordering::SeqCst);
        while let Some(first) = sleepers.first_entry()
            && first.key().0 <= until
        {
            // Who stopped waiting in this very moment does not hear it.
            first.remove().send(()).ok();
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.asleep.lock().unwrap()
    }
}
