//! The platform as the source of a run against the core products: pulled and compared with the mirror, by the same runs that
//! happen on a schedule.

use std::sync::Arc;

use async_trait::async_trait;
use common::{TenantId, UnixMillis};
use database::Connection;
use store::snapshots::{self, Stage};

use crate::{
    desk::Desk,
    reconcile,
    run::{NotYet, Pulled, Source},
};

/// Pulls from the platform.
pub(crate) struct Platform(pub(crate) Arc<Desk>);

#[async_trait]
impl Source for Platform {
    async fn pull(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Pulled> {
        let Some(company) = self.0.company(tenant) else {
            // Nobody has to be asked: what was pushed is all that there is.
            return Ok(Pulled { is_complete: true });
        };
        // A pull that bears this run's name was made for it, and is gone on with if it was cut off.
        match reconcile::pull_for(&self.0, &company, run).await? {
            // Who is missing is not removed from the mirror before a person says so, and then not from the products either.
            Some(at) => Ok(Pulled { is_complete: at.is_whole && at.stage == Stage::Idle }),
            None => Err(NotYet.into()),
        }
    }

    async fn held_back(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Option<String>> {
        let Some(company) = self.0.company(tenant) else { return Ok(None) };
        let of = tenant.clone();
        let look = move |conn: &mut Connection| snapshots::get(conn, &of);
        let at = self.0.context.database.read("synchronizer.newest", look).await?;
        if at.is_some_and(|at| at.run == run && at.stage == Stage::Quarantined) {
            return Ok(Some(reconcile::held_back(&self.0, &company).await?));
        }
        Ok(None)
    }

    async fn is_taken_in(&self, tenant: &TenantId, _run: &str) -> anyhow::Result<bool> {
        match self.0.company(tenant) {
            Some(company) => Ok(reconcile::is_taken_in(&self.0, &company).await?),
            None => Ok(true),
        }
    }

    fn is_due(&self, conn: &mut Connection, tenant: &TenantId, now: UnixMillis) -> database::Result<Option<bool>> {
        match self.0.company(tenant) {
            Some(_) => reconcile::is_due(conn, tenant, now).map(Some),
            None => Ok(None),
        }
    }
}
