//! The mapping of a tenant's form as its file brings it. What it means is the business of whoever maps; here it is only brought along.

use common::{LooseJson, UnreadableJson};
use serde_json::Value;

/// What stands around a word of a mapping and does not count.
const QUOTES: [char; 12] = [
    '"', '\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}',
    '\u{ff02}', '\u{ff07}',
];

/// The text of a mapping's file: its JSON, or the text itself where its signs have to be mended or something stands in it twice: whoever maps
/// tells that.
///
/// # Errors
/// Why it is neither.
pub(super) fn read(text: &str) -> Result<Value, UnreadableJson> {
    let read = LooseJson::read(text)?;
    let is_plain = !read.is_mended && read.doubled.is_empty();
    Ok(if is_plain { read.value } else { Value::from(text) })
}

/// Whether a mapping asks for ids to be checked first, in one of the spellings that files have (reference jiandaoyun 12.2).
pub(super) fn checks_ids(mapping: &Value) -> bool {
    let Some(whole) = object(mapping) else { return false };
    // A half may stand under its name once more.
    let target = whole.get("target").and_then(object);
    let inner = target.as_ref().and_then(|target| object(target.get("target")?));
    let said = [inner, target, Some(whole)].into_iter().flatten().find_map(|half| half.get("idCheck").cloned());
    match said {
        Some(Value::Bool(checks)) => checks,
        Some(Value::Number(number)) => number.as_f64() == Some(1.0),
        Some(Value::String(word)) => {
            let word = word.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c)).to_lowercase();
            matches!(&*word, "true" | "1" | "yes" | "y" | "on" | "是")
        }
        _ => false,
    }
}

/// A part of a mapping, whether it is there as an object or as a text.
fn object(part: &Value) -> Option<Value> {
    match part {
        Value::String(text) => LooseJson::read(text).ok().map(|read| read.value).filter(Value::is_object),
        Value::Object(_) => Some(part.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_is_its_json_or_its_text_where_only_its_signs_are_wrong() {
        assert_eq!(read("\u{feff}{\"a\": 1}").unwrap(), json!({"a": 1}));
        let curly = "{\u{201c}a\u{201d}: \u{201c}x\u{201d}}";
        // All that whoever maps can read: mixed marks, other signs around texts, marks within them.
        for odd in
            [curly, "{\u{201c}a\": \u{201e}x\u{201d}}", "{＂a＂：＂x＂，\u{3000}＂b＂: 1}", "{“a”: “填“主”部门”}"]
        {
            assert_eq!(read(odd).unwrap(), Value::String(odd.to_owned()), "{odd}");
        }
        assert_eq!(read("{\"a\": \"\u{201c}x\u{201d}\"}").unwrap(), json!({"a": "\u{201c}x\u{201d}"}));
        let doubled = "{\"a\": 1, \"a\": 2}";
        assert_eq!(read(doubled).unwrap(), Value::from(doubled));
        for broken in ["", "{", "{\u{201c}a\u{201d}"] {
            assert!(read(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_check_of_ids_is_found_wherever_and_however_it_is_written() {
        for on in [json!(true), json!("true"), json!(1), json!("1"), json!("是"), json!("“True”"), json!(" yes")] {
            assert!(checks_ids(&json!({"idCheck": on})), "{on}");
            assert!(checks_ids(&json!({"source": {}, "target": {"idCheck": on}})), "{on}");
            assert!(checks_ids(&json!({"source": {}, "target": {"target": {"idCheck": on}}})), "{on}");
        }
        assert!(checks_ids(&json!({"source": {}, "target": "{\u{201c}idCheck\u{201d}: true}"})));
        assert!(checks_ids(&json!("{\"idCheck\": true}")));
        for off in [json!(false), json!("false"), json!(0), json!(null), json!("")] {
            assert!(!checks_ids(&json!({"idCheck": off})), "{off}");
        }
        for none in [json!({}), Value::Null, json!("{"), json!({"target": 1})] {
            assert!(!checks_ids(&none), "{none}");
        }
    }
}
