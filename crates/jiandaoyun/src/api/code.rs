//! Return codes, and what to do about each (reference jiandaoyun 3).

mod table;

use std::time::Duration;

use common::{Disposition, Reason};

/// How long a matter for a person is left alone: it is mended by what somebody does at the platform.
pub(crate) const RECHECK: Duration = Duration::from_secs(60);

/// How long is waited after too many calls (reference jiandaoyun 2).
pub(crate) const TOO_OFTEN: Duration = Duration::from_secs(1);

/// How long a plan that is used up is left alone: somebody has to buy more.
const PLAN_RECHECK: Duration = Duration::from_secs(3600);

/// How long a form is left alone that is being edited as a whole.
const LATER: Duration = Duration::from_secs(120);

/// What an answer gives as the reason of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub i64);

/// What a return code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Busy: it may pass within seconds. Try again, a few times.
    Retry,
    /// Too many calls, by us or by others of the company.
    Wait {
        /// For how long none is to be made.
        refuses_for: Duration,
    },
    /// This form is being edited as a whole: in some minutes.
    Later,
    /// The key is not valid.
    Credentials,
    /// The platform refuses whatever is asked until a person changes a setting there.
    Outage,
    /// What the company has paid for is used up.
    Plan,
    /// There is no such application or form: the mapping is wrong, or somebody removed them.
    Configuration,
    /// The same call gets the same answer until something else changes.
    Permanent(Kind),
    /// A code that the reference does not know.
    Unknown,
}

/// Why the same call gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// There is no such record.
    NotFound,
    /// What was sent cannot be right.
    Invalid,
    /// The field cannot be written.
    NotWritable,
    /// The form does not take this content.
    Refused,
}

impl Code {
    /// One interface was called too often.
    pub(crate) const INTERFACE_TOO_OFTEN: i64 = 8304;

    /// What the code asks for.
    pub fn meaning(self) -> Meaning {
        table::find(self).map_or(Meaning::Unknown, |row| row.meaning)
    }

    /// What it means, for people, in our words: the platform's own text holds what people wrote.
    pub fn text(self) -> &'static str {
        table::find(self).map_or("a code that is not known", |row| row.text)
    }
}

impl Meaning {
    /// What to do about it, where the client itself has done what it may.
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::Retry => Disposition::Retry { after: Duration::ZERO },
            Self::Wait { refuses_for } => Disposition::Retry { after: refuses_for },
            Self::Later => Disposition::Retry { after: LATER },
            Self::Plan => Disposition::Retry { after: PLAN_RECHECK },
            Self::Credentials | Self::Outage | Self::Configuration => Disposition::Retry { after: RECHECK },
            Self::Permanent(Kind::NotFound) => Disposition::Reject { reason: Reason::DependencyMissing },
            Self::Permanent(_) | Self::Unknown => Disposition::Reject { reason: Reason::RejectedByDestination },
        }
    }

    /// A word for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Retry => "busy",
            Self::Wait { .. } => "throttled",
            Self::Later => "later",
            Self::Credentials => "credentials",
            Self::Outage => "refused",
            Self::Plan => "plan",
            Self::Configuration => "configuration",
            Self::Permanent(Kind::NotFound) => "not_found",
            Self::Permanent(Kind::Invalid) => "invalid",
            Self::Permanent(Kind::NotWritable) => "not_writable",
            Self::Permanent(Kind::Refused) => "rejected",
            Self::Unknown => "unknown_code",
        }
    }
}
