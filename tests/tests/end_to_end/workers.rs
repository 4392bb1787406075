//! Workers come and go while callbacks never cease.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::partition_of;
use database::{Connection, Database, Options, on_backend};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use serde_json::Value;
use test_kit::Servers;
use tests::{Bridge, Deployment, Service, Setup, Spread};
use tokio::time::{Instant, sleep};

use crate::{
    agreement::{company, core_agrees, nothing_is_left, oa, oa_agrees, others_arrive},
    load::{Load, Told},
};

/// Enough for each of three workers to have some: which ones is chance.
const PARTITIONS: u32 = 16;
/// How long it may take until partitions are shared anew.
const SHARED_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_shared_and_nothing_is_lost_as_workers_come_and_go() {
    let oa = oa();
    let spread = Spread { replicas: 1, partitions: PARTITIONS, ..Spread::over(Servers::shared()) };
    let deployment = Deployment::Services(spread);
    let mut bridge = Bridge::start(&Setup { deployment, oa: Some(oa.url()), ..Setup::default() }).await;
    let load = Load::start(&bridge, company(41));
    load.goes_on().await;
    are_shared(&bridge, |workers| workers == 1).await;

    for service in [Service::Resolver, Service::Sink] {
        bridge.add(service);
        bridge.add(service);
    }
    bridge.launch().await;
    // One of three may get nothing by chance, but two of them hardly.
    are_shared(&bridge, |workers| workers > 1).await;
    load.goes_on().await;
    delivers_who_gets_the_changes(&bridge).await;

    for service in [Service::Resolver, Service::Sink] {
        bridge.remove(service).await;
        bridge.remove(service).await;
    }
    are_shared(&bridge, |workers| workers == 1).await;
    load.goes_on().await;
    delivers_who_gets_the_changes(&bridge).await;

    let Told { truth, others } = load.finish().await;
    core_agrees(&bridge, &truth).await;
    oa_agrees(&oa, &truth).await;
    others_arrive(&oa, others).await;
    nothing_is_left(&mut bridge);
    assert_eq!(oa.repeats().all, 0, "who leaves hands over what it has in hand");
}

/// Waits until each partition of both hops has somebody who works on it, and those are as many workers as they should be.
async fn are_shared(bridge: &Bridge, is_right: impl Fn(usize) -> bool) {
    let end = Instant::now() + SHARED_WITHIN;
    loop {
        let workers = workers_by_hop(bridge);
        let all = |hop: &BTreeMap<String, String>| hop.len() == usize::try_from(PARTITIONS).unwrap();
        let count = |hop: &BTreeMap<String, String>| hop.values().collect::<BTreeSet<_>>().len();
        if workers.iter().all(|hop| all(hop) && is_right(count(hop))) {
            return;
        }
        assert!(Instant::now() < end, "not within {SHARED_WITHIN:?}: {workers:?}");
        sleep(PAUSE).await;
    }
}

/// Waits until the sink that gets the tenant's changes is the one that delivers them, for each destination.
async fn delivers_who_gets_the_changes(bridge: &Bridge) {
    let database = Database::open(&Options { pool_size: 1, ..Options::new(bridge.database_url().unwrap()) }).unwrap();
    let queue = format!("orgbridge.changes.shared.p{:02}", partition_of("acme", PARTITIONS));
    let end = Instant::now() + SHARED_WITHIN;
    loop {
        let (_, vhost) = bridge.servers();
        let columns = ["list_consumers", "-p", vhost.name(), "queue_name", "consumer_tag", "activity_status"];
        let consumers = list(bridge, &columns);
        let gets =
            consumers.iter().find(|row| row["queue_name"] == *queue && row["activity_status"] == "single_active");
        let gets = gets.and_then(|row| row["consumer_tag"].as_str());
        let deliver = database.read("test.leases", leases).await.unwrap();
        if deliver.iter().all(|owner| gets == Some(owner)) {
            return;
        }
        assert!(Instant::now() < end, "not within {SHARED_WITHIN:?}: {gets:?} gets them, {deliver:?} deliver");
        sleep(PAUSE).await;
    }
}

/// Who has the leases of the core product and the OA.
fn leases(conn: &mut Connection) -> database::Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Lease {
        #[diesel(sql_type = Text)]
        lease_owner: String,
    }
    let query = sql_query("SELECT coalesce(lease_owner, '') AS lease_owner FROM destinations");
    let leases: Vec<Lease> = on_backend!(conn, c => query.load(c))?;
    assert_eq!(leases.len(), 2);
    Ok(leases.into_iter().map(|lease| lease.lease_owner).collect())
}

/// Who works on each partition of events and of changes: queue and connection.
fn workers_by_hop(bridge: &Bridge) -> [BTreeMap<String, String>; 2] {
    let channels = list(bridge, &["list_channels", "pid", "connection"]);
    let connections: BTreeMap<String, String> =
        channels.iter().map(|channel| (process(channel, "pid"), process(channel, "connection"))).collect();
    let (_, vhost) = bridge.servers();
    let columns = ["list_consumers", "-p", vhost.name(), "queue_name", "channel_pid", "activity_status"];
    let consumers = list(bridge, &columns);
    ["events", "changes"].map(|hop| {
        consumers
            .iter()
            .filter(|consumer| consumer["activity_status"] == "single_active")
            .filter_map(|consumer| Some((consumer["queue_name"].as_str()?, consumer)))
            .filter(|(queue, _)| queue.starts_with(&format!("orgbridge.{hop}.")))
            .filter_map(|(queue, consumer)| {
                Some((queue.to_owned(), connections.get(&process(consumer, "channel_pid"))?.clone()))
            })
            .collect()
    })
}

fn list(bridge: &Bridge, arguments: &[&str]) -> Vec<Value> {
    let (servers, _) = bridge.servers();
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--formatter", "json"]).collect();
    serde_json::from_str(&servers.rabbitmqctl(&arguments)).unwrap()
}

/// The id of a process of RabbitMQ, without its node's number, which is another one at each call.
fn process(row: &Value, column: &str) -> String {
    let id = row[column].as_str().unwrap_or_default();
    id.split_once('.').map_or(id, |(_, id)| id).to_owned()
}
