//! The admin server of a process: `/healthz`, `/readyz`, `/metrics`.

use std::{net::TcpListener, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context as _;
use futures::future::BoxFuture;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::Context;

/// Facts of the database that take longer are left out of the scrape.
const FACTS_PATIENCE: Duration = Duration::from_secs(5);

/// Whether this process exports the facts of the database. Exactly one process should: replicas would multiply sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFacts {
    /// With parked, backlog and dead letters.
    Exported,
    /// Without.
    LeftOut,
}

#[derive(Clone)]
struct State {
    ctx: Context,
    facts: DatabaseFacts,
}

/// Answers until `stop` is cancelled, which should come after the services have drained, so that readiness can be asked for
/// meanwhile.
///
/// # Errors
/// When the socket cannot be served.
pub fn serve(
    listener: TcpListener,
    ctx: Context,
    facts: DatabaseFacts,
    stop: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        let state = State { ctx, facts };
        let app = move || {
            App::new()
                .app_data(web::Data::new(state.clone()))
                .route("/healthz", web::get().to(healthz))
                .route("/readyz", web::get().to(readyz))
                .route("/metrics", web::get().to(metrics))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .shutdown_signal(stop.cancelled_owned())
            .shutdown_timeout(1)
            .listen(listener)
            .context("serving health and metrics")?
            .run();
        server.await.context("serving health and metrics")
    })
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

async fn readyz(state: web::Data<State>) -> HttpResponse {
    let reasons = state.ctx.health.reasons();
    if reasons.is_empty() {
        HttpResponse::Ok().json(json!({ "status": "ready" }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "not ready", "reasons": reasons }))
    }
}

async fn metrics(state: web::Data<State>) -> HttpResponse {
    let metrics = &state.ctx.metrics;
    if state.facts == DatabaseFacts::Exported {
        match tokio::time::timeout(FACTS_PATIENCE, metrics.refresh(&state.ctx)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = error.label(), "the database's metrics are missing"),
            Err(_) => tracing::warn!("the database's metrics are missing: it takes too long"),
        }
    }
    metrics.note_ready(state.ctx.health.reasons().is_empty());
    if let Some(stats) = state.ctx.spool() {
        metrics.note_spool(stats);
    }
    match metrics.render() {
        Ok(text) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}
