//! Traces: the spans that this process tells a collector of, over OTLP. Without a collector nothing of it costs anything, and trace contexts that
//! came along are passed on as they came.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use common::UnixMillis;
use opentelemetry::{
    Context as OtelContext, KeyValue,
    propagation::TextMapPropagator,
    trace::{Span as _, SpanKind, TraceContextExt, Tracer as _, TracerProvider as _},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider, Span},
};

use crate::config::TelemetryConfig;

/// What a collector may take to accept a batch of spans.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// What the last spans may take when the process stops.
const CLOSING: Duration = Duration::from_secs(2);
const TRACEPARENT: &str = "traceparent";

/// Where spans go. Cheap to clone; the default tells nobody.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Told>>);

struct Told {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// The part that a process has in a hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It was asked, and answers.
    Asked,
    /// It took something out of a queue or table, and worked it off.
    Took,
}

/// A span that goes on. It ends when this is dropped, if not before.
#[derive(Default)]
pub struct Work(Option<Span>);

impl Traces {
    /// Tells the configured collector of spans, in the name of a service; nobody where none is configured. The collector need not be there.
    ///
    /// # Errors
    /// When no client can be made for that address.
    pub fn start(config: &TelemetryConfig, service: &'static str, instance: &str) -> anyhow::Result<Self> {
        if config.otlp_endpoint.is_empty() {
            return Ok(Self::default());
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client()?)
            .with_endpoint(traces_of(&config.otlp_endpoint))
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .context("telemetry.otlp_endpoint")?;
        let resource = Resource::builder()
            .with_service_name(service)
            .with_attributes([
                KeyValue::new("service.namespace", "orgbridge"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", instance.to_owned()),
            ])
            .build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let tracer = provider.tracer("orgbridge");
        Ok(Self(Some(Arc::new(Told { provider, tracer }))))
    }

    /// Whether anybody is told.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a span in the trace of `parent`, a W3C `traceparent`, or in one of its own.
    pub fn begin(&self, name: &'static str, part: Part, parent: Option<&str>) -> Work {
        Work(self.0.as_ref().map(|told| {
            let builder = told.tracer.span_builder(name).with_kind(part.kind());
            builder.start_with_context(&told.tracer, &context_of(parent))
        }))
    }

    /// Tells of work that ended now, in the trace of `parent`: of what belongs to none, nobody is told.
    pub fn tell(
        &self,
        name: &'static str,
        part: Part,
        parent: Option<&str>,
        began: UnixMillis,
        attributes: &[(&'static str, &str)],
    ) {
        let (Some(told), Some(parent)) = (&self.0, parent) else { return };
        let began = std::time::UNIX_EPOCH + Duration::from_millis(began.0.try_into().unwrap_or_default());
        let attributes = attributes.iter().map(|(key, value)| KeyValue::new(*key, (*value).to_owned()));
        let builder = told.tracer.span_builder(name).with_kind(part.kind()).with_start_time(began);
        builder.with_attributes(attributes).start_with_context(&told.tracer, &context_of(Some(parent))).end();
    }

    /// Tells of what is left. Blocks, for a few seconds at most.
    pub fn close(&self) {
        if let Some(told) = &self.0
            && let Err(error) = told.provider.shutdown_with_timeout(CLOSING)
        {
            tracing::debug!(%error, "the last spans are not told");
        }
    }
}

impl Part {
    const fn kind(self) -> SpanKind {
        match self {
            Self::Asked => SpanKind::Server,
            Self::Took => SpanKind::Consumer,
        }
    }
}

impl Work {
    /// The W3C trace context that what follows from this belongs to.
    pub fn traceparent(&self) -> Option<String> {
        let context = self.0.as_ref()?.span_context();
        let flags = context.trace_flags().to_u8();
        Some(format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
    }

    /// Ends it, with what is worth knowing of it.
    pub fn end(self, attributes: &[(&'static str, &str)]) {
        if let Some(mut span) = self.0 {
            for (key, value) in attributes {
                span.set_attribute(KeyValue::new(*key, (*value).to_owned()));
            }
            span.end();
        }
    }
}

/// The trace id within a W3C trace context, for log lines.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1)
}

fn context_of(parent: Option<&str>) -> OtelContext {
    let Some(parent) = parent else { return OtelContext::new() };
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), parent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&OtelContext::new(), &carrier);
    // What is no trace context is none.
    if context.has_active_span() { context } else { OtelContext::new() }
}

/// A collector's address names the host; traces have a path of their own (OTLP 1.x, "OTLP/HTTP Request").
fn traces_of(endpoint: &str) -> Cow<'_, str> {
    if endpoint.ends_with("/v1/traces") {
        Cow::Borrowed(endpoint)
    } else {
        Cow::Owned(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
    }
}

/// The client blocks, on the exporter's own thread, and so may be made on no thread of the runtime.
fn client() -> anyhow::Result<reqwest::blocking::Client> {
    outbound::install_cryptography();
    let make = || reqwest::blocking::Client::builder().no_proxy().timeout(EXPORT_TIMEOUT).build();
    let made = std::thread::spawn(make).join();
    made.map_err(|_panic| anyhow::anyhow!("making an HTTP client panicked"))?.context("making an HTTP client")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn an_address_is_completed() {
        assert_eq!(traces_of("http://collector:4318"), "http://collector:4318/v1/traces");
        assert_eq!(traces_of("http://collector:4318/"), "http://collector:4318/v1/traces");
        assert_eq!(traces_of("https://host/otlp/v1/traces"), "https://host/otlp/v1/traces");
    }

    #[test]
    fn without_a_collector_nothing_is_made_up() {
        let work = Traces::default().begin("callback", Part::Asked, Some(PARENT));
        assert_eq!(work.traceparent(), None);
        work.end(&[]);
    }

    #[test]
    fn a_span_goes_on_with_the_trace_that_came_along() {
        let told = SdkTracerProvider::builder().build();
        let tracer = told.tracer("test");
        let traces = Traces(Some(Arc::new(Told { provider: told, tracer })));
        let own = traces.begin("callback", Part::Asked, Some(PARENT)).traceparent().unwrap();
        assert_eq!(trace_id(&own), trace_id(PARENT));
        assert_ne!(own, PARENT);
        for other in [None, Some("nonsense")] {
            let fresh = traces.begin("callback", Part::Asked, other).traceparent().unwrap();
            assert_eq!(fresh.split('-').map(str::len).collect::<Vec<_>>(), [2, 32, 16, 2]);
            assert_ne!(trace_id(&fresh), trace_id(PARENT));
        }
    }
}
