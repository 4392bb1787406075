//! What lies in the queues of the server, and what does not get there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use broker::{Alone, Broker, Delivery, Error, Failure, Handler, RabbitMq, RabbitMqOptions};
use common::{Hop, partition_of};
use futures::{StreamExt, future::join_all};
use lapin::{
    BasicProperties, Channel,
    options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, BasicRejectOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use tokio_util::sync::CancellationToken;

use super::{
    proxy::Proxy,
    site::{Log, Scribe, Site, channel, consume, insist, publish},
};
use crate::support::until;

#[tokio::test]
async fn what_waits_together_shares_few_messages() {
    let site = Site::new(4);
    let queue = site.queue();
    insist(&queue, "acme", 0).await;
    let calls = (1..500).map(|number| {
        let queue = &queue;
        async move { publish(queue, &format!("key-{number}"), number).await }
    });
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    let messages = queue.depth(Hop::Events).await.unwrap();
    assert!((1..=250).contains(&messages), "{messages} messages for 500 documents");
}

/// While RabbitMQ makes a queue its name is there already: whoever consumed then lost the connection, and a queue that this connection was
/// making stayed half made for ever.
#[tokio::test]
async fn processes_that_start_together_make_whole_queues() {
    let site = Site::new(16);
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let all: Vec<RabbitMq> = (0..8).map(|_| site.queue()).collect();
    let consumers: Vec<_> = all.iter().map(|queue| consume(queue, Scribe::new("a", &log), &stop)).collect();
    let keys: Vec<String> = (0..200).map(|number| format!("key-{number}")).collect();
    let calls = keys.iter().zip(all.iter().cycle()).map(|(key, queue)| publish(queue, key, 0));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    until(|| log.different() == keys.len()).await;
    stop.cancel();
    for consumer in consumers {
        consumer.await.unwrap().unwrap();
    }
}

/// How many messages a partition has.
async fn messages(site: &Site, beside: &Channel, partition: u32) -> u32 {
    let (name, passive) = (ShortString::from(site.partition(partition)), QueueDeclareOptions::durable().passive());
    beside.queue_declare(name, passive, FieldTable::default()).await.unwrap().message_count()
}

async fn until_there_are(site: &Site, beside: &Channel, partition: u32, count: u32) {
    tokio::time::timeout(Duration::from_secs(10), async {
        while messages(site, beside, partition).await != count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn behind_two_messages_of_a_queue_its_calls_share_the_next_and_those_of_other_queues_go_on() {
    let (site, proxy) = (Site::new(2), Proxy::new().await);
    let confirm_deadline = Duration::from_secs(60);
    let options = RabbitMqOptions { url: proxy.url(""), confirm_deadline, ..site.options() };
    let queue = RabbitMq::new(options, Arc::new(Alone::new("alone"))).unwrap();
    let key = |partition: u32| {
        let mut keys = (0..).map(|number| format!("key-{number}"));
        keys.find(|key| partition_of(key, 2) == partition).unwrap()
    };
    let (busy, other) = (key(0), key(1));
    insist(&queue, &busy, 0).await;
    let (_connection, beside) = channel().await;
    let start = |key: &str, number: usize| {
        let (queue, key) = (queue.clone(), key.to_owned());
        tokio::spawn(async move { publish(&queue, &key, number).await })
    };
    proxy.hold_answers();
    let mut calls = Vec::new();
    for (number, count) in [(1, 2), (2, 3)] {
        calls.push(start(&busy, number));
        until_there_are(&site, &beside, 0, count).await;
    }
    for (round, count) in [(0, 1), (1, 2)] {
        calls.extend((0..10).map(|number| start(&busy, 3 + round * 10 + number)));
        // When it has arrived, those before it were looked at, too.
        calls.push(start(&other, round));
        until_there_are(&site, &beside, 1, count).await;
    }
    assert_eq!(messages(&site, &beside, 0).await, 3, "the others wait");
    proxy.release_answers();
    for call in join_all(calls).await {
        call.unwrap().unwrap();
    }
    assert_eq!(messages(&site, &beside, 0).await, 4, "those that waited share a message");
    assert_eq!(messages(&site, &beside, 1).await, 2);
}

/// Publishes a hundred documents at once, each until it is taken. Returns the failures on the way.
async fn insist_on_a_hundred(queue: &RabbitMq, first: usize) -> Vec<Error> {
    let one = |number: usize| async move { insist(queue, &format!("key-{}", number % 20), number / 20).await };
    join_all((first..first + 100).map(one)).await.concat()
}

async fn unbind(site: &Site, beside: &Channel) {
    for name in site.partitions() {
        let (queue, exchange) = (ShortString::from(name), ShortString::from(site.exchange()));
        beside.queue_unbind(queue.clone(), exchange, queue, FieldTable::default()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_vanishes_when_the_bindings_do() {
    let site = Site::new(4);
    let queue = site.queue();
    let mut failures = insist_on_a_hundred(&queue, 0).await;
    let (_connection, beside) = channel().await;
    for hundred in 1..9 {
        // In the middle: some are on their way with, some without a binding.
        let (failed, ()) = tokio::join!(insist_on_a_hundred(&queue, hundred * 100), unbind(&site, &beside));
        failures.extend(failed);
    }
    unbind(&site, &beside).await;
    // None of these has a queue at first.
    failures.extend(insist_on_a_hundred(&queue, 900).await);
    assert!(failures.iter().any(|error| matches!(error, Error::Unroutable)));

    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let consumer = consume(&queue, Scribe::new("a", &log), &stop);
    until(|| log.different() == 1000).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_message_that_is_no_list_is_handed_over_as_it_is() {
    let site = Site::new(4);
    let queue = site.queue();
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let consumer = consume(&queue, Scribe::new("a", &log), &stop);
    insist(&queue, "acme", 0).await;
    until(|| log.different() == 1).await;
    let (_connection, beside) = channel().await;
    let (exchange, key) = (site.exchange().into(), site.partition(3).into());
    let options = BasicPublishOptions::default();
    beside.basic_publish(exchange, key, options, b"rubbish", BasicProperties::default()).await.unwrap();
    until(|| log.payloads().last().is_some_and(|last| last == "rubbish")).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 0);
}

#[tokio::test]
async fn what_the_broker_gives_up_on_is_buried() {
    let site = Site::new(1);
    let queue = site.queue();
    insist(&queue, "acme", 0).await;
    let (connection, beside) = channel().await;
    beside.basic_qos(1, BasicQosOptions::default()).await.unwrap();
    let name = site.partition(0);
    let mut unlucky = beside
        .basic_consume(name.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await
        .unwrap();
    let mut returns = 0;
    // The last return is the one after which it does not come again.
    while let Ok(Some(message)) = tokio::time::timeout(Duration::from_secs(2), unlucky.next()).await {
        message.unwrap().reject(BasicRejectOptions { requeue: true }).await.unwrap();
        returns += 1;
    }
    assert!(returns > 200, "given up on after {returns} returns");
    connection.close(200, "OK".into()).await.unwrap();
    assert!(queue.depth(Hop::Events).await.unwrap() > 0, "a dead letter waits until it is buried");
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let consumer = consume(&queue, Scribe::new("a", &log), &stop);
    until(|| log.by("buried") == 1).await;
    assert_eq!(log.payloads(), ["\"acme/0\""]);
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 0);
}

/// Waits in its first call until it is let go.
struct Slow {
    called: AtomicBool,
    go_on: CancellationToken,
    scribe: Arc<Scribe>,
}

#[async_trait]
impl Handler for Slow {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        self.called.store(true, Ordering::SeqCst);
        self.go_on.cancelled().await;
        self.scribe.handle(batch).await
    }

    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.scribe.bury(delivery).await
    }
}

#[tokio::test]
async fn stopping_gives_back_what_is_behind_the_batch_in_hand() {
    let site = Site::new(1);
    let queue = site.queue();
    for number in 0..100 {
        insist(&queue, "acme", number).await;
    }
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let slow = Arc::new(Slow {
        called: AtomicBool::new(false),
        go_on: CancellationToken::new(),
        scribe: Scribe::new("a", &log),
    });
    let consumer = consume(&queue, Arc::clone(&slow) as Arc<dyn Handler>, &stop);
    until(|| slow.called.load(Ordering::SeqCst)).await;
    stop.cancel();
    slow.go_on.cancel();
    consumer.await.unwrap().unwrap();
    let in_hand = log.payloads().len();
    assert!((1..=50).contains(&in_hand), "{in_hand} in one batch");
    // The broker counts what a closed channel gave back a moment later.
    let given_back = u64::try_from(100 - in_hand).unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while queue.depth(Hop::Events).await.unwrap() != given_back {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    let stop = CancellationToken::new();
    let consumer = consume(&queue, Scribe::new("b", &log), &stop);
    until(|| log.different() == 100).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    assert_eq!(log.payloads().len(), 100, "nothing came twice");
    log.assert_in_order(1, 100);
}
