//! Values that are numbers in one answer and text in another, null, or not there (reference jiandaoyun 7).

use common::UnixMillis;
use serde_json::{Map, Value};

/// A whole number, also as text, or with a fraction of nothing.
pub(crate) fn as_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number that has a fraction in its spelling only, such as 12.0.
fn whole(number: f64) -> Option<i64> {
    // Beyond this a number is no longer exact.
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    // As text, since a cast would be silent about what it drops.
    is_exact.then(|| format!("{number:.0}").parse().ok())?
}

/// The moment under a name, in the form that answers have (reference jiandaoyun 8).
pub(crate) fn moment_at(map: &Map<String, Value>, name: &str) -> Option<UnixMillis> {
    UnixMillis::from_rfc3339(map.get(name)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_whole_however_they_are_written() {
        for told in [json!(1), json!(1.0), json!("1"), json!(" 1 ")] {
            assert_eq!(as_number(&told), Some(1), "{told}");
        }
        for odd in [json!(1.5), json!(1e300), json!("1.0"), json!("x"), json!(null), json!([1]), json!(u64::MAX)] {
            assert_eq!(as_number(&odd), None, "{odd}");
        }
        assert_eq!(as_number(&json!(-0.0)), Some(0));
    }
}
