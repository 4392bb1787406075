//! JSON as people keep it in files: also where an editor or an input method has put its own signs into it.

mod doubled;

use serde_json::Value;

/// The largest text that is read.
const LARGEST_BYTES: usize = 1024 * 1024;

/// What a text of JSON says.
#[derive(Debug, Clone, PartialEq)]
pub struct LooseJson {
    /// What it says.
    pub value: Value,
    /// Whether signs had to be mended for that.
    pub is_mended: bool,
    /// Keys that stand in one object more than once, with those around them, such as `filter.cond_1`: the last one is in the value. The
    /// first few.
    pub doubled: Vec<String>,
}

/// Why a text cannot be read. It holds nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableJson {
    /// More than is looked at.
    #[error("the file is larger than 1 MiB")]
    TooLarge,
    /// No JSON, with its signs mended neither.
    #[error("this is no JSON (line {line}, column {column})")]
    NoJson {
        /// Where that shows, counted from 1.
        line: usize,
        /// Where in the line.
        column: usize,
    },
}

/// How a quotation mark that is none of JSON's ends a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// A text that begins as JSON's do ends as JSON's do.
    AsOpened,
    /// Any mark ends any text, where something follows that stands between texts.
    Any,
}

impl LooseJson {
    /// Reads a text, and mends quotation marks, colons, commas and blanks where it is no JSON as it is.
    ///
    /// # Errors
    /// It is too large, or no JSON all the same.
    pub fn read(text: &str) -> Result<Self, UnreadableJson> {
        if text.len() > LARGEST_BYTES {
            return Err(UnreadableJson::TooLarge);
        }
        let plain = text.trim_start_matches('\u{feff}');
        let error = match Self::parse(plain, false) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let mended = |closing| Self::parse(&mend(plain, closing), true).ok();
        let read = [Closing::AsOpened, Closing::Any].into_iter().find_map(mended);
        read.ok_or(UnreadableJson::NoJson { line: error.line(), column: error.column() })
    }

    fn parse(text: &str, is_mended: bool) -> serde_json::Result<Self> {
        Ok(Self { value: serde_json::from_str(text)?, is_mended, doubled: doubled::keys(text)? })
    }
}

/// The same text with JSON's signs outside of texts, and around them.
fn mend(text: &str, closing: Closing) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut opened_by = None;
    let mut is_escaped = false;
    for (place, character) in text.char_indices() {
        let rest = text.get(place + character.len_utf8()..).unwrap_or_default();
        match opened_by {
            None if is_quote(character) => {
                opened_by = Some(character);
                mended.push('"');
            }
            None => mended.push(plain_sign(character)),
            Some(_) if is_escaped => {
                is_escaped = false;
                mended.push(character);
            }
            Some(_) if character == '\\' => {
                is_escaped = true;
                mended.push(character);
            }
            Some(opener) if is_quote(character) && closes(opener, character, rest, closing) => {
                opened_by = None;
                mended.push('"');
            }
            Some(_) if character == '"' => mended.push_str("\\\""),
            Some(_) => mended.push(character),
        }
    }
    mended
}

fn closes(opener: char, mark: char, rest: &str, closing: Closing) -> bool {
    match (opener, mark) {
        ('"', '"') if closing == Closing::AsOpened => true,
        ('"', _) if closing == Closing::AsOpened => false,
        _ => rest.trim_start().chars().next().is_none_or(stands_between),
    }
}

const fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ff02}')
}

const fn stands_between(character: char) -> bool {
    matches!(plain_sign(character), ',' | ':' | '}' | ']')
}

/// JSON's sign for one that a Chinese input method writes instead.
const fn plain_sign(character: char) -> char {
    match character {
        '\u{ff1a}' => ':',
        '\u{ff0c}' => ',',
        '\u{a0}' | '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<(Value, bool), UnreadableJson> {
        LooseJson::read(text).map(|read| (read.value, read.is_mended))
    }

    #[test]
    fn what_is_json_stays_as_it_is() {
        let text = "\u{feff}{\"describe\": \"不超过“100”个，含：“主”\", \"“a”\": [1]}";
        assert_eq!(read(text), Ok((json!({"describe": "不超过“100”个，含：“主”", "“a”": [1]}), false)));
    }

    #[test]
    fn signs_of_editors_and_input_methods_are_mended() {
        for text in [
            "{“field”: “name”, “value”: “{_widget_1}”}",
            "{”field“：”name“，”value”:\u{3000}“{_widget_1}”}",
            "{\"field\": “name”, “value\":\u{a0}\"{_widget_1}\"}",
            "{\"field”: \"name”, \"value”: \"{_widget_1}”}",
            "{\u{ff02}field\u{ff02}: „name‟, \"value\": \"{_widget_1}\"}",
        ] {
            assert_eq!(read(text), Ok((json!({"field": "name", "value": "{_widget_1}"}), true)), "{text}");
        }
    }

    #[test]
    fn marks_within_a_text_stay_there() {
        let text = "{“describe”: “填“主”部门, 如 \"1\" 号 \\\\ \\n”, \"a\": \"“b” c\"}";
        let meant = json!({"describe": "填“主”部门, 如 \"1\" 号 \\ \n", "a": "“b” c"});
        assert_eq!(read(text), Ok((meant, true)));
    }

    #[test]
    fn keys_that_stand_twice_in_one_object_are_told_and_the_last_one_counts() {
        let doubled = |text: &str| LooseJson::read(text).map(|read| (read.value, read.doubled));
        assert_eq!(doubled("{\"a\": 1, \"b\": {\"a\": 2}, \"c\": [{\"a\": 3}, {\"a\": 4}]}").unwrap().1, [""; 0]);
        let text = "{“a”: {\"b\": 1, \"b\": [{\"c\": 1, \"c\": null, \"c\": true}]}, “a”: 1.5, \"“a”\": \"x\"}";
        let (value, keys) = doubled(text).unwrap();
        assert_eq!(value, json!({"a": 1.5, "“a”": "x"}));
        assert_eq!(keys, ["a.b", "a.b.c", "a.b.c", "a"]);
        let many = format!("{{{}\"a\": 1}}", "\"a\": 1, ".repeat(100));
        assert!((2..100).contains(&doubled(&many).unwrap().1.len()), "nobody reads more of them");
    }

    #[test]
    fn what_is_no_json_at_all_is_refused() {
        for text in ["", "{", "“", "{“a”: }", "{“a\\”: 1}", "source", &"[".repeat(5000)] {
            assert!(matches!(read(text), Err(UnreadableJson::NoJson { .. })), "{text}");
        }
        assert_eq!(read(&" ".repeat(LARGEST_BYTES + 1)), Err(UnreadableJson::TooLarge));
        let error = read("{\n  \"name\": 张三}").unwrap_err();
        let told = error.to_string();
        assert!(told.contains("line 2") && !told.contains('张'), "it says where, and not what: {told}");
    }
}
