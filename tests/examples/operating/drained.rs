//! Gateways that are killed for good while the broker is away: what they had answered is on their volumes, and is brought over from there.

use std::time::Duration;

use serde_json::{Value, json};
use test_kit::Servers;
use tokio::time::{Instant, sleep};

use crate::{
    cluster::{Cluster, GATEWAY, Release, Size},
    load::{Load, LoadOptions},
    options::Options,
    verdict::Verdict,
};

/// Before the broker goes.
const CALM: Duration = Duration::from_secs(10);

/// `--seconds` 20 between the broker's end and that of the gateways, and those of [`Size`], [`Release`] and [`LoadOptions`]; 8 tenants.
/// Each callback is about an entity of its own and comes once: none can make up for another one that is lost.
pub(crate) async fn run(options: &Options) -> Value {
    let size = Size::read(options, 8);
    let away = Duration::from_secs(options.get("seconds", 20));
    let release = Release::this(options);
    let mut cluster = Cluster::start(&release, &size).await;
    let told_to = LoadOptions { copies: 1, goes_on: false, ..LoadOptions::read(options) };
    let enough = u64::from(told_to.rate) * (CALM + away).as_secs() * 2;
    let members = usize::try_from(enough).unwrap().div_ceil(size.tenants);
    let load = Load::start(&cluster, &LoadOptions { members, ..told_to }).await;
    sleep(CALM).await;

    cluster.servers(Servers::kill_rabbitmq).await;
    sleep(away).await;
    let spooled = cluster.sum_of(GATEWAY, "orgbridge_spool_events").await;
    let gone = cluster.pods_of(GATEWAY);
    for pod in &gone {
        pod.kill();
    }
    let began = Instant::now();
    eprintln!("{spooled} events were in spools; the gateways are gone");
    cluster.servers(Servers::start_rabbitmq).await;
    let mut complaints = Vec::new();
    let (mut drained, mut volumes) = (0, Vec::new());
    for pod in &gone {
        let output = pod.exec(&["orgbridge", "spool", "drain", "/var/lib/orgbridge", "--json"]).await;
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        drained += told["published"].as_u64().unwrap_or_default();
        if !output.status.success() {
            complaints.push(format!("{}: {}", pod.name, String::from_utf8_lossy(&output.stderr)));
        }
        volumes.push(json!({ "volume_of": pod.name, "drained": told }));
    }
    eprintln!("{drained} events were drained");
    // Under other names, so on other volumes.
    let new = cluster.scale_up(GATEWAY, size.replicas, &release);
    cluster.become_available(&new, &release).await;
    let without_gateways = began.elapsed();

    let told = load.finish().await;
    let verdict = Verdict::of(&cluster, &told).await;
    complaints.extend(verdict.complaints());
    if spooled == 0.0 || drained == 0 {
        complaints.push("nothing was in a spool: the trial says nothing".to_owned());
    }
    if !complaints.is_empty() {
        cluster.keep_files();
    }
    let mut report = verdict.to_json();
    report.extend([
        ("trial".to_owned(), json!("drained")),
        // Failures are no complaint here: while there is no gateway, nobody answers.
        ("load".to_owned(), told.to_json()),
        ("tenants".to_owned(), json!(size.tenants)),
        ("broker_away_seconds".to_owned(), json!(away.as_secs())),
        ("spooled_when_killed".to_owned(), json!(spooled)),
        ("drained".to_owned(), json!(volumes)),
        ("without_gateways_seconds".to_owned(), json!(without_gateways.as_secs_f64())),
        ("conditions".to_owned(), Cluster::conditions(&release)),
        ("complaints".to_owned(), json!(complaints)),
    ]);
    Value::Object(report)
}
