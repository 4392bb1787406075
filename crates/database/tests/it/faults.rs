//! Scripted faults.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use database::{Error, Fault, Faults, Observer};
use tokio::time::timeout;

use crate::support::{add, all, memory};

struct Script {
    before: Fault,
    after: Fault,
}

impl Faults for Script {
    fn before(&self, what: &'static str) -> Fault {
        if what == "hit" { self.before } else { Fault::None }
    }

    fn after(&self, what: &'static str) -> Fault {
        if what == "hit" { self.after } else { Fault::None }
    }
}

#[tokio::test]
async fn a_fault_before_keeps_the_work_from_running_and_one_after_hides_that_it_ran() {
    for (before, after, kept) in [(Fault::Fail, Fault::None, 0), (Fault::None, Fault::Fail, 1)] {
        let database = memory().with_faults(Arc::new(Script { before, after }));
        let result = database.write("hit", |conn| add(conn, "a")).await;
        assert!(matches!(result, Err(Error::Unavailable(_))));
        assert_eq!(database.read("look", all).await.unwrap().len(), kept);
    }
}

#[tokio::test]
async fn who_hangs_holds_nothing() {
    for (before, after, kept) in [(Fault::Hang, Fault::None, 0), (Fault::None, Fault::Hang, 1)] {
        let database = memory().with_faults(Arc::new(Script { before, after }));
        let hung = timeout(Duration::from_millis(50), database.write("hit", |conn| add(conn, "a")));
        assert!(hung.await.is_err());
        assert_eq!(database.read("look", all).await.unwrap().len(), kept);
    }
}

#[tokio::test]
async fn a_slow_door_opens_in_the_end_and_holds_nothing_until_then() {
    let slow = Fault::Delay(Duration::from_millis(150));
    let database = memory().with_faults(Arc::new(Script { before: slow, after: slow }));
    let began = Instant::now();
    let (written, seen) = tokio::join!(database.write("hit", |conn| add(conn, "a")), database.read("look", all));
    written.unwrap();
    assert!(seen.unwrap().is_empty(), "who came later was not kept waiting");
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(database.read("look", all).await.unwrap(), ["a"]);
}

#[derive(Default)]
struct Seen(Mutex<Vec<(&'static str, bool)>>);

impl Observer for Seen {
    fn ran(&self, what: &'static str, _waited: Duration, _took: Duration, ok: bool) {
        self.0.lock().unwrap().push((what, ok));
    }
}

#[tokio::test]
async fn an_observer_sees_what_passed_and_how_it_ended() {
    let seen = Arc::new(Seen::default());
    let database = memory().with_observer(seen.clone());
    database.write("first", |conn| add(conn, "a")).await.unwrap();
    database.write("second", |conn| add(conn, "a")).await.unwrap_err();
    assert_eq!(*seen.0.lock().unwrap(), [("first", true), ("second", false)]);
}
