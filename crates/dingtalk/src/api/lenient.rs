//! Values that are numbers in one answer and text in another, null, or not there (reference dingtalk 4.1).

use common::{UnixMillis, Value as FieldValue};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::china_time;

/// A text, or a number as its digits. Anything else is as good as absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(deserializer).map(|value| as_text(&value))
}

/// A list of texts or numbers; one of them alone is a list of one. A list with anything else in it, and what is no list,
/// is as good as absent: half a list would say that the other half is not there.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Value::deserialize(deserializer).map(|value| as_texts(&value))
}

/// Yes or no, also in words. Anything else is as good as absent.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(deserializer).map(|value| as_flag(&value))
}

/// A whole number of 64 bits, also as text: places of members exceed 2^53 (reference dingtalk 4.5). Anything else is as
/// good as absent.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Value::deserialize(deserializer).map(|value| as_text(&value)?.trim().parse().ok())
}

/// A moment. Anything else is as good as absent.
pub(crate) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMillis>, D::Error> {
    Value::deserialize(deserializer).map(|value| as_moment(&value))
}

/// The text of a text or a number.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The texts of a list.
pub(crate) fn as_texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(as_text).collect(),
        one => as_text(one).map(|text| vec![text]),
    }
}

/// Yes or no.
pub(crate) fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) => match word.trim() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A moment as milliseconds since 1970, also in digits, or as a clock in China shows it.
pub(crate) fn as_moment(value: &Value) -> Option<UnixMillis> {
    let text = as_text(value)?;
    let text = text.trim();
    text.parse().ok().map(UnixMillis).or_else(|| china_time::moment(text))
}

/// What is under a name, if it is a text or a number that is not blank.
pub(crate) fn text_at(row: &Map<String, Value>, name: &str) -> Option<String> {
    Some(as_text(row.get(name)?)?.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The id of a department in its only spelling. The platform's pseudo-departments, which hold people from outside, have
/// negative ids (reference dingtalk 4.4) and are none.
pub(crate) fn department_id(text: &str) -> Option<String> {
    read_id(text).filter(|id| *id > 0).map(|id| id.to_string())
}

/// Whether an id is that of a pseudo-department.
pub(crate) fn is_pseudo_department(text: &str) -> bool {
    read_id(text).is_some_and(|id| id < 0)
}

/// The ids of departments in a list of them, without pseudo-departments; `None` when one cannot be read.
pub(crate) fn department_ids(texts: &[String]) -> Option<Vec<String>> {
    let ids = texts.iter().map(|text| read_id(text)).collect::<Option<Vec<i64>>>()?;
    Some(ids.into_iter().filter(|id| *id > 0).map(|id| id.to_string()).collect())
}

fn read_id(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// A text as a field has it. Blanks alone are nothing.
pub(crate) fn field_text(text: String) -> FieldValue {
    if text.trim().is_empty() { "".into() } else { text.into() }
}

/// The ids of members, without blanks.
pub(crate) fn member_ids(ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_numbers_digits_or_what_a_clock_shows() {
        let meant = UnixMillis::from_rfc3339("2026-09-21T00:57:10Z");
        for told in [json!(1_789_952_230_000_i64), json!("1789952230000"), json!("2026-09-21 08:57:10")] {
            assert_eq!(as_moment(&told), meant, "{told}");
        }
        for odd in [json!(null), json!(""), json!("soon"), json!(1e40), json!([1])] {
            assert_eq!(as_moment(&odd), None, "{odd}");
        }
    }

    #[test]
    fn departments_have_one_spelling_and_pseudo_departments_are_none() {
        let ids = |texts: &[&str]| department_ids(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(ids(&[" 01", "900000002", "-7"]), Some(vec!["1".to_owned(), "900000002".to_owned()]));
        for odd in ["", "+1", "1.5", "x", "9223372036854775808"] {
            assert_eq!((ids(&["1", odd]), department_id(odd)), (None, None), "{odd}");
        }
        assert_eq!((department_id("-1"), department_id("0")), (None, None));
    }

    #[test]
    fn one_thing_is_a_list_of_one_and_half_a_list_is_none() {
        assert_eq!(as_texts(&json!("a")), Some(vec!["a".to_owned()]));
        assert_eq!(as_texts(&json!(["a", 7])), Some(vec!["a".to_owned(), "7".to_owned()]));
        for odd in [json!(["a", null]), json!({}), json!(null), json!(true)] {
            assert_eq!(as_texts(&odd), None, "{odd}");
        }
    }
}
