//! More resolvers and sinks under load, and fewer again: whether that loses anything, and how soon the new ones share the work.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    cluster::{Cluster, Pod, Release, Size},
    load::{Load, LoadOptions},
    options::Options,
    verdict::{Verdict, exits},
};

/// What is scaled, and what tells that one of it works.
const SCALED: [(&str, &str); 2] =
    [("resolver", "orgbridge_resolver_events_total"), ("sink", "orgbridge_changes_total")];
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Within which new ones are to get something to do.
const SHARED_WITHIN: Duration = Duration::from_secs(60);

/// `--more` 2 and `--seconds` 30 at each size, and those of [`Size`], [`Release`] and [`LoadOptions`]; 32 tenants, so that there is work
/// in nearly each of 16 partitions.
pub(crate) async fn run(options: &Options) -> Value {
    let (size, told_to) = (Size::read(options, 32), LoadOptions::read(options));
    let (more, calm) = (options.get("more", 2), Duration::from_secs(options.get("seconds", 30)));
    let release = Release::this(options);
    let mut cluster = Cluster::start(&release, &size).await;
    let load = Load::start(&cluster, &told_to).await;
    sleep(calm).await;

    let before = shares(&cluster, calm).await;
    eprintln!("with {}: {before}", size.replicas);
    let began = Instant::now();
    let new: Vec<_> = SCALED.into_iter().flat_map(|(service, _)| cluster.scale_up(service, more, &release)).collect();
    let arrivals = arrivals(&cluster, began, &new).await;
    eprintln!("the new ones: {arrivals:?}");
    let with_more = shares(&cluster, calm).await;
    eprintln!("with {}: {with_more}", size.replicas + more);
    let mut ends = Vec::new();
    for (service, _) in SCALED {
        ends.extend(cluster.scale_down(service, more).await);
    }
    let after = shares(&cluster, calm).await;
    eprintln!("with {} again: {after}", size.replicas);

    let told = load.finish().await;
    let verdict = Verdict::of(&cluster, &told).await;
    let (longest, wrong_ends) = exits(&ends);
    let mut complaints = [told.complaints(), verdict.complaints(), wrong_ends].concat();
    for (service, _) in SCALED {
        // Which partitions one gets is chance, but hardly that all of the new ones get none with work in it.
        let is_shared = arrivals.iter().any(|arrival| arrival.service == service && arrival.works_after.is_some());
        if !is_shared {
            complaints.push(format!("no new {service} got anything to do within {SHARED_WITHIN:?}"));
        }
    }
    if !complaints.is_empty() {
        cluster.keep_files();
    }
    let mut report = verdict.to_json();
    report.extend([
        ("trial".to_owned(), json!("scaling")),
        ("load".to_owned(), told.to_json()),
        ("tenants".to_owned(), json!(size.tenants)),
        ("sizes".to_owned(), json!([size.replicas, size.replicas + more, size.replicas])),
        ("new_ones".to_owned(), arrivals.iter().map(Arrival::to_json).collect()),
        ("shares".to_owned(), json!([before, with_more, after])),
        ("exit_seconds_longest".to_owned(), json!(longest)),
        ("conditions".to_owned(), Cluster::conditions(&release)),
        ("complaints".to_owned(), json!(complaints)),
    ]);
    Value::Object(report)
}

/// How soon a new one was there, in seconds after it was asked for.
#[derive(Debug)]
struct Arrival {
    pod: String,
    service: &'static str,
    ready_after: Option<f64>,
    works_after: Option<f64>,
}

impl Arrival {
    fn to_json(&self) -> Value {
        json!({ "pod": self.pod, "ready_after_seconds": self.ready_after, "works_after_seconds": self.works_after })
    }
}

async fn arrivals(cluster: &Cluster, began: Instant, new: &[Arc<Pod>]) -> Vec<Arrival> {
    let arrival =
        |pod: &Arc<Pod>| Arrival { pod: pod.name.clone(), service: pod.service, ready_after: None, works_after: None };
    let mut arrivals: Vec<Arrival> = new.iter().map(arrival).collect();
    while began.elapsed() < SHARED_WITHIN && arrivals.iter().any(|arrival| arrival.works_after.is_none()) {
        for (arrival, pod) in arrivals.iter_mut().zip(new) {
            let now = Some(began.elapsed().as_secs_f64());
            if pod.is_ready() {
                arrival.ready_after = arrival.ready_after.or(now);
            }
            if arrival.works_after.is_none() && work_of(cluster, pod).await > 0.0 {
                arrival.works_after = now;
            }
        }
        sleep(LOOK_EVERY).await;
    }
    arrivals
}

/// Which part of its service's work each process does, during that time.
async fn shares(cluster: &Cluster, during: Duration) -> Value {
    let pods: Vec<Arc<Pod>> = SCALED.into_iter().flat_map(|(service, _)| cluster.pods_of(service)).collect();
    let mut before = Vec::new();
    for pod in &pods {
        before.push(work_of(cluster, pod).await);
    }
    sleep(during).await;
    let mut grown = Vec::new();
    for (pod, before) in pods.iter().zip(before) {
        grown.push((pod, work_of(cluster, pod).await - before));
    }
    let share = |(pod, work): &(&Arc<Pod>, f64)| {
        let of_service = grown.iter().filter(|(other, _)| other.service == pod.service);
        let all: f64 = of_service.map(|(_, work)| work).sum();
        (pod.name.clone(), json!(work / all.max(1.0)))
    };
    Value::Object(grown.iter().map(share).collect())
}

async fn work_of(cluster: &Cluster, pod: &Pod) -> f64 {
    let metric = SCALED.into_iter().find(|(service, _)| *service == pod.service).map(|(_, metric)| metric);
    match metric {
        Some(metric) => pod.sum_of(cluster.client(), metric).await.unwrap_or_default(),
        None => 0.0,
    }
}
