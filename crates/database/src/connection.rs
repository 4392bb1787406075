//! One connection, whatever the backend.

use diesel::{
    PgConnection, RunQueryDsl, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    r2d2::R2D2Connection,
};

use crate::{Error, Result};

/// One connection to one of the supported backends. Queries use it through [`on_backend!`](crate::on_backend).
pub enum Connection {
    /// SQLite.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    Postgres(PgConnection),
}

/// Runs one expression on whatever backend a `&mut Connection` has: matches the enum and repeats the expression per
/// backend, with diesel's own connection bound to the given name. So upserts and batch inserts, which do not type-check
/// through an enum, are written once.
///
/// ```
/// use database::{Connection, on_backend};
/// use diesel::RunQueryDsl;
///
/// fn vacuum(conn: &mut Connection) -> database::Result<usize> {
///     Ok(on_backend!(conn, c => diesel::sql_query("VACUUM").execute(c))?)
/// }
/// ```
#[macro_export]
macro_rules! on_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::Connection::Sqlite($c) => $body,
            $crate::Connection::Postgres($c) => $body,
        }
    };
}

impl Connection {
    /// Runs `work` in a transaction, or in a savepoint where one is open already: on `Err` only what `work` did is
    /// undone.
    ///
    /// # Errors
    /// Those of `work`, and of opening and closing the transaction.
    pub fn transaction<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.begin(Begin::Nested)?;
        match work(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                self.roll_back()?;
                Err(error)
            }
        }
    }

    /// SQLite's connection, for a schema that lives in SQLite only.
    ///
    /// # Errors
    /// [`Error::Url`] when it is another backend's.
    pub fn sqlite(&mut self) -> Result<&mut SqliteConnection> {
        match self {
            Self::Sqlite(c) => Ok(c),
            Self::Postgres(_) => Err(Error::Url),
        }
    }

    pub(crate) fn begin(&mut self, how: Begin) -> Result<()> {
        let begun = match self {
            Self::Sqlite(c) => match how {
                Begin::Write => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
                Begin::Read | Begin::Nested => AnsiTransactionManager::begin_transaction(c),
            },
            Self::Postgres(c) => match how {
                Begin::Read => {
                    AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                }
                Begin::Write | Begin::Nested => AnsiTransactionManager::begin_transaction(c),
            },
        };
        Ok(begun?)
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        Ok(on_backend!(self, c => AnsiTransactionManager::commit_transaction(c))?)
    }

    fn roll_back(&mut self) -> Result<()> {
        Ok(on_backend!(self, c => AnsiTransactionManager::rollback_transaction(c))?)
    }

    /// Only for the single connection of an in-memory database: all others know by themselves who only reads.
    pub(crate) fn set_query_only(&mut self, on: bool) -> Result<()> {
        let switch = if on { "PRAGMA query_only = ON" } else { "PRAGMA query_only = OFF" };
        match self {
            Self::Sqlite(c) => Ok(c.batch_execute(switch)?),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Whether the other side does not answer any more, or takes nothing. A file always does.
    pub(crate) fn is_lost(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            // A server that became a standby answers, and takes nothing.
            Self::Postgres(c) => !matches!(diesel::sql_query(TAKES_WRITES).execute(c), Ok(1)),
        }
    }

    /// Ends whatever is open, savepoints included: after a panic nobody knows how deep it was.
    pub(crate) fn roll_back_all(&mut self) {
        while self.roll_back().is_ok() {}
    }

    /// Whether it must not be used again: a transaction is still open, or diesel lost track of it.
    pub(crate) fn is_broken(&mut self) -> bool {
        on_backend!(self, c => c.is_broken())
    }
}

const TAKES_WRITES: &str =
    "SELECT 1 WHERE NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'";

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// To write. In SQLite with the write lock taken at once, since a transaction that asks for it later is refused without
    /// waiting.
    Write,
    /// To read one snapshot.
    Read,
    /// As a transaction, or as a savepoint within one.
    Nested,
}
