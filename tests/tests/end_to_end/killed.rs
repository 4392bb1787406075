//! Each part killed once, while callbacks never cease.

use std::sync::Arc;

use test_kit::Servers;
use tests::{Bridge, Deployment, Service, Setup, Spread};
use tokio::task::spawn_blocking;

use crate::{
    agreement::{company, core_agrees, nothing_is_left, oa, oa_agrees, others_arrive},
    load::{Load, Told},
};

#[tokio::test(flavor = "multi_thread")]
async fn everything_killed_once_under_load_loses_nothing_and_doubles_nothing() {
    let servers = Arc::new(spawn_blocking(Servers::start).await.unwrap());
    let oa = oa();
    let deployment = Deployment::Services(Spread::over(Arc::clone(&servers)));
    let mut bridge = Bridge::start(&Setup { deployment, oa: Some(oa.url()), ..Setup::default() }).await;
    let load = Load::start(&bridge, company(31));
    load.goes_on().await;

    // The sink first: until its lease has run out nobody else delivers what it did.
    for service in Service::ALL.into_iter().rev() {
        bridge.kill_service(service);
        load.goes_on().await;
        bridge.launch().await;
        load.goes_on().await;
    }
    // Without either of them callbacks are taken over all the same.
    servers.kill_postgres();
    load.goes_on().await;
    start_again(&servers, Servers::start_postgres).await;
    load.goes_on().await;
    servers.kill_rabbitmq();
    load.goes_on().await;
    start_again(&servers, Servers::start_rabbitmq).await;
    load.goes_on().await;

    let Told { truth, others } = load.finish().await;
    core_agrees(&bridge, &truth).await;
    oa_agrees(&oa, &truth).await;
    others_arrive(&oa, others).await;
    nothing_is_left(&mut bridge);
    assert_eq!(oa.repeats().sealed_anew, 0, "what is sent again is sent byte for byte");
    let violated: Vec<String> =
        servers.postgres_log().lines().filter(|line| line.contains("foreign key")).map(str::to_owned).collect();
    assert!(violated.is_empty(), "{violated:?}");
}

async fn start_again(servers: &Arc<Servers>, start: fn(&Servers)) {
    let servers = Arc::clone(servers);
    spawn_blocking(move || start(&servers)).await.unwrap();
}
