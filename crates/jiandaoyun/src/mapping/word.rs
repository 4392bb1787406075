//! Words of a mapping file, where something odd stands around them or they have another type.

use serde_json::Value;

use super::finding::{Findings, shown};
use crate::api::as_number;

/// A word of the layout itself: the name of a field, a type, a method. Blanks and quotation marks around it are dropped.
pub(crate) fn word(value: &Value, at: &str, findings: &mut Findings) -> Option<String> {
    let Some(text) = value.as_str() else {
        findings.refuse(at, "no_text", "must be a text");
        return None;
    };
    let bare = bare(text);
    if bare != text.trim() {
        findings.warn(at, "curly_quotes", format!("read as {}", shown(bare)));
    }
    Some(bare.to_owned())
}

/// The same, of what has a type: a stray colon is dropped too.
pub(crate) fn type_word(value: &Value, at: &str, findings: &mut Findings) -> Option<String> {
    let word = word(value, at, findings)?;
    let bare = word.trim_matches(|c: char| matches!(c, ':' | '：')).trim();
    if bare != word {
        findings.warn(at, "stray_colon", format!("read as {}", shown(bare)));
    }
    Some(bare.to_owned())
}

/// A text without blanks and quotation marks around it.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '\u{2018}'..='\u{201f}' | '\u{ff02}' | '\u{ff07}')
    })
}

/// A whole number of the layout, also as text.
pub(crate) fn number(value: &Value, at: &str, findings: &mut Findings) -> Option<i64> {
    let number = as_number(value).or_else(|| bare(value.as_str()?).parse().ok());
    match number {
        Some(number) if value.is_string() => {
            findings.warn(at, "number_as_text", format!("read as the number {number}"));
        }
        Some(_) => {}
        None => findings.refuse(at, "no_number", "must be a whole number"),
    }
    number
}

/// Yes or no, in any of the spellings that files have (reference jiandaoyun 12.2).
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(_) => match as_number(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match &*bare(text).to_lowercase() {
            "true" | "1" | "yes" | "y" | "on" | "是" => Some(true),
            "false" | "0" | "no" | "n" | "off" | "否" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The same, of the layout: with a warning where it is no JSON of yes or no.
pub(crate) fn flag_of(value: &Value, at: &str, findings: &mut Findings) -> Option<bool> {
    let flag = flag(value);
    match flag {
        Some(flag) if !value.is_boolean() => findings.warn(at, "flag_as_text", format!("read as {flag}")),
        Some(_) => {}
        None => findings.refuse(at, "no_flag", "must be true or false"),
    }
    flag
}

/// Whether there is nothing in a value: null, a blank text, an empty list or object, or one of nothing but such. What a form
/// leaves out has all these shapes (reference jiandaoyun 7).
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(map) => map.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
