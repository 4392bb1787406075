#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod dingtalk_callback;
mod gateway;
mod intake;
mod jiandaoyun_push;
mod keys;
mod missing;
mod pushes;
mod request;
mod stream;
mod takeover;
mod throttle;

use std::{net::TcpListener, time::Duration};

use actix_web::{App, HttpServer, web};
use anyhow::Context as _;
use futures::future::BoxFuture;
use outbound::Guard;
use service::{Context, Readiness, config::GatewayConfig};
use tokio_util::sync::CancellationToken;

pub use answer::{Outcome, Refused};
pub use intake::Intake;

/// The name in tables, logs and `--only`.
pub const NAME: &str = "callback-gateway";

/// Platforms keep connections open between callbacks; proxies in front commonly close theirs after 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection with an unread rest lingers after the answer.
const LINGER: Duration = Duration::from_secs(2);
const CONNECTIONS_PER_WORKER: usize = 10_000;
/// Longer than a request is ever held. Together with the longest `drain_seconds` it stays below what a process may take to stop.
const SHUTDOWN_SECONDS: u64 = 10;

/// Serves callbacks on the listener until the context's stop token is cancelled. Then it goes on accepting for
/// `drain_seconds`, in which whoever sends requests here sees that the process is not ready any more, and finishes what is in hand.
/// Meanwhile Stream connections are kept open to platforms, where `platforms` allows; they end as soon as it is told to stop.
///
/// # Errors
/// When the socket cannot be served, or the system lacks what connections need.
pub fn run(
    config: GatewayConfig,
    platforms: Guard,
    listener: TcpListener,
    ctx: Context,
) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        let (drain, connections) = (Duration::from_secs(config.drain_seconds), config.stream_connections);
        let shared = Intake::start(config, &ctx).gateway();
        let streams = stream::Supervisor::new(shared.clone(), platforms, connections, &ctx)?;
        let streams_stop = ctx.stop.child_token();
        let streams = ctx.spawn("stream connections", streams.run(streams_stop.clone()));
        let gateway = web::Data::from(shared.clone());
        let app = move || App::new().app_data(gateway.clone()).default_service(web::to(request::handle));
        let server = HttpServer::new(app)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(LINGER)
            .max_connections(CONNECTIONS_PER_WORKER)
            .shutdown_signal(last_call(ctx.stop.clone(), drain))
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .listen(listener)
            .context("serving callbacks")?
            .run();
        ctx.health.set(NAME, Readiness::Ready);
        let served = server.await.context("serving callbacks");
        streams_stop.cancel();
        drop(streams.await);
        missing::write_the_last(&shared, &ctx).await;
        pushes::write_the_last(&shared, &ctx).await;
        served
    })
}

/// Comes a while after the process was told to stop.
async fn last_call(stop: CancellationToken, drain: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(drain).await;
}
