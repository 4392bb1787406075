//! A process around services that do little: opening, health, metrics, supervision.

#[cfg(test)]
mod support;

use std::{net::TcpListener, path::Path, time::Duration};

use common::Clock;
use service::{
    Config, Context, Readiness, Running, SystemClock, TenantFile,
    admin::{self, DatabaseFacts},
    supervise, tenants,
};
use tokio_util::sync::CancellationToken;

use support::{asked, opened};

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let ctx = opened(directory.path()).await;
    let text = "id = \"acme\"\n[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"sqlite://core.db\"";
    let file = TenantFile::parse(text, Path::new("")).unwrap();
    tenants::apply(&ctx.database, &ctx.sealer, &file, ctx.clock.now()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(admin::serve(listener, ctx.clone(), DatabaseFacts::Exported, stop.clone()));

    assert_eq!(asked(address, "/healthz").await.0, 200);
    assert_eq!(asked(address, "/readyz").await.0, 200);
    ctx.health.set("broker", Readiness::NotReady("no space".to_owned()));
    let (status, text) = asked(address, "/readyz").await;
    assert!(status == 503 && text.contains("no space"), "{text}");
    let (status, text) = asked(address, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "orgbridge_build_info{",
        "orgbridge_parked_events{tenant=\"acme\"} 0",
        "orgbridge_parked_oldest_seconds{tenant=\"acme\"} 0",
        "orgbridge_dead_letters{stage=\"sink\",tenant=\"acme\"} 0",
        "orgbridge_backlog_changes{destination=\"core\",tenant=\"acme\"} 0",
        "orgbridge_backlog_oldest_seconds{destination=\"core\",tenant=\"acme\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::in_directory(directory.path().join("data"));
    let ctx = service::open(&config, CancellationToken::new()).await.unwrap();
    let error = service::open(&config, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("in use by another process"), "{error:#}");
    // Commands go on working beside it.
    service::open_store(&config).unwrap();
    ctx.stop.cancel();
    assert!(ctx.finish_tasks(Duration::from_secs(5)).await);
    ctx.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_built_yet_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::in_directory(directory.path().to_owned());
    let mut postgres = config.clone();
    postgres.database.url = common::Secret::new("postgres://u:hunter2@h/d");
    let error = service::open(&postgres, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("PostgreSQL is not built yet"), "{error:#}");
    let mut rabbit = config;
    rabbit.broker.url = common::Secret::new("amqp://u:hunter2@h/v");
    let error = service::open(&rabbit, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("RabbitMQ is not built yet"), "{error:#}");
    assert!(!format!("{error:#}").contains("hunter2"));
}

fn until_stopped(name: &'static str, ctx: &Context) -> Running {
    let stop = ctx.stop.clone();
    Running::new(name, async move {
        stop.cancelled().await;
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn services_end_well_after_the_stop() {
    let directory = tempfile::tempdir().unwrap();
    let ctx = opened(directory.path()).await;
    let stop = ctx.stop.clone();
    let services = vec![until_stopped("a", &ctx), until_stopped("b", &ctx)];
    let supervised = tokio::spawn({
        let ctx = ctx.clone();
        async move { supervise(services, &ctx, Duration::from_secs(5)).await }
    });
    stop.cancel();
    supervised.await.unwrap().unwrap();
    assert!(ctx.health.reasons().contains_key("process"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ends_early_or_panics_stops_the_others() {
    let grace = Duration::from_secs(5);
    let directory = tempfile::tempdir().unwrap();
    let ctx = opened(directory.path()).await;
    let early = Running::new("early", async { Ok(()) });
    let error = supervise(vec![until_stopped("a", &ctx), early], &ctx, grace).await.unwrap_err();
    assert_eq!(error.to_string(), "early ended by itself");

    let directory = tempfile::tempdir().unwrap();
    let ctx = opened(directory.path()).await;
    let panics = Running::new("clumsy", async { panic!("on purpose") });
    let error = supervise(vec![until_stopped("a", &ctx), panics], &ctx, grace).await.unwrap_err();
    assert_eq!(error.to_string(), "clumsy panicked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_stop_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let ctx = opened(directory.path()).await;
    let deaf = Running::new("deaf", std::future::pending());
    ctx.stop.cancel();
    let error = supervise(vec![deaf], &ctx, Duration::from_millis(50)).await.unwrap_err();
    assert!(error.to_string().contains("still running") && error.to_string().contains("deaf"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_stops_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let ctx = opened(directory.path()).await;
    ctx.spawn("clumsy", async { panic!("on purpose") });
    tokio::time::timeout(Duration::from_secs(5), ctx.stop.cancelled()).await.unwrap();
}

#[test]
fn the_clock_goes() {
    assert!(SystemClock.now().seconds() > 1_700_000_000);
}
