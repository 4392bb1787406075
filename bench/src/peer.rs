//! The gateway that a user would write in Node, from the shared benchmarks.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tests::Bridge;

use crate::{load, output::say};

/// Where it takes callbacks.
pub(crate) const PATH: &str = "/callback/demo";
/// The one queue that it fills.
pub(crate) const QUEUE: &str = "bench.events";

/// What it is made of, below the directory of the shared benchmarks.
const PLACE: &str = "peers/node-gateway";
const FILES: [&str; 3] = ["package.json", "package-lock.json", "server.mjs"];
const START: Duration = Duration::from_secs(30);

/// The gateway with all that it needs, ready to be started.
#[derive(Debug)]
pub(crate) struct Peer {
    directory: PathBuf,
}

/// A gateway that runs. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Peer {
    /// Copies it below `target`, since nothing is written into the shared benchmarks, and installs what it needs, once.
    pub(crate) fn prepare(shared: &Path) -> Result<Self> {
        for program in ["node", "npm"] {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            found.with_context(|| format!("{program} is missing: `apt-get install nodejs npm`"))?;
        }
        let source = shared.join(PLACE);
        let program = env::current_exe()?;
        // target/release/bench
        let target = program.ancestors().nth(2).context("the directory of what is built")?;
        let directory = target.join("bench-peers/node-gateway");
        fs::create_dir_all(&directory)?;
        let is_new = |name: &str| fs::read(source.join(name)).ok() != fs::read(directory.join(name)).ok();
        let must_install = is_new("package-lock.json") || !directory.join("node_modules").is_dir();
        for name in FILES {
            let from = source.join(name);
            let copied = fs::copy(&from, directory.join(name));
            copied.with_context(|| format!("{} cannot be copied; --peers says where it is", from.display()))?;
        }
        if must_install {
            say("installing what the Node gateway needs");
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory).stdout(Stdio::null());
            if !npm.status()?.success() {
                // Else the next run would take half an installation for a whole one.
                fs::remove_file(directory.join("package-lock.json")).ok();
                anyhow::bail!("`npm ci` failed in {}", directory.display());
            }
        }
        Ok(Self { directory })
    }

    /// Starts it as a cluster of two processes, which publish into a virtual host.
    pub(crate) async fn start(&self, amqp: &str) -> Result<Node> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let keys = Bridge::credentials();
        let child = Command::new("node")
            .arg("server.mjs")
            .current_dir(&self.directory)
            .env("PORT", port.to_string())
            .env("WORKERS", "2")
            .env("AMQP_URL", amqp)
            .env("QUEUE", QUEUE)
            .env("QUEUE_TYPE", "quorum")
            .env("WECOM_TOKEN", keys.token)
            .env("WECOM_AES_KEY", keys.aes_key)
            .env("WECOM_CORP_ID", keys.corp_id)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(self.directory.join("log"))?)
            .spawn()
            .context("node does not start")?;
        let mut node = Node { address: (Ipv4Addr::LOCALHOST, port).into(), child };
        let listens = load::until_listening(node.address, START).await;
        listens.with_context(|| format!("see {}", self.directory.join("log").display()))?;
        ensure!(
            node.child.try_wait()?.is_none(),
            "the Node gateway has ended; see its log in {}",
            self.directory.display()
        );
        Ok(node)
    }
}

impl Node {
    /// The process that started the two workers.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Its workers end with it: they notice that nobody speaks to them any more.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
