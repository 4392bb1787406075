//! Dates and times as records have them (reference jiandaoyun 8).

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
};
use serde_json::Value;

use super::{Zone, plain};

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// `2026-12-01`, in the zone.
    Date,
    /// Seconds since 1970, as a number.
    Seconds,
    /// Milliseconds since 1970, as a number.
    Millis,
    /// `2026-12-01T00:00:00+08:00`, in the zone.
    Iso8601,
}

/// The moment that a value is; `None` when it is none. What has no zone is of this one.
pub(crate) fn moment(value: &Value, zone: &Zone) -> Option<Timestamp> {
    let text = match value {
        Value::Number(_) => crate::api::as_number(value)?.to_string(),
        Value::String(text) => plain::narrow(text.trim()),
        _ => return None,
    };
    of_digits(&text).or_else(|| text.parse().ok()).or_else(|| zone.moment_of(civil(&text)?))
}

/// A moment as it is to be written.
pub(crate) fn write(at: Timestamp, written: Written, zone: &Zone) -> Value {
    let offset = zone.offset_at(at);
    match written {
        Written::Date => Value::from(offset.to_datetime(at).date().to_string()),
        Written::Seconds => Value::from(at.as_second()),
        Written::Millis => Value::from(at.as_millisecond()),
        Written::Iso8601 => Value::from(at.display_with_offset(offset).to_string()),
    }
}

/// Ten digits are seconds, thirteen are milliseconds.
fn of_digits(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        10 => Timestamp::from_second(text.parse().ok()?).ok(),
        13 => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        _ => None,
    }
}

/// What a clock shows: `2026-12-01`, `2026/12/1`, `2026年12月1日`, and perhaps `09:30` or `09:30:00` behind it.
fn civil(text: &str) -> Option<DateTime> {
    let text = text.replace(['年', '月', '/'], "-").replace(['日', 'T'], " ");
    let mut words = text.split_whitespace();
    let (date, time, more) = (words.next()?, words.next(), words.next());
    if more.is_some() {
        return None;
    }
    let time = time.map_or(Some(Time::midnight()), clock);
    Some(DateTime::from_parts(calendar(date)?, time?))
}

fn calendar(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day, more) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    if more.is_some() || year.len() != 4 {
        return None;
    }
    let year = i16::try_from(digits(year)?).ok()?;
    Date::new(year, digits(month).and_then(small)?, digits(day).and_then(small)?).ok()
}

fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let (hour, minute, second, more) = (parts.next()?, parts.next()?, parts.next(), parts.next());
    if more.is_some() {
        return None;
    }
    // Fractions of a second are of no use to anybody.
    let second = second.map_or(Some("0"), |second| second.split('.').next())?;
    let [hour, minute, second] = [hour, minute, second].map(|part| digits(part).and_then(small));
    Time::new(hour?, minute?, second?, 0).ok()
}

/// One to four digits.
fn digits(text: &str) -> Option<u16> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn small(number: u16) -> Option<i8> {
    i8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(value: &Value) -> Option<String> {
        moment(value, &Zone::china()).map(|at| at.to_string())
    }

    #[test]
    fn a_date_is_midnight_in_its_own_zone_however_it_is_written() {
        let midnight = Some("2026-11-30T16:00:00Z".to_owned());
        for told in [
            json!("2026-11-30T16:00:00.000Z"),
            json!("2026-12-01T00:00:00+08:00"),
            json!("2026-12-01"),
            json!("2026/12/1"),
            json!(" 2026年12月1日 "),
            json!("２０２６年１２月１日"),
            json!("2026-12-01 00:00"),
            json!("2026/12/01 00:00:00"),
            json!("2026-12-01T00:00:00.000"),
            json!(1_796_054_400),
            json!("1796054400000"),
            json!(1_796_054_400_000.0),
        ] {
            assert_eq!(at(&told), midnight, "{told}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for odd in [
            json!(null),
            json!(""),
            json!("soon"),
            json!("2026-13-01"),
            json!("2026-02-30"),
            json!("26-12-01"),
            json!("2026-12"),
            json!("2026-12-01 25:00"),
            json!("2026-12-01 09"),
            json!("2026-12-01 09:00 x"),
            json!(17),
            json!(true),
            json!(["2026-12-01"]),
            json!("99999999999999999999"),
        ] {
            assert_eq!(at(&odd), None, "{odd}");
        }
    }

    #[test]
    fn it_is_written_as_the_reference_says() {
        let at: Timestamp = "2026-11-30T16:00:00.000Z".parse().unwrap();
        let write = |written| write(at, written, &Zone::china());
        assert_eq!(write(Written::Date), json!("2026-12-01"));
        assert_eq!(write(Written::Seconds), json!(1_796_054_400));
        assert_eq!(write(Written::Millis), json!(1_796_054_400_000_i64));
        assert_eq!(write(Written::Iso8601), json!("2026-12-01T00:00:00+08:00"));
    }
}
