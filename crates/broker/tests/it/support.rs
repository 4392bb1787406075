//! Queues in a file, and a small handler.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Delivery, Embedded, Failure, Handler, Lane, Outgoing};
use common::{Backoff, Hop};
use database::{Database, Options};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) struct Files {
    directory: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("queue.db")
    }

    pub(crate) fn database(&self) -> Database {
        Database::open(&Options::new(format!("sqlite://{}", self.path().display()))).unwrap()
    }

    pub(crate) fn queue(&self) -> Embedded {
        Embedded::open(self.database(), 16).unwrap()
    }
}

#[async_trait]
impl broker::suite::Fixture for Files {
    async fn open(&self) -> Arc<dyn Broker> {
        Arc::new(self.queue())
    }
}

/// Accepts everything, and remembers it.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<(String, bool)>>);

impl Heard {
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(text, _)| text.clone()).collect()
    }

    pub(crate) fn redelivered(&self) -> Vec<bool> {
        self.0.lock().unwrap().iter().map(|(_, redelivered)| *redelivered).collect()
    }
}

#[async_trait]
impl Handler for Heard {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        let heard = batch.iter().map(|d| (String::from_utf8_lossy(&d.payload).into_owned(), d.redelivered));
        self.0.lock().unwrap().extend(heard);
        Ok(())
    }

    async fn bury(&self, _delivery: &Delivery) -> Result<(), Failure> {
        Err(Failure::RETRY)
    }
}

pub(crate) fn quick() -> ConsumeOptions {
    let backoff = Backoff { first: Duration::from_millis(2), longest: Duration::from_millis(20) };
    ConsumeOptions { batch_size: 50, backoff, ..ConsumeOptions::default() }
}

pub(crate) fn consume<B: Broker + Clone>(
    queue: &B,
    handler: &Arc<Heard>,
    stop: &CancellationToken,
) -> JoinHandle<broker::Result<()>> {
    let (queue, handler, stop) = (queue.clone(), Arc::clone(handler), stop.clone());
    tokio::spawn(async move { queue.consume(Hop::Events, &[Lane::shared()], quick(), handler, stop).await })
}

pub(crate) async fn publish<B: Broker>(queue: &B, key: &str, payload: impl Into<String>) -> broker::Result<()> {
    queue.publish(Hop::Events, &Lane::shared(), vec![Outgoing::new(key, payload.into())]).await
}

pub(crate) async fn until(mut fulfilled: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if fulfilled() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("waited in vain");
}
