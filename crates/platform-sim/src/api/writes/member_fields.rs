//! The fields of a member as they are posted, each checked by itself (reference wecom 3.4).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{department_id, sort_value};
use crate::Gender;
use crate::api::ApiOptions;
use crate::api::refusal::Refusal;
use crate::api::request::Fields;

/// More departments are refused; an error text says 20.
const MOST_DEPARTMENTS: usize = 100;
/// More direct leaders are refused (60257).
const MOST_LEADERS: usize = 5;

/// What was posted about a member. `None` means that it was not.
pub(super) struct MemberFields<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) alias: Option<&'a str>,
    pub(super) mobile: Option<String>,
    pub(super) email: Option<&'a str>,
    pub(super) biz_mail: Option<&'a str>,
    /// As posted, 0 and repeats included.
    pub(super) departments: Option<Vec<u64>>,
    pub(super) orders: Option<Vec<u64>>,
    pub(super) leads: Option<Vec<bool>>,
    pub(super) main_department: Option<String>,
    pub(super) leaders: Option<Vec<&'a str>>,
    pub(super) title: Option<&'a str>,
    pub(super) gender: Option<Gender>,
    pub(super) telephone: Option<&'a str>,
    pub(super) address: Option<&'a str>,
    pub(super) enabled: Option<bool>,
    /// Those that the console defines.
    pub(super) attributes: BTreeMap<String, String>,
}

impl<'a> MemberFields<'a> {
    pub(super) fn read(body: Fields<'a>, options: &ApiOptions) -> Result<Self, Refusal> {
        let flags = |flags: Vec<i64>| flags.into_iter().map(flag).collect::<Result<Vec<bool>, Refusal>>();
        let orders = |orders: Vec<i64>| orders.into_iter().map(sort_value).collect::<Result<Vec<u64>, Refusal>>();
        let text = |name, most, code| body.text(name)?.map(|text| up_to(text, most, code)).transpose();
        let main = body.integer("main_department")?;
        body.boolean("to_invite")?;
        text("external_position", 12, 40035)?;
        if body.text("avatar_mediaid")?.is_some_and(|id| !id.is_empty()) {
            // Nobody has uploaded anything here.
            return Err(Refusal::of(301_015));
        }
        Ok(Self {
            name: text("name", 64, 60112)?.map(|name| not_empty(name, 60112)).transpose()?,
            alias: text("alias", 64, 40035)?,
            mobile: body.text("mobile")?.map(mobile).transpose()?,
            email: body.text("email")?.map(email).transpose()?,
            biz_mail: body.text("biz_mail")?.map(|address| biz_mail(address, options)).transpose()?,
            departments: departments(body)?,
            orders: body.integers("order")?.map(orders).transpose()?,
            leads: body.integers("is_leader_in_dept")?.map(flags).transpose()?,
            main_department: main.map(existing_id).transpose()?.map(|id| id.to_string()),
            leaders: leaders(body)?,
            title: text("position", 128, 301_012)?,
            gender: body.text("gender")?.map(gender).transpose()?,
            telephone: text("telephone", 32, 301_013)?.map(telephone).transpose()?,
            address: text("address", 128, 40035)?,
            enabled: body.integer("enable")?.map(flag).transpose()?,
            attributes: attributes(body, options)?,
        })
    }
}

fn up_to(text: &str, most: usize, code: i64) -> Result<&str, Refusal> {
    if text.chars().count() <= most { Ok(text) } else { Err(Refusal::of(code)) }
}

fn not_empty(text: &str, code: i64) -> Result<&str, Refusal> {
    if text.is_empty() { Err(Refusal::of(code)) } else { Ok(text) }
}

/// Numbers of the mainland are kept without their country's prefix; others need it. An empty one is none.
fn mobile(text: &str) -> Result<String, Refusal> {
    let text = text.replace([' ', '-'], "");
    let mainland = text.strip_prefix("+86").unwrap_or(&text);
    if text.is_empty() || (mainland.len() == 11 && mainland.starts_with('1') && is_number(mainland)) {
        return Ok(mainland.to_owned());
    }
    let foreign = text.strip_prefix('+').filter(|digits| is_number(digits) && (5..=20).contains(&digits.len()));
    match foreign {
        Some(digits) if !digits.starts_with("86") => Ok(text),
        _ => Err(Refusal::of(60103)),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An empty one is none.
fn email(text: &str) -> Result<&str, Refusal> {
    let is_valid = (6..=64).contains(&text.len())
        && !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(name, domain)| {
            let dotted = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
            !name.is_empty() && dotted && !domain.contains('@')
        });
    if text.is_empty() || is_valid { Ok(text) } else { Err(Refusal::of(60105)) }
}

/// Which of 60141 to 60144 WeCom says is not known.
fn biz_mail<'a>(text: &'a str, options: &ApiOptions) -> Result<&'a str, Refusal> {
    if !text.is_empty() && !options.business_mail {
        return Err(Refusal::of(60143));
    }
    email(text).map_err(|_not_valid| Refusal::of(60141))
}

/// A list of numbers, or a lone 0; texts are refused as if there were none (41019).
fn departments(body: Fields<'_>) -> Result<Option<Vec<u64>>, Refusal> {
    let ids = match body.value("department") {
        None => return Ok(None),
        Some(Value::Number(lone)) if lone.as_i64() == Some(0) => return Ok(Some(Vec::new())),
        Some(Value::String(_)) => return Err(Refusal::of(41019)),
        Some(Value::Array(ids)) if ids.iter().any(Value::is_string) => return Err(Refusal::of(41019)),
        Some(_) => body.integers("department")?.unwrap_or_default(),
    };
    if ids.len() > MOST_DEPARTMENTS {
        return Err(Refusal::of(60110));
    }
    let ids = ids.into_iter().map(|id| if id == 0 { Ok(0) } else { existing_id(id) });
    ids.collect::<Result<_, _>>().map(Some)
}

fn existing_id(id: i64) -> Result<u64, Refusal> {
    department_id(id).ok_or_else(|| Refusal::of(60123))
}

fn leaders(body: Fields<'_>) -> Result<Option<Vec<&str>>, Refusal> {
    match body.texts("direct_leader")? {
        Some(leaders) if leaders.len() > MOST_LEADERS => Err(Refusal::of(60257)),
        leaders => Ok(leaders),
    }
}

fn flag(number: i64) -> Result<bool, Refusal> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Refusal::of(40035)),
    }
}

fn gender(code: &str) -> Result<Gender, Refusal> {
    Gender::from_code(code).ok_or_else(|| Refusal::of(40035))
}

fn telephone(text: &str) -> Result<&str, Refusal> {
    let is_valid = text.bytes().all(|byte| byte.is_ascii_digit() || b"-+,".contains(&byte));
    if is_valid { Ok(text) } else { Err(Refusal::of(301_013)) }
}

/// Those that the console does not define are ignored silently.
fn attributes(body: Fields<'_>, options: &ApiOptions) -> Result<BTreeMap<String, String>, Refusal> {
    let mut attributes = BTreeMap::new();
    let items = body.value("extattr").and_then(|extattr| extattr.get("attrs")).and_then(Value::as_array);
    for item in items.into_iter().flatten() {
        let name = item.get("name").and_then(Value::as_str).ok_or_else(|| Refusal::of(40058))?;
        let inside =
            |outer: &str, inner: &str| item.get(outer).and_then(|value| value.get(inner)).and_then(Value::as_str);
        let (value, most) = match inside("web", "url") {
            Some(url) => {
                is_on_the_web(url, inside("web", "title").unwrap_or_default())?;
                (url, usize::MAX)
            }
            None => (inside("text", "value").unwrap_or_default(), 64),
        };
        let value = up_to(value, most, 40035)?;
        if options.attributes.contains(name) {
            attributes.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(attributes)
}

/// An address of the web with a title of 12 characters at most.
fn is_on_the_web(url: &str, title: &str) -> Result<(), Refusal> {
    let is_address = url.starts_with("http://") || url.starts_with("https://");
    if is_address && title.chars().count() <= 12 { Ok(()) } else { Err(Refusal::of(40035)) }
}
