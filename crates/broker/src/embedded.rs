//! The durable queue in a SQLite file of its own, for when all services run in one process.

mod consumer;
mod ledger;
mod rows;
mod writer;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use common::Hop;
use database::{Database, Migrations};
use diesel_migrations::embed_migrations;
use tokio::{
    runtime::Handle as Runtime,
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::{
    consumer::Consumer,
    ledger::Ledger,
    writer::{Job, Writer},
};
use crate::{Broker, ConsumeOptions, Error, Handler, Lane, Outgoing, Result, group::documents};

const MIGRATIONS: Migrations = Migrations::sqlite_only(embed_migrations!("migrations/sqlite"));

/// How many calls may wait at the writer before the next ones wait for room.
const WAITING_CALLS: usize = 1024;

/// How long [`Embedded::close`] and a stopping consumer wait for the last acknowledgements.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);

/// The embedded queue; cheap to clone. One task writes: what waits at the same time, acknowledgements included, shares
/// one transaction and so one sync of the disk. Consumers of one instance share partitions. Only one instance may be
/// open on a file at a time (see [`database::DirectoryLock`]); a second one would see everything twice.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    ledger: Arc<Ledger>,
    jobs: mpsc::Sender<Job>,
    writer: AbortHandle,
    partitions: u32,
}

impl Embedded {
    /// Opens the queue in a database that holds nothing else, and brings its schema up to date. The database should
    /// sync at every commit ([`database::Synchronous::Full`]), or "durable" means less. Needs a tokio runtime around
    /// it, on which its task lives until the last clone is dropped.
    ///
    /// The number of partitions may differ from last time; what waits from before is still delivered, but not in order
    /// with what comes now.
    ///
    /// # Errors
    /// [`Error::NoRuntime`], and [`Error::Storage`] for what the database says.
    pub fn open(database: Database, partitions: u32) -> Result<Self> {
        let runtime = Runtime::try_current().map_err(|_outside| Error::NoRuntime)?;
        database.migrate(MIGRATIONS)?;
        let ledger = Arc::new(Ledger::default());
        let (jobs, waiting) = mpsc::channel(WAITING_CALLS);
        let writer = runtime.spawn(Writer::new(database.clone(), Arc::clone(&ledger)).run(waiting));
        Ok(Self { database, ledger, jobs, writer: writer.abort_handle(), partitions: partitions.max(1) })
    }

    /// Waits, for a few seconds at most, until all acknowledgements so far are stored, so that nothing that was handled
    /// comes again.
    pub async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        let flushed = async {
            if self.jobs.send(Job { documents: Vec::new(), answer }).await.is_ok() {
                // An error is a failed write, which was logged; then those messages come again, as they may.
                drop(answered.await);
            }
        };
        drop(timeout(FLUSH_PATIENCE, flushed).await);
    }

    /// What waits, per hop and lane.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub(crate) async fn holdings(&self) -> Result<Vec<rows::Holding>> {
        Ok(self.database.read("queue.holdings", rows::holdings).await?)
    }

    /// Ends the queue's task wherever it is, as a crash would: for tests. Without this even a dropped queue stores what
    /// it has in hand and its last acknowledgements.
    pub fn crash(&self) {
        self.writer.abort();
    }
}

#[async_trait]
impl Broker for Embedded {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let documents = documents(hop, lane, messages, self.partitions)?;
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { documents, answer }).await.map_err(|_gone| Error::Closed)?;
        answered.await.map_err(|_gone| Error::Closed)?
    }

    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        let member = Arc::clone(&self.ledger).join(hop, lanes);
        Consumer { database: self.database.clone(), member, options, handler, stop }.run().await;
        self.close().await;
        Ok(())
    }

    async fn depth(&self, hop: Hop) -> Result<u64> {
        Ok(self.database.read("queue.depth", move |conn| rows::depth(conn, hop)).await?)
    }

    async fn depth_of(&self, hop: Hop, lane: &Lane) -> Result<u64> {
        let lane = lane.clone();
        Ok(self.database.read("queue.depth-of", move |conn| rows::depth_of(conn, hop, &lane)).await?)
    }
}
