//! What can go wrong behind the door.

use std::time::Duration;

use common::Disposition;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What the functions of this crate, and most queries, return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the database, sorted by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, opened or written just now: file, disk or connection.
    #[error("the database is unavailable")]
    Unavailable(#[source] Cause),
    /// Somebody else held its lock longer than we wait.
    #[error("the database is busy")]
    Busy,
    /// A row breaks a rule of the schema.
    #[error("a {} constraint of the database is violated", kind.as_str())]
    Constraint {
        /// Which sort of rule.
        kind: Constraint,
        /// What the database says; it names tables and columns, never values.
        #[source]
        source: DieselError,
    },
    /// The work panicked; its transaction was rolled back.
    #[error("work on the database panicked")]
    Panicked,
    /// The address is not one that this program can open.
    #[error("the database URL must be sqlite://PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE")]
    Url,
    /// The schema was written by a later release than this one.
    #[error("the database has migration {version}, which this program does not know: it is newer than the program")]
    Newer {
        /// The first migration that is unknown here.
        version: String,
    },
    /// A migration failed; nothing of it, nor of those that ran with it, was kept.
    #[error("migration {name} failed")]
    Migration {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The database refused it for a reason that we do not know: it may pass.
    #[error("the database refused a query")]
    Refused(#[source] DieselError),
    /// Any other failure of a query: a fault of ours, or a row that is not there.
    #[error("a query failed")]
    Query(#[source] DieselError),
}

/// The sorts of schema rules that a row can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// A primary key or another unique index.
    Unique,
    /// A reference to a row that is not there, or from one that still is.
    ForeignKey,
    /// A column that must have a value.
    NotNull,
    /// A condition of the table.
    Check,
}

impl Constraint {
    /// The name used in messages and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign_key",
            Self::NotNull => "not_null",
            Self::Check => "check",
        }
    }
}

impl Error {
    /// What the error asks of the one who meets it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unavailable(_) | Self::Busy | Self::Refused(_) => Disposition::Retry { after: Duration::ZERO },
            _ => Disposition::Fatal,
        }
    }

    /// The name used in metric labels.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Busy => "busy",
            Self::Refused(_) => "refused",
            Self::Constraint { .. } => "constraint",
            Self::Panicked => "panicked",
            Self::Url => "url",
            Self::Newer { .. } => "newer",
            Self::Migration { .. } => "migration",
            Self::Query(_) => "query",
        }
    }

    /// The rule that was broken, if that is what went wrong.
    pub const fn constraint(&self) -> Option<Constraint> {
        match self {
            Self::Constraint { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// A server that cannot be reached, or does not let us in. libpq's message names host, user and reason, never a password.
    pub(crate) fn unreachable(cause: diesel::ConnectionError) -> Self {
        Self::Unavailable(cause.into())
    }

    pub(crate) fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::unavailable(error),
                other => Self::Query(other),
            };
        };
        let kind = match kind {
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ExclusionViolation => Constraint::Unique,
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Constraint::ForeignKey,
            DatabaseErrorKind::NotNullViolation => Constraint::NotNull,
            DatabaseErrorKind::CheckViolation => Constraint::Check,
            // A server that is read-only is a standby: a fail-over is under way.
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction => return Self::unavailable(error),
            DatabaseErrorKind::SerializationFailure => return Self::Busy,
            _ => {
                return match says(information.message()) {
                    Condition::Locked => Self::Busy,
                    Condition::Fault => Self::Query(error),
                    Condition::Storage => Self::unavailable(error),
                    Condition::Other => Self::Refused(error),
                };
            }
        };
        Self::Constraint { kind, source: error }
    }
}

enum Condition {
    /// Somebody else held a lock for too long.
    Locked,
    /// The statement or its values are to blame, and will be again.
    Fault,
    /// It cannot write, or not work at all, at the moment.
    Storage,
    /// Whatever else there is.
    Other,
}

/// diesel keeps what a server says but not its code, so fixed texts have to do. What is not known, as from a server that speaks
/// another language, counts as passing: a fault that never passes holds something up and is seen, while an outage that is
/// taken for a fault makes dead letters of what is good.
fn says(message: &str) -> Condition {
    const LOCKED: [&str; 5] = [
        "database is locked",
        "database table is locked",
        "deadlock detected",
        "canceling statement due to",
        "could not obtain lock",
    ];
    const FAULTS: [&str; 14] = [
        "no such ",
        "near \"",
        "incomplete input",
        "too many SQL variables",
        "too many terms",
        "datatype mismatch",
        "string or blob too big",
        "table ",
        "attempt to write a readonly database",
        "syntax error",
        "invalid byte sequence",
        "invalid input syntax",
        "value too long",
        "index row ",
    ];
    const STORAGE: [&str; 13] = [
        "disk I/O error",
        "database or disk is full",
        "unable to open database file",
        "could not extend file",
        "could not write",
        "could not read",
        "could not open",
        "could not fsync",
        "could not access status of transaction",
        "out of memory",
        "out of shared memory",
        "terminating connection",
        "the database system is",
    ];
    let is_one_of = |texts: &[&str]| texts.iter().any(|text| message.starts_with(text));
    if is_one_of(&LOCKED) {
        Condition::Locked
    } else if is_one_of(&STORAGE) || message.contains("No space left on device") {
        Condition::Storage
    } else if is_one_of(&FAULTS) {
        Condition::Fault
    } else {
        Condition::Other
    }
}
