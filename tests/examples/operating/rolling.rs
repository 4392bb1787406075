//! Rolling restarts: each service in its turn, again and again, under load.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    cluster::{Cluster, Release, SERVICES, Size},
    load::{Load, LoadOptions},
    options::Options,
    verdict::{Verdict, exits},
};

/// Before the first restart, and after the last one.
const CALM: Duration = Duration::from_secs(10);

/// `--restarts` 20, and those of [`Size`], [`Release`] and [`LoadOptions`]; 8 tenants.
pub(crate) async fn run(options: &Options) -> Value {
    let (size, told_to) = (Size::read(options, 8), LoadOptions::read(options));
    let restarts: usize = options.get("restarts", 20);
    let release = Release::this(options);
    let mut cluster = Cluster::start(&release, &size).await;
    let load = Load::start(&cluster, &told_to).await;
    sleep(CALM).await;
    let (mut ends, mut took) = (Vec::new(), Vec::new());
    for (number, service) in (1..=restarts).zip(SERVICES.into_iter().cycle()) {
        let began = Instant::now();
        ends.extend(cluster.roll(service, &release).await);
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("restart {number} of {restarts}: {service}, {seconds:.1} s");
        took.push(seconds);
    }
    sleep(CALM).await;
    let told = load.finish().await;
    let verdict = Verdict::of(&cluster, &told).await;
    let (longest, wrong_ends) = exits(&ends);
    let complaints = [told.complaints(), verdict.complaints(), wrong_ends].concat();
    if !complaints.is_empty() {
        cluster.keep_files();
    }
    let mut report = verdict.to_json();
    report.extend([
        ("trial".to_owned(), json!("rolling")),
        ("load".to_owned(), told.to_json()),
        ("replicas".to_owned(), json!(size.replicas)),
        ("tenants".to_owned(), json!(size.tenants)),
        ("restarts".to_owned(), json!(restarts)),
        ("pods_replaced".to_owned(), json!(ends.len())),
        ("restart_seconds_longest".to_owned(), json!(took.into_iter().fold(0.0, f64::max))),
        ("exit_seconds_longest".to_owned(), json!(longest)),
        ("conditions".to_owned(), Cluster::conditions(&release)),
        ("complaints".to_owned(), json!(complaints)),
    ]);
    Value::Object(report)
}
