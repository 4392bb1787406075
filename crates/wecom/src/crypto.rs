//! Signature and encryption of callbacks (reference wecom 1.4 and 1.5).

mod utf8;

use std::fmt;

use aes::{
    Aes256Dec, Aes256Enc, Block,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit},
};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};
use common::Secret;
use sha1::{Digest, Sha1};
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

use crate::Query;

/// Random bytes in front of the length.
const RANDOM_BYTES: usize = 16;
/// Random bytes and the message's length, four bytes big endian.
const HEAD_BYTES: usize = RANDOM_BYTES + 4;
const BLOCK_BYTES: usize = 16;
/// PKCS#7 counts in blocks of 32 here, although AES has 16.
const PADDING_BYTES: usize = 32;
const KEY_CHARACTERS: usize = 43;

/// 43 characters carry two bits more than the key has; most keys in the field have them set, so they are ignored.
const KEY_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// What a callback address is configured with: token, key, and the id of the company (or suite) it is for.
///
/// The token and the key are wiped from memory when this is dropped, and are never printed.
#[derive(Clone)]
pub struct CallbackKeys {
    token: Secret,
    aes_key: Zeroizing<[u8; 32]>,
    /// The first half of the key, for every message: the protocol's choice.
    iv: Zeroizing<[u8; 16]>,
    receive_id: String,
}

/// Keys that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no token.
    #[error("the callback token is empty")]
    EmptyToken,
    /// The official library's error -40004.
    #[error("the callback key (EncodingAESKey) must have exactly 43 characters out of a-z A-Z 0-9")]
    InvalidAesKey,
}

/// A well-signed message that is none of ours. It does not say why, on purpose: base64, padding, length, receive id and
/// text encoding fail in the same way and take the same time, else someone with the token could learn the plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be decrypted with these keys")]
pub struct DecryptError;

impl CallbackKeys {
    /// Takes the token, the `EncodingAESKey` of 43 characters and the receive id: the corp id, or whatever reference
    /// wecom 1.6 says for the sort of application; it may be empty.
    ///
    /// # Errors
    /// When the token is empty or the key is no key.
    pub fn new(token: &Secret, encoding_aes_key: &Secret, receive_id: &str) -> Result<Self, KeyError> {
        if token.is_empty() {
            return Err(KeyError::EmptyToken);
        }
        let encoded = encoding_aes_key.expose();
        if encoded.len() != KEY_CHARACTERS {
            return Err(KeyError::InvalidAesKey);
        }
        let decoded = Zeroizing::new(KEY_BASE64.decode(encoded).ok().ok_or(KeyError::InvalidAesKey)?);
        let aes_key = decoded.first_chunk::<32>().ok_or(KeyError::InvalidAesKey)?;
        let iv = aes_key.first_chunk::<16>().ok_or(KeyError::InvalidAesKey)?;
        Ok(Self {
            token: token.clone(),
            aes_key: Zeroizing::new(*aes_key),
            iv: Zeroizing::new(*iv),
            receive_id: receive_id.to_owned(),
        })
    }

    /// Whom messages under these keys are for.
    pub fn receive_id(&self) -> &str {
        &self.receive_id
    }

    /// The signature: SHA-1 over the four values in byte order, without separators, as 40 lower-case hexadecimal
    /// digits.
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        hex::encode(self.digest(timestamp, nonce, encrypt))
    }

    /// Whether the query's signature fits its timestamp and nonce and this ciphertext (the envelope's `Encrypt`, or the
    /// query's own `echostr`). Takes the same time for every wrong signature.
    pub fn verify(&self, query: &Query, encrypt: &str) -> bool {
        let mut expected = [0; 40];
        let digest = self.digest(&query.timestamp, &query.nonce, encrypt);
        hex::encode_to_slice(digest, &mut expected).is_ok()
            && bool::from(expected.ct_eq(query.msg_signature.as_bytes()))
    }

    fn digest(&self, timestamp: &str, nonce: &str, encrypt: &str) -> [u8; 20] {
        let mut parts = [self.token.expose(), timestamp, nonce, encrypt];
        parts.sort_unstable();
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// Encrypts a message: base64, padded to 32 bytes. The random bytes must be fresh ones.
    pub fn encrypt(&self, message: &[u8], random16: [u8; 16]) -> String {
        let used = HEAD_BYTES + message.len() + self.receive_id.len();
        let padding = PADDING_BYTES - used % PADDING_BYTES;
        let mut data = Vec::with_capacity(used + padding);
        data.extend_from_slice(&random16);
        // A message of 4 GiB cannot get here: it would have to fit an HTTP body.
        data.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(message);
        data.extend_from_slice(self.receive_id.as_bytes());
        data.resize(used + padding, u8::try_from(padding).unwrap_or_default());
        let mut cipher = cbc::Encryptor::<Aes256Enc>::new((&*self.aes_key).into(), (&*self.iv).into());
        cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
        STANDARD.encode(&data)
    }

    /// Decrypts a message whose signature has been verified, and checks whom it is for.
    ///
    /// # Errors
    /// [`DecryptError`] for everything that can be wrong with it.
    pub fn decrypt(&self, encrypt: &str) -> Result<String, DecryptError> {
        let (mut data, decoded) = decode(encrypt);
        // Both lengths are the sender's own knowledge, so this may be quick.
        if data.len() <= HEAD_BYTES + self.receive_id.len() || data.len() < PADDING_BYTES {
            return Err(DecryptError);
        }
        let mut cipher = cbc::Decryptor::<Aes256Dec>::new((&*self.aes_key).into(), (&*self.iv).into());
        cipher.decrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
        let (message_end, sound) = self.inspect(&data);
        if !bool::from(sound & decoded) {
            return Err(DecryptError);
        }
        data.truncate(message_end);
        data.drain(..HEAD_BYTES);
        String::from_utf8(data).ok().ok_or(DecryptError)
    }

    /// Where the message ends, and whether padding, length, receive id and text are as they must be. No branch and no
    /// number of steps depends on the plaintext.
    fn inspect(&self, data: &[u8]) -> (usize, Choice) {
        let last = data.last().copied().unwrap_or_default();
        let mut sound = !last.ct_eq(&0) & !last.ct_gt(&(PADDING_BYTES as u8));
        for (from_end, byte) in (0u8..).zip(data.iter().rev().take(PADDING_BYTES)) {
            sound &= !from_end.ct_lt(&last) | byte.ct_eq(&last);
        }
        let content_end = data.len().saturating_sub(usize::from(last).min(PADDING_BYTES));
        let id = self.receive_id.as_bytes();
        let message_end = content_end.saturating_sub(id.len()).max(HEAD_BYTES);
        let stated = data.get(RANDOM_BYTES..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let stated_end = u64::from(u32::from_be_bytes(stated)) + (HEAD_BYTES + id.len()) as u64;
        sound &= stated_end.ct_eq(&(content_end as u64));
        sound &= data.get(message_end..message_end + id.len()).unwrap_or_default().ct_eq(id);
        let least = data.len().saturating_sub(HEAD_BYTES + id.len() + PADDING_BYTES);
        sound &= utf8::prefix_is_text(data.get(HEAD_BYTES..).unwrap_or_default(), message_end - HEAD_BYTES, least);
        (message_end, sound)
    }
}

impl fmt::Debug for CallbackKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackKeys").field("receive_id", &self.receive_id).finish_non_exhaustive()
    }
}

/// Whole blocks, and whether they are the ciphertext's. What is no base64 of whole blocks becomes zeros, so that it
/// goes the same way as everything else that is wrong.
fn decode(encrypt: &str) -> (Vec<u8>, Choice) {
    match STANDARD.decode(encrypt) {
        Ok(data) if data.len().is_multiple_of(BLOCK_BYTES) => (data, Choice::from(1)),
        _ => (vec![0; encrypt.len() / 4 * 3 / BLOCK_BYTES * BLOCK_BYTES], Choice::from(0)),
    }
}

#[cfg(test)]
mod tests;
