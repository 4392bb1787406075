//! What is asked.

use common::Secret;
use outbound::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that a query holds as they are (RFC 3986, 2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The most that is read of an answer about one thing, and of a list: 30 000 departments with names (reference wecom
/// 3.3) are some 10 MB.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;
const LIST_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// One call of an interface. It may hold secrets, so it cannot be printed.
pub(crate) struct Call<'a> {
    pub(crate) api: &'static str,
    parameters: Vec<(&'static str, &'a str)>,
    body: Option<Vec<u8>>,
    pub(crate) answer_limit_bytes: usize,
}

impl<'a> Call<'a> {
    /// A call that is answered with one thing.
    pub(crate) const fn one(api: &'static str) -> Self {
        Self { api, parameters: Vec::new(), body: None, answer_limit_bytes: ANSWER_LIMIT_BYTES }
    }

    /// A call that is answered with a list.
    pub(crate) const fn list(api: &'static str) -> Self {
        Self { api, parameters: Vec::new(), body: None, answer_limit_bytes: LIST_LIMIT_BYTES }
    }

    /// The same with one more parameter in the query.
    pub(crate) fn with(mut self, name: &'static str, value: &'a str) -> Self {
        self.parameters.push((name, value));
        self
    }

    /// The same with a body of JSON, in raw UTF-8 as the platform wants it (reference wecom 3.1).
    pub(crate) fn with_body(mut self, json: Vec<u8>) -> Self {
        self.body = Some(json);
        self
    }

    /// What the call is about, to tell it from others of its interface.
    pub(crate) fn subject(&self) -> &'a str {
        self.parameters.first().map_or("", |&(_, value)| value)
    }

    /// The HTTP request. The token goes into the query: the platform looks nowhere else (reference wecom 3.1).
    pub(crate) fn request(&self, api_base: &str, token: Option<&Secret>) -> Request {
        let mut url = format!("{}/cgi-bin/{}", api_base.trim_end_matches('/'), self.api);
        let token = token.map(|token| ("access_token", token.expose()));
        for (place, (name, value)) in token.into_iter().chain(self.parameters.iter().copied()).enumerate() {
            url.push(if place == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, QUERY));
        }
        match &self.body {
            Some(json) => Request::post(url, "application/json; charset=utf-8", json.clone()),
            None => Request::get(url),
        }
    }
}
