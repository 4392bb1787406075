//! The fields of `user/create`: what each takes, which decides over what a mapping calls their type (reference wecom 3.4,
//! jiandaoyun 12.2).

mod attributes;
mod email;
mod ids;
mod mobile;
mod userid;

use serde_json::Value;

pub(crate) use self::{email::is_email, ids::integers, mobile::normal_mobile, userid::is_userid};
use super::{
    plain::{self, narrow},
    reason::Reason,
    word::{flag, is_blank},
};

/// What extended attributes are called one by one: `extattr.工号`.
const ATTRIBUTE_PREFIX: &str = "extattr.";

/// A field of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A field that the platform knows.
    Named(&'static Row),
    /// An extended attribute of text, by its name.
    Attribute(String),
}

/// A field that the platform knows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    takes: Takes,
    /// Whether nobody is created without it, unless the mapping says otherwise.
    is_needed: bool,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Userid,
    Mobile,
    Email,
    /// So many characters, at least and at most.
    Text(usize, usize),
    Departments,
    Department,
    /// Whole numbers up to this, one for each department.
    Numbers(i64),
    Leaders,
    Gender,
    Telephone,
    Flag,
    /// A flag as 0 or 1.
    Bit,
    Attributes,
}

const fn row(name: &'static str, takes: Takes, is_needed: bool) -> Row {
    Row { name, takes, is_needed }
}

/// A department of a mapping that has one is needed: without it the platform puts the member where nobody looks.
static TABLE: [Row; 20] = [
    row("userid", Takes::Userid, true),
    row("name", Takes::Text(1, 64), true),
    row("alias", Takes::Text(1, 64), false),
    row("mobile", Takes::Mobile, false),
    row("email", Takes::Email, false),
    row("biz_mail", Takes::Email, false),
    row("department", Takes::Departments, true),
    row("order", Takes::Numbers(4_294_967_295), false),
    row("is_leader_in_dept", Takes::Numbers(1), false),
    row("main_department", Takes::Department, false),
    row("direct_leader", Takes::Leaders, false),
    row("position", Takes::Text(0, 128), false),
    row("gender", Takes::Gender, false),
    row("telephone", Takes::Telephone, false),
    row("address", Takes::Text(0, 128), false),
    row("enable", Takes::Bit, false),
    row("avatar_mediaid", Takes::Text(1, 256), false),
    row("extattr", Takes::Attributes, false),
    row("to_invite", Takes::Flag, false),
    row("external_position", Takes::Text(0, 12), false),
];

const MOST_LEADERS: usize = 1;
const LONGEST_TELEPHONE: usize = 32;

impl Target {
    /// The field of a name; `None` when the platform knows none.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if let Some(attribute) = name.strip_prefix(ATTRIBUTE_PREFIX) {
            return (!attribute.trim().is_empty()).then(|| Self::Attribute(attribute.trim().to_owned()));
        }
        TABLE.iter().find(|row| row.name == name).map(Self::Named)
    }

    /// Whether nobody is created without it, unless the mapping says otherwise.
    pub(crate) fn is_needed(&self) -> bool {
        matches!(self, Self::Named(row) if row.is_needed)
    }

    /// Whether it tells people apart, so that nothing may be missing in it.
    pub(crate) fn is_identity(&self) -> bool {
        match self {
            Self::Named(row) => matches!(row.takes, Takes::Userid | Takes::Mobile | Takes::Email | Takes::Leaders),
            Self::Attribute(_) => false,
        }
    }

    /// Whether it takes objects as they stand.
    pub(crate) fn takes_objects(&self) -> bool {
        matches!(self, Self::Named(row) if row.takes == Takes::Attributes)
    }

    /// Whether a date in it is a text for people.
    pub(crate) fn takes_text(&self) -> bool {
        match self {
            Self::Named(row) => matches!(row.takes, Takes::Text(..)),
            Self::Attribute(_) => true,
        }
    }

    /// The value that the platform takes; `None` when there is none.
    ///
    /// # Errors
    /// Why the platform would not take it.
    pub(crate) fn settle(&self, value: &Value) -> Result<Option<Value>, Reason> {
        if is_blank(value) {
            return Ok(None);
        }
        match self {
            Self::Named(row) => row.takes.settle(value),
            Self::Attribute(_) => attributes::text(value),
        }
    }
}

impl Takes {
    fn settle(self, value: &Value) -> Result<Option<Value>, Reason> {
        match self {
            Self::Userid => filled(&plain::id(value)?, userid::settle),
            Self::Mobile => filled(&plain::text(value)?, |text| normal_mobile(text).ok_or(Reason::NoMobile)),
            Self::Email => filled(&plain::text(value)?, email::settle),
            Self::Text(least, most) => filled(&plain::text(value)?, |text| within(text, least, most)),
            Self::Departments => ids::departments(value),
            Self::Department => ids::department(value),
            Self::Numbers(most) => ids::numbers(value, most),
            Self::Leaders => leaders(value),
            Self::Gender => filled(&plain::text(value)?, Ok).and_then(gender),
            Self::Telephone => filled(&plain::text(value)?, telephone),
            Self::Flag => Ok(Some(Value::Bool(flag(value).ok_or(Reason::NoFlag)?))),
            Self::Bit => Ok(Some(Value::from(u8::from(flag(value).ok_or(Reason::NoFlag)?)))),
            Self::Attributes => attributes::settle(value),
        }
    }
}

/// A text without blanks around it, as the field takes it; `None` when nothing is left of it.
fn filled<'t, T: Into<String>>(
    text: &'t str,
    settle: impl FnOnce(&'t str) -> Result<T, Reason>,
) -> Result<Option<Value>, Reason> {
    match text.trim() {
        "" => Ok(None),
        text => Ok(Some(Value::String(settle(text)?.into()))),
    }
}

/// A text of so many characters.
fn within(text: &str, least: usize, most: usize) -> Result<&str, Reason> {
    let is_within = (least..=most).contains(&text.chars().count());
    if is_within { Ok(text) } else { Err(Reason::Length { least, most, unit: "characters" }) }
}

/// `"1"` is male, `"2"` is female; unknown is nothing.
fn gender(text: Option<Value>) -> Result<Option<Value>, Reason> {
    let Some(Value::String(text)) = text else { return Ok(None) };
    match &*narrow(&text).to_lowercase() {
        "1" | "男" | "男性" | "male" | "m" => Ok(Some("1".into())),
        "2" | "女" | "女性" | "female" | "f" => Ok(Some("2".into())),
        "0" | "未知" | "保密" | "unknown" => Ok(None),
        _ => Err(Reason::NoGender),
    }
}

fn telephone(text: &str) -> Result<String, Reason> {
    let telephone: String = narrow(text).chars().filter(|c| !c.is_whitespace()).collect();
    let allowed = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b',');
    let fits = telephone.len() <= LONGEST_TELEPHONE && telephone.bytes().all(allowed);
    if fits { Ok(telephone) } else { Err(Reason::NoTelephone) }
}

/// User ids: of people, of a list, or in a text with commas between.
fn leaders(value: &Value) -> Result<Option<Value>, Reason> {
    let texts = plain::texts(value, plain::id)?;
    let ids: Vec<&str> = texts.iter().flat_map(|text| text.split([',', '，'])).map(str::trim).collect();
    let ids: Vec<&str> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    if ids.len() > MOST_LEADERS {
        return Err(Reason::TooMany { most: MOST_LEADERS });
    }
    if !ids.iter().all(|id| is_userid(id)) {
        return Err(Reason::NoUserid);
    }
    Ok((!ids.is_empty()).then(|| Value::from(ids)))
}

#[cfg(test)]
mod tests;
