//! Processes of a round: started, asked whether they are ready, and ended when dropped.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

/// How long one may take to get ready.
const START: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
/// How many lines of a log are shown when something goes wrong.
const SHOWN_LINES: usize = 20;

/// One process. It ends when this is dropped.
pub(super) struct Program {
    pub(super) name: &'static str,
    child: Child,
    admin: u16,
    log: PathBuf,
}

/// What a process is started with.
pub(super) struct Start<'a> {
    /// What results call it.
    pub(super) name: &'static str,
    /// The program.
    pub(super) path: PathBuf,
    /// Lines of its configuration that others do not share: whatever comes after `data_dir`.
    pub(super) config: &'a str,
    /// A variable of its environment, and what it says.
    pub(super) told: Option<(&'static str, &'static str)>,
}

impl Program {
    /// Starts one; its files are in `directory`.
    pub(super) fn start(start: Start<'_>, directory: &Path) -> Result<Self> {
        let Start { name, path, config, told } = start;
        let admin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let data = directory.join(name);
        // Keys of no section come first.
        let config = format!("data_dir = {data:?}\n{config}\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n");
        let file = data.with_extension("toml");
        fs::write(&file, config).with_context(|| file.display().to_string())?;
        let log = data.with_extension("log");
        let child = Command::new(&path)
            .arg("--config")
            .arg(&file)
            .envs(told)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("{} does not start", path.display()))?;
        Ok(Self { name, child, admin, log })
    }

    /// Its id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says that it is ready.
    pub(super) async fn get_ready(&mut self) -> Result<()> {
        let end = Instant::now() + START;
        while !self.is_ready().await {
            self.expect_alive()?;
            ensure!(Instant::now() < end, "{} did not get ready: {}", self.name, self.tail());
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Nobody told it to end.
    pub(super) fn expect_alive(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "{} ended: {}", self.name, self.tail());
        Ok(())
    }

    /// The end of its log.
    pub(super) fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
        format!("the end of its log:\n{}", shown.join("\n"))
    }

    async fn is_ready(&self) -> bool {
        let asked = ask(self.admin).await;
        asked.is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already; there is nobody left to tell.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What an admin server answers. HTTP/1.0: the answer ends with the connection.
async fn ask(admin: u16) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, admin)).await?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A program of this workspace; they were built beside this one.
pub(super) fn path_of(name: &str) -> Result<PathBuf> {
    let this = env::current_exe().context("the path of this program")?;
    Ok(this.with_file_name(name))
}

/// Runs a command of `orgbridge` and returns what it printed.
pub(super) fn command(arguments: &[&str], config: &Path) -> Result<String> {
    let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    all.extend([OsString::from("--config"), config.into()]);
    let output = Command::new(path_of("orgbridge")?).args(all).stdin(Stdio::null()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`orgbridge {}` failed: {errors}", arguments.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}
