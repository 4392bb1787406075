//! A process around services that do little: opening, health, metrics, supervision.

#[cfg(test)]
mod support;

use std::{net::TcpListener, path::Path, time::Duration};

use common::Clock;
use service::{
    Config, Context, Inhabitants, Readiness, Running, SystemClock, TenantFile,
    admin::{self, DatabaseFacts},
    config::MasterKey,
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
    let ctx = service::open(&config, Inhabitants::ALL, CancellationToken::new()).await.unwrap();
    let error = service::open(&config, Inhabitants::ALL, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("in use by another process"), "{error:#}");
    // Commands go on working beside it.
    service::open_store(&config).unwrap();
    ctx.stop.cancel();
    assert!(ctx.finish_tasks(Duration::from_secs(5)).await);
    ctx.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_queue_is_refused_where_there_are_other_processes() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::in_directory(directory.path().to_owned());
    let alone = Inhabitants::alone("resolver");
    let error = service::open(&config, alone, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("orgbridge serve"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_there_are_named_without_their_passwords() {
    let directory = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut config = Config::in_directory(directory.path().to_owned());
    config.database.url = common::Secret::new(format!("postgres://u:hunter2@127.0.0.1:{port}/d"));
    config.secrets.master_key = MasterKey::Text(store::Sealer::new_master_key());
    let error = service::open(&config, Inhabitants::ALL, CancellationToken::new()).await.err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("database.url") && !error.contains("hunter2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_file_database_gets_a_master_key_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::in_directory(directory.path().to_owned());
    config.database.url = common::Secret::new("postgres://u:hunter2@127.0.0.1:1/d");
    let error = service::open_store(&config).err().unwrap();
    assert!(format!("{error:#}").contains("master key"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_starts_without_its_broker() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::in_directory(directory.path().to_owned());
    config.broker.url = common::Secret::new("amqp://u:hunter2@127.0.0.1:1/v");
    let ctx = service::open(&config, Inhabitants::ALL, CancellationToken::new()).await.unwrap();
    assert!(ctx.health.reasons().is_empty());
    assert_eq!(ctx.spool().map(|spool| spool.events), Some(0));
    ctx.stop.cancel();
    assert!(ctx.finish_tasks(Duration::from_secs(5)).await);
    ctx.close().await;
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
