//! Secrets at rest: a data key per tenant, wrapped by the master key.
//!
//! What is sealed says which scheme sealed it (`v1`), so that another one can follow. The associated data binds a value to its
//! tenant and field: a sealed value that was moved to another row does not open.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::Secret;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const SCHEME: &str = "v1";
const WRAPPING: &str = "data key";

/// Why something could not be sealed or opened. It says nothing about what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The master key is not 32 bytes in base64.
    #[error("the master key must be 32 bytes in base64")]
    MasterKey,
    /// The text was not made by [`Sealer::seal`] or [`Sealer::new_data_key`].
    #[error("this is no sealed value")]
    Malformed,
    /// The data key was wrapped by a master key that is not at hand.
    #[error("sealed under another master key (key id {0:08x})")]
    OtherMasterKey(u32),
    /// Tampered with, moved to another tenant or field, or another key.
    #[error("a sealed value does not open: it was changed, or belongs to another tenant or field")]
    Refused,
}

/// Seals and opens secrets. AES-256-GCM with a random nonce per value.
#[derive(Clone)]
pub struct Sealer {
    masters: Vec<Master>,
}

#[derive(Clone)]
struct Master {
    id: u32,
    cipher: Aes256Gcm,
}

impl Sealer {
    /// With a master key: 32 bytes in base64.
    ///
    /// # Errors
    /// [`SealError::MasterKey`] when it is anything else.
    pub fn new(master: &Secret) -> Result<Self, SealError> {
        Ok(Self { masters: vec![Master::new(master)?] })
    }

    /// Adds a former master key: data keys that it wrapped can be opened, new ones are wrapped by the first key.
    ///
    /// # Errors
    /// [`SealError::MasterKey`] when it is not 32 bytes in base64.
    pub fn with_former(mut self, master: &Secret) -> Result<Self, SealError> {
        self.masters.push(Master::new(master)?);
        Ok(self)
    }

    /// A new master key: 32 random bytes in base64, for an installation that has none yet.
    pub fn new_master_key() -> Secret {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(&mut key[..]);
        Secret::new(STANDARD.encode(&key[..]))
    }

    /// A new data key, wrapped: `v1.<id of the master key>.<base64>`.
    ///
    /// # Errors
    /// None that can be expected; see [`SealError`].
    pub fn new_data_key(&self) -> Result<String, SealError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(&mut key[..]);
        self.wrap(&key[..])
    }

    /// The same data key under the present master key.
    ///
    /// # Errors
    /// [`SealError::OtherMasterKey`] when the key that wrapped it is not at hand.
    pub fn rewrap(&self, wrapped: &str) -> Result<String, SealError> {
        let key = self.unwrap_key(wrapped)?;
        self.wrap(&key)
    }

    /// Whether `wrapped` is wrapped by the present master key.
    pub fn is_current(&self, wrapped: &str) -> bool {
        let current = self.masters.first().map(|master| master.id);
        parts(wrapped).is_ok_and(|(id, _)| Some(id) == current)
    }

    /// Seals `plaintext` under a tenant's wrapped data key. `aad` is the tenant and the field's path.
    ///
    /// # Errors
    /// When the data key cannot be unwrapped.
    pub fn seal(&self, wrapped: &str, aad: &str, plaintext: &str) -> Result<String, SealError> {
        let cipher = self.data_cipher(wrapped)?;
        Ok(format!("{SCHEME}.{}", encrypt(&cipher, aad, plaintext.as_bytes())?))
    }

    /// Opens what [`Sealer::seal`] made with the same data key and `aad`.
    ///
    /// # Errors
    /// [`SealError::Refused`] when it was changed or moved.
    pub fn open(&self, wrapped: &str, aad: &str, sealed: &str) -> Result<Secret, SealError> {
        let cipher = self.data_cipher(wrapped)?;
        let encoded =
            sealed.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix('.')).ok_or(SealError::Malformed)?;
        let plaintext = decrypt(&cipher, aad, encoded)?;
        let text = std::str::from_utf8(&plaintext).or(Err(SealError::Malformed))?;
        Ok(Secret::new(text))
    }

    fn wrap(&self, key: &[u8]) -> Result<String, SealError> {
        let master = self.masters.first().ok_or(SealError::MasterKey)?;
        Ok(format!("{SCHEME}.{:08x}.{}", master.id, encrypt(&master.cipher, WRAPPING, key)?))
    }

    fn unwrap_key(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, encoded) = parts(wrapped)?;
        let master = self.masters.iter().find(|master| master.id == id).ok_or(SealError::OtherMasterKey(id))?;
        decrypt(&master.cipher, WRAPPING, encoded)
    }

    fn data_cipher(&self, wrapped: &str) -> Result<Aes256Gcm, SealError> {
        let key = self.unwrap_key(wrapped)?;
        Aes256Gcm::new_from_slice(&key).or(Err(SealError::Malformed))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(***)")
    }
}

impl Master {
    fn new(master: &Secret) -> Result<Self, SealError> {
        let decoded = STANDARD.decode(master.expose().trim()).or(Err(SealError::MasterKey))?;
        let key = Zeroizing::new(decoded);
        let cipher = Aes256Gcm::new_from_slice(&key).or(Err(SealError::MasterKey))?;
        Ok(Self { id: key_id(&cipher)?, cipher })
    }
}

/// Names a key without telling anything about it: the tag of an empty text under a fixed nonce that no value ever uses, since
/// nonces are random and the associated data differs.
fn key_id(cipher: &Aes256Gcm) -> Result<u32, SealError> {
    let payload = Payload { msg: b"", aad: b"key id" };
    let tag = cipher.encrypt(&Nonce::from([0xff; NONCE_BYTES]), payload).or(Err(SealError::MasterKey))?;
    let start: [u8; 4] = tag.get(..4).and_then(|start| start.try_into().ok()).ok_or(SealError::MasterKey)?;
    Ok(u32::from_be_bytes(start))
}

fn parts(wrapped: &str) -> Result<(u32, &str), SealError> {
    let mut parts = wrapped.splitn(3, '.');
    let (Some(SCHEME), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(SealError::Malformed);
    };
    Ok((u32::from_str_radix(id, 16).or(Err(SealError::Malformed))?, encoded))
}

fn encrypt(cipher: &Aes256Gcm, aad: &str, plaintext: &[u8]) -> Result<String, SealError> {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce);
    let payload = Payload { msg: plaintext, aad: aad.as_bytes() };
    let ciphertext = cipher.encrypt(&Nonce::from(nonce), payload).or(Err(SealError::Refused))?;
    Ok(STANDARD.encode([&nonce[..], &ciphertext].concat()))
}

fn decrypt(cipher: &Aes256Gcm, aad: &str, encoded: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let bytes = STANDARD.decode(encoded).or(Err(SealError::Malformed))?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Malformed)?;
    let payload = Payload { msg: ciphertext, aad: aad.as_bytes() };
    cipher.decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).or(Err(SealError::Refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&Sealer::new_master_key()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_only_where_it_belongs() {
        let sealer = sealer();
        let (key, other) = (sealer.new_data_key().unwrap(), sealer.new_data_key().unwrap());
        let sealed = sealer.seal(&key, "acme/token", "秘密").unwrap();
        assert_eq!(sealer.open(&key, "acme/token", &sealed).unwrap().expose(), "秘密");
        assert_eq!(sealer.open(&key, "globex/token", &sealed).unwrap_err(), SealError::Refused);
        assert_eq!(sealer.open(&other, "acme/token", &sealed).unwrap_err(), SealError::Refused);
        assert!(sealer.open(&key, "acme/token", "plain").is_err());
    }

    #[test]
    fn equal_secrets_look_different() {
        let sealer = sealer();
        let key = sealer.new_data_key().unwrap();
        assert_ne!(sealer.seal(&key, "a", "x").unwrap(), sealer.seal(&key, "a", "x").unwrap());
    }

    #[test]
    fn a_master_key_can_be_replaced() {
        let (old, new) = (Sealer::new_master_key(), Sealer::new_master_key());
        let before = Sealer::new(&old).unwrap();
        let key = before.new_data_key().unwrap();
        let sealed = before.seal(&key, "a", "x").unwrap();
        let after = Sealer::new(&new).unwrap();
        assert!(matches!(after.open(&key, "a", &sealed), Err(SealError::OtherMasterKey(_))));
        let both = after.clone().with_former(&old).unwrap();
        assert!(!both.is_current(&key));
        let rewrapped = both.rewrap(&key).unwrap();
        assert!(after.is_current(&rewrapped));
        assert_eq!(after.open(&rewrapped, "a", &sealed).unwrap().expose(), "x");
    }

    #[test]
    fn a_master_key_has_32_bytes() {
        assert_eq!(Sealer::new(&Secret::new("c2hvcnQ=")).unwrap_err(), SealError::MasterKey);
        assert_eq!(Sealer::new(&Secret::new("not base64!")).unwrap_err(), SealError::MasterKey);
    }
}
