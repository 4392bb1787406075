//! Tokens and keys. They follow from one secret, so that the program and who is told of it need not exchange them.

use sha1::{Digest, Sha1};

use super::OA_RECEIVE_ID;
use crate::crypto::{random_aes_key, random_token};
use crate::{CryptoError, Keys};

/// Whoever knows them can tell the bridge anything in the company's name.
const FEWEST_CHARACTERS: usize = 16;

/// The secret is too short, or there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PLATFORM_SIM_SECRET or --secret must have at least 16 characters: openssl rand -hex 24")]
pub struct WeakSecret;

/// What each part calls its own.
pub(super) struct Secrets {
    /// Signs WeCom's callbacks, and encrypts them.
    pub(super) token: String,
    pub(super) aes_key: String,
    /// Lists ids and writes.
    pub(super) contact: String,
    /// Reads names and details.
    pub(super) agent: String,
    /// Of DingTalk's application.
    pub(super) client: String,
    pub(super) oa_token: String,
    pub(super) oa_aes_key: String,
}

impl Secrets {
    pub(super) fn new(secret: &str) -> Result<Self, WeakSecret> {
        if secret.chars().count() < FEWEST_CHARACTERS {
            return Err(WeakSecret);
        }
        let token = |of| random_token(derived(secret, of));
        let aes_key = |of| random_aes_key(derived(secret, of));
        Ok(Self {
            token: token("wecom callback token"),
            aes_key: aes_key("wecom callback key"),
            contact: token("wecom contact secret"),
            agent: token("wecom agent secret"),
            client: token("dingtalk client secret"),
            oa_token: token("oa token"),
            oa_aes_key: aes_key("oa key"),
        })
    }

    /// WeCom's callbacks.
    pub(super) fn of_callbacks(&self, corp_id: &str) -> Result<Keys, CryptoError> {
        Keys::new(&self.token, &self.aes_key, corp_id)
    }

    /// What the OA takes.
    pub(super) fn of_oa(&self) -> Result<Keys, CryptoError> {
        Keys::new(&self.oa_token, &self.oa_aes_key, OA_RECEIVE_ID)
    }
}

fn derived(secret: &str, of: &str) -> u64 {
    let digest: [u8; 20] = Sha1::digest(format!("{of}\n{secret}")).into();
    digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn secrets_follow_from_one_and_no_two_are_the_same() {
        let of = |secret: &str| {
            let Secrets { token, aes_key, contact, agent, client, oa_token, oa_aes_key } =
                Secrets::new(secret).expect("it is long enough");
            [token, aes_key, contact, agent, client, oa_token, oa_aes_key]
        };
        assert_eq!(of("0123456789abcdef"), of("0123456789abcdef"));
        let all = [of("0123456789abcdef"), of("0123456789abcdeg")].concat();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(Secrets::new("0123456789abcdef").is_ok_and(|secrets| secrets.of_oa().is_ok()));
    }

    #[test]
    fn a_short_secret_is_refused() {
        for weak in ["", "123456", "0123456789abcde"] {
            assert_eq!(Secrets::new(weak).err(), Some(WeakSecret), "{weak}");
        }
    }
}
