//! A real `orgbridge serve` in a process of its own, which can be killed and started again on the same data.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;

/// The tenant's WeCom side.
const CORP_ID: &str = "wwbridge0000demo01";
const TOKEN: &str = "BridgeTok2026A";
const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
/// The OA's own pair.
const OA_TOKEN: &str = "OaOwnToken01";
const OA_AES_KEY: &str = "T7ty8RU9eI0wO1qP2gG3Fh4Dj5sK6aL7zX8cV9bN0m3";

/// What is different from one test to the next.
#[derive(Debug, Default, Clone)]
pub struct Setup {
    /// Address of an OA that is relayed to.
    pub oa: Option<String>,
    /// Further lines of `orgbridge.toml`.
    pub config: String,
}

/// A data directory, a configuration, and perhaps a running process.
pub struct Bridge {
    directory: TempDir,
    gateway: u16,
    admin: u16,
    process: Option<Child>,
}

impl Bridge {
    /// Writes configuration and tenant file and starts the process; it is ready when this returns.
    ///
    /// # Panics
    /// When it does not get ready.
    pub async fn start(setup: &Setup) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut bridge = Self { directory, gateway: free_port(), admin: free_port(), process: None };
        let tenants = bridge.path().join("tenants");
        fs::create_dir_all(&tenants).expect("a directory for tenants");
        fs::write(tenants.join("acme.toml"), bridge.tenant_file(setup)).expect("a tenant file");
        fs::write(bridge.path().join("orgbridge.toml"), bridge.config(setup)).expect("a configuration");
        bridge.launch().await;
        bridge
    }

    /// Starts the process on what is there.
    ///
    /// # Panics
    /// When it does not get ready.
    pub async fn launch(&mut self) {
        let log = fs::File::options().append(true).create(true).open(self.path().join("log")).expect("a log file");
        let process = Command::new(binary())
            .args(["serve", "--config"])
            .arg(self.path().join("orgbridge.toml"))
            .current_dir(self.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("orgbridge starts");
        self.process = Some(process);
        let url = format!("http://127.0.0.1:{}/readyz", self.admin);
        for _ in 0..600 {
            if http().get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("orgbridge did not get ready:\n{}", self.log());
    }

    /// SIGKILL.
    ///
    /// # Panics
    /// When there is no process.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("a running process");
        process.kill().expect("killed");
        process.wait().expect("waited for");
    }

    /// Runs a command against the same data and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = Command::new(binary())
            .args(arguments)
            .arg("--config")
            .arg(self.path().join("orgbridge.toml"))
            .current_dir(self.path())
            .output()
            .expect("orgbridge runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// The callback URL of the tenant.
    pub fn callback_url(&self) -> String {
        format!("http://127.0.0.1:{}/callback/wecom/acme", self.gateway)
    }

    /// The admin server's metrics.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.admin);
        http().get(url).send().await.expect("metrics").text().await.expect("text")
    }

    /// The core product's database.
    pub fn core(&self) -> PathBuf {
        self.path().join("core.db")
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

    /// What the process logged, over all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// The process's id while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn config(&self, setup: &Setup) -> String {
        let Self { gateway, admin, .. } = self;
        format!(
            "data_dir = \"{data}\"\ntenants_dir = \"{tenants}\"\n\
             [callback_gateway]\nlisten = \"127.0.0.1:{gateway}\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n\
             [database]\nurl = \"sqlite://{data}/orgbridge.db\"\n[secrets]\nmaster_key = {{ file = \"{data}/master.key\" }}\n\
             [sink]\nallowed_networks = [\"127.0.0.0/8\"]\n{extra}\n",
            data = self.path().join("data").display(),
            tenants = self.path().join("tenants").display(),
            extra = setup.config,
        )
    }

    fn tenant_file(&self, setup: &Setup) -> String {
        let core = self.core();
        let mut file = format!(
            "id = \"acme\"\nname = \"示例制造有限公司\"\n\
             [wecom]\ncorp_id = \"{CORP_ID}\"\ncontact_secret = \"unused\"\n\
             callback_token = \"{TOKEN}\"\ncallback_aes_key = \"{AES_KEY}\"\n\
             [[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"sqlite://{}\"\nrole = \"core\"\n",
            core.display()
        );
        if let Some(url) = &setup.oa {
            file += &format!(
                "[[destinations]]\nid = \"oa\"\nkind = \"wecom-callback\"\nurl = \"{url}\"\n\
                 token = \"{OA_TOKEN}\"\naes_key = \"{OA_AES_KEY}\"\nreceive_id = \"{CORP_ID}\"\n"
            );
        }
        file
    }
}

impl Drop for Bridge {
    #[expect(clippy::print_stderr, reason = "a failed test shows what the process logged last")]
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may be gone already; there is nobody left to tell.
            process.kill().ok();
            process.wait().ok();
        }
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            eprintln!("the end of the log:\n{}", tail.join("\n"));
        }
    }
}

/// A client for the admin server. Its pool is not shared between tests, which have runtimes of their own.
fn http() -> reqwest::Client {
    // Whoever was first installed the same one.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::new()
}

/// A port that was free a moment ago. It stays the same over restarts, as a platform expects of a callback address.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The command, built once per test run with the profile of the tests.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let tests = std::env::current_exe().expect("the path of this test");
        let profile = tests.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
        let release = profile.ends_with("release").then_some("--release");
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--package", "orgbridge", "--bin", "orgbridge"])
            .args(release)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(cargo.success(), "orgbridge does not build");
        profile.join("orgbridge")
    })
}
