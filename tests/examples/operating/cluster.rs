//! What a cluster makes of the manifests, on one machine: a RabbitMQ and a PostgreSQL of this run, and pods that are started, probed,
//! replaced and ended as Kubernetes does it, each with a file system and a user of its own.

mod container;
mod endpoints;
mod manifests;
mod pod;
mod rollout;

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_kit::{FreshDatabase, Servers, Vhost};
use tests::{Core, programs};
use tokio::task::spawn_blocking;

use crate::{customer::Customer, options::Options};
pub(crate) use endpoints::Endpoints;
pub(crate) use pod::{Exit, Pod};

use container::{Container, Secrets};
use manifests::{Files, Manifests, PodSpec, Workload};

/// In the order in which a new release comes: who reads before who writes.
pub(crate) const SERVICES: [&str; 4] = ["sink", "resolver", "synchronizer", GATEWAY];
pub(crate) const GATEWAY: &str = "callback-gateway";
/// The Secrets that the manifests leave to the operator.
const SECRET: &str = "orgbridge";
const TENANTS: &str = "orgbridge-tenants";
/// Any key will do, as long as all processes have the same.
const MASTER_KEY: &str = "b3JnYnJpZGdlIG9wZXJhdGluZyB0cmlhbHMga2V5IDE=";
const CORE_SCHEMA: &str = "core";
/// How long an admin server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a release brings: programs, and the manifests that start them.
pub(crate) struct Release {
    pub(crate) name: &'static str,
    programs: PathBuf,
    workloads: BTreeMap<&'static str, Workload>,
    migration: Arc<PodSpec>,
}

/// How large a cluster is to be, and whom it is for.
pub(crate) struct Size {
    pub(crate) replicas: usize,
    pub(crate) tenants: usize,
    pub(crate) seed: u64,
    /// Until an endpoint that comes or goes is known to whoever sends requests.
    pub(crate) delay: Duration,
}

/// Everything that runs. Fields are dropped in this order.
pub(crate) struct Cluster {
    pods: Pods,
    endpoints: Arc<Endpoints>,
    customers: Vec<Arc<Customer>>,
    client: reqwest::Client,
    secrets: Secrets,
    number: AtomicU16,
    core: FreshDatabase,
    _database: FreshDatabase,
    vhost: Vhost,
    servers: Arc<Servers>,
    directory: TempDir,
}

/// All pods that ever were, in the order in which they came.
#[derive(Debug, Clone, Default)]
struct Pods(Arc<Mutex<Vec<Arc<Pod>>>>);

impl Pods {
    fn list(&self) -> Vec<Arc<Pod>> {
        self.0.lock().unwrap().clone()
    }
}

impl Release {
    /// The programs that cargo built, with the manifests of this checkout: `--overlay`, `k8s/overlays/small` unless told otherwise, or
    /// a file of rendered manifests.
    pub(crate) fn this(options: &Options) -> Arc<Self> {
        let overlay: PathBuf = options.get("overlay", "k8s/overlays/small".into());
        Self::new("this", programs(), &overlay)
    }

    /// The programs of the release before, in `--previous`; with its own manifests where `--previous-overlay` names them.
    pub(crate) fn previous(options: &Options) -> Arc<Self> {
        let overlay: PathBuf = options.get("overlay", "k8s/overlays/small".into());
        let overlay: PathBuf = options.get("previous-overlay", overlay);
        Self::new("previous", &options.path("previous"), &overlay)
    }

    fn new(name: &'static str, programs: &Path, overlay: &Path) -> Arc<Self> {
        let manifests = Manifests::render(overlay);
        Arc::new(Self {
            name,
            programs: programs.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", programs.display())),
            workloads: SERVICES.map(|service| (service, manifests.workload(service))).into(),
            migration: Arc::new(manifests.migration()),
        })
    }

    fn workload(&self, service: &str) -> &Workload {
        self.workloads.get(service).expect("a service")
    }
}

impl Size {
    /// `--replicas` 2, `--tenants`, `--seed` 1, `--delay-millis` 1000.
    pub(crate) fn read(options: &Options, tenants: usize) -> Self {
        Self {
            replicas: options.get("replicas", 2),
            tenants: options.get("tenants", tenants),
            seed: options.get("seed", 1),
            delay: Duration::from_millis(options.get("delay-millis", 1000)),
        }
    }
}

impl Cluster {
    /// Migrates an empty database and starts so many pods of each service; all of them are available when this returns.
    pub(crate) async fn start(release: &Arc<Release>, size: &Size) -> Self {
        assert!(
            rustix::process::getuid().is_root(),
            "only root can give containers a file system and a user of their own"
        );
        // Whoever was first installed the same one.
        rustls::crypto::ring::default_provider().install_default().ok();
        // Probes and scrapes open a connection each.
        let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap();
        let servers = Arc::new(spawn_blocking(Servers::start_of_usual_sizes).await.unwrap());
        let (vhost, database, core) = (servers.vhost(), servers.database(), servers.database());
        let customers: Vec<Arc<Customer>> =
            (0..size.tenants).map(|number| Arc::new(Customer::new(number, size.seed))).collect();
        let destination = format!("kind = \"postgres\"\nurl = \"{}\"\nschema = \"{CORE_SCHEMA}\"\n", core.url());
        let tenants = customers.iter().map(|customer| (format!("{}.toml", customer.id), customer.file(&destination)));
        let own = [("database-url", database.url()), ("broker-url", vhost.url()), ("master-key", MASTER_KEY)];
        let own: Files = own.into_iter().map(|(name, content)| (name.to_owned(), content.to_owned())).collect();
        let pods = Pods::default();
        let cluster = Self {
            endpoints: Arc::new(Endpoints::follow(pods.clone(), size.delay)),
            secrets: Secrets::from([(SECRET.to_owned(), own), (TENANTS.to_owned(), tenants.collect())]),
            number: AtomicU16::new(1),
            directory: tempfile::Builder::new().prefix("orgbridge-trial-").tempdir().unwrap(),
            _database: database,
            pods,
            customers,
            client,
            core,
            vhost,
            servers,
        };
        for part in ["logs", "claims"] {
            fs::create_dir(cluster.path().join(part)).unwrap();
        }
        cluster.migrate(release).await;
        let mut started = Vec::new();
        for service in SERVICES {
            for ordinal in 0..size.replicas {
                started.push(cluster.add(release, service, Some(ordinal)));
            }
        }
        cluster.become_available(&started, release).await;
        eprintln!(
            "{} pods of each service, {} tenants; files in {}",
            size.replicas,
            size.tenants,
            cluster.path().display()
        );
        cluster
    }

    /// The Job that brings the database up to date.
    pub(crate) async fn migrate(&self, release: &Release) {
        let (container, log) = self.container(release, &release.migration, "orgbridge-migrate", self.next_address());
        let mut command = container.command(&container.spec.command);
        let output = spawn_blocking(move || command.output()).await.unwrap().expect("util-linux has unshare");
        fs::write(log, &output.stderr).unwrap();
        assert!(output.status.success(), "the migration: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// One more pod of a service; that of a StatefulSet is known by its number.
    fn add(&self, release: &Release, service: &'static str, ordinal: Option<usize>) -> Arc<Pod> {
        let address = self.next_address();
        let number =
            ordinal.filter(|_| service == GATEWAY).map_or_else(|| suffix(address), |ordinal| ordinal.to_string());
        self.start_pod(release, service, format!("{service}-{number}"), address)
    }

    fn start_pod(&self, release: &Release, service: &'static str, name: String, address: Ipv4Addr) -> Arc<Pod> {
        let (container, log) = self.container(release, &release.workload(service).pod, &name, address);
        let pod = Pod::start((name, service, release.name), address, container, log, self.client.clone());
        self.pods.0.lock().unwrap().push(Arc::clone(&pod));
        pod
    }

    fn container(&self, release: &Release, spec: &Arc<PodSpec>, pod: &str, address: Ipv4Addr) -> (Container, PathBuf) {
        let unique = format!("{pod}-{}", suffix(address));
        let places = (self.path().join("pods").join(&unique), self.path().join("claims"));
        let log = self.path().join("logs").join(unique).with_extension("log");
        let places = (places.0.as_path(), places.1.as_path());
        (Container::prepare(spec, (pod, address), &release.programs, places, &self.secrets), log)
    }

    /// One after the other; two runs on one machine have different ones.
    fn next_address(&self) -> Ipv4Addr {
        let run = u8::try_from(64 + std::process::id() % 128).unwrap();
        let [high, low] = self.number.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        Ipv4Addr::new(127, run, high, low)
    }

    /// Those of a service that were not told to end, the oldest first.
    pub(crate) fn pods_of(&self, service: &str) -> Vec<Arc<Pod>> {
        let pods = self.pods.list().into_iter();
        pods.filter(|pod| pod.service == service && !pod.is_over()).collect()
    }

    /// All that ever were.
    pub(crate) fn pods(&self) -> Vec<Arc<Pod>> {
        self.pods.list()
    }

    /// Where the gateways themselves take callbacks.
    pub(crate) fn gateways(&self) -> Vec<SocketAddr> {
        self.pods_of(GATEWAY).iter().filter_map(|pod| pod.callbacks()).collect()
    }

    pub(crate) fn endpoints(&self) -> &Arc<Endpoints> {
        &self.endpoints
    }

    pub(crate) fn customers(&self) -> &[Arc<Customer>] {
        &self.customers
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// A tenant's rows in the core product.
    pub(crate) fn core(&self, customer: &Customer) -> Core {
        Core::on_server(self.core.url(), CORE_SCHEMA).of(&customer.id)
    }

    /// An operator's command in a pod of the resolver, which prints JSON.
    pub(crate) async fn ask(&self, words: &[&str]) -> Value {
        let pods = self.pods_of("resolver");
        let pod = pods.first().expect("a resolver");
        let output = pod.exec(&[&["orgbridge"][..], words, &["--json"]].concat()).await;
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The sum of a metric over all pods of a service that answer.
    pub(crate) async fn sum_of(&self, service: &str, metric: &str) -> f64 {
        let mut sum = 0.0;
        for pod in self.pods_of(service) {
            sum += pod.sum_of(&self.client, metric).await.unwrap_or_default();
        }
        sum
    }

    /// Messages that RabbitMQ delivered again; nothing where it does not count.
    pub(crate) async fn redelivered(&self) -> Option<u64> {
        let (servers, path) = (Arc::clone(&self.servers), format!("/api/vhosts/{}", self.vhost.name()));
        let (_, body) = spawn_blocking(move || servers.management("GET", &path, "")).await.unwrap().ok()?;
        let vhost: Value = serde_json::from_str(&body).ok()?;
        let counts = vhost["message_stats"].as_object()?;
        // It is left out as long as it is 0.
        Some(counts.get("redeliver").and_then(Value::as_u64).unwrap_or_default())
    }

    /// Does something to the servers that takes seconds.
    pub(crate) async fn servers(&self, work: impl FnOnce(&Servers) + Send + 'static) {
        let servers = Arc::clone(&self.servers);
        spawn_blocking(move || work(&servers)).await.unwrap();
    }

    /// Lines at level ERROR in all logs, and panics.
    pub(crate) fn error_lines(&self) -> Vec<String> {
        let logs = fs::read_dir(self.path().join("logs")).unwrap().map(|entry| entry.unwrap().path());
        let is_error = |line: &&str| {
            let said: Option<Value> = serde_json::from_str(line).ok();
            said.map_or_else(|| line.contains("panicked at"), |said| said["level"] == "ERROR")
        };
        let mut found = Vec::new();
        for log in logs {
            let name = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&log).unwrap_or_default();
            found.extend(text.lines().filter(is_error).map(|line| format!("{name}: {line}")));
        }
        found
    }

    /// Leaves logs and claims on the disk, for whoever wants to know what happened.
    pub(crate) fn keep_files(&mut self) {
        self.directory.disable_cleanup(true);
        eprintln!("logs and volumes are kept in {}", self.path().display());
    }

    /// What differs from a cluster, for the report.
    pub(crate) fn conditions(release: &Release) -> Value {
        let pod = &release.workload(GATEWAY).pod;
        json!({
            "user": pod.user, "read_only_root": pod.has_read_only_root, "capabilities_dropped": pod.drops_capabilities,
            "network": "of the machine: each pod has an address in 127.0.0.0/8 and listens there, by ORGBRIDGE__ADMIN__LISTEN and \
                        ORGBRIDGE__CALLBACK_GATEWAY__LISTEN, instead of at 0.0.0.0",
            "allowed_networks": "127.0.0.0/8",
        })
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for pod in self.pods.list() {
            pod.kill();
        }
        if std::thread::panicking() {
            self.keep_files();
        }
    }
}

fn suffix(address: Ipv4Addr) -> String {
    let [_, _, high, low] = address.octets();
    format!("{:04}", u16::from_be_bytes([high, low]))
}
