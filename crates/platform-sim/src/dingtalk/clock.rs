//! The clock of the simulated platform: the wall's, or one that tests move.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Where Unix milliseconds come from.
pub type WallClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A clock. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Wall(WallClock),
    Manual(Arc<watch::Sender<i64>>),
}

impl Clock {
    /// A clock that stands still until it is moved. What sleeps by it wakes only then.
    #[must_use]
    pub fn manual(start_ms: i64) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start_ms))))
    }

    /// The clock that this tells of. What sleeps by it sleeps really.
    #[must_use]
    pub fn following(wall: WallClock) -> Self {
        Self(Source::Wall(wall))
    }

    /// The time, Unix ms.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::Wall(wall) => wall(),
            Source::Manual(now) => *now.borrow(),
        }
    }

    /// Sets a manual clock; one that follows another keeps its time.
    pub fn set(&self, now_ms: i64) {
        if let Source::Manual(now) = &self.0 {
            now.send_replace(now_ms);
        }
    }

    /// Moves a manual clock forward; one that follows another keeps its time.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.send_modify(|now_ms| *now_ms = now_ms.saturating_add(millis(by)));
        }
    }

    /// Waits until so much has passed by this clock.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::Wall(_) => tokio::time::sleep(duration).await,
            Source::Manual(now) => {
                let mut now = now.subscribe();
                let until_ms = now.borrow().saturating_add(millis(duration));
                // The sender lives as long as this clock.
                now.wait_for(|now_ms| *now_ms >= until_ms).await.ok();
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now_ms", &self.now_ms()).finish()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_sleeps_by_a_manual_clock_wakes_when_it_is_moved_far_enough() {
        let clock = Clock::manual(1_000);
        let mut sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_millis(9_999));
        for _turn in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(futures::poll!(&mut sleeper).is_pending());
        clock.advance(Duration::from_millis(1));
        sleeper.await.expect("it wakes");
        assert_eq!(clock.now_ms(), 11_000);
    }

    #[tokio::test]
    async fn a_clock_that_follows_another_is_not_moved() {
        let clock = Clock::following(Arc::new(|| 5));
        clock.set(9);
        clock.advance(Duration::from_secs(1));
        clock.sleep(Duration::ZERO).await;
        assert_eq!(clock.now_ms(), 5);
    }
}
