//! The callback keys, and the secret of pushes, before their last change, which are honoured for a while.

use common::{Secret, TenantId};
use serde::{Deserialize, Serialize};
use store::{SealError, Sealer};

use crate::tenant::{TenantFile, associated_data};

const PATH: &str = "previous_callback";

/// A token and a key of callbacks.
#[derive(Debug, Clone)]
pub struct CallbackPair {
    /// Signs.
    pub token: Secret,
    /// Encrypts.
    pub aes_key: Secret,
}

/// What was replaced by others.
#[derive(Default)]
pub(crate) struct Replaced {
    pub(crate) wecom: Option<CallbackPair>,
    pub(crate) dingtalk: Option<CallbackPair>,
    /// The secret of Jiandaoyun's pushes.
    pub(crate) jiandaoyun: Option<Secret>,
}

/// The pairs as text inside the seal. Former releases look for WeCom's only, and find them where they always were.
#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(flatten)]
    wecom: Option<PairText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dingtalk: Option<PairText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jiandaoyun: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PairText {
    token: String,
    aes_key: String,
}

impl CallbackPair {
    fn of(token: &Secret, aes_key: &Secret) -> Option<Self> {
        (!token.is_empty()).then(|| Self { token: token.clone(), aes_key: aes_key.clone() })
    }

    fn of_wecom(file: &TenantFile) -> Option<Self> {
        let section = file.wecom.as_ref()?;
        Self::of(&section.callback_token, &section.callback_aes_key)
    }

    fn of_dingtalk(file: &TenantFile) -> Option<Self> {
        let section = file.dingtalk.as_ref()?;
        Self::of(&section.callback_token, &section.callback_aes_key)
    }

    /// This one, if another took its place.
    fn replaced_by(self, new: &Self) -> Option<Self> {
        let same = self.token.expose() == new.token.expose() && self.aes_key.expose() == new.aes_key.expose();
        (!same).then_some(self)
    }
}

impl Replaced {
    /// What the file of before had, and the new one has others of.
    pub(crate) fn between(before: &TenantFile, after: &TenantFile) -> Self {
        let replaced = |of: fn(&TenantFile) -> Option<CallbackPair>| of(before)?.replaced_by(&of(after)?);
        Self {
            wecom: replaced(CallbackPair::of_wecom),
            dingtalk: replaced(CallbackPair::of_dingtalk),
            jiandaoyun: replaced_secret(before, after),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.wecom.is_none() && self.dingtalk.is_none() && self.jiandaoyun.is_none()
    }

    /// With what was replaced before, of a platform whose keys were left alone this time.
    pub(crate) fn or(self, before: Self) -> Self {
        Self {
            wecom: self.wecom.or(before.wecom),
            dingtalk: self.dingtalk.or(before.dingtalk),
            jiandaoyun: self.jiandaoyun.or(before.jiandaoyun),
        }
    }

    pub(crate) fn seal(&self, sealer: &Sealer, data_key: &str, tenant: &TenantId) -> Result<String, SealError> {
        let text = |pair: &CallbackPair| PairText {
            token: pair.token.expose().to_owned(),
            aes_key: pair.aes_key.expose().to_owned(),
        };
        let text = Text {
            wecom: self.wecom.as_ref().map(text),
            dingtalk: self.dingtalk.as_ref().map(text),
            jiandaoyun: self.jiandaoyun.as_ref().map(|secret| secret.expose().to_owned()),
        };
        // Texts only: there is nothing here that JSON cannot say.
        let text = Secret::new(serde_json::to_string(&text).unwrap_or_default());
        sealer.seal(data_key, &associated_data(tenant, PATH), text.expose())
    }

    pub(crate) fn open(sealer: &Sealer, data_key: &str, tenant: &TenantId, sealed: &str) -> anyhow::Result<Self> {
        let text = sealer.open(data_key, &associated_data(tenant, PATH), sealed)?;
        let Text { wecom, dingtalk, jiandaoyun } = serde_json::from_str(text.expose())?;
        let pair = |text: PairText| CallbackPair { token: Secret::new(text.token), aes_key: Secret::new(text.aes_key) };
        Ok(Self { wecom: wecom.map(pair), dingtalk: dingtalk.map(pair), jiandaoyun: jiandaoyun.map(Secret::new) })
    }
}

/// The secret of pushes before, if another took its place.
fn replaced_secret(before: &TenantFile, after: &TenantFile) -> Option<Secret> {
    let of = |file: &TenantFile| {
        let section = file.jiandaoyun.as_ref()?;
        Some(section.push_secret.clone()).filter(|secret| !secret.is_empty())
    };
    let (old, new) = (of(before)?, of(after)?);
    (old.expose() != new.expose()).then_some(old)
}
