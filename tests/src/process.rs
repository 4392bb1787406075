//! One process, which can be killed and started again on the same data.

use std::{
    ffi::OsString,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::programs;

const PAUSE: Duration = Duration::from_millis(50);
/// As `scripts/servers` has them; Linux gives those from 32,768 on to connections.
const PORTS: Range<u16> = 10_240..32_000;
/// How long one may take to get ready.
const START: Duration = Duration::from_secs(60);
/// How long one may take to get ready while what it needs comes and goes.
const SUPERVISION: Duration = Duration::from_secs(180);
/// How long one may take to end after SIGTERM.
const STOP: Duration = Duration::from_secs(25);
/// How long it may take until one passes a point at which it is to crash.
const CRASH: Duration = Duration::from_secs(60);
/// Tells one where: see `service/src/crash.rs`.
const CRASH_AT: &str = "ORGBRIDGE_CRASH_AT";

/// One process of ours, or one that is to run. It is killed when this is dropped.
pub struct Process {
    name: String,
    program: &'static str,
    arguments: Vec<OsString>,
    /// Where it works, and where its log is.
    directory: PathBuf,
    admin: u16,
    /// Where it is to crash in its next life.
    crash_at: Option<String>,
    child: Option<Child>,
}

impl Process {
    /// One that does not run yet. It works in `directory`, where its log goes too, under its name; its admin server is to listen on that
    /// port.
    pub fn new(name: String, program: &'static str, arguments: Vec<OsString>, directory: &Path, admin: u16) -> Self {
        Self { name, program, arguments, directory: directory.to_owned(), admin, crash_at: None, child: None }
    }

    /// The program that it is of.
    pub const fn program(&self) -> &'static str {
        self.program
    }

    /// Its id while it is to run.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where its admin server listens.
    pub fn admin(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.admin).into()
    }

    /// Starts it, unless it runs already. Its log is continued.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        if self.child.is_some() {
            return;
        }
        let log = self.directory.join(&self.name).with_extension("log");
        let log = File::options().append(true).create(true).open(log).expect("a log file");
        let child = Command::new(programs::path(self.program))
            .args(&self.arguments)
            .envs(self.crash_at.take().map(|place| (CRASH_AT, place)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
    }

    pub(crate) async fn get_ready(&mut self, client: &reqwest::Client) {
        let end = Instant::now() + START;
        while !self.is_ready(client).await {
            assert!(!self.has_ended(), "{} ended instead of getting ready", self.name);
            assert!(Instant::now() < end, "{} did not get ready", self.name);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Starts it, unless it runs already, and again whenever it ends before it is ready. Returns how often that was.
    pub(crate) async fn start_until_ready(&mut self, client: &reqwest::Client) -> usize {
        if self.child.is_some() {
            return 0;
        }
        let end = Instant::now() + SUPERVISION;
        let mut ended = 0;
        self.start();
        while !self.is_ready(client).await {
            if self.has_ended() {
                self.child = None;
                ended += 1;
                self.start();
            }
            assert!(Instant::now() < end, "{} did not get ready, though it was started {ended} times more", self.name);
            tokio::time::sleep(PAUSE).await;
        }
        ended
    }

    /// Whether it says that it is ready.
    pub async fn is_ready(&self, client: &reqwest::Client) -> bool {
        self.readiness(client).await.is_some_and(|(status, _)| status.is_success())
    }

    /// What it says of its readiness: status and words. Nothing while it does not answer.
    pub async fn readiness(&self, client: &reqwest::Client) -> Option<(reqwest::StatusCode, String)> {
        let answer = client.get(format!("http://{}/readyz", self.admin())).send().await.ok()?;
        Some((answer.status(), answer.text().await.ok()?))
    }

    /// Whether it ended though nobody told it to.
    ///
    /// # Panics
    /// Never: it is a child of ours.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a child of ours").is_some())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("a running process");
        child.kill().expect("killed");
        child.wait().expect("waited for");
    }

    /// Starts it, killed first if it runs, so that it crashes at `place`, and waits until it has.
    pub(crate) async fn crash_at(&mut self, place: &str) {
        if self.child.is_some() {
            self.kill();
        }
        self.crash_at = Some(place.to_owned());
        self.start();
        let child = self.child.as_mut().expect("a process that was started");
        let end = Instant::now() + CRASH;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                break status;
            }
            assert!(Instant::now() < end, "{} did not come to {place} within {CRASH:?}", self.name);
            tokio::time::sleep(PAUSE).await;
        };
        self.child = None;
        let crashed = status.signal() == Some(Signal::KILL.as_raw());
        assert!(crashed, "{} was to crash at {place} and ended with {status}", self.name);
    }

    /// Another signal, after which it lives on.
    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("a running process");
        kill_process(Pid::from_child(child), signal).expect("a process of ours");
    }

    /// SIGTERM; it must end by itself, and well.
    ///
    /// # Panics
    /// When it does not run, and when it does not end as it should.
    pub async fn stop(&mut self) {
        let child = self.child.as_mut().expect("a running process");
        kill_process(Pid::from_child(child), Signal::TERM).expect("told to stop");
        let end = Instant::now() + STOP;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                break status;
            }
            assert!(Instant::now() < end, "{} did not stop within {STOP:?}", self.name);
            tokio::time::sleep(PAUSE).await;
        };
        self.child = None;
        assert!(status.success(), "{} stopped with {status}", self.name);
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join(&self.name).with_extension("log")).unwrap_or_default()
    }

    /// What it counts; nothing while it does not run.
    pub async fn metrics(&self, client: &reqwest::Client) -> String {
        match client.get(format!("http://{}/metrics", self.admin())).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already; there is nobody left to tell.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A port that was free a moment ago. It stays the same over restarts, as a platform expects of a callback address. It is below those
/// that the system gives to whoever connects: otherwise a connection could take it before the program that it is for, or between
/// two starts of that.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // Tests that run at the same time begin far from each other.
    let first = std::process::id().wrapping_mul(977);
    let ports = std::iter::repeat_with(|| {
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        PORTS.start
            + u16::try_from(first.wrapping_add(asked) % u32::from(PORTS.end - PORTS.start)).expect("below 65,536")
    });
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.take(usize::from(PORTS.end - PORTS.start)).find(is_free).expect("a free port")
}
