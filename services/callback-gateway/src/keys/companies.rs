//! A tenant as each platform calls it.

use std::sync::Arc;

use common::{Secret, TenantId, UnixMillis};
use jiandaoyun::{
    Form, Refusal,
    mapping::{Mapping, Zone},
    push::{self, Headers, Push},
};
use service::Tenant;

use super::pair::Pair;
use crate::{answer::Refused, intake::Posted};

/// A tenant that WeCom may call.
pub(crate) struct WecomKeys {
    /// What these were made from.
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) corp_id: String,
    keys: Pair<wecom::CallbackKeys>,
}

/// A tenant that DingTalk may call.
pub(crate) struct DingtalkKeys {
    /// What these were made from.
    pub(crate) tenant: Arc<Tenant>,
    keys: Pair<dingtalk::CallbackKeys>,
}

/// A tenant to which Jiandaoyun may push.
pub(crate) struct JiandaoyunKeys {
    /// What these were made from.
    pub(crate) tenant: Arc<Tenant>,
    /// The form of its mapping; `None` where that cannot be used, which the synchronizer tells of.
    pub(crate) form: Option<Form>,
    secret: Secret,
    previous: Option<(Secret, UnixMillis)>,
}

impl WecomKeys {
    pub(super) fn of(tenant: &Arc<Tenant>) -> Result<Option<Self>, wecom::KeyError> {
        let Some(section) = &tenant.file.wecom else { return Ok(None) };
        let make = |token: &Secret, aes_key: &Secret| wecom::CallbackKeys::new(token, aes_key, &section.corp_id);
        let previous = tenant.previous_callback.as_ref();
        let former = previous.and_then(|previous| Some((previous.wecom.as_ref()?, previous.until)));
        let keys = Pair::new(&section.callback_token, &section.callback_aes_key, former, make)?;
        Ok(keys.map(|keys| Self { keys, corp_id: section.corp_id.clone(), tenant: Arc::clone(tenant) }))
    }

    pub(crate) fn id(&self) -> &TenantId {
        &self.tenant.file.id
    }

    /// Verifies and decrypts.
    pub(crate) fn open(
        &self,
        query: &wecom::Query,
        encrypt: &str,
        now: UnixMillis,
        skew: u32,
    ) -> Result<String, Refused> {
        let is_stale = skew != 0 && now.seconds().abs_diff(query.timestamp_seconds()) > u64::from(skew);
        let verify = |keys: &wecom::CallbackKeys| keys.verify(query, encrypt);
        let (text, _) = self.keys.open(now, is_stale, verify, |keys| Ok(keys.decrypt(encrypt)?))?;
        Ok(text)
    }
}

impl DingtalkKeys {
    /// Where there are keys a callback is accepted in either mode, so that changing the mode loses none.
    pub(super) fn of(tenant: &Arc<Tenant>) -> Result<Option<Self>, dingtalk::KeyError> {
        let Some(section) = &tenant.file.dingtalk else { return Ok(None) };
        let owners = [section.client_id.as_str(), section.corp_id.as_str()];
        let make = |token: &Secret, aes_key: &Secret| dingtalk::CallbackKeys::new(token, aes_key, &owners);
        let previous = tenant.previous_callback.as_ref();
        let former = previous.and_then(|previous| Some((previous.dingtalk.as_ref()?, previous.until)));
        let keys = Pair::new(&section.callback_token, &section.callback_aes_key, former, make)?;
        Ok(keys.map(|keys| Self { keys, tenant: Arc::clone(tenant) }))
    }

    /// Verifies and decrypts; the answer has to be under the keys that did.
    pub(crate) fn open(
        &self,
        query: &dingtalk::Query,
        encrypt: &str,
        now: UnixMillis,
        skew: u32,
    ) -> Result<(dingtalk::Push, &dingtalk::CallbackKeys), Refused> {
        let verify = |keys: &dingtalk::CallbackKeys| keys.verify(query, encrypt);
        self.keys.open(now, query.is_stale(now, skew), verify, |keys| Ok(keys.decrypt(encrypt)?))
    }
}

impl JiandaoyunKeys {
    /// None where there is no secret: without one anybody could sign.
    pub(super) fn of(tenant: &Arc<Tenant>) -> Option<Self> {
        let section = tenant.file.jiandaoyun.as_ref().filter(|section| !section.push_secret.is_empty())?;
        let previous = tenant.previous_callback.as_ref();
        // Which zone it is makes no form another one.
        let mapping = Mapping::parse(&section.mapping, &Zone::china()).ok();
        Some(Self {
            form: mapping.map(|(mapping, _)| mapping.form().clone()),
            secret: section.push_secret.clone(),
            previous: previous.and_then(|previous| Some((previous.jiandaoyun.clone()?, previous.until))),
            tenant: Arc::clone(tenant),
        })
    }

    /// Verifies with the present secret, then with the previous one while that holds.
    pub(crate) fn open(
        &self,
        posted: &Posted<'_>,
        headers: Headers<'_>,
        now: UnixMillis,
        skew: u32,
    ) -> Result<Push, Refused> {
        let verify = |secret: &Secret| push::verify(secret, posted.query, posted.body, headers, now, skew);
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        let verified = match (verify(&self.secret), previous) {
            (Err(Refusal::BAD_SIGNATURE), Some((secret, _))) => verify(secret),
            (verified, _) => verified,
        };
        verified.map_err(|refusal| if refusal == Refusal::STALE { Refused::STALE } else { refusal.into() })
    }
}
