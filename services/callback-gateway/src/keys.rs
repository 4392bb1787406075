//! The callback keys of all tenants, made once per apply instead of once per request.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use common::{TenantId, UnixMillis};
use service::{Context, Snapshot, Tenant};
use wecom::{CallbackKeys, KeyError, Query};

use crate::answer::Refused;

/// The present keys, swapped as a whole.
pub(crate) type SharedKeys = Arc<ArcSwap<KeyRing>>;

/// A tenant that WeCom may call.
pub(crate) struct WecomKeys {
    /// What these were made from.
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) corp_id: String,
    current: CallbackKeys,
    previous: Option<(CallbackKeys, UnixMillis)>,
}

/// All tenants that WeCom may call.
#[derive(Default)]
pub(crate) struct KeyRing {
    wecom: HashMap<String, Arc<WecomKeys>>,
}

impl KeyRing {
    /// Those of a snapshot; what has not changed since `before` is taken over.
    pub(crate) fn of(snapshot: &Snapshot, before: &Self) -> Self {
        let mut wecom = HashMap::new();
        for tenant in snapshot.iter() {
            let id = tenant.file.id.as_str();
            let known = before.wecom.get(id).filter(|keys| Arc::ptr_eq(&keys.tenant, tenant));
            match known.cloned().map_or_else(|| WecomKeys::of(tenant), |keys| Ok(Some(keys))) {
                Ok(Some(keys)) => drop(wecom.insert(id.to_owned(), keys)),
                Ok(None) => {}
                Err(error) => tracing::error!(tenant.id = id, %error, "callback keys cannot be used"),
            }
        }
        Self { wecom }
    }

    pub(crate) fn wecom(&self, tenant: &str) -> Result<Arc<WecomKeys>, Refused> {
        self.wecom.get(tenant).cloned().ok_or(Refused::UNKNOWN_TENANT)
    }
}

impl WecomKeys {
    fn of(tenant: &Arc<Tenant>) -> Result<Option<Arc<Self>>, KeyError> {
        let Some(section) = &tenant.file.wecom else { return Ok(None) };
        if section.callback_token.is_empty() {
            return Ok(None);
        }
        let make = |token, aes_key| CallbackKeys::new(token, aes_key, &section.corp_id);
        let previous = tenant.previous_callback.as_ref();
        let previous = previous.map(|pair| Ok((make(&pair.token, &pair.aes_key)?, pair.until))).transpose()?;
        Ok(Some(Arc::new(Self {
            current: make(&section.callback_token, &section.callback_aes_key)?,
            previous,
            corp_id: section.corp_id.clone(),
            tenant: Arc::clone(tenant),
        })))
    }

    pub(crate) fn id(&self) -> &TenantId {
        &self.tenant.file.id
    }

    /// Verifies and decrypts with the current keys, then with the previous ones while they hold. A rotation may have replaced only
    /// one of token and key, so a good signature that does not decrypt is not the end yet.
    pub(crate) fn open(&self, query: &Query, encrypt: &str, now: UnixMillis, skew: u32) -> Result<String, Refused> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(keys, _)| keys);
        let mut refused = Refused::from(wecom::Refusal::BAD_SIGNATURE);
        for keys in std::iter::once(&self.current).chain(previous) {
            if !keys.verify(query, encrypt) {
                continue;
            }
            if is_stale(query, now, skew) {
                return Err(Refused::STALE);
            }
            match keys.decrypt(encrypt) {
                Ok(text) => return Ok(text),
                Err(error) => refused = wecom::Refusal::from(error).into(),
            }
        }
        Err(refused)
    }
}

fn is_stale(query: &Query, now: UnixMillis, skew: u32) -> bool {
    skew != 0 && now.seconds().abs_diff(query.timestamp_seconds()) > u64::from(skew)
}

/// Follows the applied tenants until told to stop.
pub(crate) async fn keep_fresh(keys: SharedKeys, ctx: Context) {
    let mut changes = ctx.tenants.watch();
    loop {
        let snapshot = Arc::clone(&changes.borrow_and_update());
        let ring = KeyRing::of(&snapshot, &keys.load());
        keys.store(Arc::new(ring));
        match ctx.stop.run_until_cancelled(changes.changed()).await {
            Some(Ok(())) => {}
            _ => return,
        }
    }
}
