//! Checks on what is about to be sent (contract, "Mapping file").

use serde_json::Value;

use super::{
    convert::named,
    finding::{Findings, shown},
    plain,
    reason::Reason,
    target::{is_email, is_userid, normal_mobile},
    word::{bare, number},
};

/// More than anybody needs.
const MOST_CHECKS: usize = 16;

/// One check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Check {
    /// A mobile number.
    Mobile,
    /// An e-mail address.
    Email,
    /// A user id.
    Userid,
    /// At most so many bytes of UTF-8.
    MaxBytes(usize),
    /// At most so many characters.
    MaxChars(usize),
    /// One of these texts.
    OneOf(Vec<String>),
}

/// All names, for who has written another one.
const NAMES: &str = "mobile, email, userid, max_bytes, max_chars, one_of";

impl Check {
    /// Reads checks: one or a list of them, each a name or an object of a name and its argument.
    pub(crate) fn read_all(value: &Value, at: &str, findings: &mut Findings) -> Vec<Self> {
        let items = match value {
            Value::Null => return Vec::new(),
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        if items.len() > MOST_CHECKS {
            findings.refuse(at, "too_many", format!("there may be {MOST_CHECKS} checks at most"));
            return Vec::new();
        }
        let numbered = items.iter().enumerate();
        numbered.filter_map(|(place, item)| Self::read(item, &format!("{at}[{place}]"), findings)).collect()
    }

    fn read(value: &Value, at: &str, findings: &mut Findings) -> Option<Self> {
        let (name, argument) = named(value, at, findings)?;
        match (&*name, argument) {
            ("mobile", Value::Null) => Some(Self::Mobile),
            ("email", Value::Null) => Some(Self::Email),
            ("userid", Value::Null) => Some(Self::Userid),
            ("max_bytes", most) => length(most, at, findings).map(Self::MaxBytes),
            ("max_chars", most) => length(most, at, findings).map(Self::MaxChars),
            ("one_of", Value::Array(allowed)) if allowed.iter().all(|one| plain::text(one).is_ok()) => {
                Some(Self::OneOf(allowed.iter().filter_map(|one| plain::text(one).ok()).collect()))
            }
            ("mobile" | "email" | "userid" | "one_of", _) => {
                findings.refuse(at, "bad_argument", format!("the check {} does not take this", shown(&name)));
                None
            }
            (other, _) => {
                let text = format!("there is no check {}; there are {NAMES}", shown(other));
                findings.refuse(at, "unknown_check", text);
                None
            }
        }
    }

    /// Looks at a value that the platform takes.
    ///
    /// # Errors
    /// Why the mapping does not.
    pub(crate) fn passes(&self, value: &Value) -> Result<(), Reason> {
        let texts = plain::texts(value, plain::text)?;
        texts.iter().try_for_each(|text| self.passes_text(text))
    }

    fn passes_text(&self, text: &str) -> Result<(), Reason> {
        let (passes, reason) = match self {
            Self::Mobile => (normal_mobile(text).is_some(), Reason::NoMobile),
            Self::Email => (is_email(text), Reason::NoEmail),
            Self::Userid => (is_userid(text), Reason::NoUserid),
            Self::MaxBytes(most) => (text.len() <= *most, Reason::Length { least: 0, most: *most, unit: "bytes" }),
            Self::MaxChars(most) => {
                (text.chars().count() <= *most, Reason::Length { least: 0, most: *most, unit: "characters" })
            }
            Self::OneOf(allowed) => (allowed.iter().any(|one| one == bare(text) || one == text), Reason::NotOneOf),
        };
        if passes { Ok(()) } else { Err(reason) }
    }
}

fn length(value: &Value, at: &str, findings: &mut Findings) -> Option<usize> {
    let most = number(value, at, findings)?;
    let length = usize::try_from(most).ok();
    if length.is_none() {
        findings.refuse(at, "bad_argument", "must not be negative");
    }
    length
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(check: &Value) -> Result<Vec<Check>, Vec<&'static str>> {
        let mut findings = Findings::default();
        let read = Check::read_all(check, "check", &mut findings);
        findings
            .finish(Some(read))
            .map(|(read, _)| read)
            .map_err(|all| all.iter().map(|problem| problem.word).collect())
    }

    fn passes(check: Value, value: Value) -> Result<(), Reason> {
        read(&check).unwrap().iter().try_for_each(|check| check.passes(&value))
    }

    #[test]
    fn each_looks_for_what_its_name_says() {
        for (check, good, odd, reason) in [
            (json!("mobile"), json!("13800138000"), json!("12"), Reason::NoMobile),
            (json!(["email"]), json!("a@corp.example"), json!("a"), Reason::NoEmail),
            (json!("userid"), json!("a-1"), json!("张"), Reason::NoUserid),
            (
                json!({"max_bytes": 6}),
                json!("张三"),
                json!("张三1"),
                Reason::Length { least: 0, most: 6, unit: "bytes" },
            ),
            (
                json!({"max_chars": "2"}),
                json!("张三"),
                json!("张三1"),
                Reason::Length { least: 0, most: 2, unit: "characters" },
            ),
            (json!({"one_of": ["a", 1]}), json!(["a", "1"]), json!(["a", "b"]), Reason::NotOneOf),
            (json!({"one_of": [true]}), json!(true), json!(false), Reason::NotOneOf),
        ] {
            assert_eq!(passes(check.clone(), good), Ok(()), "{check}");
            assert_eq!(passes(check.clone(), odd), Err(reason), "{check}");
        }
    }

    #[test]
    fn what_is_no_check_is_refused() {
        for (check, word) in [
            (json!("pattern"), "unknown_check"),
            (json!({"pattern": "^a+$"}), "unknown_check"),
            (json!({"mobile": 1}), "bad_argument"),
            (json!("max_bytes"), "no_number"),
            (json!({"max_chars": -1}), "bad_argument"),
            (json!("one_of"), "bad_argument"),
            (json!({"one_of": [{"x": 1}]}), "bad_argument"),
            (json!([[]]), "no_text"),
            (json!(vec!["mobile"; 17]), "too_many"),
        ] {
            assert_eq!(read(&check), Err(vec![word]), "{check}");
        }
    }
}
