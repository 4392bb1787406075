//! What exists once per process.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use broker::{Broker, Embedded};
use common::Clock;
use database::{Database, DirectoryLock, Options, Synchronous};
use store::Sealer;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Config, Health, Metrics, SystemClock, TenantBook, config::DatabaseConfig, master_key};

/// What a service gets besides its section and its sockets. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Tenants, records, outbox.
    pub database: Database,
    /// The durable queue.
    pub broker: Arc<dyn Broker>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// The metric families.
    pub metrics: Arc<Metrics>,
    /// The applied tenants.
    pub tenants: TenantBook,
    /// Cancelled when the process is to stop.
    pub stop: CancellationToken,
    /// Work that is finished before the process ends.
    pub tasks: TaskTracker,
    /// Whether the process is ready for traffic.
    pub health: Health,
    /// Seals and opens secrets.
    pub sealer: Arc<Sealer>,
    /// Rung when changes were committed in this process.
    pub outbox_bell: Arc<Notify>,
    /// Names this process among its replicas; new with each start.
    pub instance: String,
    /// What only an embedded process has.
    embedded: Option<Arc<EmbeddedParts>>,
}

struct EmbeddedParts {
    queue: Embedded,
    /// Held as long as the process lives: one `serve` per data directory.
    _lock: DirectoryLock,
}

/// What a [`Context`] is made of when somebody else opened it: tests, the demo.
pub struct Parts {
    /// See [`Context::database`]; migrated.
    pub database: Database,
    /// See [`Context::broker`].
    pub broker: Arc<dyn Broker>,
    /// See [`Context::clock`].
    pub clock: Arc<dyn Clock>,
    /// See [`Context::sealer`].
    pub sealer: Sealer,
    /// See [`Context::stop`].
    pub stop: CancellationToken,
}

impl Context {
    /// Puts a context together: reads the tenants and keeps them fresh from then on.
    ///
    /// # Errors
    /// When the tenants cannot be read.
    pub async fn assemble(parts: Parts) -> anyhow::Result<Self> {
        let Parts { database, broker, clock, sealer, stop } = parts;
        let sealer = Arc::new(sealer);
        let tenants = TenantBook::new(database.clone(), Arc::clone(&sealer));
        tenants.refresh().await.context("reading the tenants")?;
        let ctx = Self {
            database,
            broker,
            clock,
            metrics: Arc::new(Metrics::new().context("registering metrics")?),
            tenants,
            stop,
            tasks: TaskTracker::new(),
            health: Health::default(),
            sealer,
            outbox_bell: Arc::new(Notify::new()),
            instance: uuid::Uuid::new_v4().simple().to_string(),
            embedded: None,
        };
        ctx.spawn("tenant book", ctx.tenants.clone().keep_fresh(ctx.health.clone(), ctx.stop.clone()));
        Ok(ctx)
    }

    /// Starts a task that is waited for at the end. It must end by itself soon after [`Context::stop`] is cancelled. A task that
    /// panics is a fault of ours: it stops the process.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let running = self.tasks.spawn(future);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if running.await.is_err() {
                tracing::error!(task = name, "a task panicked; the process stops");
                stop.cancel();
            }
        });
    }

    /// The last step of stopping: nothing works with the queue any more, and what it has in memory is written.
    pub async fn close(&self) {
        if let Some(embedded) = &self.embedded {
            embedded.queue.close().await;
        }
    }

    /// Waits for the tasks that were started with [`Context::spawn`]; `false` when some still run after `patience`.
    pub async fn finish_tasks(&self, patience: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

/// Opens what a process needs: takes the data directory, opens and migrates the database, opens the queue.
///
/// # Errors
/// What could not be opened, and why; among others when another process serves the same data directory.
pub async fn open(config: &Config, stop: CancellationToken) -> anyhow::Result<Context> {
    if config.broker.url.expose() != "embedded" {
        bail!("broker.url: RabbitMQ is not built yet; use \"embedded\"");
    }
    let lock = DirectoryLock::acquire(&config.data_dir).context("another orgbridge may be serving: stop it first")?;
    let (database, sealer) = open_store(config)?;
    let queue = Options {
        url: format!("sqlite://{}", config.data_dir.join("queue.db").display()),
        pool_size: 2,
        synchronous: Synchronous::Full,
    };
    let queue = Database::open(&queue).context("opening the embedded queue")?;
    let broker = Embedded::open(queue, config.broker.partitions).context("opening the embedded queue")?;
    let parts = Parts { database, broker: Arc::new(broker.clone()), clock: Arc::new(SystemClock), sealer, stop };
    let ctx = Context::assemble(parts).await?;
    Ok(Context { embedded: Some(Arc::new(EmbeddedParts { queue: broker, _lock: lock })), ..ctx })
}

/// Opens the database alone, for commands that act on it while a `serve` may be running.
///
/// # Errors
/// What could not be opened, and why.
pub fn open_store(config: &Config) -> anyhow::Result<(Database, Sealer)> {
    let database = open_database(&config.database)?;
    let master_key = master_key::load(&config.secrets.master_key, true)?;
    let sealer = Sealer::new(&master_key).context("secrets.master_key")?;
    database.migrate(store::migrations()).context("bringing the database up to date")?;
    Ok((database, sealer))
}

fn open_database(config: &DatabaseConfig) -> anyhow::Result<Database> {
    if !config.url.expose().starts_with("sqlite:") {
        bail!("database.url: PostgreSQL is not built yet; use sqlite://");
    }
    let options = Options {
        url: config.url.expose().to_owned(),
        pool_size: config.pool_size,
        // A resolver acknowledges to the queue after its commit, which must then be on the disk.
        synchronous: Synchronous::Full,
    };
    Database::open(&options).context("opening the database")
}
