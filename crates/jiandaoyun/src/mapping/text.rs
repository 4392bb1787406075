//! The text of a mapping file: JSON, also where an editor or an input method has put its own signs into it.

use common::{LooseJson, UnreadableJson};
use serde_json::Value;

use super::finding::{Findings, shown};

/// Under what the conditions stand.
const CONDITIONS: &str = "filter";
/// What holds those.
const HOLDER: &str = "source";

/// Reads a file's text, and tells where its signs had to be mended, and what stands in it twice.
pub(crate) fn read(text: &str, at: &str, findings: &mut Findings) -> Option<Value> {
    let error = match LooseJson::read(text) {
        Ok(LooseJson { value, is_mended, doubled }) => {
            if is_mended {
                let told = "quotation marks or signs that are none of JSON's were read as JSON's";
                findings.warn(at, "curly_quotes", told);
            }
            doubled.iter().for_each(|key| tell_of_doubled(key, at, findings));
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

/// The last one counts, as for whoever else reads the file. Of two conditions none may be overlooked: it would let people in.
fn tell_of_doubled(key: &str, at: &str, findings: &mut Findings) {
    let told = shown(key);
    if key.split('.').any(|name| name == CONDITIONS) || key.rsplit('.').next() == Some(HOLDER) {
        findings.refuse(at, "doubled_key", format!("{told} is there twice: conditions of one would be overlooked"));
    } else {
        findings.warn(at, "doubled_key", format!("{told} is there twice: the last one counts"));
    }
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

    #[test]
    fn of_two_keys_the_last_one_counts_and_of_two_conditions_none_is_overlooked() {
        assert_eq!(read_text("{\"limit\": 1, \"limit\": 2}"), Ok((json!({"limit": 2}), vec!["doubled_key"])));
        assert_eq!(read_text("{\"source\": {\"filter\": {\"cond_1\": {}}}, \"source\": {}}"), Err(vec!["doubled_key"]));
        for filter in ["{\"cond_1\": {}, \"cond_1\": {}}", "{\"cond_1\": {\"value\": 1, \"value\": 2}}"] {
            for text in [format!("{{\"filter\": {filter}}}"), format!("{{“source”: {{\"filter\": {filter}}}}}")] {
                assert_eq!(read_text(&text), Err(vec!["doubled_key"]), "{text}");
            }
        }
    }
}
