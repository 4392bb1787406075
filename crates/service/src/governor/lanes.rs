//! Callers in line, and the turns that were taken for them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::UnixMillis;
use outbound::{Allowance, Spend, Urgency};
use tokio::sync::{Mutex as FairMutex, MutexGuard};

/// At most so many turns are taken at once.
const MOST_TURNS: usize = 64;
/// Among fewer lanes none is looked for that nobody needs.
const FEW_LANES: usize = 256;

/// The right to one call that starts between two moments, by our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Not before this.
    pub(super) start: UnixMillis,
    /// Not after this: it would be among the calls of others.
    pub(super) latest: UnixMillis,
}

impl Turn {
    /// Whether a call may still start at `now`, if the platform refused until `opened`.
    pub(super) fn is_good(&self, now: UnixMillis, opened: UnixMillis) -> bool {
        now <= self.latest && self.start >= opened
    }
}

/// The line of those who want the same; who came first is served first.
#[derive(Default)]
pub(super) struct Lane {
    waiting: AtomicUsize,
    queue: FairMutex<Queue>,
}

impl Lane {
    /// Joins the line.
    pub(super) fn enter(&self) -> Place<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Place(self)
    }
}

/// A place in a line. Dropping it leaves the line.
pub(super) struct Place<'a>(&'a Lane);

impl<'a> Place<'a> {
    /// Waits until nobody is before us.
    pub(super) async fn front(&self) -> MutexGuard<'a, Queue> {
        self.0.queue.lock().await
    }

    /// How many are in line, with us.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Turns that nobody took yet.
#[derive(Default)]
pub(super) struct Queue {
    turns: VecDeque<Turn>,
    /// How many turns there were when it was last filled.
    filled: usize,
    /// How many of those nobody could use any more.
    wasted: usize,
}

impl Queue {
    /// The next turn that is still good.
    pub(super) fn next(&mut self, now: UnixMillis, opened: UnixMillis) -> Option<Turn> {
        while let Some(turn) = self.turns.pop_front() {
            if turn.is_good(now, opened) {
                return Some(turn);
            }
            self.wasted += 1;
        }
        None
    }

    /// How many turns to take: for all who wait. Back-fill also takes some for those who will come meanwhile, a few more than last
    /// time if none was in vain, so that one who calls again and again does not ask the store each time.
    pub(super) fn wanted(&self, urgency: Urgency, waiting: usize) -> usize {
        let to_come = match urgency {
            Urgency::Live => 0,
            Urgency::Backfill if self.wasted == 0 => self.filled + self.filled / 4 + 1,
            Urgency::Backfill => self.filled.saturating_sub(self.wasted),
        };
        waiting.max(to_come).clamp(1, MOST_TURNS)
    }

    /// Puts new turns in, in order.
    pub(super) fn fill(&mut self, turns: Vec<Turn>) {
        *self = Self { filled: turns.len(), wasted: 0, turns: turns.into() };
    }
}

/// All lanes.
#[derive(Default)]
pub(super) struct Lanes(Mutex<Known>);

#[derive(Default)]
struct Known {
    lanes: HashMap<(Urgency, Vec<Allowance>), Arc<Lane>>,
    /// From so many lanes on, those that nobody is in are given up.
    many: usize,
}

impl Lanes {
    /// The lane of those who want to spend the same with the same urgency.
    pub(super) fn lane(&self, spends: &[Spend], urgency: Urgency) -> Arc<Lane> {
        let key = (urgency, spends.iter().map(|spend| spend.of.clone()).collect());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = known.lanes.get(&key) {
            return Arc::clone(lane);
        }
        if known.lanes.len() >= known.many {
            known.lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
            known.many = (known.lanes.len() * 2).max(FEW_LANES);
        }
        Arc::clone(known.lanes.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

    fn turn(start: i64) -> Turn {
        Turn { start: NOW.plus_millis(start), latest: NOW.plus_millis(start + 100) }
    }

    #[test]
    fn turns_that_are_too_late_or_older_than_a_refusal_are_dropped() {
        let mut queue = Queue::default();
        queue.fill(vec![turn(0), turn(50), turn(60), turn(90)]);
        assert_eq!(queue.next(NOW.plus_millis(101), UnixMillis(0)), Some(turn(50)));
        assert_eq!(queue.next(NOW.plus_millis(101), NOW.plus_millis(80)), Some(turn(90)));
        assert_eq!(queue.next(NOW.plus_millis(101), UnixMillis(0)), None);
        assert_eq!(queue.wasted, 2);
    }

    #[test]
    fn back_fill_takes_as_many_turns_as_it_uses() {
        let mut queue = Queue::default();
        let mut wanted = Vec::new();
        for used in [64, 64, 64, 64, 64, 5, 64] {
            let turns = queue.wanted(Urgency::Backfill, 1);
            wanted.push(turns);
            queue.fill((0..turns).map(|_| turn(0)).collect());
            for _ in 0..used {
                queue.next(NOW, UnixMillis(0));
            }
            assert_eq!(queue.next(NOW.plus_millis(101), UnixMillis(0)), None);
        }
        assert_eq!(wanted, [1, 2, 3, 4, 6, 8, 5]);
        assert_eq!(queue.wanted(Urgency::Backfill, 500), 64);
        assert_eq!(queue.wanted(Urgency::Live, 1), 1);
        assert_eq!(queue.wanted(Urgency::Live, 9), 9);
    }

    #[test]
    fn lanes_that_nobody_is_in_are_given_up_when_there_are_many() {
        let lanes = Lanes::default();
        let spend = |company: usize| {
            let company = company.to_string().into();
            [Spend { of: Allowance { company, interface: "user/get", egress: "".into() }, limits: &[] }]
        };
        let kept = lanes.lane(&spend(0), Urgency::Live);
        for company in 0..10_000 {
            lanes.lane(&spend(company), Urgency::Live);
        }
        assert!(Arc::ptr_eq(&kept, &lanes.lane(&spend(0), Urgency::Live)));
        assert!(!Arc::ptr_eq(&kept, &lanes.lane(&spend(0), Urgency::Backfill)));
        assert!(lanes.0.lock().unwrap().lanes.len() <= 2 * FEW_LANES);
    }
}
