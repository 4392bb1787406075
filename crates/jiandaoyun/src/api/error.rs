//! What can go wrong with a call.

use std::{sync::Arc, time::Duration};

use common::{Disposition, Reason};

use super::{
    Code, Kind, Meaning,
    code::{RECHECK, TOO_OFTEN},
};

/// A call that brought no answer to what was asked. Its text holds no secret and nothing that the platform wrote but a
/// return code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The platform answered with a return code.
    #[error("{api}: Jiandaoyun answered {}, {}", .code.0, .code.text())]
    Answered {
        /// The interface, such as `data/list`.
        api: &'static str,
        /// The return code.
        code: Code,
        /// What the code asks for.
        meaning: Meaning,
    },
    /// The answer is larger than we want to hear: ask for less.
    #[error("{api}: the answer is too large")]
    TooLarge {
        /// The interface.
        api: &'static str,
    },
    /// Nothing that says what happened came back.
    #[error("{api}: Jiandaoyun gave no answer")]
    Transport {
        /// The interface.
        api: &'static str,
        /// What happened instead.
        source: Arc<outbound::Error>,
    },
    /// The answer's HTTP status is no success, and there is no return code in it.
    #[error("{api}: the answer has HTTP status {status}")]
    Status {
        /// The interface.
        api: &'static str,
        /// The status.
        status: u16,
    },
    /// The answer is none of the platform's: somebody else answered.
    #[error("{api}: the answer is not one of Jiandaoyun's")]
    Foreign {
        /// The interface.
        api: &'static str,
    },
    /// The platform says that all went well, and what was asked for is not in the answer.
    #[error("{api}: what was asked for is missing in Jiandaoyun's answer, or cannot be read")]
    Incomplete {
        /// The interface.
        api: &'static str,
    },
    /// A page begins before its cursor: it is another one than was asked for.
    #[error("{api}: the page does not follow the one before it")]
    Misplaced {
        /// The interface.
        api: &'static str,
    },
    /// Nothing was sent: the platform refuses calls for a while.
    #[error("{api}: Jiandaoyun refuses calls for {} more seconds", .after.as_secs())]
    Closed {
        /// The interface.
        api: &'static str,
        /// For how long.
        after: Duration,
    },
}

/// Whose calls the platform refuses, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// Those of this interface.
    Interface(Duration),
    /// All of the company's.
    Company(Duration),
}

impl ApiError {
    /// The interface that was called.
    pub const fn api(&self) -> &'static str {
        match self {
            Self::Answered { api, .. }
            | Self::TooLarge { api }
            | Self::Transport { api, .. }
            | Self::Status { api, .. }
            | Self::Foreign { api }
            | Self::Incomplete { api }
            | Self::Misplaced { api }
            | Self::Closed { api, .. } => api,
        }
    }

    /// What the platform's return code asks for, if it gave one.
    pub const fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Answered { meaning, .. } => Some(*meaning),
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
            Self::Misplaced { .. } => Disposition::Retry { after: Duration::ZERO },
            Self::Closed { after, .. } => Disposition::Retry { after: *after },
        }
    }

    /// Whether the platform refuses or cannot be reached, so that nothing follows for anything that is asked: false for what
    /// concerns this one question, and for a form or a filter that the configuration has wrong.
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Answered { meaning, .. } => {
                !matches!(meaning, Meaning::Permanent(_) | Meaning::Configuration | Meaning::Later | Meaning::Unknown)
            }
            Self::TooLarge { .. } | Self::Incomplete { .. } | Self::Misplaced { .. } => false,
            Self::Transport { .. } | Self::Status { .. } | Self::Foreign { .. } | Self::Closed { .. } => true,
        }
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
            Self::Misplaced { .. } => "misplaced",
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
            Self::Misplaced { .. } => true,
            _ => false,
        }
    }

    /// After how long the platform lets calls through again, where it said so.
    pub(crate) const fn passes_after(&self) -> Option<Duration> {
        match self {
            Self::Closed { after, .. } => Some(*after),
            _ => match self.blocks() {
                Some(Blocks::Interface(refuses_for) | Blocks::Company(refuses_for)) => Some(refuses_for),
                None => None,
            },
        }
    }

    /// Whose calls the platform refuses for a while, if it said so.
    pub(crate) const fn blocks(&self) -> Option<Blocks> {
        match self {
            Self::Answered { code, meaning: Meaning::Wait { refuses_for }, .. } => Some(match code.0 {
                Code::INTERFACE_TOO_OFTEN => Blocks::Interface(*refuses_for),
                _ => Blocks::Company(*refuses_for),
            }),
            // Too many at once (reference jiandaoyun 2).
            Self::Status { status: 429, .. } => Some(Blocks::Company(TOO_OFTEN)),
            _ => None,
        }
    }
}

/// A gateway of the platform that cannot go on for now.
const fn is_passing(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 429)
}
