//! A Prometheus that scrapes the processes and RabbitMQ, and evaluates the alerts that operators have, sooner than theirs does.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tests::free_port;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{fleet::Fleet, options::Options};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/prometheus/rules");
/// Fetches the program out of Debian's package.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/checks/tools");
/// How long something must be so until its alert fires, in the place of minutes.
const FOR: &str = "5s";
/// `broker.spool_max_bytes` as it comes, which a rule has to know.
const SPOOL_MAX_BYTES: &str = "1073741824";
const STARTS_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// It ends when this is dropped.
pub(super) struct Monitor {
    child: Child,
    address: SocketAddr,
    client: reqwest::Client,
    /// Its configuration and what it remembers.
    directory: TempDir,
}

/// Where Prometheus is.
pub(super) async fn program(options: &Options) -> PathBuf {
    let told: PathBuf = options.get("prometheus", PathBuf::new());
    if !told.as_os_str().is_empty() {
        return told.join("prometheus");
    }
    let fetch = || Command::new(TOOLS).args(["tool", "prometheus"]).output();
    let fetched = spawn_blocking(fetch).await.unwrap().expect("scripts/checks/tools runs");
    let printed = String::from_utf8(fetched.stdout).unwrap();
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    PathBuf::from(printed.trim())
}

impl Monitor {
    /// Waits until it answers.
    pub(super) async fn start(program: &Path, fleet: &Fleet, spool_max_bytes: u64) -> Self {
        let directory = tempfile::Builder::new().prefix("orgbridge-prometheus-").tempdir().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let config = directory.path().join("prometheus.yml");
        fs::write(&config, configuration(fleet)).unwrap();
        fs::create_dir(directory.path().join("rules")).unwrap();
        for entry in fs::read_dir(RULES).expect("deploy/prometheus/rules") {
            let rules = entry.unwrap();
            let text = sooner(&fs::read_to_string(rules.path()).unwrap(), spool_max_bytes);
            fs::write(directory.path().join("rules").join(rules.file_name()), text).unwrap();
        }
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut monitor = Self { child, address, client: reqwest::Client::new(), directory };
        let end = Instant::now() + STARTS_WITHIN;
        while monitor.ask("/-/ready").await.is_none() {
            let has_ended = monitor.child.try_wait().unwrap().is_some();
            assert!(!has_ended && Instant::now() < end, "Prometheus does not start: {}", monitor.log());
            sleep(PAUSE).await;
        }
        monitor
    }

    /// The alerts that fire.
    pub(super) async fn firing(&self) -> BTreeSet<String> {
        let told = self.ask("/api/v1/alerts").await.expect("Prometheus answers");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let alerts = told["data"]["alerts"].as_array().expect("alerts").iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        firing.filter_map(|alert| Some(alert["labels"]["alertname"].as_str()?.to_owned())).collect()
    }

    /// Waits until none fires, but not longer than that; those that fire all the same.
    pub(super) async fn quiet(&self, within: Duration) -> BTreeSet<String> {
        let end = Instant::now() + within;
        loop {
            let firing = self.firing().await;
            if firing.is_empty() || Instant::now() > end {
                return firing;
            }
            sleep(PAUSE).await;
        }
    }

    async fn ask(&self, path: &str) -> Option<String> {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // It may be gone already; there is nobody left to tell.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The jobs and labels of `deploy/prometheus/prometheus.yml`, with the processes of this run.
fn configuration(fleet: &Fleet) -> String {
    let rabbitmq = fleet.servers.rabbitmq_metrics();
    // A process gives up on what it cannot ask its database for after 5 s.
    let mut text = "global: { scrape_interval: 6s, scrape_timeout: 6s, evaluation_interval: 2s }\n\
                    rule_files: [rules/*.yaml]\n\
                    scrape_configs:\n  - job_name: orgbridge\n    static_configs:\n"
        .to_owned();
    for worker in &fleet.workers {
        let (target, service) = (worker.process.admin(), worker.service.program());
        writeln!(text, "      - {{ targets: [\"{target}\"], labels: {{ service: {service} }} }}").unwrap();
    }
    write!(
        text,
        "  - job_name: rabbitmq\n    static_configs: [{{ targets: [\"{rabbitmq}\"] }}]\n  \
         - job_name: rabbitmq-queues\n    metrics_path: /metrics/detailed\n    \
         params: {{ family: [queue_coarse_metrics, queue_consumer_count] }}\n    \
         static_configs: [{{ targets: [\"{rabbitmq}\"] }}]\n"
    )
    .unwrap();
    text
}

/// Rules whose alerts wait for seconds only, and that know how much a spool may hold.
fn sooner(rules: &str, spool_max_bytes: u64) -> String {
    let spool_max_bytes = spool_max_bytes.to_string();
    let line = |line: &str| match line.trim_start().strip_prefix("for: ") {
        Some(minutes) => line.replace(minutes, FOR),
        None => line.replace(SPOOL_MAX_BYTES, &spool_max_bytes),
    };
    rules.lines().map(|text| line(text) + "\n").collect()
}
