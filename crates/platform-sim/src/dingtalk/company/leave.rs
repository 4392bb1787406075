//! Leave types.

use super::super::time;

/// In what a leave type is counted; the form writes its times accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveUnit {
    /// Hours.
    Hour,
    /// Half days.
    HalfDay,
    /// Days.
    Day,
}

impl LeaveUnit {
    /// As forms spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::HalfDay => "halfDay",
            Self::Day => "day",
        }
    }

    /// A time as the form writes it: `yyyy-MM-dd HH:mm`, `yyyy-MM-dd 上午/下午`, or `yyyy-MM-dd`.
    #[must_use]
    pub fn written(self, at_ms: i64) -> String {
        match self {
            Self::Hour => time::minute(at_ms),
            Self::HalfDay => format!("{} {}", time::date(at_ms), if time::hour(at_ms) < 12 { "上午" } else { "下午" }),
            Self::Day => time::date(at_ms),
        }
    }
}

/// A leave type of the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaveType {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// In what it is counted.
    pub unit: LeaveUnit,
    /// Whether the smart report has a column for it; without one its values stay empty.
    pub has_column: bool,
}

/// The leave types that a company begins with.
pub(super) fn usual() -> Vec<LeaveType> {
    let kinds = [
        ("年假", LeaveUnit::Day),
        ("事假", LeaveUnit::Hour),
        ("病假", LeaveUnit::HalfDay),
        ("调休", LeaveUnit::Hour),
        ("婚假", LeaveUnit::Day),
        ("产假", LeaveUnit::Day),
        ("丧假", LeaveUnit::HalfDay),
        ("哺乳假", LeaveUnit::Hour),
    ];
    let kind = |(number, (name, unit)): (usize, (&str, LeaveUnit))| LeaveType {
        code: format!("lc-{:04}", number + 1),
        name: name.to_owned(),
        unit,
        has_column: true,
    };
    kinds.into_iter().enumerate().map(kind).collect()
}
