//! What outages cost, by hand: services in processes of their own, two of each, on a RabbitMQ and a PostgreSQL of this run, under 200
//! callbacks a second.
//!
//! `cargo run --release -p tests --example outages -- [rabbitmq | postgres | black-hole | losses | stopping] [SECONDS]`; one JSON
//! line per outage. Without a name all of them, one after the other.

#![expect(clippy::print_stdout, reason = "its result is what it prints")]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measuring tool stops where it cannot measure")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use platform_sim::{
    Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Script, Snapshot, Stats, compare,
};
use serde_json::{Value, json};
use test_kit::{Proxy, Servers};
use tests::{Bridge, Deployment, Service, Setup, Spread, as_core_sees};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep},
};

/// The pause between two callbacks: 200 a second.
const DELAY: Duration = Duration::from_millis(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After this something is wrong.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let which = arguments.next();
    let seconds = arguments.next().map_or(60, |text| text.parse().unwrap());
    let away = Duration::from_secs(seconds);
    let is_wanted = |name: &str| which.as_deref().is_none_or(|wanted| wanted == name);
    if is_wanted("rabbitmq") {
        rabbitmq(away).await;
    }
    if is_wanted("postgres") {
        postgres(away).await;
    }
    if is_wanted("black-hole") {
        black_hole().await;
    }
    if is_wanted("losses") {
        losses().await;
    }
    if is_wanted("stopping") {
        stopping().await;
    }
}

/// Callbacks that never cease, each sent once: what is not answered with success is counted.
struct Load {
    stop: Arc<AtomicBool>,
    sending: JoinHandle<(Stats, Snapshot)>,
}

impl Load {
    fn start(bridge: &Bridge) -> Self {
        let options = DispatcherOptions { deliveries: Deliveries::UntilSuccess, ..DispatcherOptions::default() };
        let dispatcher = Dispatcher::new(&bridge.callback_url(), Bridge::keys(), options, Arc::new(now)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let sending = tokio::spawn(async move {
            let mut company = Company::new(CompanyOptions { start_seconds: now(), ..CompanyOptions::default() });
            let mut callbacks = company.import(500, 60, 6);
            let mut all = Stats::default();
            while !told.load(Ordering::SeqCst) {
                let script = Script { delay: DELAY, concurrency: 256, ..Script::default() };
                let stats = dispatcher.send(&callbacks, &script).await;
                all.events += stats.events;
                all.retried += stats.retried;
                all.refused += stats.refused;
                all.broken += stats.broken;
                all.answered_success += stats.answered_success;
                all.seconds += stats.seconds;
                all.latencies_micros.extend(stats.latencies_micros);
                callbacks = company.live(100);
            }
            // The last of what was drawn is told too, or the truth would not be.
            all.events += callbacks.len();
            let stats = dispatcher.send(&callbacks, &Script { concurrency: 16, ..Script::default() }).await;
            all.answered_success += stats.answered_success;
            all.latencies_micros.extend(stats.latencies_micros);
            (all, company.snapshot())
        });
        Self { stop, sending }
    }

    async fn finish(self) -> (Stats, Snapshot) {
        self.stop.store(true, Ordering::SeqCst);
        self.sending.await.unwrap()
    }
}

fn told(stats: &Stats) -> Value {
    let millis = |share: f64| f64::from(stats.latency_micros(share).unwrap_or_default()) / 1000.0;
    json!({
        "callbacks": stats.events, "success": stats.answered_success, "repeated": stats.retried, "refused": stats.refused,
        "unanswered": stats.broken, "millis_median": millis(0.5), "millis_99": millis(0.99), "millis_longest": millis(1.0),
    })
}

async fn agreed(bridge: &Bridge, truth: &Snapshot) -> f64 {
    let truth = as_core_sees(truth);
    seconds_until(async || compare(&truth, &bridge.core().snapshot().await).is_empty()).await
}

async fn seconds_until(mut is_there: impl AsyncFnMut() -> bool) -> f64 {
    let began = Instant::now();
    while !is_there().await {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        sleep(LOOK_EVERY).await;
    }
    began.elapsed().as_secs_f64()
}

/// The sum of a metric over all processes and labels.
async fn metric(bridge: &Bridge, name: &str) -> f64 {
    let text = bridge.metrics().await;
    let of = text.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
    of.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Waits until the resolvers have worked off more events than now.
async fn seconds_until_consuming(bridge: &Bridge) -> f64 {
    let before = metric(bridge, "orgbridge_resolver_events_total").await;
    seconds_until(async || metric(bridge, "orgbridge_resolver_events_total").await > before).await
}

async fn own_servers() -> (Arc<Servers>, Bridge) {
    let servers = Arc::new(spawn_blocking(Servers::start).await.unwrap());
    let deployment = Deployment::Services(Spread::over(Arc::clone(&servers)));
    let bridge = Bridge::start(&Setup { deployment, ..Setup::default() }).await;
    (servers, bridge)
}

async fn blocking(servers: &Arc<Servers>, work: fn(&Servers)) {
    let servers = Arc::clone(servers);
    spawn_blocking(move || work(&servers)).await.unwrap();
}

async fn rabbitmq(away: Duration) {
    let (servers, bridge) = own_servers().await;
    let load = Load::start(&bridge);
    sleep(Duration::from_secs(10)).await;
    blocking(&servers, Servers::kill_rabbitmq).await;
    sleep(away).await;
    let spooled = metric(&bridge, "orgbridge_spool_events").await;
    blocking(&servers, Servers::start_rabbitmq).await;
    let consuming = seconds_until_consuming(&bridge).await;
    let drained = seconds_until(async || metric(&bridge, "orgbridge_spool_events").await == 0.0).await;
    sleep(Duration::from_secs(5)).await;
    let (stats, truth) = load.finish().await;
    let agreed = agreed(&bridge, &truth).await;
    println!(
        "{}",
        json!({
            "outage": "RabbitMQ killed", "away_seconds": away.as_secs(), "load": told(&stats), "spooled_events": spooled,
            "consuming_after_seconds": consuming, "spool_empty_after_seconds": consuming + drained,
            "core_agreed_after_seconds": agreed,
        })
    );
}

async fn postgres(away: Duration) {
    let (servers, bridge) = own_servers().await;
    let load = Load::start(&bridge);
    sleep(Duration::from_secs(10)).await;
    blocking(&servers, Servers::kill_postgres).await;
    sleep(away).await;
    blocking(&servers, Servers::start_postgres).await;
    let consuming = seconds_until_consuming(&bridge).await;
    let ready = seconds_until(async || bridge.are_ready().await).await;
    sleep(Duration::from_secs(5)).await;
    let (stats, truth) = load.finish().await;
    let agreed = agreed(&bridge, &truth).await;
    println!(
        "{}",
        json!({
            "outage": "PostgreSQL killed", "away_seconds": away.as_secs(), "load": told(&stats),
            "consuming_after_seconds": consuming, "ready_after_seconds": consuming + ready, "core_agreed_after_seconds": agreed,
        })
    );
}

/// The lines to the broker pass nothing and close nothing; that somebody noticed shows in a new connection.
async fn black_hole() {
    let servers = Servers::shared();
    let broker: SocketAddr = servers.broker();
    let line = Arc::new(Proxy::start([broker]).await);
    let spread = Spread { broker: Some(line.address()), ..Spread::over(Arc::clone(&servers)) };
    let bridge = Bridge::start(&Setup { deployment: Deployment::Services(spread), ..Setup::default() }).await;
    let load = Load::start(&bridge);
    sleep(Duration::from_secs(10)).await;
    let (before, connections) = (line.accepted(), line.connections());
    line.black_hole(true);
    let first = seconds_until(async || line.accepted() > before).await;
    let all = first + seconds_until(async || line.accepted() >= before + connections).await;
    line.black_hole(false);
    let consuming = seconds_until_consuming(&bridge).await;
    let (stats, truth) = load.finish().await;
    let agreed = agreed(&bridge, &truth).await;
    println!(
        "{}",
        json!({
            "outage": "connections to RabbitMQ black-holed", "connections": connections, "load": told(&stats),
            "first_noticed_after_seconds": first, "all_noticed_after_seconds": all, "consuming_after_seconds": consuming,
            "core_agreed_after_seconds": agreed,
        })
    );
}

/// All connections are cut fifty times.
async fn losses() {
    let servers = Servers::shared();
    let line = Proxy::start([servers.broker()]).await;
    let spread = Spread { broker: Some(line.address()), ..Spread::over(Arc::clone(&servers)) };
    let bridge = Bridge::start(&Setup { deployment: Deployment::Services(spread), ..Setup::default() }).await;
    let load = Load::start(&bridge);
    sleep(Duration::from_secs(5)).await;
    let before = counts(&bridge);
    for _ in 0..50 {
        line.cut();
        sleep(Duration::from_millis(700)).await;
    }
    sleep(Duration::from_secs(15)).await;
    let after = counts(&bridge);
    let (stats, truth) = load.finish().await;
    let agreed = agreed(&bridge, &truth).await;
    println!(
        "{}",
        json!({
            "outage": "all connections to RabbitMQ cut, 50 times", "before": before, "after": after, "load": told(&stats),
            "core_agreed_after_seconds": agreed,
        })
    );
}

/// Connections and channels at the broker.
fn counts(bridge: &Bridge) -> Value {
    let (servers, vhost) = bridge.servers();
    let rows = |what: &str| {
        let list = servers.rabbitmqctl(&[what, "vhost", "--formatter", "json"]);
        let rows: Vec<Value> = serde_json::from_str(&list).unwrap();
        rows.iter().filter(|row| row["vhost"] == vhost.name()).count()
    };
    json!({ "connections": rows("list_connections"), "channels": rows("list_channels") })
}

/// Each process is told to stop, in turn, while another one of its service goes on.
async fn stopping() {
    let deployment = Deployment::services();
    let mut bridge = Bridge::start(&Setup { deployment, ..Setup::default() }).await;
    let load = Load::start(&bridge);
    sleep(Duration::from_secs(5)).await;
    let mut stops = Vec::new();
    for service in Service::ALL {
        for _ in 0..2 {
            let took = bridge.restart(service).await;
            stops.push(json!({ "service": format!("{service:?}"), "seconds": took.as_secs_f64() }));
        }
    }
    let (stats, truth) = load.finish().await;
    let agreed = agreed(&bridge, &truth).await;
    println!(
        "{}",
        json!({
            "outage": "SIGTERM to each process", "stopped_within": stops, "load": told(&stats),
            "core_agreed_after_seconds": agreed,
        })
    );
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}
