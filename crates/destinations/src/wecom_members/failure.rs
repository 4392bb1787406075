//! What a call that failed means for a member (reference jiandaoyun 12.4).

use std::time::Duration;

use common::Disposition;
use wecom::api::{ApiError, Code, Kind, Meaning};

use crate::{Unavailable, Wrote};

/// How long it takes a person to buy more accounts, at least.
const FULL_FOR: Duration = Duration::from_secs(600);
/// The interface that gives tokens: where it fails nothing else was called.
const GETTOKEN: &str = "gettoken";

/// What was going on when a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing that would be different after it.
    Looking,
    /// A member was to be created: it may be there.
    Writing,
}

/// Whether a call tells only that there is nothing to be seen with the identity that we have.
pub(super) fn is_blind(error: &ApiError) -> bool {
    matches!(error, ApiError::Unreadable { .. })
        || matches!(error.kind(), Some(Kind::NotFound | Kind::Invisible | Kind::Forbidden))
}

/// What becomes of a member after a call failed.
pub(super) fn failed(error: &ApiError, doing: Doing) -> Wrote {
    match error {
        _ if error.api() == GETTOKEN => stopped(error, error.meaning() == Some(Meaning::Outage)),
        ApiError::Answered { code, meaning, .. } => answered(error, *code, *meaning),
        ApiError::Closed { .. } => stopped(error, false),
        ApiError::Transport { source, .. } if !may_have_arrived(source) => stopped(error, false),
        _ if doing == Doing::Writing => Wrote::Unheard { reason: error.to_string() },
        _ => Wrote::Retry { reason: error.to_string(), after: None },
    }
}

fn answered(error: &ApiError, code: Code, meaning: Meaning) -> Wrote {
    match meaning {
        Meaning::Wait { .. } => stopped(error, false),
        Meaning::Renew | Meaning::Outage | Meaning::Permanent(Kind::Forbidden | Kind::Invisible) => {
            stopped(error, true)
        }
        Meaning::Permanent(Kind::NotFound) if code.misses_department() => Wrote::Missing { reason: said(code) },
        Meaning::Retry | Meaning::Restart | Meaning::Unknown | Meaning::Permanent(Kind::Blocked) => {
            Wrote::Retry { reason: said(code), after: wait(error) }
        }
        Meaning::Permanent(Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::TooLarge) => {
            Wrote::Rejected { field: code.field().unwrap_or_default(), reason: said(code) }
        }
    }
}

/// What a code means, in our words, and the code.
pub(super) fn said(code: Code) -> String {
    format!("{} ({code})", code.text())
}

fn stopped(error: &ApiError, needs_person: bool) -> Wrote {
    Wrote::Stopped { unavailable: unavailable(error), needs_person }
}

/// The platform as a whole takes nothing for now.
pub(super) fn unavailable(error: &ApiError) -> Unavailable {
    let after = match error {
        ApiError::Answered { code: Code::HEADCOUNT, .. } => Some(FULL_FOR),
        // It is said to be a refusal of what was asked; but nobody else's would be taken either.
        ApiError::Answered { meaning: Meaning::Permanent(Kind::Forbidden | Kind::Invisible), .. } => Some(FULL_FOR),
        _ => wait(error),
    };
    Unavailable { reason: error.to_string(), after }
}

/// The least time to wait, where there is one.
fn wait(error: &ApiError) -> Option<Duration> {
    match error.disposition() {
        Disposition::Retry { after } => Some(after).filter(|after| !after.is_zero()),
        Disposition::Reject { .. } | Disposition::Fatal => None,
    }
}

const fn may_have_arrived(error: &outbound::Error) -> bool {
    matches!(error, outbound::Error::Timeout | outbound::Error::Broken(_) | outbound::Error::TooLarge { .. })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn word(wrote: &Wrote) -> &'static str {
        match wrote {
            Wrote::There(_) => "there",
            Wrote::Rejected { .. } => "rejected",
            Wrote::Retry { .. } => "retry",
            Wrote::Missing { .. } => "missing",
            Wrote::Unheard { .. } => "unheard",
            Wrote::Stopped { needs_person: true, .. } => "a person",
            Wrote::Stopped { .. } => "stopped",
        }
    }

    fn of_code(api: &'static str, code: i64) -> Wrote {
        let (code, seen_at) = (Code(code), None);
        failed(&ApiError::Answered { api, code, meaning: code.meaning(), seen_at }, Doing::Writing)
    }

    #[test]
    fn each_code_of_a_creation_means_what_the_reference_says() {
        for (expected, codes) in [
            ("stopped", &[45009, 45033, 45036][..]),
            ("a person", &[45024, 48002, 60011, 60020, 40001, 50003, 301007]),
            ("retry", &[-1, 6000, 45035, 777_777]),
            ("missing", &[60003, 60123, 40066]),
            (
                "rejected",
                &[60103, 60105, 60112, 40003, 60129, 60127, 60145, 60270, 60110, 60257, 301012, 301013, 40031, 81001],
            ),
        ] {
            for &code in codes {
                assert_eq!(word(&of_code("user/create", code)), expected, "{code}");
            }
        }
        let Wrote::Rejected { field, reason } = of_code("user/create", 60103) else { panic!("it is refused") };
        assert_eq!((field, reason.as_str()), ("mobile", "this is no mobile number (60103)"));
    }

    #[test]
    fn how_long_nothing_is_written_is_what_the_platform_says() {
        let after = |code| match of_code("user/create", code) {
            Wrote::Stopped { unavailable, .. } => unavailable.after.map(|after| after.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!([after(45009), after(45033), after(45024), after(60020)], [Some(60), Some(10), Some(600), Some(60)]);
    }

    #[test]
    fn a_write_that_may_have_arrived_is_not_taken_for_one_that_did_not() {
        let of = |source: outbound::Error, doing| {
            word(&failed(&ApiError::Transport { api: "user/create", source: Arc::new(source) }, doing))
        };
        assert_eq!(of(outbound::Error::Timeout, Doing::Writing), "unheard");
        assert_eq!(of(outbound::Error::Timeout, Doing::Looking), "retry");
        assert_eq!(of(outbound::Error::Tls("x".to_owned()), Doing::Writing), "stopped");
        let status = |api| word(&failed(&ApiError::Status { api, status: 502 }, Doing::Writing));
        assert_eq!((status("user/create"), status("gettoken")), ("unheard", "stopped"));
        let foreign = ApiError::Foreign { api: "user/create" };
        assert_eq!(word(&failed(&foreign, Doing::Writing)), "unheard");
        let closed = ApiError::Closed { api: "user/create", after: Duration::from_secs(7) };
        assert_eq!(word(&failed(&closed, Doing::Writing)), "stopped");
    }
}
