//! Return codes, and what to do about each (reference dingtalk 5.2 to 5.4).

mod table;

use std::{fmt, sync::Arc, time::Duration};

use common::{Disposition, Reason};

/// How long a matter for a person is left alone: it is mended by what somebody does at the platform.
pub(crate) const RECHECK: Duration = Duration::from_secs(60);

/// How long an interface is left alone whose quota the platform says is used up. It is until the next month (reference
/// dingtalk 5.1), unless somebody buys more.
const QUOTA_RECHECK: Duration = Duration::from_secs(3600);

/// The longest word that is taken for a code.
const LONGEST_WORD_BYTES: usize = 96;

/// What an answer gives as the reason of a failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The `errcode` of an older interface, or the `sub_code` that it wraps.
    Number(i64),
    /// The `code` of a newer interface: letters and dots. Empty is one of another shape, which is not shown.
    Word(Arc<str>),
}

/// What a return code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Busy: it may pass within seconds. Try again, a few times.
    Retry,
    /// The token died: get a new one, once, and repeat the call, once.
    Renew,
    /// Too many calls, by us or by everybody: this interface is to be left alone.
    Wait {
        /// For how long.
        refuses_for: Duration,
    },
    /// The month's quota of the company is used up (reference dingtalk 5.1).
    Quota,
    /// The app's id and secret do not belong together, or the app may do nothing at all.
    Credentials,
    /// The platform refuses whatever is asked until a person changes a setting there. It says nothing about what was
    /// asked for.
    Outage,
    /// The same call gets the same answer until something else changes.
    Permanent(Kind),
    /// A code that the reference does not know. To be asked again later; it never says that something is not there.
    Unknown,
}

/// Why the same call gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// There is no such member, department or approval.
    NotFound,
    /// Outside of what the app may see.
    Invisible,
    /// The app may not call this interface at all.
    Forbidden,
    /// The answer would be too large: ask for less.
    TooLarge,
    /// What was sent cannot be right.
    Invalid,
}

impl Code {
    /// The address from which too many calls came is banned (reference dingtalk 5.2).
    pub(crate) const BANNED: i64 = 1111;
    /// Everybody together calls this interface too often; the text says until when (reference dingtalk 5.2).
    pub(crate) const CROWDED: i64 = 90002;

    /// A word as a code, if it is one: nothing else that somebody wrote is to be shown.
    pub(crate) fn word(word: &str) -> Self {
        let is_code = word.len() <= LONGEST_WORD_BYTES && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.');
        Self::Word(if is_code { word.into() } else { "".into() })
    }

    /// What the code asks for, as the answer of any interface but those that give tokens.
    pub fn meaning(&self) -> Meaning {
        self.row().map_or(Meaning::Unknown, |row| row.meaning)
    }

    /// What the code asks for as the answer of an interface that takes id and secret instead of a token.
    pub(crate) fn meaning_with_secret(&self) -> Meaning {
        match self.meaning() {
            Meaning::Permanent(_) | Meaning::Unknown => Meaning::Outage,
            Meaning::Renew => Meaning::Credentials,
            meaning => meaning,
        }
    }

    /// What it means, for people, in our words: the platform's own text holds ids and addresses.
    pub fn text(&self) -> &'static str {
        self.row().map_or("a code that is not known", |row| row.text)
    }

    /// Whether it is the address that is refused.
    pub(crate) fn refuses_address(&self) -> bool {
        match self {
            Self::Number(number) => *number == 60020,
            Self::Word(word) => word.ends_with("IpNotInWhiteList"),
        }
    }

    fn row(&self) -> Option<&'static table::Row> {
        match self {
            Self::Number(number) => table::of_number(*number),
            Self::Word(word) => table::of_word(word),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Word(word) if word.is_empty() => f.write_str("?"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl Meaning {
    /// What to do about it, where the client itself has done what it may.
    pub fn disposition(self) -> Disposition {
        match self {
            Self::Retry => Disposition::Retry { after: Duration::ZERO },
            Self::Wait { refuses_for } => Disposition::Retry { after: refuses_for },
            Self::Quota => Disposition::Retry { after: QUOTA_RECHECK },
            Self::Renew | Self::Credentials | Self::Outage | Self::Unknown => Disposition::Retry { after: RECHECK },
            Self::Permanent(Kind::NotFound) => Disposition::Reject { reason: Reason::DependencyMissing },
            Self::Permanent(_) => Disposition::Reject { reason: Reason::RejectedByDestination },
        }
    }

    /// A word for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Retry => "busy",
            Self::Renew => "token_dead",
            Self::Wait { .. } => "throttled",
            Self::Quota => "quota",
            Self::Credentials => "credentials",
            Self::Outage => "refused",
            Self::Permanent(Kind::NotFound) => "not_found",
            Self::Permanent(Kind::Invisible) => "invisible",
            Self::Permanent(Kind::Forbidden) => "forbidden",
            Self::Permanent(Kind::TooLarge) => "too_large",
            Self::Permanent(Kind::Invalid) => "invalid",
            Self::Unknown => "unknown_code",
        }
    }

    /// How long the interface is to be left alone, by everybody.
    pub(crate) fn refuses_for(self) -> Option<Duration> {
        match self {
            Self::Wait { refuses_for } => Some(refuses_for),
            Self::Quota => Some(QUOTA_RECHECK),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_code_is_shown() {
        let shown = |word: &str| Code::word(word).to_string();
        assert_eq!(shown("Forbidden.AccessDenied.Foo"), "Forbidden.AccessDenied.Foo");
        for odd in ["", "a b", "key-17", "张三", "13900001111", &"x".repeat(97)] {
            assert_eq!(shown(odd), "?", "{odd}");
        }
    }

    #[test]
    fn a_word_is_known_with_its_family_and_without() {
        for word in ["ApiCountLimitForOrg", "Forbidden.AccessDenied.ApiCountLimitForOrg"] {
            assert_eq!(Code::word(word).meaning(), Meaning::Quota, "{word}");
        }
        let wait = |seconds| Meaning::Wait { refuses_for: Duration::from_secs(seconds) };
        for (word, meaning) in [
            ("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", wait(1)),
            ("Forbidden.AccessDenied.QpmLimitForAppkeyAndApi", wait(60)),
            ("Forbidden.AccessDenied.QpmLimitForSuitekeyAndOrgAndApi", wait(60)),
            ("Forbidden.AccessDenied.SomethingNew", Meaning::Unknown),
            ("processInstanceNotExist", Meaning::Permanent(Kind::NotFound)),
            ("", Meaning::Unknown),
        ] {
            assert_eq!(Code::word(word).meaning(), meaning, "{word}");
        }
    }

    #[test]
    fn whoever_gives_tokens_blames_the_secret_and_nothing_that_was_asked_for() {
        for number in [40014, 40096, 40089] {
            assert_eq!(Code::Number(number).meaning_with_secret(), Meaning::Credentials, "{number}");
        }
        for number in [60121, 40035, 404, 777_777] {
            assert_eq!(Code::Number(number).meaning_with_secret(), Meaning::Outage, "{number}");
        }
        assert_eq!(Code::Number(-1).meaning_with_secret(), Meaning::Retry);
    }
}
