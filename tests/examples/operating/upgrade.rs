//! The release before and this one side by side: half of each service's pods of either, over one database that this one has migrated;
//! then back to the release before, as a rollback does.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    cluster::{Cluster, Exit, Pod, Release, SERVICES, Size},
    load::{Load, LoadOptions},
    options::Options,
    verdict::{Verdict, exits, some},
};

/// Before the database is migrated.
const CALM: Duration = Duration::from_secs(10);

/// `--previous DIR`, the programs of the release before; `--minutes` 10 side by side, `--minutes-back` 3 after the rollback; and those of
/// [`Size`], [`Release`] and [`LoadOptions`]; 8 tenants.
pub(crate) async fn run(options: &Options) -> Value {
    let (size, told_to) = (Size::read(options, 8), LoadOptions::read(options));
    let (minutes, minutes_back): (u64, u64) = (options.get("minutes", 10), options.get("minutes-back", 3));
    let (previous, this) = (Release::previous(options), Release::this(options));
    let mut cluster = Cluster::start(&previous, &size).await;
    let load = Load::start(&cluster, &told_to).await;
    sleep(CALM).await;

    cluster.migrate(&this).await;
    eprintln!("migrated by this release, under the processes of the one before");
    let mut ends = Vec::new();
    for service in SERVICES {
        let pods = cluster.pods_of(service);
        // What runs already works on the new schema; what starts now has to, too.
        let (newer, older) = pods.split_at(pods.len() / 2);
        ends.extend(replace(&cluster, newer, &this).await);
        ends.extend(replace(&cluster, older, &previous).await);
    }
    let side_by_side = who_runs(&cluster);
    eprintln!("side by side: {side_by_side}");
    sleep(Duration::from_secs(60 * minutes)).await;

    for service in SERVICES.into_iter().rev() {
        let newer: Vec<_> = cluster.pods_of(service).into_iter().filter(|pod| pod.release == this.name).collect();
        ends.extend(replace(&cluster, &newer, &previous).await);
    }
    eprintln!("back again: {}", who_runs(&cluster));
    sleep(Duration::from_secs(60 * minutes_back)).await;

    let told = load.finish().await;
    let verdict = Verdict::of(&cluster, &told).await;
    let (longest, wrong_ends) = exits(&ends);
    let mut complaints = [told.complaints(), verdict.complaints(), wrong_ends].concat();
    if !verdict.error_lines.is_empty() {
        let examples = some(&verdict.error_lines);
        complaints.push(format!("{} lines at level ERROR, such as {examples:?}", verdict.error_lines.len()));
    }
    if !complaints.is_empty() {
        cluster.keep_files();
    }
    let mut report = verdict.to_json();
    report.extend([
        ("trial".to_owned(), json!("upgrade")),
        ("load".to_owned(), told.to_json()),
        ("tenants".to_owned(), json!(size.tenants)),
        ("side_by_side".to_owned(), side_by_side),
        ("minutes".to_owned(), json!(minutes)),
        ("minutes_back".to_owned(), json!(minutes_back)),
        ("exit_seconds_longest".to_owned(), json!(longest)),
        ("conditions".to_owned(), Cluster::conditions(&this)),
        ("complaints".to_owned(), json!(complaints)),
    ]);
    Value::Object(report)
}

async fn replace(cluster: &Cluster, pods: &[Arc<Pod>], release: &Release) -> Vec<Exit> {
    let mut ends = Vec::new();
    for pod in pods {
        eprintln!("{} of the {} release gives way to one of the {} release", pod.name, pod.release, release.name);
        ends.push(cluster.replace(pod, release).await);
    }
    ends
}

/// Each service's pods and the releases that they are of.
fn who_runs(cluster: &Cluster) -> Value {
    let of = |service: &'static str| {
        let releases: Vec<&str> = cluster.pods_of(service).iter().map(|pod| pod.release).collect();
        (service.to_owned(), json!(releases))
    };
    Value::Object(SERVICES.into_iter().map(of).collect())
}
