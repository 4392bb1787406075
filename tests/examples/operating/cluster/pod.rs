//! One pod, and what a kubelet does for it: starts its container, probes it, starts it again, and ends it.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Output},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use super::{
    container::Container,
    manifests::{PodSpec, Probe},
};

const TICK: Duration = Duration::from_millis(50);
/// Before a container that ended is started again.
const BACK_OFF: Duration = Duration::from_secs(1);
/// How much of a log somebody gets to see who asks why.
const SHOWN_LINES: usize = 20;

/// A pod, until it is deleted or killed for good.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) service: &'static str,
    /// Of which release its programs are.
    pub(crate) release: &'static str,
    address: Ipv4Addr,
    container: Container,
    log: PathBuf,
    child: Mutex<Child>,
    ready_since: Mutex<Option<Instant>>,
    /// It was told to end: it gets no requests, and nobody starts its container again.
    is_over: AtomicBool,
    starts: AtomicUsize,
}

/// How a pod ended that was deleted.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) pod: String,
    /// From SIGTERM on.
    pub(crate) took: Duration,
    /// By itself, within the grace, and with 0.
    pub(crate) is_good: bool,
}

impl Pod {
    /// Starts it. Not to be called from a thread that ends before the pod does, such as one for blocking work: its processes would
    /// end with that.
    pub(super) fn start(
        (name, service, release): (String, &'static str, &'static str),
        address: Ipv4Addr,
        container: Container,
        log: PathBuf,
        client: reqwest::Client,
    ) -> Arc<Self> {
        let child = Mutex::new(run(&container, &log));
        let pod = Arc::new(Self {
            name,
            service,
            release,
            address,
            container,
            log,
            child,
            ready_since: Mutex::new(None),
            is_over: AtomicBool::new(false),
            starts: AtomicUsize::new(1),
        });
        tokio::spawn(Arc::clone(&pod).keep(client));
        pod
    }

    /// Whether it gets requests.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_over() && self.ready_since().is_some()
    }

    pub(super) fn is_ready_for(&self, least: Duration) -> bool {
        self.is_ready() && self.ready_since().is_some_and(|since| since.elapsed() >= least)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// How often its container ended, or had to be ended, and was started again.
    pub(crate) fn restarts(&self) -> usize {
        self.starts.load(Ordering::SeqCst) - 1
    }

    /// Where it takes callbacks; nothing where it takes none.
    pub(crate) fn callbacks(&self) -> Option<SocketAddr> {
        self.container.spec.ports.get("http").map(|port| SocketAddr::from((self.address, *port)))
    }

    /// SIGTERM, and SIGKILL if the grace is not enough; returns when it is gone.
    pub(crate) async fn delete(&self) -> Exit {
        self.is_over.store(true, Ordering::SeqCst);
        let PodSpec { pre_stop, grace, .. } = &*self.container.spec;
        sleep(*pre_stop).await;
        let told = Instant::now();
        self.signal(Signal::TERM);
        while !self.has_ended() && told.elapsed() < grace.saturating_sub(*pre_stop) {
            sleep(TICK).await;
        }
        let took = told.elapsed();
        // Whoever is killed now has no success.
        Exit { pod: self.name.clone(), took, is_good: self.end().success() }
    }

    /// SIGKILL, and nobody starts it again.
    pub(crate) fn kill(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.end();
    }

    /// Runs a command in its container, as by `kubectl exec`.
    pub(crate) async fn exec(&self, words: &[&str]) -> Output {
        let words: Vec<String> = words.iter().copied().map(str::to_owned).collect();
        let mut command = self.container.command(&words);
        spawn_blocking(move || command.output()).await.unwrap().expect("a command in a container")
    }

    /// The sum of a metric of this process over all labels; nothing while it does not answer.
    pub(crate) async fn sum_of(&self, client: &reqwest::Client, metric: &str) -> Option<f64> {
        let port = self.container.spec.ports.get("admin")?;
        let answer = client.get(format!("http://{}:{port}/metrics", self.address)).send().await.ok()?;
        let text = answer.text().await.ok()?;
        // Neither a comment nor a metric whose name only begins like this one.
        let value = |line: &str| match line.strip_prefix(metric)?.chars().next() {
            Some('{' | ' ') => line.rsplit_once(' ')?.1.parse::<f64>().ok(),
            _ => None,
        };
        Some(text.lines().filter_map(value).sum())
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
        format!("the end of {}:\n{}", self.log.display(), tail.join("\n"))
    }

    /// What a kubelet does for as long as the pod is not over.
    async fn keep(self: Arc<Self>, client: reqwest::Client) {
        loop {
            if self.gets_started(&client).await {
                self.serves(&client).await;
            }
            *self.ready_since() = None;
            if self.is_over() {
                return;
            }
            self.end();
            sleep(BACK_OFF).await;
            if self.is_over() {
                return;
            }
            self.starts.fetch_add(1, Ordering::SeqCst);
            *self.child() = run(&self.container, &self.log);
        }
    }

    /// Waits for the startup probe; `false` when the container has to be started again.
    async fn gets_started(&self, client: &reqwest::Client) -> bool {
        let mut startup = Watch::new(self.container.spec.startup.as_ref());
        while !self.is_over() && !self.has_ended() {
            match startup.look(self, client).await {
                Some(true) => return true,
                Some(false) if startup.is_lost() => return false,
                _ => sleep(TICK).await,
            }
        }
        false
    }

    /// Asks whether it is ready, and whether it lives, until the container has ended or has to be ended.
    async fn serves(&self, client: &reqwest::Client) {
        let PodSpec { readiness, liveness, .. } = &*self.container.spec;
        let (mut readiness, mut liveness) = (Watch::new(readiness.as_ref()), Watch::new(liveness.as_ref()));
        while !self.is_over() && !self.has_ended() {
            match readiness.look(self, client).await {
                Some(true) => {
                    self.ready_since().get_or_insert_with(Instant::now);
                }
                Some(false) if readiness.is_lost() => *self.ready_since() = None,
                _ => {}
            }
            if liveness.look(self, client).await == Some(false) && liveness.is_lost() {
                return;
            }
            sleep(TICK).await;
        }
    }

    fn has_ended(&self) -> bool {
        self.child().try_wait().expect("a child of ours").is_some()
    }

    /// Ends what is left of it.
    fn end(&self) -> ExitStatus {
        let mut child = self.child();
        // It may be gone already.
        child.kill().ok();
        child.wait().expect("a child of ours")
    }

    fn signal(&self, signal: Signal) {
        let mut child = self.child();
        if child.try_wait().expect("a child of ours").is_none() {
            kill_process(Pid::from_child(&child), signal).expect("a process of ours");
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap()
    }

    fn ready_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.ready_since.lock().unwrap()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A probe at work.
struct Watch<'a> {
    probe: Option<&'a Probe>,
    due: Instant,
    failures: u64,
}

impl<'a> Watch<'a> {
    fn new(probe: Option<&'a Probe>) -> Self {
        Self { probe, due: Instant::now() + probe.map_or(Duration::ZERO, |probe| probe.delay), failures: 0 }
    }

    /// The answer, if it was time to ask. Where there is no probe, all is well.
    async fn look(&mut self, pod: &Pod, client: &reqwest::Client) -> Option<bool> {
        let Some(probe) = self.probe else { return Some(true) };
        if Instant::now() < self.due {
            return None;
        }
        self.due = Instant::now() + probe.period;
        let url = format!("http://{}:{}{}", pod.address, probe.port, probe.path);
        let answer = client.get(url).timeout(probe.timeout).send().await;
        let is_well = answer.is_ok_and(|answer| answer.status().is_success());
        self.failures = if is_well { 0 } else { self.failures + 1 };
        Some(is_well)
    }

    /// Whether there were so many bad answers in a row that they count.
    fn is_lost(&self) -> bool {
        self.probe.is_some_and(|probe| self.failures >= probe.failures)
    }
}

/// Its log, which is continued, is what a container engine would keep.
fn run(container: &Container, log: &Path) -> Child {
    let file = File::options().append(true).create(true).open(log).expect("a log file");
    let mut command = container.command(&container.spec.command);
    command.stdout(file.try_clone().expect("a log file")).stderr(file);
    command.spawn().expect("util-linux has unshare")
}
