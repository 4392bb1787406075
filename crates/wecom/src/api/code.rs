//! Return codes, and what to do about each (reference wecom 4).

mod table;

use std::{fmt, time::Duration};

use common::{Disposition, Reason};

/// How long a matter for an operator is left alone: a changed setting takes effect after a minute (reference wecom 4).
pub(crate) const RECHECK: Duration = Duration::from_secs(60);

/// How long an address is blocked that asked for tokens with a wrong secret (reference wecom 5.1).
const TOKEN_BLOCK: Duration = Duration::from_secs(3600);

/// The `errcode` of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub i64);

/// What a return code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It may pass within seconds: try again, a few times.
    Retry,
    /// The token died: get a new one, once, and repeat the call, once.
    Renew,
    /// Too many calls: this interface is to be left alone.
    Wait {
        /// For how long.
        refuses_for: Duration,
    },
    /// The place in a list is not known any more: begin with the first page again.
    Restart,
    /// The same call gets the same answer until something else changes.
    Permanent(Kind),
    /// The platform refuses whatever is asked until a person changes a setting, a secret or a contract there. It says
    /// nothing about what was asked for.
    Outage,
    /// A code that the reference does not know. To be asked again later; it never says that something is not there.
    Unknown,
}

/// Why the same call gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// There is no such member or department, or there is and this identity may not see it: nobody can tell from this.
    NotFound,
    /// Outside of what this identity may see or change. It may also hide that there is no such thing.
    Invisible,
    /// This identity may not call this interface at all.
    Forbidden,
    /// Something else has to change first: a department still has members, two moves would make a ring.
    Blocked,
    /// Another one has that id, name, number or address already.
    Conflict,
    /// The answer would be too large: ask for less.
    TooLarge,
    /// What was sent cannot be right.
    Invalid,
}

impl Code {
    /// All went well.
    pub const OK: Self = Self(0);
    /// A member has this id already.
    pub const ID_TAKEN: Self = Self(60102);
    /// A member has this mobile number already.
    pub const MOBILE_TAKEN: Self = Self(60104);
    /// A member has this e-mail address already.
    pub const EMAIL_TAKEN: Self = Self(60106);
    /// The company has as many members as it may have.
    pub const HEADCOUNT: Self = Self(45024);
    pub(crate) const TOO_OFTEN: Self = Self(45009);
    pub(crate) const ABNORMAL_TRAFFIC: Self = Self(45036);
    pub(crate) const UNTRUSTED_ADDRESS: Self = Self(60020);

    /// What the code asks for, as the answer of any interface but `gettoken`.
    pub fn meaning(self) -> Meaning {
        table::find(self).map_or(Meaning::Unknown, |row| row.meaning)
    }

    /// What the code asks for as the answer of `gettoken`. There a dead token is a wrong secret, and whatever else may
    /// be wrong is a matter for an operator.
    pub(crate) fn meaning_at_gettoken(self) -> Meaning {
        match self.meaning() {
            Meaning::Wait { .. } if self == Self::TOO_OFTEN => Meaning::Wait { refuses_for: TOKEN_BLOCK },
            Meaning::Wait { refuses_for } => Meaning::Wait { refuses_for },
            Meaning::Retry => Meaning::Retry,
            _ => Meaning::Outage,
        }
    }

    /// Whether `gettoken` says with it that company and secret do not belong together. Whoever goes on asking is
    /// banned.
    pub(crate) fn refuses_secret(self) -> bool {
        matches!(self.0, 40001 | 40013 | 40091)
    }

    /// Whether a department that was named is not there (reference wecom 4).
    pub const fn misses_department(self) -> bool {
        matches!(self.0, 40066 | 60003 | 60004 | 60123 | 60124)
    }

    /// Which field of `user/create` and `user/update` the code is about (reference wecom 3.4 and 4); `None` where it is about none of them.
    pub const fn field(self) -> Option<&'static str> {
        Some(match self.0 {
            40003 | 41009 | 60102 | 60111 => "userid",
            60112 => "name",
            60103 | 60104 | 60129 => "mobile",
            60105 | 60106 | 60141 | 60142 => "email",
            60143..=60145 => "biz_mail",
            60270 => "alias",
            40066 | 41019 | 60003 | 60004 | 60110 | 60123 | 60124 | 60127 | 81001 => "department",
            60132 => "is_leader_in_dept",
            40031 | 60257 | 301021 => "direct_leader",
            301012 => "position",
            301013 => "telephone",
            301015 => "avatar_mediaid",
            _ => return None,
        })
    }

    /// What it means, for people, in our words: the platform's own text holds ids and addresses.
    pub fn text(self) -> &'static str {
        table::find(self).map_or("a code that is not known", |row| row.text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Meaning {
    /// What to do about it, where the client itself has done what it may.
    pub fn disposition(self) -> Disposition {
        match self {
            Self::Retry | Self::Restart => Disposition::Retry { after: Duration::ZERO },
            Self::Wait { refuses_for } => Disposition::Retry { after: refuses_for },
            Self::Renew | Self::Outage | Self::Unknown => Disposition::Retry { after: RECHECK },
            Self::Permanent(Kind::NotFound | Kind::Blocked) => {
                Disposition::Reject { reason: Reason::DependencyMissing }
            }
            Self::Permanent(_) => Disposition::Reject { reason: Reason::RejectedByDestination },
        }
    }

    /// A word for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Retry => "busy",
            Self::Renew => "token_dead",
            Self::Wait { .. } => "throttled",
            Self::Restart => "cursor_dead",
            Self::Permanent(Kind::NotFound) => "not_found",
            Self::Permanent(Kind::Invisible) => "invisible",
            Self::Permanent(Kind::Forbidden) => "forbidden",
            Self::Permanent(Kind::Blocked) => "blocked",
            Self::Permanent(Kind::Conflict) => "conflict",
            Self::Permanent(Kind::TooLarge) => "too_large",
            Self::Permanent(Kind::Invalid) => "invalid",
            Self::Outage => "refused",
            Self::Unknown => "unknown_code",
        }
    }
}
