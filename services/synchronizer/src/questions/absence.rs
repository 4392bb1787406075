//! When it is believed that something is not there: "no such member" also means "not visible" (reference wecom 4), so only
//! lists that see everything say so, twice, some time apart, and not soon after an event that says it exists.

use common::UnixMillis;

/// The least time between two lists that both do not have it.
pub const APART_MILLIS: i64 = 30_000;

/// So long after an event that says that it exists no list is believed, by the platform's time: it may be behind.
pub const FRESH_MILLIS: i64 = 60_000;

/// What a list that does not have it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not yet anything: look again after so many milliseconds.
    TooFresh(i64),
    /// It is the first one: look again after so many milliseconds.
    First(i64),
    /// It is too soon after the first one: look again after so many milliseconds.
    TooSoon(i64),
    /// It is not there.
    Absent,
}

/// Judges a list that was asked for at `asked_at` and does not have it. `told_at` is the time of the newest event that
/// says that it exists, `absent_since` that of the first list that did not have it, all by the platform's time.
pub fn verdict(asked_at: UnixMillis, told_at: UnixMillis, absent_since: Option<UnixMillis>) -> Verdict {
    let fresh = FRESH_MILLIS - asked_at.since(told_at);
    if fresh > 0 {
        return Verdict::TooFresh(fresh);
    }
    // An event that came in between makes the first list worthless.
    match absent_since.filter(|since| *since > told_at) {
        None => Verdict::First(APART_MILLIS),
        Some(since) if asked_at.since(since) < APART_MILLIS => Verdict::TooSoon(APART_MILLIS - asked_at.since(since)),
        Some(_) => Verdict::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(asked: i64, told: i64, since: Option<i64>) -> Verdict {
        verdict(UnixMillis(asked), UnixMillis(told), since.map(UnixMillis))
    }

    #[test]
    fn it_takes_two_lists_that_are_apart() {
        assert_eq!(judged(100_000, 0, None), Verdict::First(30_000));
        assert_eq!(judged(129_000, 0, Some(100_000)), Verdict::TooSoon(1_000));
        assert_eq!(judged(130_000, 0, Some(100_000)), Verdict::Absent);
    }

    #[test]
    fn no_list_is_believed_soon_after_an_event() {
        assert_eq!(judged(100_000, 50_000, None), Verdict::TooFresh(10_000));
        assert_eq!(judged(100_000, 50_000, Some(10_000)), Verdict::TooFresh(10_000));
        assert_eq!(judged(100_000, 120_000, None), Verdict::TooFresh(80_000));
    }

    #[test]
    fn an_event_in_between_begins_anew() {
        assert_eq!(judged(200_000, 120_000, Some(100_000)), Verdict::First(30_000));
    }
}
