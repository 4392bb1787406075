//! What all requests share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use broker::Broker;
use common::Clock;
use service::{Context, Metrics, Traces, config::GatewayConfig};
use tokio_util::sync::CancellationToken;

use crate::{
    body::Bounds,
    keys::{KeyRing, SharedKeys},
    missing::Missing,
    pushes::Pushes,
    takeover::LastRefused,
    throttle::Throttle,
};

/// What all requests share.
pub(crate) struct Gateway {
    pub(crate) bounds: Bounds,
    pub(crate) max_clock_skew_seconds: u32,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) traces: Traces,
    pub(crate) throttle: Throttle,
    /// What could not be taken over last, while nothing can be.
    pub(crate) last_refused: LastRefused,
    /// Whose callbacks may be missing.
    pub(crate) missing: Missing,
    /// How many pushes count towards quotas.
    pub(crate) pushes: Pushes,
    /// Cancelled when the process is to stop.
    pub(crate) stop: CancellationToken,
    keys: SharedKeys,
}

impl Gateway {
    pub(crate) fn new(config: GatewayConfig, ctx: &Context) -> Self {
        // Filled before the socket is served: the first request must find its tenant.
        let ring = KeyRing::of(&ctx.tenants.snapshot(), &KeyRing::default());
        Self {
            bounds: Bounds { max_bytes: config.max_body_bytes, timeout: config.body_timeout() },
            max_clock_skew_seconds: config.max_clock_skew_seconds,
            clock: Arc::clone(&ctx.clock),
            broker: Arc::clone(&ctx.broker),
            metrics: Arc::clone(&ctx.metrics),
            traces: ctx.traces.clone(),
            throttle: Throttle::new(config.refused_per_minute),
            last_refused: LastRefused::default(),
            missing: Missing::default(),
            pushes: Pushes::default(),
            stop: ctx.stop.clone(),
            keys: Arc::new(ArcSwap::from_pointee(ring)),
        }
    }

    pub(crate) fn keys(&self) -> SharedKeys {
        Arc::clone(&self.keys)
    }

    pub(crate) fn ring(&self) -> arc_swap::Guard<Arc<KeyRing>> {
        self.keys.load()
    }
}
