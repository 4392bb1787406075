//! How much is in the spool and whether the broker works, known without asking either.

use bytes::Bytes;
use tokio::sync::watch;
use tracing::{info, warn};

/// This much is on its way within a moment when the broker works, so it is worth waiting for.
const LAST_EVENTS: u64 = 512;

/// An amount of messages in a spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolStats {
    /// Messages.
    pub events: u64,
    /// Their bytes, with what the spool adds to each.
    pub bytes: u64,
}

impl SpoolStats {
    /// The amount of these documents of the spool.
    pub(super) fn of<'a>(documents: impl Iterator<Item = &'a Bytes>) -> Self {
        // One byte stands between two documents of a row.
        let one = |document: &Bytes| Self { events: 1, bytes: (document.len() as u64).saturating_add(1) };
        documents.map(one).fold(Self::default(), Self::plus)
    }

    pub(super) fn plus(self, more: Self) -> Self {
        Self { events: self.events.saturating_add(more.events), bytes: self.bytes.saturating_add(more.bytes) }
    }

    /// What a failed write left behind after all was never counted: that may be taken out, too.
    fn minus(self, less: Self) -> Self {
        match self.events.saturating_sub(less.events) {
            0 => Self::default(),
            events => Self { events, bytes: self.bytes.saturating_sub(less.bytes) },
        }
    }
}

#[derive(Debug)]
struct Level {
    held: SpoolStats,
    /// The broker took what it was last given.
    works: bool,
}

impl Level {
    fn is_empty(&self) -> bool {
        self.held.events == 0
    }

    fn runs_empty_soon(&self) -> bool {
        self.works && self.held.events <= LAST_EVENTS
    }
}

/// See the module. Counted is what was not forwarded yet, from before it is written.
pub(super) struct Gauge {
    level: watch::Sender<Level>,
    max_bytes: u64,
}

impl Gauge {
    pub(super) fn new(held: SpoolStats, max_bytes: u64) -> Self {
        let works = held.events == 0;
        Self { level: watch::Sender::new(Level { held, works }), max_bytes }
    }

    pub(super) fn stats(&self) -> SpoolStats {
        self.level.borrow().held
    }

    /// Counts what is about to be written; `false` when there is no room for it.
    pub(super) fn reserve(&self, more: SpoolStats) -> bool {
        self.level.send_if_modified(|level| {
            let held = level.held.plus(more);
            let fits = held.bytes <= self.max_bytes;
            if fits {
                level.held = held;
            }
            fits
        })
    }

    /// It was not written.
    pub(super) fn release(&self, less: SpoolStats) {
        self.level.send_modify(|level| level.held = level.held.minus(less));
    }

    /// The broker has it.
    pub(super) fn forwarded(&self, less: SpoolStats) {
        let mut emptied = false;
        self.level.send_modify(|level| {
            emptied = !level.is_empty();
            level.works = true;
            level.held = level.held.minus(less);
            emptied &= level.is_empty();
        });
        if emptied {
            info!("the spool is empty: messages go to the broker directly again");
        }
    }

    /// The broker took something.
    pub(super) fn works(&self) {
        // Most often nothing is new, and then nobody needs to be told.
        if !self.level.borrow().works {
            self.level.send_modify(|level| level.works = true);
        }
    }

    /// The broker did not take something, or not in time.
    pub(super) fn fails(&self) {
        if self.level.send_if_modified(|level| std::mem::replace(&mut level.works, false)) {
            warn!("the broker does not take messages: they are kept in the spool until it does");
        }
    }

    /// Whether nothing is in the spool, so that the broker itself may be tried. Waits where that is only a moment away.
    pub(super) async fn is_clear(&self) -> bool {
        if self.level.borrow().is_empty() {
            return true;
        }
        let mut levels = self.level.subscribe();
        let settled = levels.wait_for(|level| level.is_empty() || !level.runs_empty_soon()).await;
        settled.is_ok_and(|level| level.is_empty())
    }

    /// Waits until nothing is in the spool, or the broker does not work.
    pub(super) async fn runs_empty(&self) {
        let mut levels = self.level.subscribe();
        drop(levels.wait_for(|level| level.is_empty() || !level.works).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(events: u64) -> SpoolStats {
        SpoolStats { events, bytes: events * 10 }
    }

    #[test]
    fn what_does_not_fit_is_not_counted() {
        let gauge = Gauge::new(SpoolStats::default(), 100);
        assert!(gauge.reserve(amount(10)));
        assert!(!gauge.reserve(amount(1)));
        assert_eq!(gauge.stats(), amount(10));
        gauge.release(amount(4));
        assert!(gauge.reserve(amount(4)));
        gauge.forwarded(amount(11));
        assert_eq!(gauge.stats(), SpoolStats::default(), "what was never counted does not make it negative");
    }

    #[tokio::test]
    async fn the_last_messages_are_waited_for_while_the_broker_works() {
        let gauge = Gauge::new(amount(LAST_EVENTS), u64::MAX);
        assert!(!gauge.is_clear().await, "nobody knows yet whether the broker works");
        gauge.forwarded(amount(1));
        let (clear, ()) = tokio::join!(gauge.is_clear(), async { gauge.forwarded(amount(LAST_EVENTS - 1)) });
        assert!(clear);
        assert!(gauge.reserve(amount(3)));
        let (clear, ()) = tokio::join!(gauge.is_clear(), async { gauge.fails() });
        assert!(!clear);
        gauge.works();
        assert!(gauge.reserve(amount(LAST_EVENTS)));
        assert!(!gauge.is_clear().await, "this many take longer than a moment");
    }
}
