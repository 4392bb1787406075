//! A platform's time at which a request began.
//!
//! What an answer says was so when the platform looked, which is after the request began and before the answer came. So
//! the only time that can be claimed for it is the one at the beginning, by the platform's clock, and claiming it too
//! late would let an answer overrule an event that is newer than it.
//!
//! The `Date` of an answer is the platform's time somewhere in between, rounded down. It is no later than the
//! platform's time at the end; less the whole length of the exchange, it is no later than the platform's time at the
//! beginning. Our own time of day has no part in this, so it may be wrong or set while the request is on its way. The
//! length is measured by a clock that only runs forward, and by the time of day too: the longer one counts, since too
//! early does no harm.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use common::{Clock, UnixMillis};
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap};
use tokio::time::Instant;

/// The furthest that the platform is believed to be ahead of us. A clock that is more than this behind is wrong, or the
/// date is: the earlier one counts. (One that is ahead of the platform does not matter.)
const MOST_AHEAD: Duration = Duration::from_secs(300);

/// How long a date helps answers that have none. Meanwhile our clock and theirs drift apart by much less than the
/// second that is taken off.
const LASTS: Duration = Duration::from_secs(3600);

/// Clocks of one machine may differ from those of the machines beside it.
const MARGIN_SECONDS: i64 = 1;

/// A moment by our clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The time of day, which may be wrong and may jump.
    pub wall: UnixMillis,
    /// Runs forward, and only that.
    pub steady: Instant,
}

/// The platform's time, and when it was no earlier than that.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    date: UnixMillis,
    at: Instant,
}

/// Knows what the platform said the time was.
#[derive(Debug, Default)]
pub struct PlatformClock {
    last: Mutex<Option<Anchor>>,
}

impl Moment {
    /// This moment.
    pub fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), steady: Instant::now() }
    }

    /// How long ago `earlier` was.
    pub fn since(&self, earlier: &Self) -> Duration {
        self.steady.saturating_duration_since(earlier.steady)
    }
}

impl PlatformClock {
    /// The platform's time at which a request began, in whole seconds: never later than the truth where the platform
    /// says what time it is. Without a date in the answer it is counted from the last one, and where there was none, it
    /// is our time of day.
    pub fn asked_at(&self, began: &Moment, ended: &Moment, date: Option<UnixMillis>) -> UnixMillis {
        let told = match date {
            Some(date) => {
                self.remember(Anchor { date, at: ended.steady });
                Some(date.plus_millis(-millis_up(length(began, ended))))
            }
            None => self.last().and_then(|anchor| anchor.until(began.steady)),
        };
        let latest = began.wall.plus_millis(millis_up(MOST_AHEAD));
        let at = told.map_or(began.wall, |told| told.min(latest));
        UnixMillis::from_seconds(at.seconds().saturating_sub(MARGIN_SECONDS))
    }

    fn last(&self) -> Option<Anchor> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, anchor: Anchor) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(anchor);
    }
}

impl Anchor {
    /// The platform's time at a moment near this one, or earlier; `None` when it is too long ago to tell.
    fn until(&self, moment: Instant) -> Option<UnixMillis> {
        match moment.checked_duration_since(self.at) {
            Some(later) if later <= LASTS => Some(self.date.plus_millis(millis_down(later))),
            Some(_) => None,
            None => Some(self.date.plus_millis(-millis_up(self.at.saturating_duration_since(moment)))),
        }
    }
}

/// The platform's time at which an answer was given; ours where it has no date.
pub fn answered_at(ended: &Moment, date: Option<UnixMillis>) -> UnixMillis {
    let latest = ended.wall.plus_millis(millis_up(MOST_AHEAD));
    date.map_or(ended.wall, |date| date.min(latest))
}

/// How long an exchange took, by whichever clock says longer.
fn length(began: &Moment, ended: &Moment) -> Duration {
    let by_wall = u64::try_from(ended.wall.since(began.wall)).unwrap_or_default();
    ended.since(began).max(Duration::from_millis(by_wall))
}

fn millis_down(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn millis_up(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// The time that an answer says it was written at; `None` where it says none.
pub fn date_of(headers: &HeaderMap) -> Option<UnixMillis> {
    headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(read_date)
}

/// The time that a `Date` says, which is the form of RFC 2822 with `GMT` (RFC 9110, 5.6.7); `None` when it is another.
fn read_date(text: &str) -> Option<UnixMillis> {
    let at = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(UnixMillis(at.as_millisecond()))
}

#[cfg(test)]
mod tests;
