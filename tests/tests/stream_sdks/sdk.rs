//! An application on an official SDK, as a process.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::Duration,
};

use platform_sim::dingtalk::StreamOptions;
use tempfile::NamedTempFile;
use test_kit::eventually;
use tests::dingtalk::Platform;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// How many lines of its log a failed test shows.
const SHOWN_LINES: usize = 30;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Language {
    Python,
    Node,
}

/// It ends when this is dropped.
pub(crate) struct Sdk {
    /// Ids of the events that it was given.
    told: Arc<Mutex<BTreeSet<String>>>,
    child: Child,
    log: NamedTempFile,
}

impl Sdk {
    /// Starts one that connects to this platform, and acknowledges whatever it is given.
    pub(crate) fn start(language: Language, platform: &Platform) -> Self {
        let (client_id, client_secret) = Platform::credentials();
        let log = NamedTempFile::new().unwrap();
        let mut child = command(language)
            .env("DINGTALK_OPENAPI_ENDPOINT", platform.url())
            .envs([("CLIENT_ID", client_id), ("CLIENT_SECRET", client_secret)])
            .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{language:?} does not start: {error}"));
        let told: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let (output, heard) = (child.stdout.take().unwrap(), Arc::clone(&told));
        thread::spawn(move || listen(output, &heard));
        Self { told, child, log }
    }

    /// Waits until it has told that it was given these events. It acknowledges before its output is written.
    pub(crate) async fn has_told(&self, ids: &BTreeSet<&str>) {
        let told = async || self.told.lock().unwrap().clone();
        let all = |told: &BTreeSet<String>| ids.iter().all(|id| told.contains(*id));
        eventually("what an SDK acknowledged it was given", told, all).await;
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        // It may be gone already.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            let log = fs::read_to_string(self.log.path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            println!("{}", lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"));
        }
    }
}

/// What is unusual at the platform, so that nobody waits for long: what nobody acknowledged comes again soon, and as often as
/// it takes.
pub(crate) fn quick(options: &mut StreamOptions) {
    options.redelivery = vec![Duration::from_secs(1); 100];
    options.linger = Duration::from_secs(1);
    options.ping_every = Some(Duration::from_millis(500));
}

fn command(language: Language) -> Command {
    let folder = installed();
    match language {
        Language::Python => {
            let mut command = Command::new(folder.join("python/bin/python"));
            command.arg(Path::new(ROOT).join("tests/sdks/python/client.py"));
            command
        }
        Language::Node => {
            let mut command = Command::new("node");
            command.args(["--import", "./redirect.mjs", "client.mjs"]).current_dir(folder.join("node"));
            command
        }
    }
}

/// Where the SDKs are; installs them if they are missing.
fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = target.join("sdks");
        let installing = Command::new(Path::new(ROOT).join("scripts/sdks")).arg(&folder).status().unwrap();
        assert!(installing.success(), "scripts/sdks {}", folder.display());
        folder
    })
}

/// Its output: a line `event ID TYPE` for each event, and others.
fn listen(output: ChildStdout, told: &Mutex<BTreeSet<String>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(event) = line.strip_prefix("event ") {
            told.lock().unwrap().extend(event.split(' ').next().map(str::to_owned));
        }
    }
}
