//! Why a request is not taken.

use crate::DecryptError;

/// A request that is not taken. The variant decides the answer (contract, "Routes"); `why` is for our log and the
/// metric label only, never for the sender. It is one of a few dozen fixed words in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nothing proves that the platform sent it: 401.
    #[error("not authorised: {why}")]
    Unauthorized {
        /// Which check failed.
        why: &'static str,
    },
    /// It is well signed, but there is no sense in it: 400.
    #[error("malformed: {why}")]
    Malformed {
        /// Which check failed.
        why: &'static str,
    },
}

impl Refusal {
    /// A well-formed request whose signature does not fit.
    pub const BAD_SIGNATURE: Self = Self::unauthorized("bad_signature");

    /// A well-signed request whose timestamp is too far from our time: somebody may be repeating it.
    pub const STALE: Self = Self::unauthorized("stale_timestamp");

    /// Which check failed, as a metric label.
    pub const fn why(&self) -> &'static str {
        match self {
            Self::Unauthorized { why } | Self::Malformed { why } => why,
        }
    }

    /// Nothing proves that the platform sent it.
    pub const fn unauthorized(why: &'static str) -> Self {
        Self::Unauthorized { why }
    }

    /// It is well signed, but there is no sense in it.
    pub const fn malformed(why: &'static str) -> Self {
        Self::Malformed { why }
    }
}

impl From<DecryptError> for Refusal {
    fn from(_: DecryptError) -> Self {
        Self::malformed("undecryptable")
    }
}
