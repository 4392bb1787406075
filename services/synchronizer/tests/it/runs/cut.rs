//! A run that is cut off anywhere comes to the same end as one that is not, and does nothing twice.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use database::{Fault, Faults};
use store::{
    outbox,
    runs::{self, RunState, Wanted, Wish},
};

use super::world::{World, core, tenant};

/// Longer than a lease.
const LEASE_SECONDS: i64 = 600;

/// From one piece of a run's work on, nothing reaches the database: as if the process had died there.
struct Cut {
    passed: AtomicUsize,
    at: usize,
    /// That piece itself is still committed, and nobody heard of it.
    is_committed: bool,
}

impl Faults for Cut {
    fn before(&self, what: &'static str) -> Fault {
        if !what.starts_with("runs.") {
            return Fault::None;
        }
        let number = self.passed.fetch_add(1, Ordering::Relaxed);
        let is_through = if self.is_committed { number <= self.at } else { number < self.at };
        if is_through { Fault::None } else { Fault::Fail }
    }

    fn after(&self, what: &'static str) -> Fault {
        let is_last = self.passed.load(Ordering::Relaxed) == self.at + 1;
        if what.starts_with("runs.") && self.is_committed && is_last { Fault::Fail } else { Fault::None }
    }
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
struct End {
    rows: BTreeMap<String, Vec<String>>,
    /// Changes for the product alone.
    changes: usize,
    items: Vec<(u64, &'static str)>,
}

async fn begin() -> World {
    let world = World::open(8).await;
    world.product_knows(6, 2, 2).await;
    let now = super::world::NOW;
    let wish = Wish { wanted: Wanted::Apply, key: None };
    world.write(move |conn| runs::request(conn, &tenant(), wish, now)).await.unwrap();
    world
}

async fn end(world: &World) -> End {
    let run = world.read(|conn| runs::list(conn, &tenant(), 1)).await.remove(0);
    let run = world.finish(&run).await;
    assert_eq!(run.state, RunState::Finished, "{:?}", run.why);
    let changes = world.read(|conn| outbox::after(conn, &tenant(), 0, 100_000)).await;
    let items = world.items(&run).await;
    End {
        rows: world.everything().await,
        changes: changes.iter().filter(|change| change.only_for == Some(core())).count(),
        items: items.iter().map(|item| (item.planned.seq, item.planned.state.as_str())).collect(),
    }
}

/// Cut off at one place, and gone on with by another process; `None` when there was no such place.
async fn cut_at(at: usize, is_committed: bool) -> Option<End> {
    let mut world = begin().await;
    let cut = Arc::new(Cut { passed: AtomicUsize::new(0), at, is_committed });
    let healthy = world.stage.context.database.clone();
    world.through(healthy.clone().with_faults(cut.clone()));
    // One look takes it to where destinations are waited for, another one to its end.
    world.look().await;
    world.deliver().await;
    world.look().await;
    let was_cut = cut.passed.load(Ordering::Relaxed) > at;
    world.through(healthy);
    world.stage.clock.advance_seconds(LEASE_SECONDS);
    let end = end(&world).await;
    was_cut.then_some(end)
}

#[tokio::test]
async fn a_run_that_is_cut_off_anywhere_comes_to_the_same_end() {
    let whole = end(&begin().await).await;
    assert!(whole.changes > 0 && whole.items.iter().all(|(_, state)| *state == "applied"), "{whole:?}");
    for is_committed in [false, true] {
        let mut at = 0;
        while let Some(end) = cut_at(at, is_committed).await {
            assert_eq!(end, whole, "cut at {at}, committed: {is_committed}");
            at += 1;
        }
        assert!(at > 10, "the run was cut at {at} places only");
    }
}
