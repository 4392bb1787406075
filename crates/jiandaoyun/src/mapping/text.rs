//! The text of a mapping file: JSON, also where an editor or an input method has put its own signs into it.

use common::{LooseJson, UnreadableJson};
use serde_json::Value;

use super::finding::Findings;

/// Reads a file's text, and tells where its signs had to be mended.
pub(crate) fn read(text: &str, at: &str, findings: &mut Findings) -> Option<Value> {
    let error = match LooseJson::read(text) {
        Ok(LooseJson { value, is_mended }) => {
            if is_mended {
                let told = "quotation marks or signs that are none of JSON's were read as JSON's";
                findings.warn(at, "curly_quotes", told);
            }
            return Some(value);
        }
        Err(error) => error,
    };
    let word = match error {
        UnreadableJson::TooLarge => "too_large",
        UnreadableJson::NoJson { .. } => "no_json",
    };
    findings.refuse(at, word, error.to_string());
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> Result<(Value, Vec<&'static str>), Vec<&'static str>> {
        let mut findings = Findings::default();
        let value = read(text, "file", &mut findings);
        match findings.finish(value) {
            Ok((value, warnings)) => Ok((value, warnings.iter().map(|warning| warning.word).collect())),
            Err(problems) => Err(problems.iter().map(|problem| problem.word).collect()),
        }
    }

    #[test]
    fn what_was_mended_is_told_and_what_cannot_be_is_refused() {
        assert_eq!(read_text("\u{feff}{\"a\": \"“b”\"}"), Ok((json!({"a": "“b”"}), vec![])));
        assert_eq!(read_text("{“a”: “b”}"), Ok((json!({"a": "b"}), vec!["curly_quotes"])));
        assert_eq!(read_text("{“a”: }"), Err(vec!["no_json"]));
        assert_eq!(read_text(&" ".repeat(2 * 1024 * 1024)), Err(vec!["too_large"]));
    }
}
