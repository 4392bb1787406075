//! The other role: what we send to an OA that expects WeCom (reference wecom 6.2).

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{CallbackKeys, render::Writer};

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const DIGITS_19: u64 = 1_000_000_000_000_000_000;

/// A callback request, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The XML envelope, to be sent as `text/xml`.
    pub body: Vec<u8>,
    /// The query to put after the address: `msg_signature=…&timestamp=…&nonce=…`.
    pub query: String,
}

/// Encrypts and signs a plaintext with the receiver's keys. `ToUserName` is their receive id; `agent_id` is left out
/// when `None` and empty when empty, as the receiver expects it. `timestamp` is in seconds; nonce and random bytes must
/// be fresh.
pub fn seal(
    keys: &CallbackKeys,
    agent_id: Option<&str>,
    plaintext: &str,
    timestamp: i64,
    nonce: &str,
    random16: [u8; 16],
) -> Sealed {
    let encrypt = keys.encrypt(plaintext.as_bytes(), random16);
    let mut envelope = Writer::new(encrypt.len() + 160);
    envelope.cdata("ToUserName", keys.receive_id());
    if let Some(agent_id) = agent_id {
        envelope.cdata("AgentID", agent_id);
    }
    envelope.cdata("Encrypt", &encrypt);
    Sealed { body: envelope.finish().into_bytes(), query: signed_query(keys, timestamp, nonce, &encrypt) }
}

/// The request that verifies a receiver's address: its query, and the text that the body of the answer must be,
/// exactly. The text is a decimal number of 19 digits, as in all known samples (reference wecom 1.2).
pub fn echo_request(keys: &CallbackKeys, timestamp: i64, nonce: &str, random16: [u8; 16]) -> (String, String) {
    let roll = u128::from_be_bytes(random16) % u128::from(9 * DIGITS_19);
    let expected = (u128::from(DIGITS_19) + roll).to_string();
    let echo = keys.encrypt(expected.as_bytes(), random16);
    let mut query = signed_query(keys, timestamp, nonce, &echo);
    query.push_str("&echostr=");
    query.extend(utf8_percent_encode(&echo, QUERY));
    (query, expected)
}

fn signed_query(keys: &CallbackKeys, timestamp: i64, nonce: &str, encrypt: &str) -> String {
    let timestamp = timestamp.to_string();
    let signature = keys.sign(&timestamp, nonce, encrypt);
    let mut query = String::with_capacity(256);
    let nonce = utf8_percent_encode(nonce, QUERY);
    // Writing into a string cannot fail.
    write!(query, "msg_signature={signature}&timestamp={timestamp}&nonce={nonce}").unwrap_or_default();
    query
}
