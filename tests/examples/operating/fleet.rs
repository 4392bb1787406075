//! The services as plain processes over one configuration, any number of each and of any lane, on a RabbitMQ and a PostgreSQL of this run.

mod books;
mod kernel;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use test_kit::{FreshDatabase, Servers, Shutdown, Vhost};
use tests::{Process, Service, free_port, programs, sum_of};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

pub(crate) use books::{Arrivals, Books};
pub(crate) use kernel::{Reading, connections, processes_in};

/// The lane that tenants are in unless they say otherwise.
pub(crate) const SHARED: &str = "shared";
/// Any key will do, as long as all processes have the same.
const MASTER_KEY: &str = "b3JnYnJpZGdlIG9wZXJhdGluZyB0cmlhbHMga2V5IDE=";
/// What commands are told.
const CONFIG: &str = "orgbridge.toml";
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long all of them may take to get ready.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long an admin server may take to answer: one that has much to tell takes a while.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What is not as it comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    /// PostgreSQL has a disk of its own of so many megabytes.
    pub(crate) postgres_megabytes: Option<u32>,
    /// How many connections PostgreSQL takes.
    pub(crate) postgres_connections: Option<u32>,
    /// How much a gateway's spool may hold.
    pub(crate) spool_max_bytes: Option<u64>,
}

/// All that runs. Fields are dropped in this order.
pub(crate) struct Fleet {
    pub(crate) workers: Vec<Worker>,
    client: reqwest::Client,
    core: FreshDatabase,
    database: FreshDatabase,
    pub(crate) vhost: Vhost,
    pub(crate) servers: Arc<Servers>,
    spool_max_bytes: Option<u64>,
    directory: TempDir,
}

/// One process of a service.
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) service: Service,
    pub(crate) lane: String,
    pub(crate) process: Process,
    callbacks: SocketAddr,
}

/// How far each log was read; at first nothing was.
#[derive(Default)]
pub(crate) struct Bookmark(BTreeMap<PathBuf, usize>);

impl Fleet {
    /// Servers with a database that is up to date, and no process yet. PostgreSQL remembers when each transaction was committed.
    pub(crate) async fn prepare(wishes: &Wishes) -> Self {
        // Whoever was first installed the same one.
        rustls::crypto::ring::default_provider().install_default().ok();
        let told = wishes.clone();
        let start = move || {
            let servers =
                told.postgres_megabytes.map_or_else(Servers::start_of_usual_sizes, Servers::start_on_small_disk);
            let (database, core) = (servers.database(), servers.database());
            books::configure(database.url(), told.postgres_connections);
            servers.restart_postgres(Shutdown::Fast);
            (servers.vhost(), database, core, servers)
        };
        let (vhost, database, core, servers) = spawn_blocking(start).await.unwrap();
        let directory = tempfile::Builder::new().prefix("orgbridge-trial-").tempdir().unwrap();
        fs::create_dir(directory.path().join("tenants")).unwrap();
        let fleet = Self {
            workers: Vec::new(),
            // Scrapes open a connection each.
            client: reqwest::Client::builder().timeout(ANSWER_WITHIN).pool_max_idle_per_host(0).build().unwrap(),
            servers: Arc::new(servers),
            spool_max_bytes: wishes.spool_max_bytes,
            directory,
            vhost,
            database,
            core,
        };
        fs::write(fleet.path().join(CONFIG), fleet.config("command", SHARED)).unwrap();
        fleet.command(&["migrate"]).await;
        fleet
    }

    /// One more process of a service for a lane; [`Fleet::launch`] starts it. A gateway is for all lanes.
    pub(crate) fn add(&mut self, service: Service, lane: &str) {
        let is_like_it = |worker: &&Worker| worker.service == service && worker.lane == lane;
        let number = 1 + self.workers.iter().filter(is_like_it).count();
        let name = match lane {
            SHARED => format!("{}-{number}", service.program()),
            lane => format!("{}-{lane}-{number}", service.program()),
        };
        let (admin, callbacks) = (free_port(), SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
        let mut config = self.config(&name, lane);
        write!(config, "[admin]\nlisten = \"127.0.0.1:{admin}\"\n[callback_gateway]\nlisten = \"{callbacks}\"\n")
            .unwrap();
        let path = self.path().join(&name).with_extension("toml");
        fs::write(&path, config).unwrap();
        let arguments = vec!["--config".into(), path.into()];
        let process = Process::new(name.clone(), service.program(), arguments, self.path(), admin);
        self.workers.push(Worker { name, service, lane: lane.to_owned(), process, callbacks });
    }

    /// Starts what does not run, all at once; the seconds after which each said that it is ready.
    pub(crate) async fn launch(&mut self) -> BTreeMap<String, f64> {
        let began = Instant::now();
        let mut waiting: Vec<&mut Worker> =
            self.workers.iter_mut().filter(|worker| worker.process.id().is_none()).collect();
        for worker in &mut waiting {
            worker.process.start();
        }
        let mut ready = BTreeMap::new();
        while ready.len() < waiting.len() {
            for worker in &mut waiting {
                if !ready.contains_key(&worker.name) && worker.process.is_ready(&self.client).await {
                    ready.insert(worker.name.clone(), began.elapsed().as_secs_f64());
                }
                assert!(!worker.process.has_ended(), "{} ended instead of getting ready", worker.name);
            }
            assert!(began.elapsed() < PATIENCE, "not ready within {PATIENCE:?}; only {ready:?} are");
            sleep(LOOK_EVERY).await;
        }
        ready
    }

    /// Tells all processes of a service to stop, and starts them again; the seconds that the longest took to stop, and to get ready.
    pub(crate) async fn restart(&mut self, service: Service) -> (f64, f64) {
        let began = Instant::now();
        for worker in self.workers.iter_mut().filter(|worker| worker.service == service) {
            worker.process.stop().await;
        }
        let stopped = began.elapsed().as_secs_f64();
        (stopped, self.launch().await.into_values().fold(0.0, f64::max))
    }

    /// Creates tenants, or replaces them: all by one command. Returns the seconds that it took.
    pub(crate) async fn apply(&self, files: impl IntoIterator<Item = (String, String)>) -> f64 {
        let mut words = vec!["tenant".to_owned(), "apply".to_owned()];
        for (id, content) in files {
            let file = self.path().join("tenants").join(id).with_extension("toml");
            fs::write(&file, content).unwrap();
            words.push(file.to_str().expect("a path in Unicode").to_owned());
        }
        let began = Instant::now();
        self.command(&words).await;
        began.elapsed().as_secs_f64()
    }

    /// What an operator's command prints.
    pub(crate) async fn command(&self, words: &[impl AsRef<str>]) -> String {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let mut command = Command::new(programs().join("orgbridge"));
        command.args(&words).arg("--config").arg(self.path().join(CONFIG)).stdin(Stdio::null());
        let output = spawn_blocking(move || command.output()).await.unwrap().expect("orgbridge runs");
        let shown = words.get(..2).unwrap_or(&words);
        assert!(output.status.success(), "{shown:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// How many rows an operator's list has.
    pub(crate) async fn count(&self, list: &str) -> usize {
        let printed: Value = serde_json::from_str(&self.command(&[list, "list", "--json"]).await).expect("JSON");
        printed.as_array().expect("a list").len()
    }

    /// Where the gateways take callbacks.
    pub(crate) fn gateways(&self) -> Vec<SocketAddr> {
        let gateways = self.workers.iter().filter(|worker| worker.service == Service::CallbackGateway);
        gateways.map(|worker| worker.callbacks).collect()
    }

    /// Kind and place of the core product's tables, as a tenant's file has it. All tenants share them.
    pub(crate) fn core_destination(&self) -> String {
        format!("kind = \"postgres\"\nurl = \"{}\"\nschema = \"{}\"\n", self.core.url(), books::CORE_SCHEMA)
    }

    /// What our database, and the core product's, know.
    pub(crate) fn books(&self) -> Books {
        Books { ours: self.database.url().to_owned(), core: self.core.url().to_owned() }
    }

    /// What each process says of its readiness: whether it is ready, and in which words. Nothing of one that does not answer.
    pub(crate) async fn readiness(&self) -> Vec<(&str, bool, String)> {
        let mut told = Vec::new();
        for worker in &self.workers {
            let (is_ready, words) = match worker.process.readiness(&self.client).await {
                Some((status, words)) => (status.is_success(), words),
                None => (false, "does not answer".to_owned()),
            };
            told.push((worker.name.as_str(), is_ready, words));
        }
        told
    }

    /// Those that ended though nobody had told them to.
    pub(crate) fn ended(&mut self) -> Vec<String> {
        let ended = self.workers.iter_mut().filter_map(|worker| worker.process.has_ended().then_some(&worker.name));
        ended.cloned().collect()
    }

    /// The sum of a metric over the processes that `of` names.
    pub(crate) async fn sum_of(&self, metric: &str, of: impl Fn(&Worker) -> bool) -> f64 {
        let mut sum = 0.0;
        for worker in self.workers.iter().filter(|worker| of(worker)) {
            sum += sum_of(&worker.process.metrics(&self.client).await, metric);
        }
        sum
    }

    /// What a process tells Prometheus.
    pub(crate) async fn metrics(&self, worker: &Worker) -> String {
        worker.process.metrics(&self.client).await
    }

    /// Does something to the servers, or asks them something, that takes a while.
    pub(crate) async fn servers<T: Send + 'static>(&self, work: impl FnOnce(&Servers) -> T + Send + 'static) -> T {
        let servers = Arc::clone(&self.servers);
        spawn_blocking(move || work(&servers)).await.unwrap()
    }

    /// Names and messages of RabbitMQ's queues, as of this moment.
    pub(crate) async fn queues(&self) -> Vec<(String, u64)> {
        let vhost = self.vhost.name().to_owned();
        let list = move |servers: &Servers| {
            servers.rabbitmqctl(&["list_queues", "-p", &vhost, "name", "messages", "--formatter", "json"])
        };
        let rows: Vec<Value> = serde_json::from_str(&self.servers(list).await).expect("JSON");
        let name = |row: &Value| row["name"].as_str().unwrap_or_default().to_owned();
        rows.iter().map(|row| (name(row), row["messages"].as_u64().unwrap_or_default())).collect()
    }

    /// How far the logs are.
    pub(crate) fn bookmark(&self) -> Bookmark {
        Bookmark(self.logs().into_iter().map(|log| (log.clone(), read(&log).len())).collect())
    }

    /// Warnings and errors that were logged since then, each with how often it was.
    pub(crate) fn logged_since(&self, bookmark: &Bookmark) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for log in self.logs() {
            let (before, text) = (bookmark.0.get(&log).copied().unwrap_or_default(), read(&log));
            for line in text.get(before..).unwrap_or_default().lines() {
                let said: Value = serde_json::from_str(line).unwrap_or_default();
                if let (Some(level @ ("WARN" | "ERROR")), Some(message)) =
                    (said["level"].as_str(), said["message"].as_str())
                {
                    *counts.entry(format!("{level} {message}")).or_default() += 1;
                }
            }
        }
        counts
    }

    /// Leaves logs and spools on the disk, for whoever wants to know what happened.
    pub(crate) fn keep_files(&mut self) {
        self.directory.disable_cleanup(true);
        eprintln!("logs and spools are kept in {}", self.path().display());
    }

    /// What is told to a process of that name.
    fn config(&self, name: &str, lane: &str) -> String {
        let spool = self.spool_max_bytes.map_or_else(String::new, |bytes| format!("spool_max_bytes = {bytes}\n"));
        format!(
            "data_dir = \"{}\"\n\
             [database]\nurl = \"{}\"\n\
             [broker]\nurl = \"{}\"\nlanes = [\"{lane}\"]\n{spool}\
             [secrets]\nmaster_key = \"{MASTER_KEY}\"\n\
             [telemetry]\nlog_format = \"json\"\n\
             [sink]\nallowed_networks = [\"127.0.0.0/8\"]\n\
             [synchronizer]\nallowed_networks = [\"127.0.0.0/8\"]\n",
            self.path().join(name).display(),
            self.database.url(),
            self.vhost.url(),
        )
    }

    fn logs(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).collect()
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_files();
        }
    }
}

/// A line that is just being written may end within a letter.
fn read(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}
