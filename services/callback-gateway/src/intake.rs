//! From a request that was read to its outcome, whatever it was read from: verifying, decrypting, normalising, taking over.

use std::sync::Arc;

use common::{Event, Platform};
use futures::future::BoxFuture;
use service::{Context, Tenant, config::GatewayConfig};
use tokio::time::Instant;
use wecom::{Envelope, Query};

use crate::{
    answer::{Outcome, Refused},
    dingtalk_callback,
    gateway::Gateway,
    keys::{self, WecomKeys},
    missing, pushes, takeover,
};

/// The gateway without its socket; cheap to clone. [`run`](crate::run) puts one behind HTTP.
#[derive(Clone)]
pub struct Intake(Arc<Gateway>);

impl Intake {
    /// Makes one, and starts what works beside the requests. That ends with the context's stop token.
    pub fn start(config: GatewayConfig, ctx: &Context) -> Self {
        let gateway = Arc::new(Gateway::new(config, ctx));
        ctx.spawn("gateway keys", keys::keep_fresh(gateway.keys(), ctx.clone()));
        ctx.spawn("gateway queue probe", takeover::probe(Arc::clone(&gateway), ctx.clone()));
        ctx.spawn("missing callbacks", missing::keep_written(Arc::clone(&gateway), ctx.clone()));
        ctx.spawn("counted pushes", pushes::keep_written(Arc::clone(&gateway), ctx.clone()));
        Self(gateway)
    }

    /// Takes a callback over that WeCom posted for a tenant: the raw query, the body, and a W3C trace context if there was one.
    /// The outcome is not logged, and no address is held back: those are matters of the socket.
    pub fn take<'a>(
        &'a self,
        tenant: &'a str,
        query: &'a str,
        body: &'a [u8],
        traceparent: Option<String>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let began = Instant::now();
            let outcome = take(&self.0, tenant, Posted { query, body, traceparent }, began).await;
            let outcome = outcome.unwrap_or_else(Outcome::Refused);
            count(&self.0, Platform::Wecom, &outcome, began);
            outcome
        })
    }

    /// Takes a callback over that DingTalk posted for a tenant, in the same way.
    pub fn take_dingtalk<'a>(
        &'a self,
        tenant: &'a str,
        query: &'a str,
        body: &'a [u8],
        traceparent: Option<String>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let began = Instant::now();
            let outcome = dingtalk_callback::take(&self.0, tenant, Posted { query, body, traceparent }, began).await;
            let outcome = outcome.unwrap_or_else(Outcome::Refused);
            count(&self.0, Platform::Dingtalk, &outcome, began);
            outcome
        })
    }

    pub(crate) fn gateway(&self) -> Arc<Gateway> {
        Arc::clone(&self.0)
    }
}

/// A callback as it was posted.
pub(crate) struct Posted<'a> {
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) traceparent: Option<String>,
}

/// The request with which WeCom verifies an address: answered with the decrypted echo.
pub(crate) fn verify(gateway: &Gateway, tenant: &str, query: &str) -> Result<Outcome, Refused> {
    let (keys, query) = keys_and_query(gateway, tenant, query)?;
    let echo = query.echostr.as_deref().ok_or(Refused::NO_ECHO)?;
    keys.open(&query, echo, gateway.clock.now(), gateway.max_clock_skew_seconds).map(Outcome::Verified)
}

/// A callback: its events are durable before it is answered.
pub(crate) async fn take(
    gateway: &Gateway,
    tenant: &str,
    posted: Posted<'_>,
    began: Instant,
) -> Result<Outcome, Refused> {
    let (keys, query) = keys_and_query(gateway, tenant, posted.query)?;
    let envelope = Envelope::parse(posted.body)?;
    let now = gateway.clock.now();
    let text = keys.open(&query, &envelope.encrypt, now, gateway.max_clock_skew_seconds)?;
    let events = wecom::normalise(keys.id(), &keys.corp_id, &text, now, posted.traceparent)?;
    let is_taken = publish(gateway, &keys.tenant, &events, began + takeover::WECOM_HOLD).await;
    Ok(if is_taken { Outcome::Accepted } else { Outcome::NotTaken })
}

/// Takes the events of one push over, and counts them; `false`: see [`takeover::take_over`].
pub(crate) async fn publish(gateway: &Gateway, tenant: &Tenant, events: &[Event], deadline: Instant) -> bool {
    if !takeover::take_over(gateway, &tenant.lane, events, deadline).await {
        return false;
    }
    let published = &gateway.metrics.events_published_total;
    for event in events {
        published.with_label_values(&[event.platform.as_str(), tenant.file.id.as_str(), event.type_name()]).inc();
    }
    true
}

/// Counts what came of a request, and how long it took.
pub(crate) fn count(gateway: &Gateway, platform: Platform, outcome: &Outcome, began: Instant) {
    let platform = platform.as_str();
    gateway.metrics.callbacks_total.with_label_values(&[platform, outcome.label()]).inc();
    gateway.metrics.callback_seconds.with_label_values(&[platform]).observe(began.elapsed().as_secs_f64());
}

fn keys_and_query(gateway: &Gateway, tenant: &str, query: &str) -> Result<(Arc<WecomKeys>, Query), Refused> {
    let keys = gateway.ring().wecom(tenant)?;
    Ok((keys, Query::parse(query)?))
}
