//! Times as Jiandaoyun writes and reads them (reference jiandaoyun 8).

use crate::dingtalk::time::{self, DAY_MS};

/// How far China is ahead of UTC.
pub(super) const CHINA_MS: i64 = 8 * 3_600_000;

/// UTC with milliseconds and a `Z`, as all answers have it.
pub(super) fn iso(at_ms: i64) -> String {
    let wall = time::wall(at_ms.saturating_sub(CHINA_MS)).replace(' ', "T");
    format!("{wall}.{:03}Z", at_ms.rem_euclid(1000))
}

/// The stretch that a written time stands for, both ends included, Unix ms: a day for a date alone, else a moment. What
/// names no zone is that far ahead of UTC. `None` for what is no such time.
pub(super) fn span(text: &str, zone_ms: i64) -> Option<(i64, i64)> {
    if text.len() == 10 {
        let from_ms = midnight(text)?.saturating_sub(zone_ms);
        return Some((from_ms, from_ms.saturating_add(DAY_MS - 1)));
    }
    parse(text, zone_ms).map(|at_ms| (at_ms, at_ms))
}

/// Unix ms of a date, or of a date and a time with or without a zone.
pub(super) fn parse(text: &str, zone_ms: i64) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        return Some(midnight(date)?.saturating_sub(zone_ms));
    }
    let (clock, ahead_ms) = zone(rest.strip_prefix(['T', ' '])?, zone_ms)?;
    let (clock, part) = clock.split_once('.').unwrap_or((clock, "0"));
    let wall_ms = time::parse(&format!("{date} {clock}"))?.saturating_add(CHINA_MS);
    Some(wall_ms.saturating_add(milliseconds(part)?).saturating_sub(ahead_ms))
}

/// Where a date begins, as if it were one of UTC.
fn midnight(date: &str) -> Option<i64> {
    time::midnight(date).map(|at_ms| at_ms.saturating_add(CHINA_MS))
}

/// The time of day without its zone, and how far the zone is ahead of UTC.
fn zone(text: &str, otherwise_ms: i64) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(place) = text.rfind(['+', '-']) else { return Some((text, otherwise_ms)) };
    let (clock, offset) = text.split_at_checked(place)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sound = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    sound.then_some((clock, sign * (hours * 60 + minutes) * 60_000))
}

/// A part of a second in thousandths.
fn milliseconds(digits: &str) -> Option<i64> {
    let sound = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits: String = digits.chars().chain("00".chars()).take(3).collect();
    if sound { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 December 2026, midnight in China.
    const AT_MS: i64 = 1_796_054_400_000;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(iso(AT_MS), "2026-11-30T16:00:00.000Z");
        assert_eq!(iso(AT_MS + 7), "2026-11-30T16:00:00.007Z");
        assert_eq!(parse(&iso(AT_MS + 293), 0), Some(AT_MS + 293));
    }

    #[test]
    fn times_are_read_in_each_way_that_they_are_written() {
        for text in ["2026-12-01", "2026-12-01 00:00:00", "2026-12-01T00:00", "2026-12-01T00:00:00+08:00"] {
            assert_eq!(parse(text, CHINA_MS), Some(AT_MS), "{text}");
        }
        for text in ["2026-11-30T16:00:00Z", "2026-11-30T16:00:00.0Z", "2026-11-30T10:30:00-05:30"] {
            assert_eq!(parse(text, CHINA_MS), Some(AT_MS), "{text}");
        }
        assert_eq!(parse("2026-12-01T00:00:00.5", CHINA_MS), Some(AT_MS + 500));
        for wrong in ["", "2026/12/01", "2026-12-01T", "2026-12-01T25:00:00Z", "2026-12-01T00:00:00,5Z", "2026-12-01x"]
        {
            assert_eq!(parse(wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_alone_is_a_whole_day() {
        assert_eq!(span("2026-12-01", CHINA_MS), Some((AT_MS, AT_MS + DAY_MS - 1)));
        assert_eq!(span("2026-12-01 00:00:00", CHINA_MS), Some((AT_MS, AT_MS)));
    }
}
