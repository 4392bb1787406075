//! Signature and encryption.

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
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::frame::{self, HEAD_BYTES, PADDING_BYTES};

const BLOCK_BYTES: usize = 16;
const KEY_CHARACTERS: usize = 43;

/// 43 characters carry two bits more than the key has; most keys in the field have them set, so they are ignored.
const KEY_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// The token and the key that a callback address is configured with.
///
/// Both are wiped from memory when this is dropped, and are never printed.
#[derive(Clone)]
pub struct Keys {
    token: Secret,
    aes_key: Zeroizing<[u8; 32]>,
    /// The first half of the key, for every message: the protocol's choice.
    iv: Zeroizing<[u8; 16]>,
}

/// A message that was decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub text: String,
    /// Whose it is: the place among the owners that were asked for.
    pub owner: usize,
}

/// Keys that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no token.
    #[error("the callback token is empty")]
    EmptyToken,
    /// Error -40004 of WeCom's official library, 900004 of DingTalk's.
    #[error("the callback key (EncodingAESKey) must have exactly 43 characters out of a-z A-Z 0-9")]
    InvalidAesKey,
}

/// A well-signed message that is none of ours. It does not say why, on purpose: base64, padding, length, owner and text encoding
/// fail in the same way and take the same time, else someone with the token could learn the plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be decrypted with these keys")]
pub struct DecryptError;

impl Keys {
    /// Takes the token and the key of 43 characters.
    ///
    /// # Errors
    /// When the token is empty or the key is no key.
    pub fn new(token: &Secret, encoded_key: &Secret) -> Result<Self, KeyError> {
        if token.is_empty() {
            return Err(KeyError::EmptyToken);
        }
        let encoded = encoded_key.expose();
        if encoded.len() != KEY_CHARACTERS {
            return Err(KeyError::InvalidAesKey);
        }
        let decoded = Zeroizing::new(KEY_BASE64.decode(encoded).ok().ok_or(KeyError::InvalidAesKey)?);
        let aes_key = decoded.first_chunk::<32>().ok_or(KeyError::InvalidAesKey)?;
        let iv = aes_key.first_chunk::<16>().ok_or(KeyError::InvalidAesKey)?;
        Ok(Self { token: token.clone(), aes_key: Zeroizing::new(*aes_key), iv: Zeroizing::new(*iv) })
    }

    /// The signature: SHA-1 over token, timestamp, nonce and ciphertext in byte order, without separators, as 40 lower-case
    /// hexadecimal digits.
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        hex::encode(self.digest(timestamp, nonce, encrypt))
    }

    /// Whether a signature fits. Takes the same time for every wrong one.
    pub fn verify(&self, signature: &str, timestamp: &str, nonce: &str, encrypt: &str) -> bool {
        let mut expected = [0; 40];
        let digest = self.digest(timestamp, nonce, encrypt);
        hex::encode_to_slice(digest, &mut expected).is_ok() && bool::from(expected.ct_eq(signature.as_bytes()))
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

    /// Encrypts a message for an owner: base64, padded to 32 bytes. The random bytes must be fresh ones.
    pub fn encrypt(&self, message: &[u8], owner: &str, random16: [u8; 16]) -> String {
        let mut data = frame::fill(message, owner, random16);
        let mut cipher = cbc::Encryptor::<Aes256Enc>::new((&*self.aes_key).into(), (&*self.iv).into());
        cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
        STANDARD.encode(&data)
    }

    /// Decrypts a message whose signature has been verified, and finds out which of the owners it is for.
    ///
    /// # Errors
    /// [`DecryptError`] for everything that can be wrong with it.
    pub fn decrypt(&self, encrypt: &str, owners: &[impl AsRef<str>]) -> Result<Message, DecryptError> {
        let (mut data, decoded) = decode(encrypt);
        let shortest = owners.iter().map(|owner| owner.as_ref().len()).min().ok_or(DecryptError)?;
        // Both lengths are the sender's own knowledge, so this may be quick.
        if data.len() <= HEAD_BYTES + shortest || data.len() < PADDING_BYTES {
            return Err(DecryptError);
        }
        let mut cipher = cbc::Decryptor::<Aes256Dec>::new((&*self.aes_key).into(), (&*self.iv).into());
        cipher.decrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
        let (mut message_end, mut place, mut found) = (0u64, 0u64, Choice::from(0));
        for (nth, owner) in (0u64..).zip(owners) {
            let (end, sound) = frame::inspect(&data, owner.as_ref().as_bytes());
            message_end.conditional_assign(&(end as u64), sound);
            place.conditional_assign(&nth, sound);
            found |= sound;
        }
        if !bool::from(found & decoded) {
            return Err(DecryptError);
        }
        data.truncate(usize::try_from(message_end).unwrap_or_default());
        let text = data.split_off(HEAD_BYTES.min(data.len()));
        let text = String::from_utf8(text).ok().ok_or(DecryptError)?;
        Ok(Message { text, owner: usize::try_from(place).unwrap_or_default() })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
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
