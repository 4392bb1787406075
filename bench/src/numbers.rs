//! What is made of the figures of several rounds.

use serde_json::{Value, json};

/// Figures are told with that many significant digits: no run is repeatable to more.
const DIGITS: i32 = 4;

/// The same figure of several rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(Vec<f64>);

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// It must not be greater.
    AtMost(f64),
    /// It must not be smaller.
    AtLeast(f64),
}

impl Limit {
    fn is_kept_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn name_and_value(self) -> (&'static str, f64) {
        match self {
            Self::AtMost(limit) => ("at_most", limit),
            Self::AtLeast(limit) => ("at_least", limit),
        }
    }
}

impl Series {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The one in the middle, or the mean of the two that are.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        match sorted.len() {
            0 => f64::NAN,
            count if count.is_multiple_of(2) => f64::midpoint(at(count / 2 - 1), at(count / 2)),
            count => at(count / 2),
        }
    }

    /// The greatest.
    pub(crate) fn highest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    fn lowest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    /// The median with its spread.
    pub(crate) fn told(&self) -> Value {
        json!({
            "median": rounded(self.median()), "lowest": rounded(self.lowest()), "highest": rounded(self.highest()),
            "values": self.0.iter().copied().map(rounded).collect::<Vec<f64>>(),
        })
    }

    /// The same, and whether the median keeps a limit and reaches a goal.
    pub(crate) fn against(&self, limit: Limit, goal: Option<f64>) -> Value {
        let mut told = self.told();
        let (name, value) = limit.name_and_value();
        if let Some(fields) = told.as_object_mut() {
            fields.insert(name.to_owned(), json!(rounded(value)));
            fields.insert("kept".to_owned(), json!(limit.is_kept_by(self.median())));
            if let Some(goal) = goal {
                fields.insert("goal".to_owned(), json!(rounded(goal)));
            }
        }
        told
    }
}

/// A figure with as many digits as mean something.
pub(crate) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let before_the_point = value.abs().log10().floor() as i32 + 1;
    let behind = DIGITS - before_the_point;
    let scale = 10_f64.powi(behind.abs());
    if behind < 0 { (value / scale).round() * scale } else { (value * scale).round() / scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        Series(values.to_vec())
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(series(&[3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(series(&[4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        assert!(series(&[]).median().is_nan());
    }

    #[test]
    fn a_limit_is_kept_by_the_median() {
        let told = series(&[1.0, 1.2, 9.0]).against(Limit::AtMost(1.25), Some(1.1));
        assert_eq!((&told["kept"], &told["at_most"], &told["goal"]), (&json!(true), &json!(1.25), &json!(1.1)));
        assert_eq!((&told["lowest"], &told["highest"]), (&json!(1.0), &json!(9.0)));
        assert_eq!(series(&[2.0]).against(Limit::AtLeast(2.5), None)["kept"], json!(false));
    }

    #[test]
    fn figures_have_four_digits() {
        let shown: Vec<f64> = [0.0, 1.23456, 123_456.0, 0.000_123_456].into_iter().map(rounded).collect();
        assert_eq!(shown, [0.0, 1.235, 123_500.0, 0.000_123_5]);
    }
}
