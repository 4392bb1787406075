//! What can go wrong between us and the other side.

use std::{error::Error as StdError, io, time::Duration};

use common::{Disposition, Reason};

use crate::Refusal;

/// A request that brought no whole answer. Its text names a host at most: paths and queries of URLs hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may not be connected to; nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The name could not be resolved or nobody answers there.
    #[error("cannot connect")]
    Connect(#[source] reqwest::Error),
    /// No whole answer in time. The request may have arrived.
    #[error("no answer in time")]
    Timeout,
    /// The other side could not prove who it is, or speaks no TLS of ours.
    #[error("TLS: {0}")]
    Tls(String),
    /// The answer is larger than we want to hear. The status is known all the same.
    #[error("the answer ({status}) is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The status of the answer.
        status: u16,
        /// The most that is read.
        limit_bytes: usize,
    },
    /// The connection broke, or what came back is not HTTP. The request may have arrived.
    #[error("the connection failed during the request")]
    Broken(#[source] reqwest::Error),
    /// The client cannot be built: a fault of the installation.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
}

impl Error {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Setup(_) => Disposition::Fatal,
            Self::Refused(Refusal::NoUrl | Refusal::Scheme | Refusal::NoHost | Refusal::Credentials) => {
                Disposition::Reject { reason: Reason::RejectedByDestination }
            }
            _ => Disposition::Retry { after: Duration::ZERO },
        }
    }

    /// A word for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Connect(_) => "connect",
            Self::Timeout => "timeout",
            Self::Tls(_) => "tls",
            Self::TooLarge { .. } => "too_large",
            Self::Broken(_) => "broken",
            Self::Setup(_) => "setup",
        }
    }

    /// Sorts what the HTTP client says, after taking the URL out of it.
    pub(crate) fn from_reqwest(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(refusal) = find::<Refusal>(&error) {
            return Self::Refused(refusal.clone());
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if let Some(tls) = find::<rustls::Error>(&error) {
            return Self::Tls(tls.to_string());
        }
        if error.is_connect() { Self::Connect(error) } else { Self::Broken(error) }
    }
}

/// The first cause of type `T`. An `io::Error` is looked into: it skips what it wraps when asked for its source.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next: Option<&'a (dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}
