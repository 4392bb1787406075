//! What exists once per process.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::{Broker, SpoolStats};
use common::Clock;
use database::Database;
use futures::future::BoxFuture;
use store::Sealer;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Health, Metrics, TenantBook, Traces, open::Openings};

/// A name for a process among its replicas.
pub fn new_instance() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

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
    /// Who is told of spans.
    pub traces: Traces,
    /// What is to be closed at the end, where [`crate::open()`] opened it.
    openings: Option<Arc<Openings>>,
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
    /// See [`Context::instance`].
    pub instance: String,
    /// Whether the process does nothing without the database. A gateway goes on with the tenants that it knows.
    pub needs_database: bool,
}

impl Context {
    /// Puts a context together: reads the tenants and keeps them fresh from then on.
    ///
    /// # Errors
    /// When the tenants cannot be read.
    pub fn assemble(parts: Parts) -> BoxFuture<'static, anyhow::Result<Self>> {
        Box::pin(async move {
            let Parts { database, broker, clock, sealer, stop, instance, needs_database } = parts;
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
                instance,
                traces: Traces::default(),
                openings: None,
            };
            let health = if needs_database { ctx.health.clone() } else { Health::default() };
            ctx.spawn("tenant book", ctx.tenants.clone().keep_fresh(health, ctx.stop.clone()));
            Ok(ctx)
        })
    }

    /// Starts a task that is waited for at the end. It must end by itself soon after [`Context::stop`] is cancelled. A task that
    /// panics is a fault of ours: it stops the process. The handle waits for it.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let running = self.tasks.spawn(future);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if running.await.is_err() {
                tracing::error!(task = name, "a task panicked; the process stops");
                stop.cancel();
            }
        })
    }

    /// The last step of stopping: nothing works with the queue any more, and what it has in memory is written.
    pub async fn close(&self) {
        if let Some(openings) = &self.openings {
            openings.close().await;
        }
        let traces = self.traces.clone();
        if traces.is_on() && tokio::task::spawn_blocking(move || traces.close()).await.is_err() {
            tracing::debug!("the last spans are not told");
        }
    }

    /// How much the gateway's spool holds, where there is one.
    pub fn spool(&self) -> Option<SpoolStats> {
        self.openings.as_ref()?.spool()
    }

    pub(crate) fn keep_open(&mut self, openings: Openings) {
        self.openings = Some(Arc::new(openings));
    }

    /// Waits for the tasks that were started with [`Context::spawn`]; `false` when some still run after `patience`.
    pub async fn finish_tasks(&self, patience: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}
