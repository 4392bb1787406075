//! China time (UTC+8, no summer time), in which DingTalk writes dates and wall-clock texts.

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
const ZONE_MS: i64 = 8 * 3_600_000;

/// The date, `yyyy-MM-dd`.
#[must_use]
pub fn date(at_ms: i64) -> String {
    let (year, month, day) = civil(days(at_ms));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The month, `yyyy-MM`.
#[must_use]
pub fn month(at_ms: i64) -> String {
    let (year, month, _day) = civil(days(at_ms));
    format!("{year:04}-{month:02}")
}

/// Date and time, `yyyy-MM-dd HH:mm:ss`.
#[must_use]
pub fn wall(at_ms: i64) -> String {
    let seconds = of_day(at_ms) / 1000;
    format!("{} {:02}:{:02}:{:02}", date(at_ms), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Date and time to the minute, `yyyy-MM-dd HH:mm`.
#[must_use]
pub fn minute(at_ms: i64) -> String {
    let minutes = of_day(at_ms) / 60_000;
    format!("{} {:02}:{:02}", date(at_ms), minutes / 60, minutes % 60)
}

/// UTC to the minute, `yyyy-MM-ddTHH:mmZ`, as the new approval API prints times.
#[must_use]
pub fn zulu(at_ms: i64) -> String {
    let text = minute(at_ms.saturating_sub(ZONE_MS));
    format!("{}Z", text.replace(' ', "T"))
}

/// The hour of the day, 0 to 23.
#[must_use]
pub fn hour(at_ms: i64) -> i64 {
    of_day(at_ms) / 3_600_000
}

/// Where a day begins, Unix ms; `None` if there is no such day.
#[must_use]
pub fn midnight(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-');
    let year: i64 = number(parts.next()?, 4)?;
    let (month, day) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let days = days_from_civil(year, month, day);
    let exists = (1..=12).contains(&month) && civil(days) == (year, month, day);
    exists.then(|| days * DAY_MS - ZONE_MS)
}

/// Unix ms of `yyyy-MM-dd`, `yyyy-MM-dd HH:mm` or `yyyy-MM-dd HH:mm:ss`; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00"));
    let mut parts = time.splitn(3, ':');
    let (hours, minutes) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let seconds = parts.next().map_or(Some(0), |seconds| number(seconds, 2))?;
    let sound = hours < 24 && minutes < 60 && seconds < 60;
    if !sound {
        return None;
    }
    Some(midnight(date)? + ((hours * 60 + minutes) * 60 + seconds) * 1000)
}

/// The day after; `None` if there is no such day.
#[must_use]
pub fn next_day(day: &str) -> Option<String> {
    Some(date(midnight(day)? + DAY_MS))
}

/// The day before; `None` if there is no such day.
#[must_use]
pub fn previous_day(day: &str) -> Option<String> {
    Some(date(midnight(day)? - DAY_MS))
}

fn days(at_ms: i64) -> i64 {
    at_ms.saturating_add(ZONE_MS).div_euclid(DAY_MS)
}

fn of_day(at_ms: i64) -> i64 {
    at_ms.saturating_add(ZONE_MS).rem_euclid(DAY_MS)
}

fn number(digits: &str, length: usize) -> Option<i64> {
    let sound = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
    if sound { digits.parse().ok() } else { None }
}

/// Year, month and day of a count of days since 1970-01-01 (the era algorithm for the proleptic Gregorian calendar).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_china() {
        assert_eq!(wall(1_789_920_000_000), "2026-09-21 00:00:00");
        assert_eq!(wall(1_789_919_999_999), "2026-09-20 23:59:59");
        assert_eq!(minute(1_789_898_400_000), "2026-09-20 18:00");
        assert_eq!(zulu(1_789_952_400_000), "2026-09-21T01:00Z");
        assert_eq!((month(1_789_920_000_000).as_str(), hour(1_789_952_400_000)), ("2026-09", 9));
    }

    #[test]
    fn what_was_written_is_read_back_and_days_that_do_not_exist_are_refused() {
        for day in ["1970-01-01", "2000-02-29", "2024-12-31", "2026-03-01"] {
            assert_eq!(midnight(day).map(date).as_deref(), Some(day));
        }
        assert_eq!(parse("2026-09-21 09:00:07"), Some(1_789_952_407_000));
        assert_eq!(parse("2026-09-21 09:00"), Some(1_789_952_400_000));
        assert_eq!(next_day("2024-02-28").as_deref(), Some("2024-02-29"));
        assert_eq!(previous_day("2025-03-01").as_deref(), Some("2025-02-28"));
        for wrong in ["2025-02-29", "2026-13-01", "2026-00-10", "2026-9-1", "x", "2026-09-21 24:00", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
