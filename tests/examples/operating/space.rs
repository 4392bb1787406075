//! No room left: on PostgreSQL's disk, on RabbitMQ's as it sees it, and in the gateways' spools. What is answered meanwhile, who says what,
//! which alerts fire, and how soon all is well again when there is room.

mod monitor;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use test_kit::{Server, Servers};
use tests::{Ballast, Service};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{
    customer::Customer,
    fleet::{Fleet, SHARED, Wishes},
    newcomers::{Audit, Speaker, Talk, Told, answers, missing, now_micros, settle},
    options::Options,
};
use monitor::Monitor;

/// Within which everything is as it was, once there is room.
const HEALTHY_WITHIN: Duration = Duration::from_secs(60);
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(240);
/// How long alerts of the start may take to end.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Before there is no room, and after all is well again.
const CALM: Duration = Duration::from_secs(10);
/// How often PostgreSQL may have to be started until it stays.
const MOST_STARTS: usize = 100;
/// As it comes.
const SPOOL_BYTES: u64 = 1 << 30;

/// What has no room left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// PostgreSQL's disk, with our database and the core product's.
    Postgres,
    /// RabbitMQ's disk, as it sees it: it takes nothing.
    Rabbitmq,
    /// The gateways' spools, since RabbitMQ is away.
    Spool,
}

/// How large it all is.
struct Size {
    tenants: usize,
    /// Callbacks of all tenants together.
    per_second: f64,
    replicas: usize,
    during: Duration,
    postgres_megabytes: u32,
    spool_bytes: u64,
    seed: u64,
}

impl Size {
    /// `--tenants` 4, `--per-second` 50, `--replicas` 2, `--seconds` 45 without room, `--postgres-megabytes` 512, `--spool-bytes` 200000,
    /// `--seed` 1.
    fn read(options: &Options) -> Self {
        Self {
            tenants: options.get("tenants", 4),
            per_second: options.get("per-second", 50.0),
            replicas: options.get("replicas", 2),
            during: Duration::from_secs(options.get("seconds", 45)),
            postgres_megabytes: options.get("postgres-megabytes", 512),
            spool_bytes: options.get("spool-bytes", 200_000),
            seed: options.get("seed", 1),
        }
    }
}

/// `--only` `postgres`, `rabbitmq` or `spool`; `--prometheus` the directory of that program, unless it is to be fetched; and see [`Size`].
pub(crate) async fn run(options: &Options) -> Value {
    let size = Size::read(options);
    let only: String = options.get("only", String::new());
    let program = monitor::program(options).await;
    let (mut reports, mut complaints) = (serde_json::Map::new(), Vec::new());
    for trouble in [Trouble::Postgres, Trouble::Rabbitmq, Trouble::Spool] {
        if only.is_empty() || only == trouble.name() {
            let mut scene = Box::pin(Scene::start(trouble, &size, &program)).await;
            let (report, wrong) = Box::pin(scene.play(trouble, &size)).await;
            eprintln!("{}: {report}", trouble.name());
            if !wrong.is_empty() {
                scene.fleet.keep_files();
            }
            reports.insert(trouble.name().to_owned(), report);
            complaints.extend(wrong.into_iter().map(|what| format!("{}: {what}", trouble.name())));
        }
    }
    assert!(!reports.is_empty(), "--only postgres, rabbitmq or spool");
    json!({
        "trial": "space", "tenants": size.tenants, "per_second": size.per_second, "replicas": size.replicas,
        "seconds_without_room": size.during.as_secs(), "postgres_megabytes": size.postgres_megabytes,
        "spool_max_bytes_when_it_is_to_be_full": size.spool_bytes,
        "rules": "deploy/prometheus/rules, with each `for` shortened to 5 s and the spool's limit as configured; scraped every 6 s",
        "troubles": reports,
        "complaints": complaints,
    })
}

impl Trouble {
    const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
            Self::Spool => "spool",
        }
    }

    fn wishes(self, size: &Size) -> Wishes {
        Wishes {
            postgres_megabytes: (self == Self::Postgres).then_some(size.postgres_megabytes),
            spool_max_bytes: (self == Self::Spool).then_some(size.spool_bytes),
            ..Wishes::default()
        }
    }

    /// From now on there is no room.
    async fn begin(self, fleet: &Fleet) -> Option<Ballast> {
        match self {
            Self::Postgres => {
                let disk = fleet.servers.postgres_disk();
                Some(spawn_blocking(move || Ballast::fill(&disk)).await.unwrap())
            }
            Self::Rabbitmq => {
                fleet.servers(|servers| servers.disk_alarm(true)).await;
                None
            }
            Self::Spool => {
                fleet.servers(|servers| servers.kill(Server::RabbitMq)).await;
                None
            }
        }
    }

    /// There is room again; when that was, and whether PostgreSQL had ended. Whoever runs that starts it again.
    async fn end(self, fleet: &Fleet, ballast: Option<Ballast>) -> (Instant, bool) {
        drop(ballast);
        let freed = Instant::now();
        let had_ended = match self {
            Self::Postgres => fleet.servers(revive).await,
            Self::Rabbitmq => {
                fleet.servers(|servers| servers.disk_alarm(false)).await;
                false
            }
            Self::Spool => {
                fleet.servers(|servers| servers.start_again(Server::RabbitMq)).await;
                return (Instant::now(), false);
            }
        };
        (freed, had_ended)
    }
}

/// Without room for its log of changes PostgreSQL gives up by itself; whether it had. It may still be about to when there is room.
fn revive(servers: &Servers) -> bool {
    let mut starts = 0;
    while !servers.postgres_answers() {
        assert!(starts < MOST_STARTS, "PostgreSQL does not come back though there is room again");
        servers.start_again(Server::Postgres);
        starts += 1;
    }
    starts > 0
}

struct Scene {
    fleet: Fleet,
    customers: Vec<Arc<Customer>>,
    speakers: Vec<Arc<Speaker>>,
    monitor: Monitor,
    /// What was told before the load began.
    introduced: Vec<Told>,
}

/// What was seen while there was no room: each with the second in which it was seen first.
#[derive(Default)]
struct Seen {
    /// What processes said that were not ready.
    words: BTreeMap<String, f64>,
    /// Alerts that fired, and had not before.
    alerts: BTreeMap<String, f64>,
}

/// How soon all was well, in seconds after there was room.
#[derive(Default)]
struct Recovery {
    ready: Option<f64>,
    spool_empty: Option<f64>,
    /// All that was answered before is in the core product.
    arrived: Option<f64>,
}

impl Scene {
    async fn start(trouble: Trouble, size: &Size, program: &Path) -> Self {
        let mut fleet = Fleet::prepare(&trouble.wishes(size)).await;
        let customers: Vec<Arc<Customer>> =
            (0..size.tenants).map(|number| Arc::new(Customer::new(number, size.seed))).collect();
        let core = fleet.core_destination();
        fleet.apply(customers.iter().map(|customer| (customer.id.clone(), customer.file(&core)))).await;
        for service in Service::ALL {
            for _ in 0..size.replicas {
                fleet.add(service, SHARED);
            }
        }
        fleet.launch().await;
        let spool_bytes = trouble.wishes(size).spool_max_bytes.unwrap_or(SPOOL_BYTES);
        let monitor = Monitor::start(program, &fleet, spool_bytes).await;
        let gateways = fleet.gateways();
        let speakers: Vec<_> = customers.iter().map(|customer| Speaker::of(customer, &gateways)).collect();
        let mut introduced = Vec::new();
        for speaker in &speakers {
            introduced.extend(speaker.introduce().await);
        }
        assert!(settle(&fleet, &introduced).await, "the first callbacks of all tenants do not arrive");
        Self { fleet, customers, speakers, monitor, introduced }
    }

    /// The whole story of one trouble, and what is wrong with it.
    async fn play(&mut self, trouble: Trouble, size: &Size) -> (Value, Vec<String>) {
        let each = size.per_second / size.tenants as f64;
        let talk = Talk::start(self.speakers.iter().map(|speaker| (Arc::clone(speaker), each)));
        sleep(CALM).await;
        let alerts_before = self.monitor.quiet(QUIET_WITHIN).await;
        let bookmark = self.fleet.bookmark();

        eprintln!("{}: no room from now on", trouble.name());
        let from = now_micros();
        let ballast = trouble.begin(&self.fleet).await;
        let seen = self.look_on(size.during, &alerts_before).await;
        let spooled = self.spooled().await;
        let until = now_micros();
        let (freed, had_postgres_ended) = trouble.end(&self.fleet, ballast).await;
        eprintln!("{}: room again", trouble.name());
        let recovery = self.recover(freed, &talk.so_far()).await;
        let logged = self.fleet.logged_since(&bookmark);
        sleep(CALM).await;

        let told = talk.finish().await;
        let is_meanwhile = |one: &&Told| (from..until).contains(&one.at_micros);
        let meanwhile: Vec<Told> = told.iter().filter(is_meanwhile).cloned().collect();
        let all = [std::mem::take(&mut self.introduced), told].concat();
        let audit = Audit::of(&self.fleet, &self.customers, &all).await;
        let mut complaints = [audit.complaints(), recovery.complaints()].concat();
        if seen.alerts.is_empty() {
            complaints.push("no alert fired".to_owned());
        }
        if seen.words.is_empty() && logged.is_empty() {
            complaints.push("no process said what was wrong".to_owned());
        }
        complaints.extend(self.fleet.ended().into_iter().map(|name| format!("{name} ended by itself")));
        let report = json!({
            "meanwhile": answers(&meanwhile), "spooled_events": spooled, "postgres_had_ended_by_itself": had_postgres_ended,
            "not_ready": seen.words, "logged": logged,
            "alerts_before": alerts_before, "alerts": seen.alerts, "alerts_at_the_end": self.monitor.firing().await,
            "ready_after_seconds": recovery.ready, "spool_empty_after_seconds": recovery.spool_empty,
            "all_answered_in_core_after_seconds": recovery.arrived,
            "audit": audit.to_json(),
        });
        (report, complaints)
    }

    /// Looks at processes and alerts for so long.
    async fn look_on(&self, during: Duration, alerts_before: &BTreeSet<String>) -> Seen {
        let (mut seen, began) = (Seen::default(), Instant::now());
        while began.elapsed() < during {
            let now = began.elapsed().as_secs_f64();
            for (name, is_ready, words) in self.fleet.readiness().await {
                if !is_ready {
                    seen.words.entry(format!("{name}: {words}")).or_insert(now);
                }
            }
            for alert in self.monitor.firing().await.difference(alerts_before) {
                seen.alerts.entry(alert.clone()).or_insert(now);
            }
            sleep(LOOK_EVERY).await;
        }
        seen
    }

    async fn spooled(&self) -> f64 {
        self.fleet.sum_of("orgbridge_spool_events", |worker| worker.service == Service::CallbackGateway).await
    }

    /// Waits until all is well, under load, or the time is over.
    async fn recover(&self, freed: Instant, owed: &[Told]) -> Recovery {
        let mut recovery = Recovery::default();
        while !recovery.is_whole() && freed.elapsed() < PATIENCE {
            let is_ready = self.fleet.readiness().await.iter().all(|(_, is_ready, _)| *is_ready);
            note(&mut recovery.ready, is_ready, freed);
            note(&mut recovery.spool_empty, self.spooled().await == 0.0, freed);
            let arrivals = self.fleet.books().arrivals().await;
            note(&mut recovery.arrived, arrivals.is_some_and(|arrivals| missing(owed, &arrivals) == 0), freed);
            sleep(LOOK_EVERY).await;
        }
        recovery
    }
}

impl Recovery {
    const fn is_whole(&self) -> bool {
        self.ready.is_some() && self.spool_empty.is_some() && self.arrived.is_some()
    }

    fn complaints(&self) -> Vec<String> {
        let all = [("ready", self.ready), ("without a spool", self.spool_empty), ("up to date", self.arrived)];
        let late = all.iter().filter(|(_, after)| after.is_none_or(|after| after > HEALTHY_WITHIN.as_secs_f64()));
        late.map(|(what, after)| format!("{what} only {after:?} s after there was room")).collect()
    }
}

/// Since when it is so. What is not so any more does not count.
fn note(since: &mut Option<f64>, is_so: bool, freed: Instant) {
    *since = is_so.then(|| since.unwrap_or_else(|| freed.elapsed().as_secs_f64()));
}
