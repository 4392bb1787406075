//! Whether an answer is too early for what it is asked about.

use common::UnixMillis;
use store::questions::ANSWERS_LATER_BY_MILLIS;

/// The time of an answer is rounded down, and a second earlier than that (see `wecom::api::Answer`).
pub(crate) const ROUNDING_MILLIS: i64 = 2_000;

/// How many milliseconds an answer of that time is too early for what was told at `about_at`; 0 where it does, as any does for what nobody
/// told.
pub(crate) fn lacks(about_at: UnixMillis, at: UnixMillis) -> i64 {
    if about_at == UnixMillis(0) { 0 } else { (ANSWERS_LATER_BY_MILLIS - at.since(about_at)).max(0) }
}

/// How long to wait until an answer will be late enough, if that is soon; if it is not, our clock is wrong.
pub(crate) fn wait(about_at: UnixMillis, now: UnixMillis) -> Option<i64> {
    let wait = lacks(about_at, now.plus_millis(-ROUNDING_MILLIS));
    (1..=ANSWERS_LATER_BY_MILLIS + ROUNDING_MILLIS).contains(&wait).then_some(wait)
}
