//! OrgBridge at work: real processes over one configuration and one tenant file, which can be killed and started again.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;
use test_kit::{Proxy, Servers, Vhost};

use crate::{
    Core, Deployment, Service,
    deployment::Storage,
    metrics::sum_of,
    process::{Process, free_port},
    programs,
    tenant::{self, AES_KEY, CORP_ID, Credentials, DingtalkSetup, HiresSetup, OA_AES_KEY, OA_TOKEN, TOKEN},
};

/// What commands act on, and the configuration of the one process there may be.
const CONFIG: &str = "orgbridge.toml";
/// How long an admin server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many lines of each log a failed test shows.
const SHOWN_LINES: usize = 40;

/// What is different from one test to the next.
#[derive(Debug, Default, Clone)]
pub struct Setup {
    /// How the services are spread over processes.
    pub deployment: Deployment,
    /// Address of the simulated platform that the directory is pulled from; without one the platform is silent.
    pub platform: Option<String>,
    /// Address of an OA that is relayed to.
    pub oa: Option<String>,
    /// Address of another one.
    pub second_oa: Option<String>,
    /// The tenant's DingTalk side, in the place of WeCom or beside it.
    pub dingtalk: Option<DingtalkSetup>,
    /// A form whose records become members.
    pub hires: Option<HiresSetup>,
    /// Further lines of `orgbridge.toml`.
    pub config: String,
    /// Further lines of its section `synchronizer`.
    pub synchronizer: String,
    /// Where the first gateway keeps its files, if not beside those of the others.
    pub gateway_data: Option<PathBuf>,
}

/// The processes with their configuration and data.
pub struct Bridge {
    processes: Vec<Process>,
    /// Where callbacks go to; with several gateways by turns.
    entrance: SocketAddr,
    gateways: Vec<SocketAddr>,
    _balancer: Option<Proxy>,
    client: reqwest::Client,
    storage: Storage,
    setup: Setup,
    directory: TempDir,
}

impl Bridge {
    /// Writes configuration and tenant file and starts the processes; they are ready when this returns.
    ///
    /// # Panics
    /// When they do not get ready.
    pub async fn start(setup: &Setup) -> Self {
        let mut bridge = Self::prepare(setup).await;
        bridge.launch().await;
        bridge
    }

    /// Writes configuration and tenant file. The databases are there, and no process runs before [`Bridge::launch`].
    ///
    /// # Panics
    /// When the tenant is refused.
    pub async fn prepare(setup: &Setup) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut bridge = Self {
            processes: Vec::new(),
            entrance: (Ipv4Addr::LOCALHOST, 0).into(),
            gateways: Vec::new(),
            _balancer: None,
            client: client(),
            storage: Storage::new(&setup.deployment),
            setup: setup.clone(),
            directory,
        };
        let tenants = bridge.path().join("tenants");
        let tenant = tenants.join("acme.toml");
        fs::create_dir_all(&tenants).expect("a directory for tenants");
        let file = tenant::file(setup, &bridge.storage.core_destination(bridge.path()));
        fs::write(&tenant, file).expect("a tenant file");
        if let Some(hires) = &setup.hires {
            fs::write(tenants.join(HiresSetup::MAPPING_FILE), &hires.mapping).expect("a mapping");
        }
        match &setup.deployment {
            Deployment::AllInOne => bridge.prepare_all_in_one(&tenants),
            Deployment::Services(spread) => bridge.prepare_services(&tenant, spread.replicas).await,
        }
        bridge
    }

    /// Starts the processes that do not run, on what is there.
    ///
    /// # Panics
    /// When one does not get ready.
    pub async fn launch(&mut self) {
        for process in &mut self.processes {
            process.start();
        }
        for process in &mut self.processes {
            process.get_ready(&self.client).await;
        }
    }

    /// SIGKILL to one process: turn by turn another service's, where there are several. The sink is first, since the lease of
    /// one that is gone is waited for longest.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, turn: usize) {
        let replicas = self.processes.len().div_ceil(Service::ALL.len());
        let from_the_end = (turn * replicas) % self.processes.len();
        self.processes.iter_mut().nth_back(from_the_end).expect("a process").kill();
    }

    /// SIGKILL to one of a service's processes.
    ///
    /// # Panics
    /// When there is none.
    pub fn kill_service(&mut self, service: Service) {
        self.kill_replica(service, 0);
    }

    /// SIGKILL to a certain one of a service's processes, counted from 0.
    ///
    /// # Panics
    /// When there is none, and when it does not run.
    pub fn kill_replica(&mut self, service: Service, replica: usize) {
        let mut of_service = self.processes.iter_mut().filter(|process| process.program() == service.program());
        of_service.nth(replica).expect("a process of that service").kill();
    }

    /// SIGSTOP to one of a service's processes: from now on it stands still and holds whatever it has.
    ///
    /// # Panics
    /// When there is none, and when it does not run.
    pub fn pause(&self, service: Service, replica: usize) {
        self.signal(service, replica, Signal::STOP);
    }

    /// SIGCONT to one of a service's processes.
    ///
    /// # Panics
    /// When there is none, and when it does not run.
    pub fn resume(&self, service: Service, replica: usize) {
        self.signal(service, replica, Signal::CONT);
    }

    fn signal(&self, service: Service, replica: usize, signal: Signal) {
        let mut of_service = self.processes.iter().filter(|process| process.program() == service.program());
        of_service.nth(replica).expect("a process of that service").signal(signal);
    }

    /// Starts the processes that do not run, as a supervisor would: one that ends before it is ready, such as while the
    /// database is away, is started again. Returns how often that was needed.
    ///
    /// # Panics
    /// When one does not get ready all the same.
    pub async fn supervise(&mut self) -> usize {
        let mut starts = 0;
        for process in &mut self.processes {
            starts += process.start_until_ready(&self.client).await;
        }
        starts
    }

    /// Lets one of a service's processes, or the only one there is, crash where it passes a crash point for the `nth` time: kills
    /// it if it runs, starts it, and waits until it has crashed. Then [`Bridge::launch`] starts it again.
    ///
    /// # Panics
    /// When it does not get there, and when it ends anywhere else.
    pub async fn crash_at(&mut self, service: Service, point: &str, nth: u32) {
        let is_alone = self.processes.len() == 1;
        let mut of_service =
            self.processes.iter_mut().filter(|process| is_alone || process.program() == service.program());
        let process = of_service.next().expect("a process of that service");
        process.crash_at(&format!("{point}:{nth}")).await;
    }

    /// One more process of a service; [`Bridge::launch`] starts it. A gateway would get no callbacks.
    pub fn add(&mut self, service: Service) {
        let number = 1 + self.processes.iter().filter(|process| process.program() == service.program()).count();
        self.prepare_service(service, number, free_port());
    }

    /// One process of a service less; it is told to stop and is gone when this returns.
    ///
    /// # Panics
    /// When there is none, and when it does not stop as it should.
    pub async fn remove(&mut self, service: Service) {
        let place = self.processes.iter().rposition(|process| process.program() == service.program());
        self.processes.remove(place.expect("a process of that service")).stop().await;
    }

    /// Tells one process of a service to stop, the oldest first where it is done again and again, waits until it is gone, and
    /// starts it again.
    ///
    /// # Panics
    /// When there is none, when it does not stop as it should, and when it does not get ready again.
    pub async fn restart(&mut self, service: Service) -> Duration {
        let place = self.processes.iter().position(|process| process.program() == service.program());
        let mut process = self.processes.remove(place.expect("a process of that service"));
        let began = Instant::now();
        process.stop().await;
        let took = began.elapsed();
        self.processes.push(process);
        self.launch().await;
        took
    }

    /// Whether all processes say that they are ready.
    pub async fn are_ready(&self) -> bool {
        for process in &self.processes {
            if !process.is_ready(&self.client).await {
                return false;
            }
        }
        true
    }

    /// Whether a process ended though nobody told it to.
    pub fn has_ended(&mut self) -> bool {
        self.processes.iter_mut().any(Process::has_ended)
    }

    /// Runs a command against the same data and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = self.command_to_run(arguments).output().expect("orgbridge runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// A command against the same data that does not run yet. Nobody types anything into it.
    pub fn command_to_run(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::path("orgbridge"));
        command.args(arguments).arg("--config").arg(self.path().join(CONFIG)).current_dir(self.path());
        command.stdin(Stdio::null());
        command
    }

    /// The callback URL of the tenant.
    pub fn callback_url(&self) -> String {
        format!("http://{}/callback/wecom/acme", self.entrance)
    }

    /// The one for DingTalk.
    pub fn dingtalk_callback_url(&self) -> String {
        format!("http://{}/callback/dingtalk/acme", self.entrance)
    }

    /// Where Jiandaoyun pushes.
    pub fn jiandaoyun_callback_url(&self) -> String {
        format!("http://{}/callback/jiandaoyun/acme", self.entrance)
    }

    /// What the admin servers of all processes count, one after the other.
    pub async fn metrics(&self) -> String {
        let mut all = String::new();
        for process in &self.processes {
            all += &process.metrics(&self.client).await;
        }
        all
    }

    /// What the admin server of each process counts, with the name of the process.
    pub async fn metrics_of_each(&self) -> Vec<(String, String)> {
        let mut each = Vec::with_capacity(self.processes.len());
        for process in &self.processes {
            each.push((process.name().to_owned(), process.metrics(&self.client).await));
        }
        each
    }

    /// What each process logged over all its lives, with its name.
    pub fn logs_of_each(&self) -> Vec<(String, String)> {
        self.processes.iter().map(|process| (process.name().to_owned(), process.log())).collect()
    }

    /// The sum of a metric over all processes and labels.
    pub async fn sum_of(&self, metric: &str) -> f64 {
        sum_of(&self.metrics().await, metric)
    }

    /// How many processes there are to be.
    pub fn process_count(&self) -> usize {
        self.processes.len()
    }

    /// Leaves the files of this one on the disk when it ends, for whoever wants to know what happened; returns where.
    pub fn keep_files(&mut self) -> PathBuf {
        self.directory.disable_cleanup(true);
        self.path().to_owned()
    }

    /// The core product's tables.
    pub fn core(&self) -> Core {
        self.storage.core(self.path())
    }

    /// The servers that services of their own run on, and what they have of RabbitMQ.
    ///
    /// # Panics
    /// When all is in one process.
    pub fn servers(&self) -> (&Servers, &Vhost) {
        match &self.storage {
            Storage::Servers(own) => (own.spread.servers.as_ref(), &own.vhost),
            Storage::Files => panic!("all is in one process and in files"),
        }
    }

    /// Keys of the tenant's callbacks.
    ///
    /// # Panics
    /// Never: the keys are good.
    pub fn keys() -> platform_sim::Keys {
        platform_sim::Keys::new(TOKEN, AES_KEY, CORP_ID).expect("good keys")
    }

    /// Keys of the OA's callbacks.
    ///
    /// # Panics
    /// Never: the keys are good.
    pub fn oa_keys() -> platform_sim::Keys {
        platform_sim::Keys::new(OA_TOKEN, OA_AES_KEY, CORP_ID).expect("good keys")
    }

    /// The same as texts, for whoever else is to take the tenant's callbacks.
    pub const fn credentials() -> Credentials {
        Credentials::OF_WECOM
    }

    /// Where the gateways themselves listen, with nothing of ours in between.
    pub fn gateways(&self) -> &[SocketAddr] {
        &self.gateways
    }

    /// The programs that run, each with the id of its process.
    pub fn process_ids(&self) -> Vec<(&'static str, u32)> {
        self.processes.iter().filter_map(|process| Some((process.program(), process.id()?))).collect()
    }

    /// The server's database with the tables of OrgBridge itself; nothing when they are in a file.
    pub fn database_url(&self) -> Option<&str> {
        match &self.storage {
            Storage::Servers(own) => Some(own.database_url()),
            Storage::Files => None,
        }
    }

    /// The server's database with the core product's tables; nothing when they are in a file.
    pub fn core_url(&self) -> Option<&str> {
        match &self.storage {
            Storage::Servers(own) => Some(own.core_url()),
            Storage::Files => None,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn prepare_all_in_one(&mut self, tenants: &Path) {
        let (gateway, admin) = (free_port(), free_port());
        self.entrance = (Ipv4Addr::LOCALHOST, gateway).into();
        self.gateways = vec![self.entrance];
        let listen = [("callback_gateway", gateway), ("admin", admin)];
        let config = format!("tenants_dir = \"{}\"\n", tenants.display()) + &self.config(Path::new("data"), &listen);
        let config = self.write_config(CONFIG, &config);
        let arguments = vec!["serve".into(), "--config".into(), config.into()];
        self.processes.push(Process::new("orgbridge".to_owned(), "orgbridge", arguments, self.path(), admin));
    }

    async fn prepare_services(&mut self, tenant: &Path, replicas: usize) {
        self.write_config(CONFIG, &self.config(Path::new("data"), &[]));
        self.command(&["tenant", "apply", tenant.to_str().expect("a path in Unicode")]);
        let mut gateways = Vec::with_capacity(replicas);
        for service in Service::ALL {
            for number in 1..=replicas {
                let port = free_port();
                self.prepare_service(service, number, port);
                if service == Service::CallbackGateway {
                    gateways.push(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                }
            }
        }
        self.gateways.clone_from(&gateways);
        let balancer = Proxy::start(gateways).await;
        self.entrance = balancer.address();
        self._balancer = Some(balancer);
    }

    /// `port` is for the gateway; the others do not listen.
    fn prepare_service(&mut self, service: Service, number: usize, port: u16) {
        let (program, admin) = (service.program(), free_port());
        let name = format!("{program}-{number}");
        let data = match &self.setup.gateway_data {
            Some(elsewhere) if service == Service::CallbackGateway && number == 1 => elsewhere.clone(),
            _ => PathBuf::from(&name),
        };
        let config = self.config(&data, &[("callback_gateway", port), ("admin", admin)]);
        let config = self.write_config(&format!("{name}.toml"), &config);
        let arguments = vec!["--config".into(), config.into()];
        self.processes.push(Process::new(name, program, arguments, self.path(), admin));
    }

    /// What is told to one process, which keeps its files in `data`: within our directory, unless that says otherwise.
    fn config(&self, data: &Path, listen: &[(&str, u16)]) -> String {
        let data = self.path().join(data);
        let mut config = format!("data_dir = \"{}\"\n", data.display()) + &self.storage.sections(&data);
        for (section, port) in listen {
            config += &format!("[{section}]\nlisten = \"127.0.0.1:{port}\"\n");
        }
        for section in ["synchronizer", "sink"] {
            config += &format!("[{section}]\nallowed_networks = [\"127.0.0.0/8\"]\n");
            if section == "synchronizer" {
                config += &format!("{}\n", self.setup.synchronizer);
            }
        }
        config + &self.setup.config + "\n"
    }

    fn write_config(&self, name: &str, config: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, config).expect("a configuration");
        path
    }

    /// The end of each log, over all lives of its process.
    pub fn logs(&self) -> String {
        let mut logs: Vec<PathBuf> = fs::read_dir(self.path())
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        logs.sort();
        let mut shown = String::new();
        for path in logs {
            let log = fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
            shown += &format!("the end of {}:\n{}\n", path.display(), tail.join("\n"));
        }
        shown
    }
}

impl Drop for Bridge {
    #[expect(clippy::print_stderr, reason = "a failed test shows what the processes logged last")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
    }
}

/// A client for the admin servers. Its pool is not shared between tests, which have runtimes of their own.
fn client() -> reqwest::Client {
    // Whoever was first installed the same one.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().timeout(PATIENCE).build().expect("a client")
}
