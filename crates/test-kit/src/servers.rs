//! RabbitMQ and PostgreSQL, through `scripts/servers`.

mod disturbances;

use std::{
    collections::HashMap,
    env,
    ffi::OsStr,
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tempfile::TempDir;
use uuid::Uuid;

pub use disturbances::{Server, Shutdown};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/servers");
/// `guest:guest`, whom a fresh RabbitMQ has as its administrator, as HTTP wants to see it.
const CREDENTIALS: &str = "Basic Z3Vlc3Q6Z3Vlc3Q=";
/// Asks the script for a small disk for PostgreSQL.
const SMALL_DISK: &str = "ORGBRIDGE_SERVERS_POSTGRES_MEGABYTES";
/// Asks the script for a PostgreSQL of the sizes that it comes with.
const USUAL_SIZES: &str = "ORGBRIDGE_SERVERS_POSTGRES_USUAL";
/// RabbitMQ deletes a virtual host with many queues within that.
const API_PATIENCE: Duration = Duration::from_secs(30);

/// One RabbitMQ and one PostgreSQL. All methods block: those that start something for seconds.
#[derive(Debug)]
pub struct Servers {
    directory: PathBuf,
    amqp: String,
    api: String,
    metrics: String,
    postgres: String,
    /// Of those that a test started for itself: they end with this.
    own: Option<TempDir>,
}

impl Servers {
    /// The servers of this test run: those that `scripts/test` started; where nobody did, a pair that ends with this process.
    /// Nobody kills them.
    ///
    /// # Panics
    /// When there are none and none can be started.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Servers>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            let told = |name: &str| env::var_os(name).and_then(|value| value.into_string().ok());
            Arc::new(
                Self::from_variables(told, None)
                    .unwrap_or_else(|| Self::start_in(temporary_directory().keep(), None, None)),
            )
        });
        Arc::clone(shared)
    }

    /// Starts a pair for one test, which may kill them. They end when this is dropped, or else with this process.
    ///
    /// # Panics
    /// When they cannot be started.
    pub fn start() -> Self {
        let directory = temporary_directory();
        Self::start_in(directory.path().to_owned(), Some(directory), None)
    }

    /// The same for measuring: PostgreSQL has the buffers and the log that it comes with, where tests have smaller ones.
    ///
    /// # Panics
    /// When they cannot be started.
    pub fn start_of_usual_sizes() -> Self {
        let directory = temporary_directory();
        Self::start_in(directory.path().to_owned(), Some(directory), Some((USUAL_SIZES, "yes".to_owned())))
    }

    /// The same, with PostgreSQL on a disk of its own of so many megabytes, at [`Servers::postgres_disk`]. Only root can.
    ///
    /// # Panics
    /// When they cannot be started, or no disk can be mounted.
    pub fn start_on_small_disk(megabytes: u32) -> Self {
        let directory = temporary_directory();
        Self::start_in(directory.path().to_owned(), Some(directory), Some((SMALL_DISK, megabytes.to_string())))
    }

    /// SIGKILL to RabbitMQ.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not end.
    pub fn kill_rabbitmq(&self) {
        self.command_own("kill-rabbitmq");
    }

    /// Starts RabbitMQ again on what it left, and waits until it is ready.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not start.
    pub fn start_rabbitmq(&self) {
        self.command_own("start-rabbitmq");
    }

    /// SIGKILL to PostgreSQL's main process.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not end.
    pub fn kill_postgres(&self) {
        self.command_own("kill-postgres");
    }

    /// Starts PostgreSQL again on what it left, and waits until it is ready.
    ///
    /// # Panics
    /// When the servers are shared, and when it does not start.
    pub fn start_postgres(&self) {
        self.command_own("start-postgres");
    }

    /// What `rabbitmqctl` prints. Unlike the management API it tells of this moment.
    ///
    /// # Panics
    /// When it fails.
    pub fn rabbitmqctl(&self, arguments: &[&str]) -> String {
        let told = [OsStr::new("rabbitmqctl"), self.directory.as_os_str()];
        run(told.into_iter().chain(arguments.iter().map(OsStr::new)))
    }

    /// Asks the management API, such as `GET` and `/api/connections`; returns status and body.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn management(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
        ask(&self.api, method, path, body)
    }

    /// What PostgreSQL logged, errors of statements among it.
    ///
    /// # Panics
    /// When there is no log.
    pub fn postgres_log(&self) -> String {
        let log = fs::read(self.directory.join("postgres/log")).expect("the log of PostgreSQL");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Where RabbitMQ listens.
    ///
    /// # Panics
    /// Never: the script tells addresses.
    pub fn broker(&self) -> SocketAddr {
        let (_, address) = self.amqp.rsplit_once('@').expect("user, password and address");
        address.parse().expect("an address")
    }

    /// Where RabbitMQ tells Prometheus what it counts.
    ///
    /// # Panics
    /// Never: the script tells addresses.
    pub fn rabbitmq_metrics(&self) -> SocketAddr {
        self.metrics.parse().expect("an address")
    }

    /// Where PostgreSQL listens.
    ///
    /// # Panics
    /// Never: the script tells addresses.
    pub fn postgres(&self) -> SocketAddr {
        let (_, address) = self.postgres.rsplit_once('@').expect("user, password and address");
        address.parse().expect("an address")
    }

    /// A virtual host of its own in RabbitMQ.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn vhost(&self) -> Vhost {
        let name = fresh_name();
        let (status, body) =
            self.management("PUT", &format!("/api/vhosts/{name}"), "").expect("RabbitMQ's management API");
        assert_eq!(status, 201, "a virtual host: {body}");
        Vhost { url: format!("{}/{name}", self.amqp), api: self.api.clone(), name }
    }

    /// An empty database of its own in PostgreSQL.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self) -> FreshDatabase {
        let (name, server) = (fresh_name(), format!("{}/postgres", self.postgres));
        let mut connection = PgConnection::establish(&server).expect("PostgreSQL");
        // The other template cannot be copied while somebody is connected to it.
        connection.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).expect("a database");
        FreshDatabase { url: format!("{}/{name}", self.postgres), server, name }
    }

    fn start_in(directory: PathBuf, own: Option<TempDir>, wish: Option<(&str, String)>) -> Self {
        // When this process ends without a word they end, too.
        let process = std::process::id().to_string();
        let mut start = script([OsStr::new("start"), directory.as_os_str(), OsStr::new(&process)]);
        start.envs(wish);
        let printed = printed(start);
        let variables: HashMap<&str, &str> =
            printed.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
        let told = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        Self::from_variables(told, own).expect("scripts/servers says what it started")
    }

    fn from_variables(told: impl Fn(&str) -> Option<String>, own: Option<TempDir>) -> Option<Self> {
        let place = |name: &str| told(name)?.rsplit_once('/').map(|(server, _)| server.to_owned());
        Some(Self {
            directory: told("ORGBRIDGE_TEST_SERVERS")?.into(),
            amqp: place("ORGBRIDGE_TEST_AMQP")?,
            api: told("ORGBRIDGE_TEST_RABBITMQ_API")?,
            metrics: told("ORGBRIDGE_TEST_RABBITMQ_METRICS")?,
            postgres: place("ORGBRIDGE_TEST_POSTGRES")?,
            own,
        })
    }

    fn command_own(&self, command: &str) {
        self.expect_own(command);
        command_in(command, &self.directory);
    }

    fn expect_own(&self, command: &str) {
        assert!(self.own.is_some(), "{command}: these servers are not this test's own");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if self.own.is_some() {
            command_in("remove", &self.directory);
        }
    }
}

/// A virtual host of RabbitMQ, deleted with all its queues when this is dropped.
#[derive(Debug)]
pub struct Vhost {
    url: String,
    name: String,
    api: String,
}

impl Vhost {
    /// `amqp://..`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        // A server that is gone has none any more.
        ask(&self.api, "DELETE", &format!("/api/vhosts/{}", self.name), "").ok();
    }
}

/// A database of PostgreSQL, dropped when this is.
#[derive(Debug)]
pub struct FreshDatabase {
    url: String,
    name: String,
    server: String,
}

impl FreshDatabase {
    /// `postgres://..`
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        // A server that is gone has none any more.
        if let Ok(mut connection) = PgConnection::establish(&self.server) {
            connection.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).ok();
        }
    }
}

fn temporary_directory() -> TempDir {
    tempfile::Builder::new().prefix("orgbridge-servers-").tempdir().expect("a temporary directory")
}

/// Unique among all test processes.
fn fresh_name() -> String {
    format!("test_{}", Uuid::new_v4().simple())
}

fn command_in(command: &str, directory: &Path) {
    run([OsStr::new(command), directory.as_os_str()]);
}

/// Runs the script and returns what it printed.
fn run<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
    printed(script(arguments))
}

fn script<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Command {
    let mut command = Command::new(SCRIPT);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn printed(mut command: Command) -> String {
    let output = command.output().expect("scripts/servers runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn ask(api: &str, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(api)?;
    stream.set_read_timeout(Some(API_PATIENCE))?;
    // HTTP/1.0: the answer comes in one piece and ends with the connection.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nAuthorization: {CREDENTIALS}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("not an answer of HTTP"))?;
    Ok((status, body.to_owned()))
}
