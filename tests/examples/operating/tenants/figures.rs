//! What the processes, and the servers that they stand on, use.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};
use test_kit::Servers;
use tests::Service;
use tokio::time::Instant;

use crate::fleet::{Bookmark, Fleet, Reading, Worker, connections, processes_in};

const PLATFORM_REQUESTS: &str = "orgbridge_platform_requests_total";
/// How many kinds of warnings are told.
const WARNINGS: usize = 20;

/// What is counted from its opening on.
pub(super) struct Window {
    began: Instant,
    before: Counts,
    requests_before: f64,
}

/// Everything that grows.
struct Counts {
    workers: BTreeMap<String, Reading>,
    postgres: Reading,
    rabbitmq: Reading,
    /// In our database, and in the core product's.
    transactions: [Option<i64>; 2],
}

impl Counts {
    async fn take(fleet: &Fleet) -> Self {
        let reading = |worker: &Worker| (worker.name.clone(), worker.process.id().map(Reading::of).unwrap_or_default());
        Self {
            workers: fleet.workers.iter().map(reading).collect(),
            postgres: Reading::of_all(&processes_in(&fleet.servers.postgres_disk())),
            rabbitmq: Reading::of_all(&processes_in(&rabbitmq(fleet))),
            transactions: fleet.books().transactions().await,
        }
    }
}

impl Window {
    pub(super) async fn open(fleet: &Fleet) -> Self {
        let requests_before = platform_requests(fleet).await;
        let before = Counts::take(fleet).await;
        Self { began: Instant::now(), before, requests_before }
    }

    /// What was used meanwhile, and what is there now.
    pub(super) async fn close(self, fleet: &Fleet) -> Value {
        let Self { began, before, requests_before } = self;
        let seconds = began.elapsed().as_secs_f64();
        // Scrapes cost something: they are no part of it.
        let now = Counts::take(fleet).await;
        let requests = platform_requests(fleet).await - requests_before;
        let per_minute = |before: Reading, now: Reading| (now.seconds - before.seconds) * 60.0 / seconds;
        let mut services = serde_json::Map::new();
        for worker in &fleet.workers {
            let known = |counts: &Counts| counts.workers.get(&worker.name).copied().unwrap_or_default();
            let reading = known(&now);
            let to = |server| worker.process.id().map(|id| connections(id, server));
            let scrape_began = Instant::now();
            let page = fleet.metrics(worker).await;
            let scrape_seconds = scrape_began.elapsed().as_secs_f64();
            let told = json!({
                "processor_seconds_per_minute": per_minute(known(&before), reading),
                "resident_megabytes": reading.resident_megabytes, "threads": reading.threads, "open_files": reading.files,
                "connections_to_postgres": to(fleet.servers.postgres()), "connections_to_rabbitmq": to(fleet.servers.broker()),
                "scrape": { "seconds": scrape_seconds, "bytes": page.len(), "series": series(&page) },
            });
            services.insert(worker.name.clone(), told);
        }
        let [before_ours, before_core] = before.transactions;
        let [now_ours, now_core] = now.transactions;
        let rate = |before: Option<i64>, now: Option<i64>| Some((now? - before?) as f64 / seconds);
        let queues = fleet.queues().await;
        let messages: u64 = queues.iter().map(|(_, messages)| messages).sum();
        json!({
            "seconds": seconds,
            "services": services,
            "postgres": {
                "processor_seconds_per_minute": per_minute(before.postgres, now.postgres),
                "sessions": fleet.books().sessions().await,
                "transactions_per_second_ours": rate(before_ours, now_ours),
                "transactions_per_second_core": rate(before_core, now_core),
            },
            "rabbitmq": {
                "processor_seconds_per_minute": per_minute(before.rabbitmq, now.rabbitmq),
                "resident_megabytes": now.rabbitmq.resident_megabytes,
                "queues": queues.len(), "messages": messages,
                "connections": listed(fleet, "list_connections").await, "channels": listed(fleet, "list_channels").await,
            },
            "platform_requests_per_second": requests / seconds,
        })
    }
}

/// The most frequent warnings and errors of all that was logged.
pub(super) fn warnings(fleet: &Fleet) -> Value {
    let mut counts: Vec<(String, usize)> = fleet.logged_since(&Bookmark::default()).into_iter().collect();
    counts.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    counts.truncate(WARNINGS);
    counts.into_iter().map(|(said, times)| json!({ "said": said, "times": times })).collect()
}

async fn platform_requests(fleet: &Fleet) -> f64 {
    fleet.sum_of(PLATFORM_REQUESTS, |worker| worker.service == Service::Synchronizer).await
}

/// How many lines of a page have a value.
fn series(page: &str) -> usize {
    page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count()
}

/// Beside PostgreSQL's directory.
fn rabbitmq(fleet: &Fleet) -> PathBuf {
    fleet.servers.postgres_disk().with_file_name("rabbitmq")
}

/// How many of our virtual host RabbitMQ lists.
async fn listed(fleet: &Fleet, what: &'static str) -> usize {
    let list = move |servers: &Servers| servers.rabbitmqctl(&[what, "vhost", "--formatter", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&fleet.servers(list).await).expect("JSON");
    rows.iter().filter(|row| row["vhost"] == fleet.vhost.name()).count()
}
