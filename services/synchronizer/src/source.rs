//! The platform as the source of a run against the core products: pulled and compared with the mirror, by the same runs that
//! happen on a schedule.

use std::sync::Arc;

use async_trait::async_trait;
use common::TenantId;
use database::Connection;
use store::snapshots::{self, Snapshot, Stage};

use crate::{
    companies::Company,
    desk::Desk,
    reconcile,
    run::{Pulled, Source},
};

/// Pulls from the platform.
pub(crate) struct Platform(pub(crate) Arc<Desk>);

impl Platform {
    fn company(&self, tenant: &TenantId) -> Option<Arc<Company>> {
        self.0.companies().into_iter().find(|company| company.tenant == *tenant)
    }

    async fn newest(&self, tenant: &TenantId) -> database::Result<Option<Snapshot>> {
        let tenant = tenant.clone();
        let look = move |conn: &mut Connection| snapshots::get(conn, &tenant);
        self.0.context.database.read("synchronizer.newest", look).await
    }
}

#[async_trait]
impl Source for Platform {
    async fn pull(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Pulled> {
        let Some(company) = self.company(tenant) else {
            // Nobody has to be asked: what was pushed is all that there is.
            return Ok(Pulled { is_complete: true });
        };
        // A pull that bears this run's name was made for it, and is gone on with if it was cut off.
        reconcile::pull_for(&self.0, &company, run).await?;
        let at = self.newest(tenant).await?.filter(|at| at.run == run);
        let Some(at) = at else { anyhow::bail!("another pull is under way") };
        match at.stage {
            Stage::Idle => Ok(Pulled { is_complete: at.is_whole }),
            // Who is missing is not removed from the mirror before a person says so, and then not from the products either.
            Stage::Quarantined => Ok(Pulled { is_complete: false }),
            _ => anyhow::bail!("the pull is not finished"),
        }
    }

    async fn is_taken_in(&self, tenant: &TenantId, _run: &str) -> anyhow::Result<bool> {
        match self.company(tenant) {
            Some(company) => Ok(reconcile::is_taken_in(&self.0, &company).await?),
            None => Ok(true),
        }
    }
}
