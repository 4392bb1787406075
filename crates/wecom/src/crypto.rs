//! Signature and encryption of callbacks (reference wecom 1.4 and 1.5).

use std::{fmt, slice};

use callback_crypto::Keys;
pub use callback_crypto::{DecryptError, KeyError};
use common::Secret;

use crate::Query;

/// What a callback address is configured with: token, key, and the id of the company (or suite) it is for.
///
/// The token and the key are wiped from memory when this is dropped, and are never printed.
#[derive(Clone)]
pub struct CallbackKeys {
    keys: Keys,
    receive_id: String,
}

impl CallbackKeys {
    /// Takes the token, the `EncodingAESKey` of 43 characters and the receive id: the corp id, or whatever reference
    /// wecom 1.6 says for the sort of application; it may be empty.
    ///
    /// # Errors
    /// When the token is empty or the key is no key.
    pub fn new(token: &Secret, encoding_aes_key: &Secret, receive_id: &str) -> Result<Self, KeyError> {
        Ok(Self { keys: Keys::new(token, encoding_aes_key)?, receive_id: receive_id.to_owned() })
    }

    /// Whom messages under these keys are for.
    pub fn receive_id(&self) -> &str {
        &self.receive_id
    }

    /// The signature: SHA-1 over the four values in byte order, without separators, as 40 lower-case hexadecimal
    /// digits.
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        self.keys.sign(timestamp, nonce, encrypt)
    }

    /// Whether the query's signature fits its timestamp and nonce and this ciphertext (the envelope's `Encrypt`, or the
    /// query's own `echostr`). Takes the same time for every wrong signature.
    pub fn verify(&self, query: &Query, encrypt: &str) -> bool {
        self.keys.verify(&query.msg_signature, &query.timestamp, &query.nonce, encrypt)
    }

    /// Encrypts a message: base64, padded to 32 bytes. The random bytes must be fresh ones.
    pub fn encrypt(&self, message: &[u8], random16: [u8; 16]) -> String {
        self.keys.encrypt(message, &self.receive_id, random16)
    }

    /// Decrypts a message whose signature has been verified, and checks whom it is for.
    ///
    /// # Errors
    /// [`DecryptError`] for everything that can be wrong with it.
    pub fn decrypt(&self, encrypt: &str) -> Result<String, DecryptError> {
        Ok(self.keys.decrypt(encrypt, slice::from_ref(&self.receive_id))?.text)
    }
}

impl fmt::Debug for CallbackKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackKeys").field("receive_id", &self.receive_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
