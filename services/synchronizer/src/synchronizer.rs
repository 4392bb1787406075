//! The service.

use std::sync::Arc;

use anyhow::Context as _;
use broker::Lane;
use futures::future::BoxFuture;
use outbound::{Governor, Guard};
use service::{Context, StoreGovernor, config::SynchronizerConfig};
use tokio::sync::Notify;

use crate::{
    Steps, Timing,
    companies::Companies,
    desk::Desk,
    details::Meters,
    forms::Sources,
    metrics::{Counted, PlatformRequests},
    run::{OpenProduct, Products, Runs},
    source::Platform,
};

/// Runs the synchronizer until the context stops. `products` says where core products may be, as it is said to the sink.
///
/// # Errors
/// When the system lacks what an HTTP client needs.
pub fn run(
    config: SynchronizerConfig,
    products: Guard,
    lanes: Vec<Lane>,
    context: Context,
) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        let timing = Timing::default();
        let client = |guard| outbound::Client::new(guard, timing.request_timeout).context("making an HTTP client");
        let http = client(Guard::new(config.allowed_networks.clone()))?;
        let products = Arc::new(Products::new(client(products)?));
        let governor =
            StoreGovernor::new(context.database.clone(), Arc::clone(&context.clock), context.instance.clone());
        let synchronizer = Synchronizer::new(config, lanes, context, http, Arc::new(governor)).with_products(products);
        synchronizer.with_timing(timing).run().await
    })
}

/// The synchronizer with its parts chosen.
pub struct Synchronizer {
    config: SynchronizerConfig,
    lanes: Vec<Lane>,
    context: Context,
    http: outbound::Client,
    governor: Arc<dyn Governor>,
    products: Arc<dyn OpenProduct>,
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
    /// One that asks through `http`, at the rate that `governor` allows, and finds core products in the same networks.
    pub fn new(
        config: SynchronizerConfig,
        lanes: Vec<Lane>,
        context: Context,
        http: outbound::Client,
        governor: Arc<dyn Governor>,
    ) -> Self {
        let products = Arc::new(Products::new(http.clone()));
        let (timing, bell) = (Timing::default(), Bell::default());
        Self { config, lanes, context, http, governor, products, timing, bell }
    }

    /// With other waits.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// With core products that are opened in another way.
    #[must_use]
    pub fn with_products(mut self, products: Arc<dyn OpenProduct>) -> Self {
        self.products = products;
        self
    }

    /// Its bell.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Its parts, for who drives them one look after the other.
    ///
    /// # Errors
    /// When metrics cannot be registered: it is there twice in one process.
    pub fn steps(self) -> anyhow::Result<Steps> {
        let Self { config, lanes, context, http, governor, products, timing, bell } = self;
        let counted = Counted::register(&context.metrics).context("registering metrics")?;
        let observer = Arc::new(PlatformRequests(Arc::clone(&context.metrics)));
        let meters = counted.of_runs();
        let used_ratio = counted.quota_used_ratio.clone();
        let quotas = Meters::new(context.database.clone(), Arc::clone(&context.clock), used_ratio);
        let clock = Arc::clone(&context.clock);
        let forms = Sources::new(http.clone(), Arc::clone(&governor), Arc::clone(&observer), Arc::clone(&clock));
        let companies = Companies::new(http, governor, observer, clock, quotas);
        let parts = Desk {
            context: context.clone(),
            config: config.clone(),
            companies,
            forms,
            counted,
            timing,
            lanes: lanes.clone(),
        };
        let desk = Arc::new(parts);
        let source = Arc::new(Platform::new(Arc::clone(&desk)));
        let runs = Runs::new(config, lanes, context, products, source).counted_by(meters);
        Ok(Steps::new(desk, runs, bell))
    }

    /// Runs until the context stops; calls that are on their way are finished first.
    ///
    /// # Errors
    /// When metrics cannot be registered: it runs twice in one process.
    pub fn run(self) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move { self.steps()?.run().await })
    }
}
