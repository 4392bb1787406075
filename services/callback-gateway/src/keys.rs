//! The callback keys of all tenants, made once per apply instead of once per request.

mod companies;
mod pair;

use std::{collections::HashMap, convert::Infallible, fmt::Display, sync::Arc};

use arc_swap::ArcSwap;
use service::{Context, Snapshot, Tenant};

pub(crate) use self::companies::{DingtalkKeys, JiandaoyunKeys, WecomKeys};
use crate::answer::Refused;

/// The present keys, swapped as a whole.
pub(crate) type SharedKeys = Arc<ArcSwap<KeyRing>>;

/// All tenants that platforms may call.
#[derive(Default)]
pub(crate) struct KeyRing {
    wecom: Ring<WecomKeys>,
    dingtalk: Ring<DingtalkKeys>,
    jiandaoyun: Ring<JiandaoyunKeys>,
}

/// Those of one platform, by tenant.
type Ring<K> = HashMap<String, Arc<K>>;

impl KeyRing {
    /// Those of a snapshot; what has not changed since `before` is taken over.
    pub(crate) fn of(snapshot: &Snapshot, before: &Self) -> Self {
        let mut ring = Self::default();
        for tenant in snapshot.iter() {
            let known = before.wecom.get(tenant.file.id.as_str()).filter(|keys| Arc::ptr_eq(&keys.tenant, tenant));
            add(&mut ring.wecom, tenant, known, WecomKeys::of);
            let known = before.dingtalk.get(tenant.file.id.as_str()).filter(|keys| Arc::ptr_eq(&keys.tenant, tenant));
            add(&mut ring.dingtalk, tenant, known, DingtalkKeys::of);
            let known = before.jiandaoyun.get(tenant.file.id.as_str()).filter(|keys| Arc::ptr_eq(&keys.tenant, tenant));
            add(&mut ring.jiandaoyun, tenant, known, |tenant| Ok::<_, Infallible>(JiandaoyunKeys::of(tenant)));
        }
        ring
    }

    pub(crate) fn wecom(&self, tenant: &str) -> Result<Arc<WecomKeys>, Refused> {
        self.wecom.get(tenant).cloned().ok_or(Refused::UNKNOWN_TENANT)
    }

    pub(crate) fn dingtalk(&self, tenant: &str) -> Result<Arc<DingtalkKeys>, Refused> {
        self.dingtalk.get(tenant).cloned().ok_or(Refused::UNKNOWN_TENANT)
    }

    pub(crate) fn jiandaoyun(&self, tenant: &str) -> Result<Arc<JiandaoyunKeys>, Refused> {
        self.jiandaoyun.get(tenant).cloned().ok_or(Refused::UNKNOWN_TENANT)
    }
}

/// Adds what is known of a tenant, or is made of it if it has such keys.
fn add<K, E: Display>(
    ring: &mut Ring<K>,
    tenant: &Arc<Tenant>,
    known: Option<&Arc<K>>,
    make: impl FnOnce(&Arc<Tenant>) -> Result<Option<K>, E>,
) {
    let id = tenant.file.id.as_str();
    let keys = match known {
        Some(keys) => Ok(Some(Arc::clone(keys))),
        None => make(tenant).map(|made| made.map(Arc::new)),
    };
    match keys {
        Ok(Some(keys)) => drop(ring.insert(id.to_owned(), keys)),
        Ok(None) => {}
        Err(error) => tracing::error!(tenant.id = id, %error, "callback keys cannot be used"),
    }
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
