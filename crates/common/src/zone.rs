//! Time zones: in which one a date without a time is midnight (reference jiandaoyun 8).

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// The summers in which China's clocks were an hour ahead, in seconds since 1970: from, until. People who start to work now were
/// born in them, and their birthdays are midnights of that time.
const CHINA_SUMMERS: [(i64, i64); 6] = [
    (515_527_200, 527_014_800),
    (545_162_400, 558_464_400),
    (577_216_800, 589_914_000),
    (608_666_400, 621_968_400),
    (640_116_000, 653_418_000),
    (671_565_600, 684_867_600),
];

/// Names of China's zone.
const CHINA_NAMES: [&str; 5] = ["Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "PRC"];

/// Zones whose clocks are never changed, and their hours ahead of UTC. Only dates of long ago are not quite theirs.
const STEADY: [(&str, i32); 17] = [
    ("UTC", 0),
    ("Etc/UTC", 0),
    ("GMT", 0),
    ("Etc/GMT", 0),
    ("Asia/Hong_Kong", 8),
    ("Hongkong", 8),
    ("Asia/Macau", 8),
    ("Asia/Taipei", 8),
    ("Asia/Singapore", 8),
    ("Asia/Kuala_Lumpur", 8),
    ("Asia/Manila", 8),
    ("Asia/Tokyo", 9),
    ("Asia/Seoul", 9),
    ("Asia/Bangkok", 7),
    ("Asia/Ho_Chi_Minh", 7),
    ("Asia/Jakarta", 7),
    ("Asia/Dubai", 4),
];

const HOUR_SECONDS: i64 = 3600;

/// A time zone whose clocks stand still: China's, with its six summers, or one at a fixed distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    ahead_seconds: i64,
    has_china_summers: bool,
}

impl Zone {
    /// China's.
    pub const fn china() -> Self {
        Self { ahead_seconds: 8 * HOUR_SECONDS, has_china_summers: true }
    }

    /// A zone by its name in the IANA database; `None` for one whose clocks are changed in summer, or that is none. Any other
    /// distance from UTC has a name too, such as `Etc/GMT-5` for five hours ahead.
    pub fn named(name: &str) -> Option<Self> {
        if CHINA_NAMES.contains(&name) {
            return Some(Self::china());
        }
        let steady = STEADY.iter().find(|(steady, _)| *steady == name).map(|(_, hours)| *hours);
        let hours = steady.or_else(|| etc_hours(name))?;
        Some(Self { ahead_seconds: i64::from(hours) * HOUR_SECONDS, has_china_summers: false })
    }

    /// How far its clocks are ahead of UTC at a moment.
    pub fn offset_at(&self, at: Timestamp) -> Offset {
        let second = at.as_second();
        let is_summer =
            self.has_china_summers && CHINA_SUMMERS.iter().any(|(from, until)| (*from..*until).contains(&second));
        let ahead = self.ahead_seconds + if is_summer { HOUR_SECONDS } else { 0 };
        // No zone is a day ahead.
        i32::try_from(ahead).ok().and_then(|ahead| Offset::from_seconds(ahead).ok()).unwrap_or(Offset::UTC)
    }

    /// The moment at which its clocks show this; the earlier one where they do twice.
    pub fn moment_of(&self, shown: DateTime) -> Option<Timestamp> {
        let seconds = |ahead: i64| Offset::from_seconds(i32::try_from(ahead).ok()?).ok();
        let by = |ahead: i64| seconds(ahead)?.to_timestamp(shown).ok();
        let summer = by(self.ahead_seconds + HOUR_SECONDS).filter(|_| self.has_china_summers);
        let in_summer = summer.filter(|at| self.offset_at(*at).to_datetime(*at) == shown);
        in_summer.or_else(|| by(self.ahead_seconds))
    }
}

/// The hours ahead of UTC of a name such as `Etc/GMT-8`, which has the sign the other way round.
fn etc_hours(name: &str) -> Option<i32> {
    let behind = name.strip_prefix("Etc/GMT")?;
    let digits = behind.strip_prefix(['+', '-'])?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.parse().ok()?;
    let ahead = if behind.starts_with('-') { hours } else { -hours };
    (-12..=14).contains(&ahead).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &Zone, at: &str) -> String {
        let at: Timestamp = at.parse().unwrap();
        zone.offset_at(at).to_datetime(at).to_string()
    }

    #[test]
    fn china_had_six_summers() {
        let china = Zone::china();
        for (moment, clock) in [
            ("2026-11-30T16:00:00Z", "2026-12-01T00:00:00"),
            ("1990-05-31T15:00:00Z", "1990-06-01T00:00:00"),
            ("1990-12-31T16:00:00Z", "1991-01-01T00:00:00"),
            ("1986-05-03T17:59:59Z", "1986-05-04T01:59:59"),
            ("1986-05-03T18:00:00Z", "1986-05-04T03:00:00"),
            ("1991-09-14T17:00:00Z", "1991-09-15T01:00:00"),
        ] {
            assert_eq!(shown(&china, moment), clock, "{moment}");
        }
        for (clock, moment) in [
            ("2026-12-01T00:00:00", "2026-11-30T16:00:00Z"),
            ("1990-06-01T00:00:00", "1990-05-31T15:00:00Z"),
            ("1991-01-01T00:00:00", "1990-12-31T16:00:00Z"),
            // Shown by no clock, and by clocks twice.
            ("1986-05-04T02:30:00", "1986-05-03T18:30:00Z"),
            ("1986-09-14T01:30:00", "1986-09-13T16:30:00Z"),
        ] {
            let at = china.moment_of(clock.parse().unwrap()).unwrap();
            assert_eq!(at, moment.parse::<Timestamp>().unwrap(), "{clock}");
        }
    }

    #[test]
    fn zones_without_summers_have_names_and_others_are_refused() {
        assert_eq!(Zone::named("Asia/Shanghai"), Some(Zone::china()));
        for (name, clock) in [
            ("UTC", "1990-06-01T00:00:00"),
            ("Asia/Tokyo", "1990-06-01T09:00:00"),
            ("Etc/GMT-8", "1990-06-01T08:00:00"),
            ("Etc/GMT+3", "1990-05-31T21:00:00"),
        ] {
            assert_eq!(shown(&Zone::named(name).unwrap(), "1990-06-01T00:00:00Z"), clock, "{name}");
        }
        for name in ["", "Europe/Berlin", "Etc/GMT-15", "Etc/GMT-", "Etc/GMT--8", "Etc/GMT8", "+08:00"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
    }
}
