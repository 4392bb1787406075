//! Which tenants are being worked on, so that each is by one task only.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use common::TenantId;

/// Tenants that are being worked on here.
#[derive(Debug, Default, Clone)]
pub(crate) struct InHand(Arc<Mutex<BTreeSet<TenantId>>>);

/// A tenant's place among them; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    tenant: TenantId,
    among: InHand,
}

impl InHand {
    /// A place; `None` while the tenant has one.
    pub(crate) fn take(&self, tenant: &TenantId) -> Option<Place> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone());
        is_new.then(|| Place { tenant: tenant.clone(), among: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.among.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tenant);
    }
}
