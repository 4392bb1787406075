//! The service.

use std::sync::Arc;

use anyhow::Context as _;
use broker::Lane;
use outbound::Governor;
use service::{Context, StoreGovernor, config::SynchronizerConfig};
use tokio::sync::Notify;

use crate::{
    Timing,
    companies::Companies,
    desk::Desk,
    metrics::{Counted, WecomRequests},
    questions, reconcile,
    run::{Products, Runs},
    source::Platform,
};

/// Runs the synchronizer until the context stops.
///
/// # Errors
/// When the system lacks what an HTTP client needs.
pub async fn run(config: SynchronizerConfig, lanes: Vec<Lane>, context: Context) -> anyhow::Result<()> {
    let timing = Timing::default();
    let guard = outbound::Guard::new(config.allowed_networks.clone());
    let http = outbound::Client::new(guard, timing.request_timeout).context("making the HTTP client")?;
    let governor = StoreGovernor::new(context.database.clone(), Arc::clone(&context.clock), context.instance.clone());
    Synchronizer::new(config, lanes, context, http, Arc::new(governor)).with_timing(timing).run().await
}

/// The synchronizer with its parts chosen.
pub struct Synchronizer {
    config: SynchronizerConfig,
    lanes: Vec<Lane>,
    context: Context,
    http: outbound::Client,
    governor: Arc<dyn Governor>,
    timing: Timing,
    bell: Bell,
}

/// Rung when there is a question that cannot wait for the next look. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Lets the synchronizer look at once.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

impl Synchronizer {
    /// One that asks through `http`, at the rate that `governor` allows.
    pub fn new(
        config: SynchronizerConfig,
        lanes: Vec<Lane>,
        context: Context,
        http: outbound::Client,
        governor: Arc<dyn Governor>,
    ) -> Self {
        Self { config, lanes, context, http, governor, timing: Timing::default(), bell: Bell::default() }
    }

    /// With other waits.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Its bell.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Runs until the context stops; calls that are on their way are finished first.
    ///
    /// # Errors
    /// When metrics cannot be registered: it runs twice in one process.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self { config, lanes, context, http, governor, timing, bell } = self;
        let counted = Counted::register(&context.metrics).context("registering metrics")?;
        let observer = Arc::new(WecomRequests::new(&counted));
        let products = Arc::new(Products::new(http.clone()));
        let companies = Companies::new(http, governor, observer, Arc::clone(&context.clock));
        let parts =
            Desk { context: context.clone(), config: config.clone(), companies, counted, timing, lanes: lanes.clone() };
        let desk = Arc::new(parts);
        let runs = Runs::new(config, lanes, context.clone(), products, Arc::new(Platform(Arc::clone(&desk))));
        let running = context.spawn("sync runs", runs.run());
        let comparing = context.spawn("pulls", reconcile::schedule(Arc::clone(&desk)));
        let walking = context.spawn("walk", reconcile::walk(Arc::clone(&desk)));
        let asking = context.spawn("questions", questions::watch(desk, bell));
        asking.await.context("questions panicked")?;
        comparing.await.context("pulls panicked")?;
        walking.await.context("the walk panicked")?;
        running.await.context("sync runs panicked")
    }
}
