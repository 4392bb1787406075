//! The callback cryptography of WeCom (wecom.md 1.4 and 1.5), written on its own for this crate.

use aes::Aes256;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha1::{Digest, Sha1};

use crate::query;

#[cfg(test)]
mod tests;

/// 43 characters carry two bits more than a key has; WeCom does not keep them zero.
const KEY_ENGINE: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The block size that the padding fills, larger than that of AES.
const PAD_BLOCK_BYTES: usize = 32;
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Why something could not be read; the number is that of WeCom's own library (wecom.md 1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// -40004: the key is not 43 letters and digits.
    #[error("the EncodingAESKey is not 43 letters and digits")]
    Key,
    /// -40010: not base64.
    #[error("not base64")]
    Base64,
    /// -40007: the length is wrong or the padding is not 1 to 32 equal bytes.
    #[error("not decryptable")]
    Decrypt,
    /// -40008: the length inside does not fit.
    #[error("the decrypted text is malformed")]
    Buffer,
    /// -40005: meant for somebody else.
    #[error("the receive id is another one")]
    ReceiveId,
}

/// How a receiver's `AgentID` appears in the envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AgentId {
    /// No element, as expected for contact events.
    #[default]
    Absent,
    /// An empty element.
    Empty,
    /// The number of an app.
    Value(String),
}

/// One callback ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The query string, percent-encoded, without the question mark.
    pub query: String,
    /// The XML envelope.
    pub body: String,
}

/// What a receiver is configured with.
#[derive(Clone)]
pub struct Keys {
    token: String,
    key: [u8; 32],
    iv: [u8; 16],
    receive_id: String,
}

impl Keys {
    /// The keys of a token, an `EncodingAESKey` of 43 characters and a receive id.
    ///
    /// # Errors
    /// [`CryptoError::Key`] if the key is not 43 letters and digits.
    pub fn new(token: &str, encoding_aes_key: &str, receive_id: &str) -> Result<Self, CryptoError> {
        let well_shaped = encoding_aes_key.len() == 43 && encoding_aes_key.bytes().all(|b| b.is_ascii_alphanumeric());
        if !well_shaped {
            return Err(CryptoError::Key);
        }
        let bytes = KEY_ENGINE.decode(format!("{encoding_aes_key}=")).map_err(|_error| CryptoError::Key)?;
        let key: [u8; 32] = bytes.try_into().map_err(|_bytes| CryptoError::Key)?;
        let iv: [u8; 16] = *key.first_chunk().ok_or(CryptoError::Key)?;
        Ok(Self { token: token.to_owned(), key, iv, receive_id: receive_id.to_owned() })
    }

    /// The id inside the ciphertext that names the receiver.
    #[must_use]
    pub fn receive_id(&self) -> &str {
        &self.receive_id
    }

    /// The signature over a message, 40 lower-case hexadecimal digits.
    #[must_use]
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut values = [self.token.as_bytes(), timestamp.as_bytes(), nonce.as_bytes(), encrypt.as_bytes()];
        values.sort_unstable();
        let mut digest = Sha1::new();
        for value in values {
            digest.update(value);
        }
        hex::encode(digest.finalize())
    }

    /// Whether a signature is the right one.
    #[must_use]
    pub fn verify(&self, signature: &str, timestamp: &str, nonce: &str, encrypt: &str) -> bool {
        self.sign(timestamp, nonce, encrypt) == signature
    }

    /// The base64 text of an encrypted message; `random16` is what makes equal messages look different.
    #[must_use]
    pub fn encrypt(&self, message: &[u8], random16: [u8; 16]) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut buffer = Vec::with_capacity(20 + message.len() + self.receive_id.len() + PAD_BLOCK_BYTES);
        buffer.extend_from_slice(&random16);
        buffer.extend_from_slice(&length.to_be_bytes());
        buffer.extend_from_slice(message);
        buffer.extend_from_slice(self.receive_id.as_bytes());
        let pad = PAD_BLOCK_BYTES - buffer.len() % PAD_BLOCK_BYTES;
        buffer.resize(buffer.len() + pad, u8::try_from(pad).unwrap_or_default());
        let whole = buffer.len();
        cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.iv.into())
            .encrypt_padded::<NoPadding>(&mut buffer, whole)
            .map(|encrypted| STANDARD.encode(encrypted))
            .unwrap_or_default()
    }

    /// The message inside, after the check that it is meant for this receiver.
    ///
    /// # Errors
    /// Any [`CryptoError`] but `Key`.
    pub fn decrypt(&self, encrypt: &str) -> Result<Vec<u8>, CryptoError> {
        let mut buffer = STANDARD.decode(encrypt).map_err(|_error| CryptoError::Base64)?;
        let plain = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.iv.into())
            .decrypt_padded::<NoPadding>(&mut buffer)
            .map_err(|_error| CryptoError::Decrypt)?;
        let content = strip_padding(plain)?;
        let (_random16, rest) = content.split_at_checked(16).ok_or(CryptoError::Buffer)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(CryptoError::Buffer)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (message, receive_id) = rest.split_at_checked(length).ok_or(CryptoError::Buffer)?;
        if receive_id != self.receive_id.as_bytes() {
            return Err(CryptoError::ReceiveId);
        }
        Ok(message.to_vec())
    }

    /// A whole callback: envelope and signed query. `layout` chooses between equivalent forms of the envelope.
    #[must_use]
    pub fn seal(&self, plaintext: &str, agent: &AgentId, moment: &Moment<'_>, layout: u64) -> Sealed {
        let encrypt = self.encrypt(plaintext.as_bytes(), moment.random16);
        let query = self.signed_query(moment, &encrypt);
        let mut parts = vec![
            format!("<ToUserName><![CDATA[{}]]></ToUserName>", self.receive_id),
            format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt>"),
        ];
        match agent {
            AgentId::Absent => {}
            AgentId::Empty => parts.insert(1, "<AgentID></AgentID>".to_owned()),
            AgentId::Value(id) => parts.insert(1, format!("<AgentID><![CDATA[{id}]]></AgentID>")),
        }
        if layout.is_multiple_of(3) {
            parts.reverse();
        }
        let separator = if layout.is_multiple_of(2) { "\n  " } else { "" };
        let body = format!("<xml>{separator}{}</xml>", parts.join(separator));
        Sealed { query, body }
    }

    /// `msg_signature`, `timestamp` and `nonce` of a text, ready for a URL.
    #[must_use]
    pub fn signed_query(&self, moment: &Moment<'_>, encrypt: &str) -> String {
        let signature = self.sign(moment.timestamp, moment.nonce, encrypt);
        let (timestamp, nonce) = (query::encode(moment.timestamp), query::encode(moment.nonce));
        format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}")
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("receive_id", &self.receive_id).finish_non_exhaustive()
    }
}

/// What changes with each sending of one message.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Unix seconds, as text.
    pub timestamp: &'a str,
    /// Any text, mostly decimal.
    pub nonce: &'a str,
    /// The random start of the plaintext.
    pub random16: [u8; 16],
}

fn strip_padding(plain: &[u8]) -> Result<&[u8], CryptoError> {
    let pad = usize::from(*plain.last().ok_or(CryptoError::Decrypt)?);
    let end = plain.len().checked_sub(pad).ok_or(CryptoError::Decrypt)?;
    let (content, padding) = plain.split_at_checked(end).ok_or(CryptoError::Decrypt)?;
    let sound = (1..=PAD_BLOCK_BYTES).contains(&pad) && padding.iter().all(|byte| usize::from(*byte) == pad);
    if sound { Ok(content) } else { Err(CryptoError::Decrypt) }
}

/// Sixteen random bytes, letters and digits or arbitrary ones: both occur (wecom.md 1.5).
pub fn random16(random: &mut StdRng) -> [u8; 16] {
    if random.random_bool(0.5) {
        return random.random();
    }
    std::array::from_fn(|_index| letter(random))
}

/// A token for tests and demos, 16 letters and digits.
#[must_use]
pub fn random_token(seed: u64) -> String {
    random_text(seed, 16)
}

/// An `EncodingAESKey` for tests and demos, mostly one with spare bits set.
#[must_use]
pub fn random_aes_key(seed: u64) -> String {
    random_text(seed ^ 0x0a55_c0de, 43)
}

fn random_text(seed: u64, length: usize) -> String {
    let mut random = StdRng::seed_from_u64(seed);
    (0..length).map(|_index| char::from(letter(&mut random))).collect()
}

fn letter(random: &mut StdRng) -> u8 {
    LETTERS.get(random.random_range(0..LETTERS.len())).copied().unwrap_or(b'0')
}
