//! HTTP callbacks: what a request carries, and how it is answered (reference dingtalk 2).

mod envelope;
mod query;

use std::fmt;

use callback_crypto::{DecryptError, KeyError, Keys, Refusal};
use common::{Secret, UnixMillis};
use serde::Serialize;

pub use self::{envelope::Envelope, query::Query};

/// The word that every push is answered with, encrypted (reference dingtalk 2.4 and 2.5).
pub(crate) const SUCCESS: &str = "success";

/// What a callback address is configured with: token, key, and in whose name pushes may come.
///
/// The token and the key are wiped from memory when this is dropped, and are never printed.
#[derive(Clone)]
pub struct CallbackKeys {
    keys: Keys,
    owners: Vec<String>,
}

/// A push that was decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    /// What it says: a JSON object.
    pub text: String,
    /// In whose name it came. The answer has to be in the same.
    pub owner: String,
}

/// An answer, with the names that the platform insists on: note the capital S.
#[derive(Serialize)]
struct Reply<'a> {
    msg_signature: String,
    #[serde(rename = "timeStamp")]
    timestamp: &'a str,
    nonce: &'a str,
    encrypt: &'a str,
}

impl CallbackKeys {
    /// Takes the token, the `aes_key` of 43 characters and the owners: the client id, for addresses that were configured in the
    /// console, and the corp id, for those that were registered by API (reference dingtalk 2.3). Empty owners are left out.
    ///
    /// # Errors
    /// When the token is empty or the key is no key.
    pub fn new(token: &Secret, aes_key: &Secret, owners: &[&str]) -> Result<Self, KeyError> {
        let owners = owners.iter().filter(|owner| !owner.is_empty()).map(|owner| (*owner).to_owned());
        Ok(Self { keys: Keys::new(token, aes_key)?, owners: owners.collect() })
    }

    /// In whose name messages are sent under these keys: the first owner.
    pub fn owner(&self) -> &str {
        self.owners.first().map(String::as_str).unwrap_or_default()
    }

    /// The signature: SHA-1 over the four values in byte order, without separators, as 40 lower-case hexadecimal digits.
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        self.keys.sign(timestamp, nonce, encrypt)
    }

    /// Whether the query's signature fits its timestamp and nonce and this ciphertext. Takes the same time for every wrong
    /// signature.
    pub fn verify(&self, query: &Query, encrypt: &str) -> bool {
        self.keys.verify(&query.signature, &query.timestamp, &query.nonce, encrypt)
    }

    /// Encrypts a message in the name of an owner: base64, padded to 32 bytes. The random bytes must be fresh ones.
    pub fn encrypt(&self, message: &[u8], owner: &str, random16: [u8; 16]) -> String {
        self.keys.encrypt(message, owner, random16)
    }

    /// Decrypts a message whose signature has been verified, and checks in whose name it came.
    ///
    /// # Errors
    /// [`DecryptError`] for everything that can be wrong with it.
    pub fn decrypt(&self, encrypt: &str) -> Result<Push, DecryptError> {
        let message = self.keys.decrypt(encrypt, &self.owners)?;
        let owner = self.owners.get(message.owner).ok_or(DecryptError)?;
        Ok(Push { text: message.text, owner: owner.clone() })
    }

    /// Verifies, looks at the clock and decrypts. `max_skew_seconds` is how far the timestamp may be from `now`; 0 for any.
    ///
    /// # Errors
    /// [`Refusal::BAD_SIGNATURE`], [`Refusal::STALE`], or [`Refusal::Malformed`] when it does not decrypt. Where a pair of keys
    /// has just been replaced, the first and the last mean that the former pair is to be tried.
    pub fn open(&self, query: &Query, encrypt: &str, now: UnixMillis, max_skew_seconds: u32) -> Result<Push, Refusal> {
        if !self.verify(query, encrypt) {
            return Err(Refusal::BAD_SIGNATURE);
        }
        if query.is_stale(now, max_skew_seconds) {
            return Err(Refusal::STALE);
        }
        Ok(self.decrypt(encrypt)?)
    }

    /// The answer that says that a push was taken over, or that an address is ours: JSON. `owner` is that of the push; nonce and
    /// random bytes must be fresh ones.
    pub fn reply(&self, owner: &str, now: UnixMillis, nonce: &str, random16: [u8; 16]) -> String {
        let timestamp = now.0.to_string();
        let encrypt = self.encrypt(SUCCESS.as_bytes(), owner, random16);
        let msg_signature = self.sign(&timestamp, nonce, &encrypt);
        let reply = Reply { msg_signature, timestamp: &timestamp, nonce, encrypt: &encrypt };
        // Texts under fixed names: JSON can say that.
        serde_json::to_string(&reply).unwrap_or_default()
    }
}

impl fmt::Debug for CallbackKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackKeys").field("owners", &self.owners).finish_non_exhaustive()
    }
}

/// Without the text: there are names in it.
impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
