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
    #[error("the embedded queue needs a tokio runtime")]
    NoRuntime,
}

impl Error {
    /// What the error asks of the one who meets it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Storage(error) => error.disposition(),
            Self::Closed => Disposition::Retry { after: Duration::ZERO },
            Self::NotJson { .. } | Self::NoRuntime => Disposition::Fatal,
        }
    }

    /// The name used in metric labels.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.label(),
            Self::NotJson { .. } => "not_json",
            Self::Closed => "closed",
            Self::NoRuntime => "no_runtime",
        }
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}
