//! Counts what the doctor itself calls of the month's quota, where services count theirs.

use async_trait::async_trait;
use common::{Clock as _, Platform, TenantId};
use database::{Connection, Database};
use dingtalk::{
    api::{Meter, QuotaSpent, Worth},
    china_time,
};
use service::SystemClock;
use store::quota::{self, Kind};

pub(super) struct Tally {
    database: Database,
    tenant: TenantId,
    limit: u64,
}

impl Tally {
    pub(super) const fn new(database: Database, tenant: TenantId, limit: u64) -> Self {
        Self { database, tenant, limit }
    }
}

#[async_trait]
impl Meter for Tally {
    async fn may(&self, _api: &'static str, _worth: Worth) -> Result<(), QuotaSpent> {
        let (now, tenant) = (SystemClock.now(), self.tenant.clone());
        let read = move |conn: &mut Connection| {
            quota::used(conn, &tenant, Platform::Dingtalk, Kind::Api, &china_time::month_of(now))
        };
        match self.database.read("doctor.quota", read).await {
            // A doctor who cannot read it looks all the same: what he calls is little.
            Ok(used) if used >= self.limit => Err(QuotaSpent { until: china_time::next_month(now) }),
            _ => Ok(()),
        }
    }

    async fn used(&self, _api: &'static str) {
        let (month, tenant) = (china_time::month_of(SystemClock.now()), self.tenant.clone());
        let add = move |conn: &mut Connection| quota::add(conn, &tenant, Platform::Dingtalk, Kind::Api, &month, 1);
        if let Err(error) = self.database.write("doctor.quota", add).await {
            tracing::warn!(%error, "a call was not counted");
        }
    }
}
