//! What all parts of this service share.

use std::sync::Arc;

use broker::Lane;
use common::{TenantId, UnixMillis};
use service::{Context, config::SynchronizerConfig};

use crate::{
    Timing,
    companies::{Companies, Company},
    forms::Sources,
    metrics::Counted,
    timing::millis,
};

/// What all parts of this service share.
pub(crate) struct Desk {
    pub(crate) context: Context,
    pub(crate) config: SynchronizerConfig,
    pub(crate) companies: Companies,
    pub(crate) forms: Sources,
    pub(crate) counted: Counted,
    pub(crate) timing: Timing,
    pub(crate) lanes: Vec<Lane>,
}

impl Desk {
    /// The present moment, by our clock.
    pub(crate) fn now(&self) -> UnixMillis {
        self.context.clock.now()
    }

    /// The companies of our lanes.
    pub(crate) fn companies(&self) -> Vec<Arc<Company>> {
        let tenants = self.context.tenants.snapshot();
        let ours = tenants.iter().filter(|tenant| self.lanes.contains(&tenant.lane));
        ours.filter_map(|tenant| self.companies.of(tenant)).collect()
    }

    /// The company of a tenant, `None` where it has no platform. In whichever lane: a run that was taken on here goes on here when its
    /// tenant moves meanwhile.
    pub(crate) fn company(&self, tenant: &TenantId) -> Option<Arc<Company>> {
        self.companies.of(&*self.context.tenants.get(tenant)?)
    }

    /// The present moment, and until when a run that is held from now on is ours.
    pub(crate) fn hold(&self) -> (UnixMillis, UnixMillis) {
        let now = self.now();
        (now, now.plus_millis(millis(self.timing.hold)))
    }

    /// When what happens this often happens next: between nine and ten tenths of that from now, as `roll` says, so that tenants that were
    /// applied together are not worked on together for ever.
    pub(crate) fn due_again(&self, every_seconds: u64, roll: f64) -> UnixMillis {
        let every = i64::try_from(every_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        self.now().plus_millis((every as f64 * (0.9 + roll / 10.0)) as i64)
    }

    /// Whether the process is to stop.
    pub(crate) fn stops(&self) -> bool {
        self.context.stop.is_cancelled()
    }
}
