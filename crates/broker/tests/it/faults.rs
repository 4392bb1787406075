//! A database below the queue that fails, or dies with it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Broker, Embedded, Error};
use common::{Disposition, Hop};
use database::{Fault, Faults};
use tokio_util::sync::CancellationToken;

use crate::support::{Files, Heard, consume, publish, until};

/// Meets the named work with these faults, one after the other, then with none.
struct Script {
    what: &'static str,
    before: Mutex<VecDeque<Fault>>,
    after: Mutex<VecDeque<Fault>>,
}

impl Script {
    fn new(what: &'static str, before: &[Fault], after: &[Fault]) -> Arc<Self> {
        let list = |faults: &[Fault]| Mutex::new(faults.iter().copied().collect());
        Arc::new(Self { what, before: list(before), after: list(after) })
    }

    fn next(&self, what: &'static str, list: &Mutex<VecDeque<Fault>>) -> Fault {
        if what == self.what { list.lock().unwrap().pop_front().unwrap_or_default() } else { Fault::None }
    }
}

impl Faults for Script {
    fn before(&self, what: &'static str) -> Fault {
        self.next(what, &self.before)
    }

    fn after(&self, what: &'static str) -> Fault {
        self.next(what, &self.after)
    }
}

fn queue(files: &Files, script: Arc<Script>) -> Embedded {
    Embedded::open(files.database().with_faults(script), 16).unwrap()
}

#[tokio::test]
async fn a_failed_write_is_told_to_the_publisher_and_the_next_one_succeeds() {
    let files = Files::new();
    let queue = queue(&files, Script::new("queue.publish", &[Fault::Fail], &[]));
    let failed = publish(&queue, "acme", "1").await.unwrap_err();
    assert!(matches!(&failed, Error::Storage(_)));
    assert!(matches!(failed.disposition(), Disposition::Retry { .. }));
    publish(&queue, "acme", "2").await.unwrap();
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_stored_although_it_was_called_failed_is_delivered_without_a_restart() {
    let files = Files::new();
    let queue = queue(&files, Script::new("queue.publish", &[], &[Fault::Fail]));
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    publish(&queue, "acme", "1").await.unwrap_err();
    until(|| heard.texts() == ["1"]).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lost_acknowledgement_brings_the_messages_back_after_a_restart() {
    let files = Files::new();
    let first = queue(&files, Script::new("queue.ack", &[Fault::Hang], &[]));
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&first, &heard, &stop);
    publish(&first, "acme", "1").await.unwrap();
    until(|| heard.texts() == ["1"]).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    consumer.abort();
    first.crash();
    let second = files.queue();
    let consumer = consume(&second, &heard, &stop);
    until(|| heard.texts() == ["1", "1"]).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(heard.redelivered(), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_acknowledgement_is_made_up_for() {
    let files = Files::new();
    let queue = queue(&files, Script::new("queue.ack", &[Fault::Fail, Fault::Fail], &[Fault::Fail]));
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    publish(&queue, "acme", "1").await.unwrap();
    until(|| !heard.texts().is_empty()).await;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if queue.depth(Hop::Events).await.unwrap() == 0 {
            break;
        }
    }
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 0);
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(heard.texts(), ["1"], "it was not delivered again in this process");
}

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let files = Files::new();
    let queue = queue(&files, Script::new("queue.read", &[Fault::Fail, Fault::Fail], &[Fault::None, Fault::Fail]));
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    publish(&queue, "acme", "1").await.unwrap();
    publish(&queue, "acme", "2").await.unwrap();
    until(|| heard.texts() == ["1", "2"]).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_queue_that_cannot_look_at_its_table_stores_nothing_yet() {
    let files = Files::new();
    let queue = queue(&files, Script::new("queue.look", &[Fault::Fail], &[]));
    tokio::task::yield_now().await;
    let mut refused = 0;
    while publish(&queue, "acme", "1").await.is_err() {
        refused += 1;
    }
    assert!(refused <= 1);
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 1);
}
