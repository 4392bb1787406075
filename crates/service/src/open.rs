//! Opening what a process needs, by its configuration: the database, and the queue with what stands around it.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use broker::{Alone, Broker, Embedded, RabbitMq, RabbitMqOptions, SpoolOptions, SpoolStats, Spooled};
use common::Clock;
use database::{Database, DirectoryLock, Options};
use futures::future::BoxFuture;
use store::Sealer;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Context, SystemClock,
    config::DatabaseConfig,
    context::{Parts, new_instance},
    master_key,
    members::StoreMembers,
    traces::Traces,
};

/// Which services share a process: decides what must be opened for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inhabitants {
    /// What the process is called in traces.
    pub name: &'static str,
    /// The gateway is among them: it keeps what the broker does not take on its own disk.
    pub gateway: bool,
    /// Others than the gateway are among them: they do nothing without the database.
    pub others: bool,
    /// There may be further processes. Then the queue cannot be an embedded one.
    pub distributed: bool,
}

impl Inhabitants {
    /// All services in one process.
    pub const ALL: Self = Self { name: "orgbridge", gateway: true, others: true, distributed: false };

    /// One service in a process of its own.
    pub fn alone(name: &'static str) -> Self {
        let gateway = name == "callback-gateway";
        Self { name, gateway, others: !gateway, distributed: true }
    }
}

/// What is closed last, in this order.
#[derive(Default)]
pub(crate) struct Openings {
    spool: Option<Arc<Spooled>>,
    rabbitmq: Option<RabbitMq>,
    embedded: Option<Embedded>,
    /// Held as long as the process lives: one process per data directory.
    _lock: Option<DirectoryLock>,
}

impl Openings {
    /// How much the spool holds, where there is one.
    pub(crate) fn spool(&self) -> Option<SpoolStats> {
        self.spool.as_ref().map(|spool| spool.stats())
    }

    pub(crate) async fn close(&self) {
        if let Some(spool) = &self.spool {
            spool.close().await;
        }
        if let Some(rabbitmq) = &self.rabbitmq {
            rabbitmq.close().await;
        }
        if let Some(embedded) = &self.embedded {
            embedded.close().await;
        }
    }
}

/// Opens what a process needs: takes the data directory where it keeps something there, opens and migrates the database, opens
/// the queue. RabbitMQ need not be there yet.
///
/// # Errors
/// What could not be opened, and why; among others when another process serves the same data directory.
pub fn open(
    config: &Config,
    inhabitants: Inhabitants,
    stop: CancellationToken,
) -> BoxFuture<'_, anyhow::Result<Context>> {
    Box::pin(async move { open_by(Arc::new(SystemClock), config, inhabitants, stop).await })
}

/// Opens what a process needs whose time is another clock's.
///
/// # Errors
/// Those of [`open`].
pub fn open_by(
    clock: Arc<dyn Clock>,
    config: &Config,
    inhabitants: Inhabitants,
    stop: CancellationToken,
) -> BoxFuture<'_, anyhow::Result<Context>> {
    Box::pin(async move {
        #[cfg(feature = "crash-points")]
        crate::crash::arm(&crate::process::environment())?;
        let is_embedded = config.broker.url.expose() == "embedded";
        if is_embedded && inhabitants.distributed {
            bail!(
                "broker.url: \"embedded\" is a queue within one process; for services of their own use amqp://, \
             or run all of them with `orgbridge serve`"
            );
        }
        let mut openings = Openings::default();
        if is_embedded || inhabitants.gateway || is_sqlite(&config.database) {
            let lock = DirectoryLock::acquire(&config.data_dir);
            openings._lock = Some(lock.context("another orgbridge may be serving: stop it first")?);
        }
        let (database, sealer) = open_store(config)?;
        let instance = new_instance();
        let members = Arc::new(StoreMembers::new(database.clone(), Arc::clone(&clock), instance.clone()));
        let broker: Arc<dyn Broker> = if is_embedded {
            Arc::new(openings.embedded.insert(open_embedded(config)?).clone())
        } else {
            let options = RabbitMqOptions {
                connection_name: format!("orgbridge {instance}"),
                ..RabbitMqOptions::new(config.broker.url.clone(), config.broker.partitions)
            };
            let rabbitmq = RabbitMq::new(options, Arc::clone(&members) as _).context("broker.url")?;
            let main = Arc::new(openings.rabbitmq.insert(rabbitmq).clone());
            if inhabitants.gateway {
                let spool = open_spool(&config.data_dir, main, config.broker.spool_max_bytes).await?;
                Arc::clone(openings.spool.insert(spool)) as _
            } else {
                main
            }
        };
        let needs_database = inhabitants.others;
        let parts = Parts { database, broker, clock, sealer, stop, instance, needs_database };
        let mut ctx = Context::assemble(parts).await?;
        ctx.traces = Traces::start(&config.telemetry, inhabitants.name, &ctx.instance)?;
        if openings.rabbitmq.is_some() {
            ctx.spawn("members", members.keep(ctx.health.clone(), ctx.stop.clone()));
        }
        ctx.keep_open(openings);
        Ok(ctx)
    })
}

/// Opens RabbitMQ alone, for commands that publish.
///
/// # Errors
/// When the configured queue is not RabbitMQ.
pub fn open_rabbitmq(config: &Config) -> anyhow::Result<RabbitMq> {
    if config.broker.url.expose() == "embedded" {
        bail!("broker.url: is \"embedded\", a queue that only its own process can reach; name the amqp:// address");
    }
    let options = RabbitMqOptions::new(config.broker.url.clone(), config.broker.partitions);
    RabbitMq::new(options, Arc::new(Alone::new("orgbridge"))).context("broker.url")
}

fn open_embedded(config: &Config) -> anyhow::Result<Embedded> {
    let url = format!("sqlite://{}", config.data_dir.join("queue.db").display());
    let queue = Options { pool_size: 2, ..Options::new(url) };
    let queue = Database::open(&queue).context("opening the embedded queue")?;
    Embedded::open(queue, config.broker.partitions).context("opening the embedded queue")
}

async fn open_spool(data_dir: &Path, main: Arc<RabbitMq>, max_bytes: u64) -> anyhow::Result<Arc<Spooled>> {
    let spool = Spooled::open_in(data_dir, main, SpoolOptions::new(max_bytes)).await;
    spool.map(Arc::new).with_context(|| format!("opening the spool in {}", data_dir.display()))
}

/// Opens the database alone, for commands that act on it while services may be running.
///
/// # Errors
/// What could not be opened, and why.
pub fn open_store(config: &Config) -> anyhow::Result<(Database, Sealer)> {
    let database = open_database(&config.database)?;
    // Processes that share a server's database must be given one key; each would make one of its own.
    let master_key = master_key::load(&config.secrets.master_key, is_sqlite(&config.database))?;
    let sealer = Sealer::new(&master_key).context("secrets.master_key")?;
    database.migrate(store::migrations()).context("database.url: bringing the database up to date")?;
    Ok((database, sealer))
}

fn open_database(config: &DatabaseConfig) -> anyhow::Result<Database> {
    // A resolver acknowledges to the queue after its commit, which must then be on the disk: so it is by default.
    let options = Options { pool_size: config.pool_size, ..Options::new(config.url.expose()) };
    Database::open(&options).context("database.url: opening the database")
}

fn is_sqlite(config: &DatabaseConfig) -> bool {
    config.url.expose().starts_with("sqlite:")
}
