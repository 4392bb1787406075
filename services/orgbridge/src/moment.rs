//! Points in time on the command line.

use std::str::FromStr;

use common::UnixMillis;

/// A point in time as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// `2026-07-01T08:00:00+08:00`
    At(UnixMillis),
    /// `90s`, `30m`, `2h`, `7d`: so many seconds ago.
    Ago(i64),
}

/// What is neither of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time like 2026-07-01T08:00:00+08:00, or a span like 90s, 30m, 2h, 7d")]
pub(crate) struct NoMoment;

impl Moment {
    /// As a time.
    pub(crate) const fn at(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::At(at) => at,
            Self::Ago(seconds) => now.plus_seconds(-seconds),
        }
    }
}

impl FromStr for Moment {
    type Err = NoMoment;
    fn from_str(text: &str) -> Result<Self, NoMoment> {
        if let Some(at) = UnixMillis::from_rfc3339(text) {
            return Ok(Self::At(at));
        }
        let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let (count, unit) =
            units.iter().find_map(|(letter, unit)| Some((text.strip_suffix(*letter)?, unit))).ok_or(NoMoment)?;
        let count: u32 = count.parse().or(Err(NoMoment))?;
        Ok(Self::Ago(i64::from(count) * unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_read() {
        assert_eq!("1970-01-01T08:00:01+08:00".parse(), Ok(Moment::At(UnixMillis(1000))));
        assert_eq!("90s".parse(), Ok(Moment::Ago(90)));
        assert_eq!("7d".parse::<Moment>().map(|moment| moment.at(UnixMillis(0))), Ok(UnixMillis(-604_800_000)));
        for wrong in ["", "h", "-1h", "yesterday", "1.5h", "2026-07-01"] {
            assert_eq!(wrong.parse::<Moment>(), Err(NoMoment), "{wrong}");
        }
    }
}
