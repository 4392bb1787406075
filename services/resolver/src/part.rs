//! Which tenants are resolved by this process at the moment.

use broker::{Lane, Shares};
use common::{Hop, TenantId};
use service::{Context, TenantBook};

/// The tenants whose contacts come here; attendance and approvals are spread over the lane. What is done for a tenant by the clock is done
/// there, so that replicas do not do it all at once, and the load of one lane is none of the others'.
pub(crate) struct Part {
    tenants: TenantBook,
    shares: Shares,
}

impl Part {
    pub(crate) fn of(context: &Context, lanes: &[Lane]) -> Self {
        Self { tenants: context.tenants.clone(), shares: Shares::of(&*context.broker, Hop::Events, lanes) }
    }

    /// Whether a tenant is among them. It is while nobody knows, since locks keep several from doing the same.
    pub(crate) fn has(&self, tenant: &TenantId) -> bool {
        let known = self.tenants.get(tenant);
        known.is_none_or(|known| self.shares.has(&known.lane, tenant.as_str()) != Some(false))
    }
}
