//! What the platform pushes: "data push" of a form (reference jiandaoyun 11).
//!
//! A push is a hint. It is not sent for imports and for what is written through the API, so it makes a poll faster and never
//! replaces it; what it says of the record is not believed, the record is read.

use std::fmt;

use callback_crypto::{
    Refusal,
    query::{is_nonce, is_signature, parameters, shaped},
};
use common::{Secret, UnixMillis};
use serde_json::Value;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::{Form, form::is_object_id};

/// What the documentation puts before the digest in one example, and no server sends.
const PREFIX: &str = "sha1=";

const LONGEST_WORD_BYTES: usize = 64;
const DIGITS_OF_SECONDS: usize = 10;

/// The header fields of a push that matter, as they came.
#[derive(Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `X-JDY-Signature`.
    pub signature: Option<&'a str>,
    /// `X-JDY-DeliverId`.
    pub deliver_id: Option<&'a str>,
}

/// A push whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// What happened, in the platform's word, such as `data_update`; empty when the body tells none.
    pub op: String,
    /// Where; `None` when the body tells none, as that of the connection test may.
    pub form: Option<Form>,
    /// To which record, where it is about one.
    pub record_id: Option<String>,
    /// The push's own id, which its repetitions have too.
    pub deliver_id: Option<String>,
}

impl Push {
    /// The record to look at: of a form, and submitted, changed or restored. What was removed is not asked about.
    pub fn record(&self) -> Option<(&Form, &str)> {
        let is_there = matches!(&*self.op, "data_create" | "data_update" | "data_recover");
        Some((self.form.as_ref()?, self.record_id.as_deref().filter(|_| is_there)?))
    }
}

/// Verifies a push and reads what it is about. `raw_query` is the part after `?`, `max_skew_seconds` is how far the timestamp may
/// be from `now`; 0 for any.
///
/// Whatever is well signed is a push, also with a body that is no JSON: it is to be answered with success, since what the
/// connection test sends is not documented.
///
/// # Errors
/// [`Refusal::Unauthorized`]: a parameter or the signature is missing or misshapen, or does not fit; the timestamp is stale.
pub fn verify(
    secret: &Secret,
    raw_query: &str,
    body: &[u8],
    headers: Headers<'_>,
    now: UnixMillis,
    max_skew_seconds: u32,
) -> Result<Push, Refusal> {
    let [timestamp, nonce] = parameters(raw_query, ["timestamp", "nonce"])?;
    let timestamp = shaped(timestamp, is_timestamp, "misshapen_timestamp")?;
    let nonce = shaped(nonce, is_nonce, "misshapen_nonce")?;
    let signature = headers.signature.ok_or(Refusal::unauthorized("missing_signature"))?.trim();
    let signature = signature.strip_prefix(PREFIX).unwrap_or(signature);
    if !is_signature(signature) {
        return Err(Refusal::unauthorized("misshapen_signature"));
    }
    // Without a secret anybody could sign.
    let is_signed =
        !secret.is_empty() && bool::from(sign(secret, &timestamp, &nonce, body).as_bytes().ct_eq(signature.as_bytes()));
    if !is_signed {
        return Err(Refusal::BAD_SIGNATURE);
    }
    let at: i64 = timestamp.parse().unwrap_or_default();
    if max_skew_seconds != 0 && now.seconds().abs_diff(at) > u64::from(max_skew_seconds) {
        return Err(Refusal::STALE);
    }
    Ok(read(body, headers.deliver_id))
}

/// The signature of a push: SHA-1 over `{nonce}:{body}:{secret}:{timestamp}`, as 40 lower-case hexadecimal digits.
pub fn sign(secret: &Secret, timestamp: &str, nonce: &str, body: &[u8]) -> String {
    let mut hash = Sha1::new();
    let parts = [nonce.as_bytes(), body, secret.expose().as_bytes(), timestamp.as_bytes()];
    for (place, part) in parts.into_iter().enumerate() {
        if place > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Seconds since 1970.
fn is_timestamp(text: &str) -> bool {
    text.len() == DIGITS_OF_SECONDS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read(body: &[u8], deliver_id: Option<&str>) -> Push {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let op = told.get("op").and_then(Value::as_str).filter(|op| is_word(op)).unwrap_or_default();
    let data = |name: &str| told.get("data").and_then(|data| data.get(name)).and_then(Value::as_str);
    let form = data("appId").zip(data("entryId")).and_then(|(app_id, entry_id)| Form::new(app_id, entry_id));
    Push {
        op: op.to_owned(),
        form,
        record_id: data("_id").filter(|id| is_object_id(id)).map(str::to_owned),
        deliver_id: deliver_id.filter(|id| is_word(id)).map(str::to_owned),
    }
}

/// What may be kept and shown: the platform's words and ids.
fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_WORD_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

/// Without the signature: who sees it in time may send the push once more.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").field("deliver_id", &self.deliver_id).finish_non_exhaustive()
    }
}
