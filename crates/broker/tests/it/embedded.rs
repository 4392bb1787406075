//! Group commit, rows, sharing within a process, and time that stands still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use broker::{Broker, Embedded, Error, Lane, Outgoing};
use common::Hop;
use database::{Connection, Database, Observer, Options, on_backend};
use diesel::prelude::*;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::support::{Files, Heard, consume, publish, until};

#[derive(Default)]
struct Commits(AtomicUsize);

impl Observer for Commits {
    fn ran(&self, what: &'static str, _waited: Duration, _took: Duration, _ok: bool) {
        if what == "queue.publish" || what == "queue.ack" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn execute(sql: &'static str) -> impl FnOnce(&mut Connection) -> database::Result<usize> {
    move |conn| Ok(on_backend!(conn, c => diesel::sql_query(sql).execute(c))?)
}

#[tokio::test]
async fn what_waits_together_shares_one_commit_and_few_rows() {
    let files = Files::new();
    let commits = Arc::new(Commits::default());
    let queue = Embedded::open(files.database().with_observer(commits.clone()), 4).unwrap();
    let calls = (0..500).map(|number| {
        let queue = &queue;
        async move { publish(queue, &format!("key-{number}"), number.to_string()).await }
    });
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    let commits = commits.0.load(Ordering::SeqCst);
    assert!(commits <= 10, "{commits} commits");
    let other = files.database();
    let rows = other.read("test", |conn| -> database::Result<i64> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        let sql = diesel::sql_query("SELECT count(*) AS count FROM messages");
        Ok(on_backend!(conn, c => sql.get_result::<Count>(c))?.count)
    });
    let rows = rows.await.unwrap();
    assert!(rows <= 40, "{rows} rows");
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 500);
}

#[tokio::test]
async fn a_row_that_is_no_list_is_handed_over_as_it_is() {
    let files = Files::new();
    drop(files.queue());
    let insert =
        "INSERT INTO messages (hop, lane, partition, elements, body) VALUES ('events', 'shared', 3, 1, 'rubbish')";
    files.database().write("test", execute(insert)).await.unwrap();
    let queue = files.queue();
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    until(|| heard.texts() == ["rubbish"]).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 0);
}

#[tokio::test]
async fn what_waited_in_more_partitions_than_there_are_now_is_still_delivered() {
    let files = Files::new();
    let queue = Embedded::open(files.database(), 64).unwrap();
    for number in 0..50 {
        publish(&queue, &format!("key-{number}"), number.to_string()).await.unwrap();
    }
    drop(queue);
    let queue = Embedded::open(files.database(), 1).unwrap();
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    until(|| heard.texts().len() == 50).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert!(heard.redelivered().iter().all(|redelivered| *redelivered));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consumers_of_one_process_do_no_work_twice() {
    let files = Files::new();
    let queue = files.queue();
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let first = consume(&queue, &heard, &stop);
    let second = consume(&queue, &heard, &stop);
    let calls = (0..400).map(|number| {
        let queue = &queue;
        async move { publish(queue, &format!("key-{}", number % 40), number.to_string()).await }
    });
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    until(|| heard.texts().len() >= 400).await;
    stop.cancel();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(heard.texts().len(), 400);
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 0);
}

/// As simulations run it: one thread, a paused clock, and a database that works on the calling task.
#[tokio::test(start_paused = true)]
async fn it_works_on_one_thread_with_a_paused_clock() {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
    let queue = Embedded::open(database, 4).unwrap();
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    for number in 0..100 {
        publish(&queue, "acme", number.to_string()).await.unwrap();
    }
    until(|| heard.texts().len() == 100).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(heard.texts(), (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 0);
}

#[tokio::test]
async fn acknowledgements_follow_by_themselves() {
    let files = Files::new();
    let queue = files.queue();
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let consumer = consume(&queue, &heard, &stop);
    publish(&queue, "acme", "1").await.unwrap();
    for _ in 0..2000 {
        if queue.depth(Hop::Events).await.unwrap() == 0 {
            stop.cancel();
            return consumer.await.unwrap().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the acknowledgement never came");
}

#[test]
fn without_a_runtime_it_is_refused() {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    assert!(matches!(Embedded::open(database, 4), Err(Error::NoRuntime)));
}

#[tokio::test]
async fn publishing_nothing_is_fine() {
    let files = Files::new();
    let queue = files.queue();
    queue.publish(Hop::Changes, &Lane::shared(), Vec::<Outgoing>::new()).await.unwrap();
    queue.close().await;
}
