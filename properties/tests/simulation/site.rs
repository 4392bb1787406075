//! Where the embedded queue runs: it may crash, and comes back on what it stored.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use broker::Embedded;
use database::Database;
use tokio::sync::Notify;

use crate::{bugs::Bug, doors::QueueStoreDoor, faults::Kind, world::World};

const PARTITIONS: u32 = 4;

/// See the module.
pub(crate) struct Site {
    world: Arc<World>,
    database: Database,
    queue: Mutex<Option<Embedded>>,
    crashes: AtomicU64,
    changed: Notify,
}

impl Site {
    /// With the queue running.
    pub(crate) fn open(world: &Arc<World>) -> Arc<Self> {
        let site = Self {
            world: Arc::clone(world),
            database: world.queue.clone().with_faults(Arc::new(QueueStoreDoor::new(world))),
            queue: Mutex::default(),
            crashes: AtomicU64::new(0),
            changed: Notify::new(),
        };
        site.start();
        Arc::new(site)
    }

    /// Starts the queue if it does not run.
    pub(crate) fn start(&self) {
        let mut queue = self.queue.lock().unwrap();
        if queue.is_none() {
            *queue = Some(Embedded::open(self.database.clone(), PARTITIONS).unwrap());
            drop(queue);
            self.changed.notify_waiters();
        }
    }

    /// The queue's process dies.
    pub(crate) fn crash(&self) {
        let Some(queue) = self.queue.lock().unwrap().take() else { return };
        queue.crash();
        self.crashes.fetch_add(1, Ordering::Relaxed);
        self.world.state().happened(Kind::BrokerCrashed);
        if self.world.bug == Some(Bug::QueueLosesOnCrash) {
            const NEWEST: &str = "DELETE FROM messages WHERE seq IN \
                (SELECT seq FROM messages WHERE hop = 'events' ORDER BY seq DESC LIMIT 2)";
            crate::bugs::execute(&self.world.queue, NEWEST);
        }
        self.changed.notify_waiters();
    }

    pub(crate) fn current(&self) -> Option<Embedded> {
        self.queue.lock().unwrap().clone()
    }

    /// The queue as soon as it runs, and how often it crashed before.
    pub(crate) async fn up(&self) -> (u64, Embedded) {
        loop {
            if let Some(queue) = self.current() {
                return (self.crashes.load(Ordering::Relaxed), queue);
            }
            self.changed.notified().await;
        }
    }

    /// Waits until it crashed more often than that.
    pub(crate) async fn crashed_again(&self, crashes: u64) {
        while self.crashes.load(Ordering::Relaxed) == crashes {
            self.changed.notified().await;
        }
    }
}
