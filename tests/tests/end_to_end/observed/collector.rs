//! Who is told of spans: OTLP over HTTP, as a collector takes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;

/// What is looked at of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) trace: Vec<u8>,
}

/// It ends when this is dropped.
pub(super) struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    server: ServerHandle,
}

impl Collector {
    pub(super) fn start() -> Self {
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let shared = web::Data::from(Arc::clone(&spans));
        let app = move || App::new().app_data(shared.clone()).route("/v1/traces", web::post().to(take));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, spans, server: handle }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// The traces that have spans of all these services.
pub(super) fn traces_through<'a>(spans: &'a [Span], services: &BTreeSet<&str>) -> Vec<&'a [u8]> {
    let mut through: BTreeMap<&[u8], BTreeSet<&str>> = BTreeMap::new();
    for span in spans {
        through.entry(&span.trace).or_default().insert(&span.service);
    }
    through.into_iter().filter(|(_, found)| found.is_superset(services)).map(|(trace, _)| trace).collect()
}

async fn take(body: web::Bytes, spans: web::Data<Mutex<Vec<Span>>>) -> HttpResponse {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return HttpResponse::BadRequest().finish() };
    let mut spans = spans.lock().unwrap();
    for resource in request.resource_spans {
        let service = resource.resource.map(|resource| service_of(&resource.attributes)).unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span { service: service.clone(), name: span.name, trace: span.trace_id });
        }
    }
    HttpResponse::Ok().finish()
}

fn service_of(attributes: &[KeyValue]) -> String {
    let named = attributes.iter().find(|attribute| attribute.key == "service.name");
    match named.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        _ => String::new(),
    }
}
