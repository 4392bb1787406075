//! The metric families of a process, registered once and shared by its services.
//!
//! Facts of this process (counters, latencies) are fields here; facts of the database (parked, backlog, dead letters) are
//! asked for when somebody scrapes, and exported by one process only, else a sum over replicas would multiply them.

mod facts;
#[cfg(test)]
mod tests;

use broker::SpoolStats;
use common::Platform;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

use facts::Facts;

/// Seconds, from half a millisecond to the platform's patience.
const ANSWER_SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Seconds, up to a request's time limit.
const REQUEST_SECONDS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0];
/// Seconds, up to a slow destination's time-out.
const DELIVERY_SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds, up to a destination that was away for a day.
const AGE_SECONDS: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 28800.0, 86400.0];

/// The families. Labels are enums' names and ids of tenants and destinations, never personal data.
pub struct Metrics {
    registry: Registry,
    facts: Facts,
    /// Callback requests. Labels `platform`, `outcome`: `accepted`, `verified`, or why it was refused.
    pub callbacks_total: IntCounterVec,
    /// Time from a callback request's head to its answer. Label `platform`.
    pub callback_seconds: HistogramVec,
    /// Events taken over into the queue. Labels `platform`, `tenant`, `type`.
    pub events_published_total: IntCounterVec,
    /// Stream connections, one of these states each. Labels `tenant`, `state`: `open`, `opening`, `refused`, `draining`.
    pub stream_connections: IntGaugeVec,
    /// Events that the resolver worked off. Labels `tenant`, `outcome`: `applied`, `duplicate`, `stale`, `parked`,
    /// `released`, `dead`.
    pub resolver_events_total: IntCounterVec,
    /// Changes at destinations. Labels `tenant`, `destination`, `outcome`: `applied`, `retried`, `rejected`.
    pub changes_total: IntCounterVec,
    /// Time of one delivery. Label `kind` of destination.
    pub delivery_seconds: HistogramVec,
    /// Time from the platform's push to the destination's commit. Label `platform`.
    pub end_to_end_seconds: HistogramVec,
    /// Requests to platforms. Labels `platform`, `api`, `outcome`: `ok`, or what went wrong.
    pub platform_requests_total: IntCounterVec,
    /// Time of one request to a platform. Labels `platform`, `api`.
    pub platform_request_seconds: HistogramVec,
    /// Messages of a lane that are not acknowledged, as whoever consumes it sees it. Labels `hop`, `lane`.
    pub queue_messages: IntGaugeVec,
    ready: IntGauge,
    spool_bytes: IntGauge,
    spool_events: IntGauge,
}

impl Metrics {
    /// All families, in a registry of their own.
    ///
    /// # Errors
    /// When a family is malformed or named twice: a mistake in this file.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new_custom(Some("orgbridge".to_owned()), None)?;
        let families = Families { registry: &registry };
        let build = families.gauge("build_info", "What runs here; always 1.", &["version", "revision"])?;
        let revision = option_env!("ORGBRIDGE_REVISION").unwrap_or("unknown");
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), revision]).set(1);
        let metrics = Self {
            facts: Facts::new(&families)?,
            callbacks_total: families.counter(
                "callbacks_total",
                "Callback requests by outcome.",
                &["platform", "outcome"],
            )?,
            callback_seconds: families.histogram(
                "callback_seconds",
                "Time from a callback request to its answer.",
                &["platform"],
                ANSWER_SECONDS,
            )?,
            events_published_total: families.counter(
                "events_published_total",
                "Events taken over durably into the queue.",
                &["platform", "tenant", "type"],
            )?,
            stream_connections: families.gauge(
                "stream_connections",
                "Stream connections to DingTalk by state.",
                &["tenant", "state"],
            )?,
            resolver_events_total: families.counter(
                "resolver_events_total",
                "Events worked off by the resolver.",
                &["tenant", "outcome"],
            )?,
            changes_total: families.counter(
                "changes_total",
                "Changes at destinations by outcome.",
                &["tenant", "destination", "outcome"],
            )?,
            delivery_seconds: families.histogram(
                "delivery_seconds",
                "Time of one delivery to a destination.",
                &["kind"],
                DELIVERY_SECONDS,
            )?,
            end_to_end_seconds: families.histogram(
                "end_to_end_seconds",
                "Time from the platform's push to the destination's commit.",
                &["platform"],
                AGE_SECONDS,
            )?,
            platform_requests_total: families.counter(
                "platform_requests_total",
                "Requests to platforms by outcome.",
                &["platform", "api", "outcome"],
            )?,
            platform_request_seconds: families.histogram(
                "platform_request_seconds",
                "Time of one request to a platform.",
                &["platform", "api"],
                REQUEST_SECONDS,
            )?,
            queue_messages: families.gauge(
                "queue_messages",
                "Messages of a lane of the queue that are not acknowledged.",
                &["hop", "lane"],
            )?,
            ready: families.number("ready", "1 while the process is ready for traffic.")?,
            spool_bytes: families.number("spool_bytes", "Bytes in the gateway's spool, on its disk.")?,
            spool_events: families.number("spool_events", "Events in the gateway's spool, not yet with the broker.")?,
            registry: registry.clone(),
        };
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// Adds a family that only one service has. The name gets the prefix `orgbridge_`.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn register(&self, family: impl Collector + 'static) -> prometheus::Result<()> {
        self.registry.register(Box::new(family))
    }

    /// Notes that a request to a platform ended: `outcome` is `ok`, or what went wrong.
    pub fn note_request(&self, platform: Platform, api: &str, outcome: &str, seconds: f64) {
        self.platform_requests_total.with_label_values(&[platform.as_str(), api, outcome]).inc();
        self.platform_request_seconds.with_label_values(&[platform.as_str(), api]).observe(seconds);
    }

    /// Notes whether the process is ready.
    pub fn note_ready(&self, is_ready: bool) {
        self.ready.set(is_ready.into());
    }

    /// Notes how much the gateway's spool holds.
    pub fn note_spool(&self, stats: SpoolStats) {
        self.spool_bytes.set(i64::try_from(stats.bytes).unwrap_or(i64::MAX));
        self.spool_events.set(i64::try_from(stats.events).unwrap_or(i64::MAX));
    }

    /// Prometheus text, without the facts of the database unless [`Metrics::refresh`] was called.
    ///
    /// # Errors
    /// When a family cannot be encoded.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Asks the database for its facts.
    ///
    /// # Errors
    /// Those of the database; the facts of it are absent then, rather than old.
    pub async fn refresh(&self, ctx: &crate::Context) -> database::Result<()> {
        self.facts.refresh(ctx).await
    }
}

/// Makes families and registers them.
struct Families<'a> {
    registry: &'a Registry,
}

impl Families<'_> {
    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.registered(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.registered(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn number(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.registered(IntGauge::new(name, help)?)
    }

    fn histogram(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> prometheus::Result<HistogramVec> {
        self.registered(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?)
    }

    fn registered<F: Collector + Clone + 'static>(&self, family: F) -> prometheus::Result<F> {
        self.registry.register(Box::new(family.clone()))?;
        Ok(family)
    }
}
