//! A handler that remembers and does as it is told, and a consumer that runs beside the test.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::{Backoff, Hop};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{Broker, ConsumeOptions, Delivery, Failure, Handler, Lane, Outgoing, Result};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a scripted handler does with a batch.
pub(super) enum Reaction {
    Accept,
    Fail(Failure),
    Panic,
    /// Waits for a call of [`Recorder::release`], then accepts.
    Block,
    /// Never ends.
    Hang,
}

type Script = Box<dyn Fn(usize, &[Delivery]) -> Reaction + Send + Sync>;

/// Remembers what it accepted and buried.
pub(super) struct Recorder {
    script: Script,
    calls: AtomicUsize,
    accepted: Mutex<Vec<Delivery>>,
    buried: Mutex<Vec<String>>,
    burials_that_fail: AtomicUsize,
    released: CancellationToken,
}

impl Recorder {
    pub(super) fn accepting() -> Arc<Self> {
        Self::scripted(|_, _| Reaction::Accept)
    }

    /// The script is told how many calls there were before, and the batch.
    pub(super) fn scripted(script: impl Fn(usize, &[Delivery]) -> Reaction + Send + Sync + 'static) -> Arc<Self> {
        Self::with_failing_burials(0, script)
    }

    pub(super) fn with_failing_burials(
        burials_that_fail: usize,
        script: impl Fn(usize, &[Delivery]) -> Reaction + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            calls: AtomicUsize::new(0),
            accepted: Mutex::default(),
            buried: Mutex::default(),
            burials_that_fail: AtomicUsize::new(burials_that_fail),
            released: CancellationToken::new(),
        })
    }

    pub(super) fn release(&self) {
        self.released.cancel();
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(super) fn accepted(&self) -> Vec<String> {
        lock(&self.accepted).iter().map(text).collect()
    }

    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.accepted).clone()
    }

    pub(super) fn buried(&self) -> Vec<String> {
        lock(&self.buried).clone()
    }

    pub(super) async fn accepts(&self, count: usize) {
        eventually("accepted", || (self.accepted().len() >= count, self.accepted().len())).await;
    }

    pub(super) async fn is_called(&self, count: usize) {
        eventually("called", || (self.calls() >= count, self.calls())).await;
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        assert!(!batch.is_empty(), "a handler is never called for nothing");
        let before = self.calls.fetch_add(1, Ordering::SeqCst);
        match (self.script)(before, batch) {
            Reaction::Accept => {}
            Reaction::Fail(failure) => return Err(failure),
            Reaction::Panic => panic!("on purpose"),
            Reaction::Block => self.released.cancelled().await,
            Reaction::Hang => std::future::pending().await,
        }
        lock(&self.accepted).extend_from_slice(batch);
        Ok(())
    }

    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure> {
        let fails = |left: usize| left.checked_sub(1);
        if self.burials_that_fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            return Err(Failure::RETRY);
        }
        lock(&self.buried).push(text(delivery));
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.payload).into_owned()
}

pub(super) fn message(key: &str, number: usize) -> Outgoing {
    Outgoing::new(key, format!(r#"{{"key":"{key}","number":{number}}}"#))
}

/// The key and the number of a [`message`].
pub(super) fn key_and_number(text: &str) -> (String, usize) {
    let value: serde_json::Value = serde_json::from_str(text).expect("a message of this suite");
    let key = value.get("key").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let number = value.get("number").and_then(serde_json::Value::as_u64).unwrap_or_default();
    (key, usize::try_from(number).unwrap_or_default())
}

/// `count` messages of one key, from 0.
pub(super) fn messages(key: &str, count: usize) -> Vec<Outgoing> {
    (0..count).map(|number| message(key, number)).collect()
}

pub(super) fn texts(messages: &[Outgoing]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect()
}

pub(super) async fn publish(broker: &Arc<dyn Broker>, messages: &[Outgoing]) {
    broker.publish(Hop::Events, &Lane::shared(), messages.to_vec()).await.expect("published");
}

/// Quick options for tests.
pub(super) fn options() -> ConsumeOptions {
    ConsumeOptions {
        batch_size: 32,
        handler_deadline: Duration::from_secs(10),
        backoff: Backoff { first: Duration::from_millis(2), longest: Duration::from_millis(50) },
    }
}

/// A consumer beside the test.
pub(super) struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Running {
    pub(super) fn start(broker: &Arc<dyn Broker>, handler: &Arc<Recorder>) -> Self {
        Self::on(broker, handler, Hop::Events, Lane::shared(), options())
    }

    pub(super) fn on(
        broker: &Arc<dyn Broker>,
        handler: &Arc<Recorder>,
        hop: Hop,
        lane: Lane,
        options: ConsumeOptions,
    ) -> Self {
        let stop = CancellationToken::new();
        let (broker, handler, until) = (Arc::clone(broker), Arc::clone(handler), stop.clone());
        let task = tokio::spawn(async move { broker.consume(hop, &[lane], options, handler, until).await });
        Self { stop, task }
    }

    pub(super) fn tell_to_stop(&self) {
        self.stop.cancel();
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await.expect("a consumer stops when told");
        ended.expect("a consumer does not panic").expect("a consumer stops without an error");
    }

    /// Cuts it off wherever it is.
    pub(super) async fn cut_off(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

/// Waits for a condition; when it does not come true, the last state that was seen is told.
pub(super) async fn eventually<S: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> (bool, S)) {
    let limit = Instant::now() + PATIENCE;
    loop {
        let (fulfilled, state) = look();
        if fulfilled {
            return;
        }
        assert!(Instant::now() < limit, "{what}: still {state:?}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until these handlers accepted that many different messages between them, and returns them.
pub(super) async fn accepted_between(handlers: &[&Arc<Recorder>], count: usize) -> BTreeSet<String> {
    let accepted = || handlers.iter().flat_map(|handler| handler.accepted()).collect::<BTreeSet<String>>();
    eventually("accepted", || (accepted().len() >= count, accepted().len())).await;
    accepted()
}

/// Waits until nothing of the hop is left. What a broker counts may lag behind what is on its way to a handler, so wait for
/// the handlers first.
pub(super) async fn drained(broker: &Arc<dyn Broker>) {
    let limit = Instant::now() + PATIENCE;
    loop {
        let depth = broker.depth(Hop::Events).await.expect("the depth");
        if depth == 0 {
            return;
        }
        assert!(Instant::now() < limit, "{depth} messages are still there");
        sleep(Duration::from_millis(2)).await;
    }
}
