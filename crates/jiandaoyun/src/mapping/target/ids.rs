//! Ids of departments, and lists of numbers.

use serde_json::Value;

use crate::{
    api::as_number,
    mapping::{
        plain::narrow,
        reason::Reason,
        word::{flag, is_blank},
    },
};

/// A member is in so many departments at most (reference wecom 3.4).
const MOST_DEPARTMENTS: usize = 100;

/// The largest id of a department.
const LARGEST_ID: i64 = 4_294_967_295;

/// What stands between the numbers of a list that is written as a text.
const BETWEEN: [char; 7] = [',', ';', '|', '、', '[', ']', '/'];

/// Departments as a list of their ids, each once.
pub(super) fn departments(value: &Value) -> Result<Option<Value>, Reason> {
    let mut ids: Vec<i64> = Vec::new();
    for id in integers(value).map_err(of_department)? {
        if !(1..=LARGEST_ID).contains(&id) {
            return Err(Reason::NoDepartment);
        }
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() > MOST_DEPARTMENTS {
            return Err(Reason::TooMany { most: MOST_DEPARTMENTS });
        }
    }
    Ok((!ids.is_empty()).then(|| Value::from(ids)))
}

/// One department by its id.
pub(super) fn department(value: &Value) -> Result<Option<Value>, Reason> {
    match integers(value).map_err(of_department)?.as_slice() {
        [] => Ok(None),
        [id] if (1..=LARGEST_ID).contains(id) => Ok(Some(Value::from(*id))),
        [_] => Err(Reason::NoDepartment),
        _ => Err(Reason::TooMany { most: 1 }),
    }
}

/// Numbers from 0 to one, in the order of the departments. Yes is 1 and no is 0.
pub(super) fn numbers(value: &Value, most: i64) -> Result<Option<Value>, Reason> {
    let numbers = match value {
        Value::Bool(flag) => vec![i64::from(*flag)],
        Value::Array(items) => items.iter().map(number).collect::<Result<_, _>>()?,
        other => integers(other)?,
    };
    if numbers.len() > MOST_DEPARTMENTS {
        return Err(Reason::TooMany { most: MOST_DEPARTMENTS });
    }
    if !numbers.iter().all(|number| (0..=most).contains(number)) {
        return Err(Reason::NoNumber);
    }
    Ok((!numbers.is_empty()).then(|| Value::from(numbers)))
}

fn number(value: &Value) -> Result<i64, Reason> {
    as_number(value).or_else(|| flag(value).map(i64::from)).ok_or(Reason::NoNumber)
}

/// The whole numbers of a value: one, a list, a list in a text, or the ids of departments. In a company whose departments come
/// from the other platform they have that platform's id too, which counts (reference jiandaoyun 10).
pub(crate) fn integers(value: &Value) -> Result<Vec<i64>, Reason> {
    match value {
        value if is_blank(value) => Ok(Vec::new()),
        Value::Number(_) => Ok(vec![as_number(value).ok_or(Reason::NoNumber)?]),
        Value::String(text) => of_text(text),
        Value::Array(items) => {
            let lists: Vec<Vec<i64>> = items.iter().map(of_item).collect::<Result<_, _>>()?;
            Ok(lists.concat())
        }
        other => of_item(other),
    }
}

/// An item of a list is no list.
fn of_item(value: &Value) -> Result<Vec<i64>, Reason> {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let given = |name: &str| map.get(name).filter(|id| !is_blank(id));
            let id = given("integrate_id").or_else(|| given("dept_no")).ok_or(Reason::NoNumber)?;
            Ok(vec![as_number(id).ok_or(Reason::NoNumber)?])
        }
        Value::Array(_) | Value::Bool(_) => Err(Reason::NoNumber),
        other => integers(other),
    }
}

fn of_text(text: &str) -> Result<Vec<i64>, Reason> {
    let text = narrow(text);
    let is_between = |c: char| c.is_whitespace() || c == '"' || BETWEEN.contains(&c);
    let words = text.split(is_between).filter(|word| !word.is_empty());
    words.map(|word| of_digits(word).ok_or(Reason::NoNumber)).collect()
}

/// Digits, and nothing else that a number may be written with.
fn of_digits(word: &str) -> Option<i64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| word.parse().ok())?
}

fn of_department(reason: Reason) -> Reason {
    if reason == Reason::NoNumber { Reason::NoDepartment } else { reason }
}
