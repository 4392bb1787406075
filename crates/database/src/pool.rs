//! Connections at rest, and how they are opened.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
    sync::Arc,
    time::Duration,
};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Connection, Error, Result, Synchronous,
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
}

/// How long a caller waits for a connection to be opened before it hears that the database is unavailable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool of r2d2 with as many permits as connections in front of it, so that who waits does so without a thread.
pub(crate) struct Pool {
    role: Role,
    connections: r2d2::Pool<Manager>,
    pub(crate) permits: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(role: Role, place: Place, options: &Options) -> Arc<Self> {
        let size = if role == Role::Reader { options.pool_size.max(1) } else { 1 };
        // Opened when first needed, and never closed for age: a connection in memory is its database. Unchecked, since
        // waiting for the first one would freeze while a server starts (sfackler/r2d2 #142).
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .connection_timeout(CONNECT_TIMEOUT)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Manager { role, place, synchronous: options.synchronous });
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Arc::new(Self { role, connections, permits })
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// An idle connection, or a new one. Blocks.
    pub(crate) fn check_out(&self, permit: OwnedSemaphorePermit) -> Result<Lease> {
        let connection = self.connections.get().map_err(Error::unavailable)?;
        Ok(Lease { connection, _permit: permit })
    }
}

/// Opens and closes a connection, to hear at once why if it cannot be: the pool would try again for a while.
pub(crate) fn try_place(place: &Place, options: &Options) -> Result<()> {
    let manager = Manager { role: Role::Writer, place: place.clone(), synchronous: options.synchronous };
    match manager.open() {
        // Somebody else is switching the journal at this moment, which no waiting in SQLite covers; the pool comes again.
        Ok(_) | Err(Error::Busy) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens connections and tells which are good.
struct Manager {
    role: Role,
    place: Place,
    synchronous: Synchronous,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Connection;
    type Error = Error;

    fn connect(&self) -> Result<Connection> {
        self.open()
    }

    fn is_valid(&self, _: &mut Connection) -> Result<()> {
        Ok(())
    }

    /// The only connection holds all the data: better a failing one than an empty one.
    fn has_broken(&self, connection: &mut Connection) -> bool {
        self.role != Role::Only && connection.is_broken()
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
            Role::Only => "",
        };
        every + own
    }
}

/// A connection in use. It goes back when this is dropped, and the permit after it.
pub(crate) struct Lease {
    connection: r2d2::PooledConnection<Manager>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Makes the directories and the file, readable by nobody else; SQLite gives its side files the same mode.
fn create_privately(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Makes a directory and its parents; what is new is for us alone.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
