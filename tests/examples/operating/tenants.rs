//! Thousands of tenants of whom most say nothing: what they cost each service, and how long it takes to start with them.

mod crowd;
mod figures;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tests::Service;
use tokio::time::{Instant, sleep};

use crate::{
    fleet::{Fleet, SHARED, Wishes},
    newcomers::{Audit, Talk, answers, end_to_end, settle, spread},
    options::Options,
};
use crowd::Crowd;
use figures::Window;

const SERVICES: [Service; 4] = [Service::CallbackGateway, Service::Resolver, Service::Sink, Service::Synchronizer];
/// Within which each process is ready.
const READY_WITHIN_SECONDS: f64 = 10.0;
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// `--tenants` 2000 with `--members` 10 and `--departments` 3 each, `--active` 200 with `--per-second` 0.2 callbacks of each, `--seconds` 60
/// of each measurement, `--settle` 30 seconds before the first, `--patience` 900 seconds until all were pulled, `--replicas` 1,
/// `--connections` 200 of PostgreSQL, `--platform` `simulated`, or `none`: nobody answers where it should be.
pub(crate) async fn run(options: &Options) -> Value {
    let (count, active): (usize, usize) = (options.get("tenants", 2000), options.get("active", 200));
    let per_second: f64 = options.get("per-second", 0.2);
    let seconds = |name: &str, usual: u64| Duration::from_secs(options.get(name, usual));
    let (during, rest, patience) = (seconds("seconds", 60), seconds("settle", 30), seconds("patience", 900));
    let platform: String = options.get("platform", "simulated".to_owned());
    assert!(["simulated", "none"].contains(&platform.as_str()), "--platform simulated or none");
    let connections: u32 = options.get("connections", 200);
    let wishes = Wishes { postgres_connections: Some(connections), ..Wishes::default() };
    let mut fleet = Fleet::prepare(&wishes).await;
    let size = (options.get("members", 10), options.get("departments", 3));
    let crowd = Crowd::gather(count, size, platform == "simulated");
    let mut complaints = Vec::new();

    let applied = fleet.apply(crowd.files(&fleet)).await;
    let applied_again = fleet.apply(crowd.files(&fleet)).await;
    eprintln!("{count} tenants applied in {applied:.1} s, and once more, unchanged, in {applied_again:.1} s");
    for service in SERVICES {
        for _ in 0..options.get("replicas", 1) {
            fleet.add(service, SHARED);
        }
    }
    let first_start = fleet.launch().await;
    eprintln!("ready for the first time: {first_start:?}");
    complaints.extend(too_slow("at the first start", &first_start));

    let pulled = crowd.pulled_after(&fleet, patience).await;
    match pulled {
        Some(seconds) => eprintln!("all is pulled and delivered after {seconds:.0} s"),
        None => complaints.push(format!("not all tenants were pulled and delivered within {patience:?}")),
    }
    sleep(rest).await;
    let window = Window::open(&fleet).await;
    sleep(during).await;
    let idle = window.close(&fleet).await;
    eprintln!("idle: {idle}");

    let gateways = fleet.gateways();
    let speakers: Vec<_> = crowd.speakers(active, &gateways).collect();
    let mut told = Vec::new();
    for speaker in &speakers {
        told.extend(speaker.introduce().await);
    }
    settle(&fleet, &told).await;
    let window = Window::open(&fleet).await;
    let talk = Talk::start(speakers.iter().map(|speaker| (speaker.clone(), per_second)));
    sleep(during).await;
    let busy = window.close(&fleet).await;
    let said = talk.finish().await;
    settle(&fleet, &said).await;
    let millis = end_to_end(&said, &fleet.books().arrivals().await.unwrap_or_default());
    let (answered, millis) = (answers(&said), spread(&millis));
    eprintln!("{active} active: {busy}; end to end {millis}");
    told.extend(said);

    let mut restarts = BTreeMap::new();
    for service in SERVICES {
        let (stopped, ready) = fleet.restart(service).await;
        eprintln!("{} stopped in {stopped:.1} s and was ready in {ready:.1} s", service.program());
        restarts.insert(service.program().to_owned(), ready);
    }
    complaints.extend(too_slow("when restarted", &restarts));
    let audit = Audit::of(&fleet, &[], &told).await;
    complaints.extend(audit.complaints());
    complaints.extend(fleet.ended().into_iter().map(|name| format!("{name} ended by itself")));
    if !complaints.is_empty() {
        fleet.keep_files();
    }
    json!({
        "trial": "tenants", "tenants": count, "active": active, "platform": platform, "members": size.0, "departments": size.1,
        "postgres_connections_allowed": connections,
        "applied_seconds": applied, "applied_again_seconds": applied_again,
        "ready_seconds_first_start": first_start, "ready_seconds_restart": restarts, "all_pulled_seconds": pulled,
        "idle": idle, "busy": busy, "per_second_each": per_second, "callbacks": answered, "end_to_end_millis": millis,
        "warnings": figures::warnings(&fleet),
        "audit": audit.to_json(),
        "complaints": complaints,
    })
}

fn too_slow(when: &str, ready: &BTreeMap<String, f64>) -> Vec<String> {
    let late = ready.iter().filter(|(_, seconds)| **seconds > READY_WITHIN_SECONDS);
    late.map(|(name, seconds)| format!("{name} was ready after {seconds:.1} s {when}")).collect()
}

impl Crowd {
    /// Waits until each tenant's directory is in the core product and nothing is on its way; the seconds that it took. Where no
    /// platform answers there is nothing to wait for.
    async fn pulled_after(&self, fleet: &Fleet, patience: Duration) -> Option<f64> {
        let began = Instant::now();
        while fleet.books().core_rows().await < Some(self.rows())
            || fleet.queues().await.iter().any(|(_, left)| *left > 0)
        {
            if began.elapsed() > patience {
                return None;
            }
            sleep(LOOK_EVERY).await;
        }
        Some(began.elapsed().as_secs_f64())
    }
}
