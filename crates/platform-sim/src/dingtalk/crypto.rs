//! HTTP callbacks sealed, and the replies to them opened (reference dingtalk 2.1 to 2.4). The cryptography is the one
//! that WeCom uses too.

use serde_json::{Value, json};

use crate::crypto::{CryptoError, Moment};
use crate::{Keys, Sealed, query};

#[cfg(test)]
mod tests;

/// Why a reply is not the encrypted `success`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// Not the JSON that it has to be, with exactly those names.
    #[error("the reply is not an object of msg_signature, timeStamp, nonce and encrypt")]
    Shape,
    /// Not signed with the token.
    #[error("the reply is signed badly")]
    Signature,
    /// Not decryptable, or for somebody else.
    #[error("the reply is sealed badly: {0}")]
    Sealed(#[from] CryptoError),
    /// Another word.
    #[error("the reply says something else than success")]
    Word,
}

/// One callback: the query with both names of the signature, and the body.
pub(super) fn seal(keys: &Keys, text: &str, moment: &Moment<'_>) -> Sealed {
    let encrypt = keys.encrypt(text.as_bytes(), moment.random16);
    let signed = keys.signed_query(moment, &encrypt);
    let signature = keys.sign(moment.timestamp, moment.nonce, &encrypt);
    Sealed { query: format!("signature={signature}&{signed}"), body: json!({"encrypt": encrypt}).to_string() }
}

/// The text in a callback's body, for those who receive callbacks; nothing where anything about it is wrong.
#[must_use]
pub fn open_callback(keys: &Keys, query: &str, body: &[u8]) -> Option<String> {
    let parameter = |name| query::parameter(query, name);
    let signature = parameter("msg_signature").or_else(|| parameter("signature"))?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let encrypt = body.get("encrypt")?.as_str()?;
    if !keys.verify(&signature, &parameter("timestamp")?, &parameter("nonce")?, encrypt) {
        return None;
    }
    String::from_utf8(keys.decrypt(encrypt).ok()?).ok()
}

/// The reply of a receiver that took a callback in.
#[must_use]
pub fn success(keys: &Keys, moment: &Moment<'_>) -> String {
    let encrypt = keys.encrypt(b"success", moment.random16);
    let signature = keys.sign(moment.timestamp, moment.nonce, &encrypt);
    json!({"msg_signature": signature, "timeStamp": moment.timestamp, "nonce": moment.nonce, "encrypt": encrypt})
        .to_string()
}

/// Whether a reply says success.
pub(super) fn check_reply(keys: &Keys, body: &[u8]) -> Result<(), BadReply> {
    let reply: Value = serde_json::from_slice(body).map_err(|_error| BadReply::Shape)?;
    let text = |name: &str| reply.get(name).and_then(Value::as_str).ok_or(BadReply::Shape);
    let (signature, encrypt) = (text("msg_signature")?, text("encrypt")?);
    if !keys.verify(signature, text("timeStamp")?, text("nonce")?, encrypt) {
        return Err(BadReply::Signature);
    }
    if keys.decrypt(encrypt)? == b"success" { Ok(()) } else { Err(BadReply::Word) }
}
