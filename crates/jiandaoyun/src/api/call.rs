//! What is asked.

use common::Secret;
use outbound::{
    Request,
    header::{ACCEPT, AUTHORIZATION},
};
use serde_json::Value;

const JSON: &str = "application/json; charset=utf-8";

/// Under what the interfaces are, below the base (reference jiandaoyun 1).
const PREFIX: &str = "api/v5/app/entry";

/// The most that is read of an answer about one thing, and of a page of records.
const ANSWER_LIMIT_BYTES: usize = 4 * 1024 * 1024;
const LIST_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// One call of an interface. It holds what people wrote, so it cannot be printed.
pub(crate) struct Call<'a> {
    /// The interface: the path below all that they have in common.
    pub(crate) api: &'static str,
    /// What it is about, to tell it from others of its interface.
    pub(crate) subject: &'a str,
    /// Whether "there is no such record" is an answer to it.
    pub(crate) takes_absence: bool,
    pub(crate) answer_limit_bytes: usize,
    body: Vec<u8>,
}

impl<'a> Call<'a> {
    /// A call that is answered with one thing.
    pub(crate) fn one(api: &'static str, subject: &'a str, body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self { api, subject, takes_absence: false, answer_limit_bytes: ANSWER_LIMIT_BYTES, body }
    }

    /// A call that is answered with a page of records.
    pub(crate) fn list(api: &'static str, subject: &'a str, body: &Value) -> Self {
        Self { answer_limit_bytes: LIST_LIMIT_BYTES, ..Self::one(api, subject, body) }
    }

    /// The same, of something that may not be there.
    pub(crate) fn or_absent(self) -> Self {
        Self { takes_absence: true, ..self }
    }

    /// The HTTP request. The base may be written with the `/api` that all paths begin with.
    pub(crate) fn request(&self, api_base: &str, key: &Secret) -> Request {
        let base = api_base.trim_end_matches('/');
        let base = base.strip_suffix("/api").unwrap_or(base);
        Request::post(format!("{base}/{PREFIX}/{}", self.api), JSON, self.body.clone())
            .with_header(ACCEPT, "application/json")
            .with_header(AUTHORIZATION, &format!("Bearer {}", key.expose()))
    }
}
