//! What can go wrong with a call.

use std::{net::IpAddr, sync::Arc, time::Duration};

use common::{Disposition, Reason};

use super::{Code, Kind, Meaning, code::RECHECK};

/// A call that brought no answer to what was asked. Its text holds no secret, no token, and nothing that the platform
/// wrote but a return code and the address that it saw us come from.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The platform answered with a return code that is not 0.
    #[error("{api}: WeCom answered {code}, {}{}", .code.text(), seen_at_text(.seen_at))]
    Answered {
        /// The interface, such as `user/get`; `gettoken` when there was no token to call another with.
        api: &'static str,
        /// The return code.
        code: Code,
        /// What the code asks for.
        meaning: Meaning,
        /// The address that the platform saw us come from, where that is what it refuses.
        seen_at: Option<IpAddr>,
    },
    /// Only the secret of an app may read this, and there is none.
    #[error("{api}: without the secret of an app this cannot be read")]
    Unreadable {
        /// The interface.
        api: &'static str,
    },
    /// The answer is larger than we want to hear: ask for less.
    #[error("{api}: the answer is too large")]
    TooLarge {
        /// The interface.
        api: &'static str,
    },
    /// Nothing that says what happened came back.
    #[error("{api}: WeCom gave no answer")]
    Transport {
        /// The interface.
        api: &'static str,
        /// What happened instead.
        source: Arc<outbound::Error>,
    },
    /// The answer's HTTP status is not 200, which the platform answers failures with too (reference wecom 3.1).
    #[error("{api}: the answer has HTTP status {status}")]
    Status {
        /// The interface.
        api: &'static str,
        /// The status.
        status: u16,
    },
    /// The answer is no JSON object with a return code that can be read: somebody else answered.
    #[error("{api}: the answer is not one of WeCom's")]
    Foreign {
        /// The interface.
        api: &'static str,
    },
    /// The platform says that all went well, and what was asked for is not in the answer.
    #[error("{api}: what was asked for is missing in WeCom's answer, or cannot be read")]
    Incomplete {
        /// The interface.
        api: &'static str,
    },
    /// Nothing was sent: the platform refuses calls of this interface for a while.
    #[error("{api}: WeCom refuses calls for {} more seconds", .after.as_secs())]
    Closed {
        /// The interface.
        api: &'static str,
        /// For how long.
        after: Duration,
    },
}

impl ApiError {
    /// The interface that was called. `gettoken` when it was a token that could not be had.
    pub const fn api(&self) -> &'static str {
        match self {
            Self::Answered { api, .. }
            | Self::Unreadable { api }
            | Self::TooLarge { api }
            | Self::Transport { api, .. }
            | Self::Status { api, .. }
            | Self::Foreign { api }
            | Self::Incomplete { api }
            | Self::Closed { api, .. } => api,
        }
    }

    /// What the platform's return code asks for, if it gave one.
    pub const fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Answered { meaning, .. } => Some(*meaning),
            Self::TooLarge { .. } => Some(Meaning::Permanent(Kind::TooLarge)),
            _ => None,
        }
    }

    /// Why the same call will get the same answer, if it will.
    pub const fn kind(&self) -> Option<Kind> {
        match self.meaning() {
            Some(Meaning::Permanent(kind)) => Some(kind),
            _ => None,
        }
    }

    /// What to do about it. The client itself has repeated what may be repeated.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Answered { meaning, .. } => meaning.disposition(),
            Self::Unreadable { .. } | Self::TooLarge { .. } => {
                Disposition::Reject { reason: Reason::RejectedByDestination }
            }
            Self::Transport { source, .. } => match (&**source, source.disposition()) {
                (_, Disposition::Fatal) => Disposition::Fatal,
                (outbound::Error::Refused(_), _) => Disposition::Retry { after: RECHECK },
                _ => Disposition::Retry { after: Duration::ZERO },
            },
            Self::Status { status, .. } if is_passing(*status) => Disposition::Retry { after: Duration::ZERO },
            Self::Status { .. } | Self::Foreign { .. } | Self::Incomplete { .. } => {
                Disposition::Retry { after: RECHECK }
            }
            Self::Closed { after, .. } => Disposition::Retry { after: *after },
        }
    }

    /// Whether the platform refuses or cannot be reached, so that nothing follows for what was asked about: meanwhile
    /// the clocks of patience stand still. It is false for what concerns this one question, and for an identity that
    /// may not ask it.
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Answered { meaning, .. } => {
                matches!(meaning, Meaning::Retry | Meaning::Renew | Meaning::Wait { .. } | Meaning::Outage)
            }
            Self::Transport { .. } | Self::Status { .. } | Self::Foreign { .. } | Self::Closed { .. } => true,
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Incomplete { .. } => false,
        }
    }

    /// A word for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Answered { meaning, .. } => meaning.label(),
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too_large",
            Self::Transport { source, .. } => source.label(),
            Self::Status { .. } => "http_status",
            Self::Foreign { .. } => "foreign",
            Self::Incomplete { .. } => "incomplete",
            Self::Closed { .. } => "closed",
        }
    }

    /// Whether a repetition within seconds may bring an answer.
    pub(crate) fn may_pass_soon(&self) -> bool {
        match self {
            Self::Answered { meaning, .. } => *meaning == Meaning::Retry,
            Self::Transport { source, .. } => {
                matches!(**source, outbound::Error::Connect(_) | outbound::Error::Timeout | outbound::Error::Broken(_))
            }
            Self::Status { status, .. } => is_passing(*status),
            _ => false,
        }
    }

    /// Whether the token is to blame.
    pub(crate) fn blames_token(&self) -> bool {
        self.meaning() == Some(Meaning::Renew)
    }
}

/// A gateway of the platform that cannot go on for now.
const fn is_passing(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 429)
}

fn seen_at_text(seen_at: &Option<IpAddr>) -> String {
    seen_at.map(|address| format!(" ({address})")).unwrap_or_default()
}
