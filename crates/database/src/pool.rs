//! Connections at rest, and how they are opened.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::{Connection as _, PgConnection, SqliteConnection, connection::SimpleConnection};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::sync::Semaphore;

use crate::{
    Connection, Error, Result, Synchronous,
    connection::Begin,
    options::{Options, Place},
};

/// How long a statement waits for another process, in milliseconds; within this process the permits keep writers apart.
pub(crate) const BUSY_MILLIS: u32 = 5_000;

/// What a connection of a pool is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
    /// The only one there is: an in-memory database belongs to its connection.
    Only,
    /// One of a server's, for reading and writing.
    Any,
}

/// How long a caller waits for a connection to be opened before it hears that the database is unavailable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool of r2d2 with as many permits as connections in front of it, so that who waits does so without a thread.
pub(crate) struct Pool {
    role: Role,
    connections: r2d2::Pool<Manager>,
    refusal: Refusal,
    pub(crate) permits: Arc<Semaphore>,
    /// See [`Options::patience`].
    pub(crate) patience: Option<Duration>,
}

impl Pool {
    pub(crate) fn new(role: Role, place: Place, options: &Options) -> Arc<Self> {
        let size = if matches!(role, Role::Reader | Role::Any) { options.pool_size.max(1) } else { 1 };
        let refusal = Refusal::default();
        // Opened when first needed, and never closed for age: a connection in memory is its database. Unchecked, since
        // waiting for the first one would freeze while a server starts (sfackler/r2d2 #142). The pool's own threads only open and
        // close connections. Of pools that rest at times there may be one for each tenant's product.
        let idle = options.idle.filter(|idle| role != Role::Only && !idle.is_zero());
        let openers = if idle.is_some() { 1 } else { size.min(3) as usize };
        let opener = ScheduledThreadPool::builder().num_threads(openers).thread_name_pattern("connections-{}").build();
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .max_lifetime(None)
            .idle_timeout(idle)
            .thread_pool(Arc::new(opener))
            .test_on_check_out(false)
            .connection_timeout(CONNECT_TIMEOUT)
            .error_handler(Box::new(refusal.clone()))
            .build_unchecked(Manager::new(role, place, options));
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Arc::new(Self { role, connections, permits, refusal, patience: options.patience })
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// An idle connection, or a new one. Blocks. Who asks holds a permit.
    fn check_out(&self) -> Result<Lease> {
        match self.connections.get() {
            Ok(connection) => Ok(Lease { connection }),
            Err(timeout) => Err(self.refusal.take().map_or_else(|| Error::unavailable(timeout), Error::unavailable)),
        }
    }

    /// An idle connection, or a new one, with a transaction open on it. Connections that a server closed while they were idle
    /// are thrown away on the way. Blocks. Who asks holds a permit.
    pub(crate) fn begin(&self, how: Begin) -> Result<Lease> {
        let mut lost = 0;
        loop {
            let mut lease = self.check_out()?;
            match lease.connection().begin(how) {
                Err(Error::Unavailable(_)) if lost < self.connections.max_size() => {
                    lease.connection.is_lost = true;
                    lost += 1;
                }
                begun => return begun.map(|()| lease),
            }
        }
    }

    /// A connection without a transaction, for start-up.
    pub(crate) fn idle(&self) -> Result<Lease> {
        self.check_out()
    }
}

/// Opens and closes a connection, to hear at once why if it cannot be: the pool would try again for a while.
pub(crate) fn try_place(place: &Place, options: &Options) -> Result<()> {
    let manager = Manager::new(Role::Writer, place.clone(), options);
    match manager.open() {
        // Somebody else is switching the journal at this moment, which no waiting in SQLite covers; the pool comes again.
        Ok(_) | Err(Error::Busy) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Why the last connection could not be opened, which the pool keeps to itself.
#[derive(Debug, Clone, Default)]
struct Refusal(Arc<Mutex<Option<String>>>);

impl Refusal {
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl r2d2::HandleError<Error> for Refusal {
    fn handle_error(&self, error: Error) {
        let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        // libpq's hints follow on lines of their own.
        let first_line = said.lines().next().unwrap_or_default().to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(first_line);
    }
}

/// A connection with what we found out about it.
struct Pooled {
    connection: Connection,
    is_lost: bool,
}

/// Opens connections and tells which are good.
struct Manager {
    role: Role,
    place: Place,
    synchronous: Synchronous,
    goes_by_keys: bool,
}

impl Manager {
    const fn new(role: Role, place: Place, options: &Options) -> Self {
        Self { role, place, synchronous: options.synchronous, goes_by_keys: options.goes_by_keys }
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled> {
        Ok(Pooled { connection: self.open()?, is_lost: false })
    }

    fn is_valid(&self, _: &mut Pooled) -> Result<()> {
        Ok(())
    }

    /// The only connection holds all the data: better a failing one than an empty one.
    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        self.role != Role::Only && (pooled.is_lost || pooled.connection.is_broken())
    }
}

impl Manager {
    fn open(&self) -> Result<Connection> {
        let mut connection = match &self.place {
            Place::Memory => SqliteConnection::establish(":memory:").map_err(Error::unavailable)?,
            Place::File(path) => {
                if self.role == Role::Writer {
                    create_privately(path).map_err(Error::unavailable)?;
                }
                let path = path.to_str().ok_or(Error::Url)?;
                // A bare path: a prefix of its own would make SQLite read `?` and `%` in it as parts of a URI.
                let path = if path.starts_with("file:") { format!("./{path}") } else { path.to_owned() };
                SqliteConnection::establish(&path).map_err(Error::unavailable)?
            }
            Place::Server(url) => {
                let mut connection = PgConnection::establish(url).map_err(Error::unreachable)?;
                connection.batch_execute(SESSION)?;
                if self.goes_by_keys {
                    connection.batch_execute(BY_KEYS)?;
                }
                return Ok(Connection::Postgres(connection));
            }
        };
        connection.batch_execute(&self.pragmas())?;
        Ok(Connection::Sqlite(connection))
    }

    fn pragmas(&self) -> String {
        let synchronous = match self.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        // busy_timeout first: switching to WAL may already have to wait. Checkpoints are far apart (64 MiB of log), since
        // a page that is written again and again before one is copied once. Without a limit the log keeps its greatest
        // size for ever. No mmap: a failing disk would then end the process instead of failing a statement.
        let every = format!(
            "PRAGMA busy_timeout = {BUSY_MILLIS};
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA synchronous = {synchronous};"
        );
        let own = match self.role {
            Role::Writer => {
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864;
                 PRAGMA cache_size = -65536;"
            }
            Role::Reader => "PRAGMA query_only = ON; PRAGMA cache_size = -8192;",
            Role::Only | Role::Any => "",
        };
        every + own
    }
}

/// No statement of ours is slow: what takes longer than this hangs. Who waits for a lock waits for a transaction of ours.
const SESSION: &str = "SET statement_timeout = '60s'; SET lock_timeout = '20s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning";
/// See [`Options::goes_by_keys`].
const BY_KEYS: &str = "SET enable_bitmapscan = off";

/// A connection in use. It goes back when this is dropped.
pub(crate) struct Lease {
    connection: r2d2::PooledConnection<Manager>,
}

impl Lease {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection.connection
    }

    /// After a failure: one that is dead does not go back into the pool.
    pub(crate) fn inspect(&mut self) {
        self.connection.is_lost |= self.connection.connection.is_lost();
    }
}

/// Makes the directories and the file, readable by nobody else; SQLite gives its side files the same mode.
fn create_privately(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    let mut options = OpenOptions::new();
    // One that is there is not opened: closing it again would end all locks that this process has on it.
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Makes a directory and its parents; what is new is for us alone.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
