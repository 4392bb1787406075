//! A corner of the server for each test, and handlers that keep a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use broker::{
    Alone, Broker, Delivery, Failure, Handler, Lane, Members, Outgoing, RabbitMq, RabbitMqOptions, suite::Fixture,
};
use common::{Hop, Secret};
use lapin::{Channel, Connection, ConnectionProperties, options::QueueDeleteOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::quick;

/// How often something is tried that may fail for a while.
const TRIES: usize = 500;

/// Where the server is.
#[expect(clippy::disallowed_methods, reason = "whoever started the server says where it is")]
pub(super) fn url() -> String {
    std::env::var("ORGBRIDGE_TEST_AMQP").expect("start the servers: ./scripts/test does")
}

/// Names of its own at the server; its queues go with it.
pub(super) struct Site {
    namespace: String,
    partitions: u32,
}

impl Site {
    pub(super) fn new(partitions: u32) -> Self {
        Self { namespace: format!("test-{:016x}", rand::random::<u64>()), partitions }
    }

    pub(super) fn options(&self) -> RabbitMqOptions {
        let namespace = self.namespace.clone();
        RabbitMqOptions { namespace, ..RabbitMqOptions::new(Secret::new(url()), self.partitions) }
    }

    pub(super) fn queue(&self) -> RabbitMq {
        self.worker(Arc::new(Alone::new("alone")))
    }

    pub(super) fn worker(&self, members: Arc<dyn Members>) -> RabbitMq {
        RabbitMq::new(self.options(), members).unwrap()
    }

    pub(super) fn exchange(&self) -> String {
        format!("{}.events", self.namespace)
    }

    /// The name of a partition of the shared lane.
    pub(super) fn partition(&self, number: u32) -> String {
        format!("{}.events.shared.p{number:02}", self.namespace)
    }

    pub(super) fn partitions(&self) -> impl Iterator<Item = String> {
        (0..self.partitions).map(|number| self.partition(number))
    }
}

#[async_trait]
impl Fixture for Site {
    async fn open(&self) -> Arc<dyn Broker> {
        Arc::new(self.queue())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let place = |hop: &str, lane: &str| {
            let start = format!("{}.{hop}.{lane}", self.namespace);
            let partitions = (0..self.partitions).map(|number| format!("{start}.p{number:02}")).collect::<Vec<_>>();
            [partitions, vec![format!("{start}.dead")]].concat()
        };
        let places = [("events", "shared"), ("events", "big"), ("changes", "shared")];
        let queues: Vec<String> = places.into_iter().flat_map(|(hop, lane)| place(hop, lane)).collect();
        // On a thread with a runtime of its own, since this one may be inside of another.
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let (connection, channel) = channel().await;
                for queue in queues {
                    drop(channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await);
                }
                drop(connection.close(200, "OK".into()).await);
            });
        });
        drop(deleted.join());
    }
}

/// A channel beside the queue under test.
pub(super) async fn channel() -> (Connection, Channel) {
    let connection = Connection::connect(&url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// The document of a number of a key.
pub(super) fn document(key: &str, number: usize) -> Outgoing {
    Outgoing::new(key, format!("\"{key}/{number}\""))
}

pub(super) async fn publish(queue: &RabbitMq, key: &str, number: usize) -> broker::Result<()> {
    queue.publish(Hop::Events, &Lane::shared(), vec![document(key, number)]).await
}

/// Publishes until it succeeds, as a caller does who may not lose anything. Returns the failures on the way.
pub(super) async fn insist(queue: &RabbitMq, key: &str, number: usize) -> Vec<broker::Error> {
    let mut failures = Vec::new();
    while failures.len() < TRIES {
        match publish(queue, key, number).await {
            Ok(()) => return failures,
            Err(error) => failures.push(error),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{key}/{number} is never taken: {:?}", failures.last());
}

pub(super) fn consume(
    queue: &RabbitMq,
    handler: Arc<dyn Handler>,
    stop: &CancellationToken,
) -> JoinHandle<broker::Result<()>> {
    let (queue, stop) = (queue.clone(), stop.clone());
    tokio::spawn(async move { queue.consume(Hop::Events, &[Lane::shared()], quick(), handler, stop).await })
}

/// What was handled, by whom, in this order.
#[derive(Default)]
pub(super) struct Log(Mutex<Vec<(&'static str, String)>>);

impl Log {
    pub(super) fn payloads(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(_, payload)| payload.clone()).collect()
    }

    pub(super) fn by(&self, worker: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|(who, _)| *who == worker).count()
    }

    /// How many different documents there are.
    pub(super) fn different(&self) -> usize {
        self.payloads().into_iter().collect::<BTreeSet<String>>().len()
    }

    /// Per key, the numbers in the order in which they came for the first time.
    pub(super) fn numbers(&self) -> BTreeMap<String, Vec<usize>> {
        let mut numbers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for payload in self.payloads() {
            let (key, number) = payload.trim_matches('"').rsplit_once('/').expect("a document of these tests");
            let (seen, number) = (numbers.entry(key.to_owned()).or_default(), number.parse().unwrap());
            if !seen.contains(&number) {
                seen.push(number);
            }
        }
        numbers
    }

    pub(super) fn assert_in_order(&self, keys: usize, numbers: usize) {
        let seen = self.numbers();
        assert_eq!(seen.len(), keys);
        for (key, seen) in seen {
            assert!(seen.iter().copied().eq(0..numbers), "{key}: {seen:?}");
        }
    }
}

/// A worker that writes into a log, also what it buries.
pub(super) struct Scribe {
    pub(super) name: &'static str,
    pub(super) log: Arc<Log>,
}

impl Scribe {
    pub(super) fn new(name: &'static str, log: &Arc<Log>) -> Arc<Self> {
        Arc::new(Self { name, log: Arc::clone(log) })
    }

    fn write(&self, who: &'static str, deliveries: &[Delivery]) {
        let lines = deliveries.iter().map(|d| (who, String::from_utf8_lossy(&d.payload).into_owned()));
        self.log.0.lock().unwrap().extend(lines);
    }
}

#[async_trait]
impl Handler for Scribe {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        self.write(self.name, batch);
        Ok(())
    }

    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.write("buried", std::slice::from_ref(delivery));
        Ok(())
    }
}
