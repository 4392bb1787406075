//! The service.

use std::sync::Arc;

use anyhow::Context as _;
use broker::{ConsumeOptions, Lane};
use common::Hop;
use futures::future::BoxFuture;
use outbound::Guard;
use service::{Context, StoreGovernor, config::SinkConfig, depths};

use crate::{Build, Built, Platforms, Timing, handler::ChangeHandler, manager::Manager};

/// Runs the sink until the context stops. `platforms` says where platforms may be that members are written into, as it is said to the
/// synchronizer.
///
/// # Errors
/// When the queue cannot be consumed at all, or the system lacks what an HTTP client needs.
pub fn run(
    config: SinkConfig,
    platforms: Guard,
    lanes: Vec<Lane>,
    context: Context,
) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        let timing = Timing::default();
        let client = |guard| outbound::Client::new(guard, timing.request_timeout).context("making an HTTP client");
        let http = client(Guard::new(config.allowed_networks.clone()))?;
        let governor =
            StoreGovernor::new(context.database.clone(), Arc::clone(&context.clock), context.instance.clone());
        let platforms = Platforms {
            http: client(platforms)?,
            governor: Arc::new(governor),
            clock: Arc::clone(&context.clock),
            metrics: Arc::clone(&context.metrics),
        };
        let build = Arc::new(Built::new(http).with_platforms(platforms));
        Sink::new(config, lanes, context, build).with_timing(timing).run().await
    })
}

/// The sink with its parts chosen.
pub struct Sink {
    config: SinkConfig,
    lanes: Vec<Lane>,
    context: Context,
    build: Arc<dyn Build>,
    timing: Timing,
}

impl Sink {
    /// With the destinations that `build` makes.
    pub fn new(config: SinkConfig, lanes: Vec<Lane>, context: Context, build: Arc<dyn Build>) -> Self {
        Self { config, lanes, context, build, timing: Timing::default() }
    }

    /// With other waits.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Runs until the context stops; what is in hand is finished first.
    ///
    /// # Errors
    /// When the queue cannot be consumed at all.
    pub fn run(self) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move {
            let Self { config, lanes, context, build, timing } = self;
            let manager = Manager::new(config, lanes.clone(), context.clone(), build, timing);
            let handler = Arc::new(ChangeHandler::new(manager.routes()));
            let managing = context.spawn("the sink's manager", manager.run());
            context.spawn("queue depths", depths::keep(context.clone(), Hop::Changes, lanes.clone()));
            let options = ConsumeOptions::default();
            let consumed = context.broker.consume(Hop::Changes, &lanes, options, handler, context.stop.clone()).await;
            if consumed.is_ok() {
                managing.await.context("the sink's manager panicked")?;
            }
            consumed.context("consuming changes")
        })
    }
}
