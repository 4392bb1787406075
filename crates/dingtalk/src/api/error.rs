//! What can go wrong with a call.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use common::{Disposition, Reason, UnixMillis};

use super::{Code, Kind, Meaning, code::RECHECK, token::gives_tokens};

/// A call that brought no answer to what was asked. Its text holds no secret, no token, and nothing that the platform
/// wrote but a return code, the address that it saw us come from, and the names of permissions.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The platform answered with a return code.
    #[error("{api}: DingTalk answered {code}, {}{detail}", .code.text())]
    Answered {
        /// The interface, such as `topapi/v2/user/get`; that of tokens when there was none to call another with.
        api: &'static str,
        /// The return code.
        code: Code,
        /// What the code asks for.
        meaning: Meaning,
        /// What a person needs to know to mend it.
        detail: Detail,
        /// The platform's time at which the call began, as of an [`Answer`](super::Answer): so it was at this moment or later.
        asked_at: UnixMillis,
    },
    /// The answer is larger than we want to hear: ask for less.
    #[error("{api}: the answer is too large")]
    TooLarge {
        /// The interface.
        api: &'static str,
    },
    /// Nothing that says what happened came back.
    #[error("{api}: DingTalk gave no answer")]
    Transport {
        /// The interface.
        api: &'static str,
        /// What happened instead.
        source: Arc<outbound::Error>,
    },
    /// The answer's HTTP status is not 200, and there is no return code in it.
    #[error("{api}: the answer has HTTP status {status}")]
    Status {
        /// The interface.
        api: &'static str,
        /// The status.
        status: u16,
    },
    /// The answer is none of the platform's: somebody else answered, or it bans us with a page (reference dingtalk 5.2).
    #[error("{api}: the answer is not one of DingTalk's")]
    Foreign {
        /// The interface.
        api: &'static str,
    },
    /// The platform says that all went well, and what was asked for is not in the answer.
    #[error("{api}: what was asked for is missing in DingTalk's answer, or cannot be read")]
    Incomplete {
        /// The interface.
        api: &'static str,
    },
    /// Nothing was sent: the platform refuses calls of this interface for a while.
    #[error("{api}: DingTalk refuses calls for {} more seconds", .after.as_secs())]
    Closed {
        /// The interface.
        api: &'static str,
        /// For how long.
        after: Duration,
    },
    /// Nothing was sent: the call is not worth what is left of the month's quota.
    #[error("{api}: the month's quota is spent, or nearly")]
    QuotaSpent {
        /// The interface.
        api: &'static str,
        /// In how long there is a new one.
        after: Duration,
    },
}

/// What beside the code a person needs to know to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Detail {
    /// The code says it all.
    #[default]
    None,
    /// The address that the platform saw us come from, where that is what it refuses.
    SeenAt(IpAddr),
    /// The names of the permissions that the app lacks.
    Lacks(Arc<[String]>),
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::SeenAt(address) => write!(f, " ({address})"),
            Self::Lacks(permissions) => write!(f, " ({})", permissions.join(", ")),
        }
    }
}

impl ApiError {
    /// The interface that was called. That of tokens when it was a token that could not be had.
    pub const fn api(&self) -> &'static str {
        match self {
            Self::Answered { api, .. }
            | Self::TooLarge { api }
            | Self::Transport { api, .. }
            | Self::Status { api, .. }
            | Self::Foreign { api }
            | Self::Incomplete { api }
            | Self::Closed { api, .. }
            | Self::QuotaSpent { api, .. } => api,
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

    /// The platform's time at which the call began, where the platform answered it.
    pub const fn asked_at(&self) -> Option<UnixMillis> {
        match self {
            Self::Answered { asked_at, .. } => Some(*asked_at),
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
            Self::TooLarge { .. } => Disposition::Reject { reason: Reason::RejectedByDestination },
            Self::Transport { source, .. } => match (&**source, source.disposition()) {
                (_, Disposition::Fatal) => Disposition::Fatal,
                (outbound::Error::Refused(_), _) => Disposition::Retry { after: RECHECK },
                _ => Disposition::Retry { after: Duration::ZERO },
            },
            Self::Status { status, .. } if is_passing(*status) => Disposition::Retry { after: Duration::ZERO },
            Self::Status { .. } | Self::Foreign { .. } | Self::Incomplete { .. } => {
                Disposition::Retry { after: RECHECK }
            }
            Self::Closed { after, .. } | Self::QuotaSpent { after, .. } => Disposition::Retry { after: *after },
        }
    }

    /// Whether the platform refuses or cannot be reached, or the quota is spent, so that nothing follows for what was
    /// asked about: meanwhile the clocks of patience stand still. It is false for what concerns this one question, and
    /// for an app that may not ask it.
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Answered { meaning, .. } => !matches!(meaning, Meaning::Permanent(_) | Meaning::Unknown),
            Self::TooLarge { .. } | Self::Incomplete { .. } => false,
            Self::Transport { .. }
            | Self::Status { .. }
            | Self::Foreign { .. }
            | Self::Closed { .. }
            | Self::QuotaSpent { .. } => true,
        }
    }

    /// Whether what was asked was answered, and not all of the answer can be read: of many things that were asked about at
    /// once one may be to blame.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Incomplete { api } if !gives_tokens(api))
    }

    /// A word for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Answered { meaning, .. } => meaning.label(),
            Self::TooLarge { .. } => "too_large",
            Self::Transport { source, .. } => source.label(),
            Self::Status { .. } => "http_status",
            Self::Foreign { .. } => "foreign",
            Self::Incomplete { .. } => "incomplete",
            Self::Closed { .. } => "closed",
            Self::QuotaSpent { .. } => "quota_spent",
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

    /// After how long the platform lets calls through again, where it said so.
    pub(crate) const fn passes_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { meaning: Meaning::Wait { refuses_for }, .. } => Some(*refuses_for),
            Self::Closed { after, .. } => Some(*after),
            _ => None,
        }
    }

    /// Whether the token is to blame.
    pub(crate) fn blames_token(&self) -> bool {
        self.meaning() == Some(Meaning::Renew)
    }

    /// Whether a call with this outcome counts towards the month's quota: it was answered, and not refused for being
    /// too often (reference dingtalk 5.1).
    pub(crate) const fn was_counted(&self) -> bool {
        match self {
            Self::Answered { meaning, .. } => !matches!(meaning, Meaning::Wait { .. } | Meaning::Quota),
            Self::TooLarge { .. } | Self::Incomplete { .. } => true,
            _ => false,
        }
    }
}

/// A gateway of the platform that cannot go on for now.
const fn is_passing(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 429)
}
