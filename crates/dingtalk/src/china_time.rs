//! China time, which the platform's clocks show and its calendar goes by: eight hours ahead of UTC, without summer time
//! (reference dingtalk, terms).

use common::UnixMillis;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

const CHINA: Offset = Offset::constant(8);

/// Before this hour a punch may belong to the shift of the evening before (reference dingtalk 4.6: night shifts).
const NIGHT_ENDS_HOUR: u8 = 6;

/// The first and the last moment that is told apart: before and after these the calendar has years of other lengths.
const EARLIEST_MILLIS: i64 = -62_135_596_800_000;
const LATEST_MILLIS: i64 = 253_402_207_200_000;

/// The date on which this moment is, as `yyyy-MM-dd`. Moments outside of years 1 to 9999 are moved into them.
pub fn date_of(at: UnixMillis) -> String {
    civil(at).date().to_string()
}

/// Whether a punch at this moment may belong to the shift of the evening before.
pub(crate) fn is_night(at: UnixMillis) -> bool {
    hour_of(at) < NIGHT_ENDS_HOUR
}

/// The hour of the day, 0 to 23.
fn hour_of(at: UnixMillis) -> u8 {
    u8::try_from(civil(at).hour()).unwrap_or_default()
}

/// The month in which this moment is, as `yyyy-MM`: quotas are counted by it (reference dingtalk 5.1).
pub fn month_of(at: UnixMillis) -> String {
    date_of(at).get(..7).unwrap_or_default().to_owned()
}

/// When the month after this moment begins.
pub fn next_month(at: UnixMillis) -> UnixMillis {
    civil(at).date().last_of_month().tomorrow().ok().and_then(|first| shown_at(first.at(0, 0, 0, 0))).unwrap_or(at)
}

/// The date before this one; `None` when it is no date.
pub fn day_before(date: &str) -> Option<String> {
    Some(read_date(date)?.yesterday().ok()?.to_string())
}

/// The dates from one to another, both included, and no more than so many; none where one is no date.
pub fn dates_between(first: &str, last: &str, most: usize) -> Vec<String> {
    let (Some(first), Some(last)) = (read_date(first), read_date(last)) else { return Vec::new() };
    let mut dates = Vec::new();
    let mut next = Some(first);
    while let Some(date) = next.filter(|date| *date <= last && dates.len() < most) {
        dates.push(date.to_string());
        next = date.tomorrow().ok();
    }
    dates
}

/// The date with which a text begins: `yyyy-MM-dd`, and perhaps a time behind it.
pub fn date_in(text: &str) -> Option<String> {
    Some(read_date(text.trim().get(..10)?)?.to_string())
}

/// The moment that a clock shows: `yyyy-MM-dd HH:mm:ss`, without seconds, or without a time, which is midnight.
pub fn moment(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    if !matches!(text.len(), 10 | 16 | 19) || read_date(text.get(..10)?).is_none() {
        return None;
    }
    shown_at(text.parse().ok()?)
}

/// A date as it is written: nothing but digits and two dashes.
fn read_date(text: &str) -> Option<Date> {
    let is_written =
        |(place, byte): (usize, u8)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    (text.len() == 10 && text.bytes().enumerate().all(is_written)).then(|| text.parse().ok())?
}

fn civil(at: UnixMillis) -> DateTime {
    let at = Timestamp::from_millisecond(at.0.clamp(EARLIEST_MILLIS, LATEST_MILLIS));
    CHINA.to_datetime(at.unwrap_or(Timestamp::UNIX_EPOCH))
}

fn shown_at(shown: DateTime) -> Option<UnixMillis> {
    Some(UnixMillis(CHINA.to_timestamp(shown).ok()?.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMillis {
        UnixMillis::from_rfc3339(text).unwrap()
    }

    #[test]
    fn a_day_begins_eight_hours_before_that_of_utc() {
        for (moment, date, hour) in [
            ("2026-09-20T15:59:59Z", "2026-09-20", 23),
            ("2026-09-20T16:00:00Z", "2026-09-21", 0),
            ("1969-12-31T20:00:00Z", "1970-01-01", 4),
        ] {
            assert_eq!((date_of(at(moment)), hour_of(at(moment))), (date.to_owned(), hour), "{moment}");
        }
    }

    #[test]
    fn no_moment_is_beyond_the_calendar() {
        for moment in [i64::MIN, i64::MAX] {
            assert_eq!(date_of(UnixMillis(moment)).len(), 10);
            assert_eq!(month_of(UnixMillis(moment)).len(), 7);
            next_month(UnixMillis(moment));
        }
    }

    #[test]
    fn a_month_ends_by_its_own_clock() {
        let last = at("2026-12-31T15:59:59Z");
        assert_eq!((month_of(last), next_month(last)), ("2026-12".to_owned(), at("2026-12-31T16:00:00Z")));
        let first = next_month(last);
        assert_eq!((month_of(first), next_month(first)), ("2027-01".to_owned(), at("2027-01-31T16:00:00Z")));
    }

    #[test]
    fn dates_follow_each_other_over_the_ends_of_months() {
        assert_eq!(dates_between("2028-02-28", "2028-03-01", 9), ["2028-02-28", "2028-02-29", "2028-03-01"]);
        assert_eq!(dates_between("2026-12-30", "2036-12-30", 3), ["2026-12-30", "2026-12-31", "2027-01-01"]);
        assert_eq!(dates_between("2026-09-21", "2026-09-21", 9), ["2026-09-21"]);
        for (first, last) in [("2026-09-22", "2026-09-21"), ("", "2026-09-21"), ("2026-09-21", "2026-02-30")] {
            assert!(dates_between(first, last, 9).is_empty(), "{first} {last}");
        }
        assert_eq!(day_before("2026-03-01").as_deref(), Some("2026-02-28"));
    }

    #[test]
    fn times_are_read_as_the_platform_writes_them() {
        for (text, meant) in [
            ("2026-09-21 09:00:01", "2026-09-21T01:00:01Z"),
            (" 2026-09-21 09:00 ", "2026-09-21T01:00:00Z"),
            ("2026-09-21", "2026-09-20T16:00:00Z"),
        ] {
            assert_eq!(moment(text), Some(at(meant)), "{text}");
        }
        for bad in ["", "2026-09-21 25:00", "2026-13-21", "2026-09-21T09:00:00Z", "20260921", "二〇二六年"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
        assert_eq!(date_in("2026-09-21 上午").as_deref(), Some("2026-09-21"));
        assert_eq!(date_in("2026-09-2"), None);
        assert_eq!(date_in("2026-09-2年"), None);
    }
}
