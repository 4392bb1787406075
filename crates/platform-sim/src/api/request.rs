//! Requests, and how their parameters are read (reference wecom 3.1).

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::cursor::Cursors;
use super::refusal::Refusal;
use super::{About, Interface};
use crate::query;

/// One request to the API.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// From `/cgi-bin/` on.
    pub path: &'a str,
    /// Percent-encoded, without the question mark.
    pub query: &'a str,
    /// JSON, where something is posted.
    pub body: &'a [u8],
    /// Where it comes from.
    pub peer: IpAddr,
}

/// What was sent with a request.
pub(super) struct Input<'a> {
    query: &'a str,
    body: Result<Map<String, Value>, Refusal>,
}

impl<'a> Input<'a> {
    pub(super) fn read(interface: Interface, call: &Call<'a>) -> Self {
        let body = if interface.method() == "POST" { object(call.body) } else { Ok(Map::new()) };
        Self { query: call.query, body }
    }

    /// A parameter of the query; an empty one is none.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        query::parameter(self.query, name).filter(|value| !value.is_empty())
    }

    /// The posted object.
    pub(super) fn body(&self) -> Result<Fields<'_>, Refusal> {
        self.body.as_ref().map(Fields).map_err(Clone::clone)
    }

    /// What it is about, where that can be read.
    pub(super) fn about(&self, interface: Interface, cursors: Cursors) -> Option<About> {
        let posted = |name: &str| self.body.as_ref().ok().and_then(|body| body.get(name));
        let posted_text = |name: &str| posted(name).and_then(Value::as_str);
        match interface {
            Interface::UserListId => match posted_text("cursor").filter(|cursor| !cursor.is_empty()) {
                Some(cursor) => cursors.read(cursor).map(|position| About::Page(position.page)),
                None => Some(About::Page(1)),
            },
            Interface::UserGet | Interface::UserDelete => self.parameter("userid").map(|id| About::member(&id)),
            Interface::UserSimpleList | Interface::UserList => self.parameter("department_id").map(About::Department),
            Interface::DepartmentSimpleList
            | Interface::DepartmentList
            | Interface::DepartmentGet
            | Interface::DepartmentDelete => self.parameter("id").map(About::Department),
            Interface::UserCreate | Interface::UserUpdate => posted_text("userid").map(About::member),
            Interface::DepartmentCreate | Interface::DepartmentUpdate => {
                posted("id").and_then(Value::as_i64).map(|id| About::Department(id.to_string()))
            }
            Interface::GetToken
            | Interface::UserGetUserId
            | Interface::UserIdByEmail
            | Interface::GetCallbackIp
            | Interface::GetApiDomainIp => None,
        }
    }

    /// Whether a creation asks for an invitation, which it does unless it says no (reference wecom 3.4).
    pub(super) fn invites(&self) -> bool {
        let said = self.body.as_ref().ok().and_then(|body| body.get("to_invite"));
        said.and_then(Value::as_bool).unwrap_or(true)
    }
}

/// Raw UTF-8 is asked for: characters written as numbers are refused (40033).
fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if has_numbered_characters(body) {
        return Err(Refusal::of(40033));
    }
    serde_json::from_slice(body).map_err(|_error| Refusal::of(WRONG_JSON))
}

fn has_numbered_characters(body: &[u8]) -> bool {
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && bytes.next() == Some(&b'u') {
            return true;
        }
    }
    false
}

/// Not JSON, or another type than the one that is asked for.
const WRONG_JSON: i64 = 40058;

/// The fields of a posted object. Absent and `null` are the same.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.typed(name, Value::as_str)
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.typed(name, Value::as_i64)
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.typed(name, Value::as_bool)
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&'a Vec<Value>>, Refusal> {
        self.typed(name, Value::as_array)
    }

    pub(super) fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, Refusal> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        list.iter().map(Value::as_i64).collect::<Option<_>>().map(Some).ok_or_else(|| Refusal::of(WRONG_JSON))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        list.iter().map(Value::as_str).collect::<Option<_>>().map(Some).ok_or_else(|| Refusal::of(WRONG_JSON))
    }

    fn typed<T>(&self, name: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| Refusal::of(WRONG_JSON)),
        }
    }
}
