//! What can go wrong at the queue.

use std::{sync::Arc, time::Duration};

use common::Disposition;

/// What the functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the queue. Whether messages were stored is then unknown: who publishes them again may double them.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The storage below the queue failed. Shared, since one failed write answers everybody who waited for it.
    #[error("the queue's storage failed")]
    Storage(#[source] Arc<database::Error>),
    /// A payload is not one JSON document; nothing of the call was stored.
    #[error("message {index} is not a JSON document")]
    NotJson {
        /// Its place in the call, from 0.
        index: usize,
    },
    /// The queue was closed, or its task died.
    #[error("the queue is closed")]
    Closed,
    /// The queue was opened outside of a runtime, so nothing can work for it.
    #[error("the queue needs a tokio runtime")]
    NoRuntime,
    /// There is no connection to the broker, or it was lost before the answer.
    #[error("the broker cannot be reached")]
    Unavailable,
    /// The broker is short of memory or disk and takes nothing at the moment.
    #[error("the broker is short of memory or disk and takes nothing")]
    Blocked,
    /// The broker did not say in time that it keeps the messages.
    #[error("the broker did not confirm in time")]
    Unconfirmed,
    /// A message found no queue. The queues are declared again before the next one.
    #[error("the broker has no queue for a message")]
    Unroutable,
    /// A queue of the broker is full.
    #[error("a queue of the broker is full")]
    Full,
    /// The broker refused what it was asked for, such as a queue that exists already with other arguments.
    #[error("the broker refused a request")]
    Refused(#[source] Arc<lapin::Error>),
    /// The URL of the broker cannot be understood. It is not shown, since it holds a password.
    #[error("the URL of the broker is not a valid amqp:// or amqps:// URL")]
    BadUrl,
    /// A namespace or a lane has no name, or one that is too long for the name of a queue.
    #[error("a namespace or lane must have 1 to 100 bytes")]
    BadName,
}

impl Error {
    /// What the error asks of the one who meets it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Storage(error) => error.disposition(),
            Self::Closed
            | Self::Unavailable
            | Self::Blocked
            | Self::Unconfirmed
            | Self::Unroutable
            | Self::Full
            | Self::Refused(_) => Disposition::Retry { after: Duration::ZERO },
            Self::NotJson { .. } | Self::NoRuntime | Self::BadUrl | Self::BadName => Disposition::Fatal,
        }
    }

    /// The name used in metric labels.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.label(),
            Self::NotJson { .. } => "not_json",
            Self::Closed => "closed",
            Self::NoRuntime => "no_runtime",
            Self::Unavailable => "unavailable",
            Self::Blocked => "blocked",
            Self::Unconfirmed => "unconfirmed",
            Self::Unroutable => "unroutable",
            Self::Full => "full",
            Self::Refused(_) => "refused",
            Self::BadUrl => "bad_url",
            Self::BadName => "bad_name",
        }
    }
}

/// An error with its causes, for logs: as JSON they show the outermost alone.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}
