//! What is asked.

use common::Secret;
use outbound::{
    Request,
    header::{ACCEPT, HeaderName},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// The characters that a query holds as they are (RFC 3986, 2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where the newer interfaces want the token (reference dingtalk 4.1).
const TOKEN_HEADER: &str = "x-acs-dingtalk-access-token";

const JSON: &str = "application/json; charset=utf-8";

/// The most that is read of an answer about one thing, and of a list.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;
const LIST_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// How an interface is called, and how it says that something went wrong (reference dingtalk 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// At `oapi.dingtalk.com`: the token in the query, failures with HTTP 200 and an `errcode`.
    Old,
    /// At `api.dingtalk.com`: the token in a header, failures with an HTTP status and a `code`.
    New,
}

/// Where the interfaces are, without a path.
#[derive(Debug, Clone)]
pub(crate) struct Bases {
    pub(crate) old: String,
    pub(crate) new: String,
}

/// One call of an interface. It may hold secrets, so it cannot be printed.
pub(crate) struct Call<'a> {
    /// The path without the leading slash.
    pub(crate) api: &'static str,
    pub(crate) style: Style,
    /// Whether it costs a part of the month's quota (reference dingtalk 5.1).
    pub(crate) is_counted: bool,
    pub(crate) answer_limit_bytes: usize,
    subject: &'a str,
    parameters: Vec<(&'static str, &'a str)>,
    /// `None` makes it a `GET`.
    body: Option<Vec<u8>>,
}

impl<'a> Call<'a> {
    /// A call of an older interface, with a body of JSON. `subject` is what it is about, to tell it from others.
    pub(crate) fn old(api: &'static str, subject: &'a str, body: &Value) -> Self {
        Self::new(api, Style::Old, subject, Some(body.to_string().into_bytes()))
    }

    /// A call of a newer interface, with a body of JSON.
    pub(crate) fn post(api: &'static str, subject: &'a str, body: &Value) -> Self {
        Self::new(api, Style::New, subject, Some(body.to_string().into_bytes()))
    }

    /// A call of a newer interface that takes the app's secret, in a body of JSON.
    pub(crate) fn with_secret(api: &'static str, body: String) -> Self {
        Self::new(api, Style::New, "", Some(body.into_bytes()))
    }

    /// A call without a body.
    pub(crate) const fn get(api: &'static str, style: Style) -> Self {
        Self::new(api, style, "", None)
    }

    const fn new(api: &'static str, style: Style, subject: &'a str, body: Option<Vec<u8>>) -> Self {
        let answer_limit_bytes = ANSWER_LIMIT_BYTES;
        Self { api, style, is_counted: false, answer_limit_bytes, subject, parameters: Vec::new(), body }
    }

    /// The same with one more parameter in the query.
    pub(crate) fn with(mut self, name: &'static str, value: &'a str) -> Self {
        self.parameters.push((name, value));
        self
    }

    /// The same, with a list as its answer.
    pub(crate) fn list(mut self) -> Self {
        self.answer_limit_bytes = LIST_LIMIT_BYTES;
        self
    }

    /// The same, of an interface that costs a part of the month's quota.
    pub(crate) fn counted(mut self) -> Self {
        self.is_counted = true;
        self
    }

    /// What the call is about, to tell it from others of its interface.
    pub(crate) fn subject(&self) -> &'a str {
        self.parameters.first().map_or(self.subject, |&(_, value)| value)
    }

    /// The HTTP request.
    pub(crate) fn request(&self, bases: &Bases, token: Option<&Secret>) -> Request {
        let (base, query_token, header_token) = match self.style {
            Style::Old => (&bases.old, token, None),
            Style::New => (&bases.new, None, token),
        };
        let mut url = format!("{}/{}", base.trim_end_matches('/'), self.api);
        let query_token = query_token.map(|token| ("access_token", token.expose()));
        for (place, (name, value)) in query_token.into_iter().chain(self.parameters.iter().copied()).enumerate() {
            url.push(if place == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, QUERY));
        }
        let request = match &self.body {
            Some(json) => Request::post(url, JSON, json.clone()),
            None => Request::get(url),
        };
        // Who does not say it may get XML (reference dingtalk 1.2).
        let request = request.with_header(ACCEPT, "application/json");
        match header_token {
            Some(token) => request.with_header(HeaderName::from_static(TOKEN_HEADER), token.expose()),
            None => request,
        }
    }
}
