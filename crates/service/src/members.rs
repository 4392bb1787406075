//! Who consumes the queue besides us, by what processes say of themselves in the database.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use broker::{Lane, Members};
use common::{Clock, Hop};
use database::{Connection, Database};
use store::workers;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::health::{Health, Readiness};

/// How often each process says that it lives.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// Who was not heard of for so long is taken for dead. Three beats, and partitions are shared anew within 10 s.
const PATIENCE: Duration = Duration::from_secs(6);
const PATIENCE_MILLIS: i64 = 6_000;
/// What it is called in readiness.
const PART: &str = "workers";

/// The live workers of each queue that this process consumes.
pub(crate) struct StoreMembers {
    database: Database,
    clock: Arc<dyn Clock>,
    instance: String,
    queues: Mutex<BTreeMap<String, watch::Sender<Arc<[String]>>>>,
    joined: Notify,
}

impl StoreMembers {
    pub(crate) fn new(database: Database, clock: Arc<dyn Clock>, instance: String) -> Self {
        Self { database, clock, instance, queues: Mutex::default(), joined: Notify::new() }
    }

    /// Beats until told to stop, and then leaves: the others share out what was ours while we finish what is in hand. Who cannot
    /// write into the database gives its share back, since it could do nothing with it, and others may; and it is not ready: a database
    /// whose disk is full still answers whoever only reads.
    pub(crate) async fn keep(self: Arc<Self>, health: Health, stop: CancellationToken) {
        let mut heard = Instant::now();
        loop {
            let mut failed = None;
            for queue in self.queues() {
                match self.beat(&queue).await {
                    Ok(()) => {
                        heard = Instant::now();
                        health.set(PART, Readiness::Ready);
                    }
                    Err(error) => {
                        tracing::debug!(queue, error = error.label(), "cannot say that we live");
                        failed = Some(error);
                    }
                }
            }
            if let Some(error) = failed
                && heard.elapsed() > PATIENCE
            {
                // The others take us for dead: what is ours at the broker is theirs.
                self.give_everything_back();
                health.set(PART, Readiness::NotReady(format!("the database takes nothing: {}", error.label())));
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.joined.notified() => {}
                () = tokio::time::sleep(BEAT_EVERY) => {}
            }
        }
        let instance = self.instance.clone();
        let leave = move |conn: &mut Connection| workers::leave(conn, &instance);
        if let Err(error) = self.database.write("workers.leave", leave).await {
            tracing::debug!(error = error.label(), "the others will notice by themselves that we are gone");
        }
    }

    /// Nobody is known any more, and so nothing is ours.
    fn give_everything_back(&self) {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        for known in queues.values() {
            known.send_if_modified(|known| !std::mem::replace(known, Arc::new([])).is_empty());
        }
    }

    fn queues(&self) -> Vec<String> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    async fn beat(&self, queue: &str) -> database::Result<()> {
        let (of, instance, now) = (queue.to_owned(), self.instance.clone(), self.clock.now());
        let beat = move |conn: &mut Connection| workers::beat(conn, &of, &instance, now, PATIENCE_MILLIS);
        let live = self.database.write("workers.beat", beat).await?;
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = queues.get(queue) {
            known.send_if_modified(|known| {
                let is_news = **known != *live;
                if is_news {
                    *known = live.into();
                }
                is_news
            });
        }
        Ok(())
    }
}

impl Members for StoreMembers {
    fn me(&self) -> &str {
        &self.instance
    }

    fn watch(&self, hop: Hop, lane: &Lane) -> watch::Receiver<Arc<[String]>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            queues.entry(format!("{}.{lane}", hop.as_str())).or_insert_with(|| watch::Sender::new(Arc::new([])));
        self.joined.notify_one();
        known.subscribe()
    }
}
