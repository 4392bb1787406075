//! A directory with a configuration, and the command in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// A tenant with secrets that must never be seen.
pub(crate) const TENANT: &str = r#"
id = "acme"
name = "示例制造"
[wecom]
corp_id = "wwacme"
contact_secret = "canary-contact"
api_base = "http://127.0.0.1:9"
callback_token = "canaryToken"
callback_aes_key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
[[destinations]]
id = "core"
kind = "sqlite"
role = "core"
url = "sqlite://canary-core.db"
"#;

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It went well; its output as JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        serde_json::from_str(&self.out).unwrap()
    }

    /// It was refused with one line, which is returned.
    pub(crate) fn refusal(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        self.err.trim_end()
    }
}

pub(crate) struct Bench {
    directory: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { directory: tempfile::tempdir().unwrap() };
        bench.write(
            "orgbridge.toml",
            "[callback_gateway]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n",
        );
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orgbridge"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::new(&self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_in_chinese(&self, arguments: &[&str]) -> Ended {
        Ended::new(&self.command(arguments).env("LANG", "zh_CN.UTF-8").output().unwrap())
    }

    /// Starts `serve` and waits until it listens.
    pub(crate) fn serve(&self) -> Serving {
        let log = fs::File::create(self.path().join("serve.log")).unwrap();
        let child = self.command(&["serve"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut serving = Serving { child };
        eventually("serve listens", || {
            assert_eq!(serving.child.try_wait().unwrap(), None, "{}", self.log());
            self.listening().is_some()
        });
        serving
    }

    /// What a running `serve` says of where it listens.
    pub(crate) fn listening(&self) -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(self.path().join("data/listening.json")).ok()?).ok()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path().join("serve.log")).unwrap_or_default()
    }
}

/// A `serve` that is killed when the test ends before it.
pub(crate) struct Serving {
    child: Child,
}

impl Serving {
    /// Asks it to stop, as a terminal or a supervisor would; returns its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Looks again and again until it is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
