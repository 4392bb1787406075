//! What an HTTP status means for a change.

use std::time::Duration;

use jiff::fmt::rfc2822;
use outbound::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::Outcome;

/// A `Retry-After` further away than this is not believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A redirect is not followed and not final: it is what a gateway in maintenance answers.
pub(crate) fn outcome(status: u16, after: Option<Duration>) -> Outcome {
    let reason = format!("HTTP {status}");
    match status {
        200..=299 => Outcome::Applied,
        408 | 425 | 429 => Outcome::Retry { reason, after },
        400..=499 => Outcome::Rejected { reason },
        _ => Outcome::Retry { reason, after },
    }
}

/// `Retry-After`, in seconds or as a date; a date counts from the answer's own `Date`, whatever our clocks say.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = rfc2822::parse(value).ok()?.timestamp().as_second();
            let from = rfc2822::parse(text(DATE)?).ok()?.timestamp().as_second();
            Duration::from_secs(u64::try_from(until.saturating_sub(from)).ok()?)
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_wait_is_read_from_seconds_and_from_dates() {
        let seconds = Duration::from_secs;
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, " 7 ")])), Some(seconds(7)));
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "99999999")])), Some(LONGEST_WAIT));
        let date = (DATE, "Thu, 01 Jan 2026 00:00:00 GMT");
        let until = (RETRY_AFTER, "Thu, 01 Jan 2026 00:02:00 GMT");
        assert_eq!(retry_after(&headers(&[date.clone(), until.clone()])), Some(seconds(120)));
        assert_eq!(retry_after(&headers(&[until])), None, "from when is not known");
        assert_eq!(retry_after(&headers(&[date, (RETRY_AFTER, "soon")])), None);
    }

    #[test]
    fn statuses_are_sorted() {
        let sort = |status| match outcome(status, None) {
            Outcome::Applied => "applied",
            Outcome::Retry { .. } => "retry",
            Outcome::Rejected { .. } => "rejected",
            Outcome::Missing { .. } => "missing",
        };
        for (sorted, statuses) in [
            ("applied", &[200, 201, 202, 204][..]),
            ("retry", &[301, 302, 307, 408, 425, 429, 500, 502, 503, 504]),
            ("rejected", &[400, 401, 403, 404, 405, 410, 413, 415, 422]),
        ] {
            for &status in statuses {
                assert_eq!(sort(status), sorted, "{status}");
            }
        }
    }
}
