//! wrk, which sends as much as it can for a while.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

const SCRIPT: &str = include_str!("replay.lua");

/// What wrk counted.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Counted {
    /// Requests that were answered, with whatever status.
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    pub(crate) millis_50: f64,
    pub(crate) millis_90: f64,
    pub(crate) millis_99: f64,
    pub(crate) millis_999: f64,
    /// Answers with a status of 400 or more.
    pub(crate) refused: usize,
    pub(crate) broken: usize,
    pub(crate) timed_out: usize,
}

/// How wrk is run.
#[derive(Debug, Clone)]
pub(crate) struct Wrk {
    script: PathBuf,
    lines: PathBuf,
    connections: usize,
}

impl Wrk {
    /// With the lines of a file; its script is put beside that.
    ///
    /// # Errors
    /// When there is no wrk.
    pub(crate) fn new(lines: &Path, connections: usize) -> Result<Self> {
        let found = Command::new("wrk").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.context("wrk is missing: `apt-get install wrk`")?;
        let script = lines.with_extension("lua");
        fs::write(&script, SCRIPT)?;
        Ok(Self { script, lines: lines.to_owned(), connections })
    }

    /// The file that it takes its lines from.
    pub(crate) fn lines(&self) -> &Path {
        &self.lines
    }

    /// Posts to a path of a server for so many seconds, from one thread.
    pub(crate) async fn run(&self, address: SocketAddr, path: &str, seconds: u64) -> Result<Counted> {
        let mut command = Command::new("wrk");
        command.args(["-t1", &format!("-c{}", self.connections), &format!("-d{seconds}s"), "--timeout", "10s", "-s"]);
        command.arg(&self.script).arg(format!("http://{address}"));
        command.env("REQ_FILE", &self.lines).env("REQ_PATH", path).stdin(Stdio::null());
        // Waited for here: its processor time then counts with that of children that ended.
        let output = spawn_blocking(move || command.output()).await?.context("wrk does not run")?;
        let said = String::from_utf8_lossy(&output.stdout);
        match said.lines().find_map(|line| line.strip_prefix("RESULT ")) {
            Some(counted) => serde_json::from_str(counted).with_context(|| format!("wrk said {counted}")),
            None => bail!("wrk failed: {said}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}
