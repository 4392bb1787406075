//! The platform as the source of a run against the core products: pulled and compared with the mirror, by the same runs that
//! happen on a schedule.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use common::{TenantId, UnixMillis};
use database::Connection;
use store::snapshots::{self, Stage};
use tokio::sync::Mutex;

use crate::{
    desk::Desk,
    reconcile,
    run::{NotYet, Pulled, Source},
};

/// What the mirror still lacks after so long is told again. Something that was as the source has it when a run looked, and was told of
/// an older time since, was never told: a run would wait for it for ever.
const TOLD_AGAIN_AFTER_MILLIS: i64 = 60_000;

/// Pulls from the platform.
pub(crate) struct Platform {
    desk: Arc<Desk>,
    /// Since when a tenant's run has waited for the mirror, or when it was told something again.
    waiting_since: Mutex<BTreeMap<TenantId, UnixMillis>>,
}

impl Platform {
    pub(crate) const fn new(desk: Arc<Desk>) -> Self {
        Self { desk, waiting_since: Mutex::const_new(BTreeMap::new()) }
    }
}

#[async_trait]
impl Source for Platform {
    async fn pull(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Pulled> {
        let Some(company) = self.desk.company(tenant) else {
            // Nobody has to be asked: what was pushed is all that there is.
            return Ok(Pulled { is_complete: true });
        };
        // A pull that bears this run's name was made for it, and is gone on with if it was cut off.
        match reconcile::pull_for(&self.desk, &company, run).await? {
            // Who is missing is not removed from the mirror before a person says so, and then not from the products either.
            Some(at) => Ok(Pulled { is_complete: at.is_whole && at.stage == Stage::Idle }),
            None => Err(NotYet.into()),
        }
    }

    async fn held_back(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Option<String>> {
        let Some(company) = self.desk.company(tenant) else { return Ok(None) };
        let of = tenant.clone();
        let look = move |conn: &mut Connection| snapshots::get(conn, &of);
        let at = self.desk.context.database.read("synchronizer.newest", look).await?;
        if at.is_some_and(|at| at.run == run && at.stage == Stage::Quarantined) {
            return Ok(Some(reconcile::held_back(&self.desk, &company).await?));
        }
        Ok(None)
    }

    async fn is_taken_in(&self, tenant: &TenantId, _run: &str) -> anyhow::Result<bool> {
        let Some(company) = self.desk.company(tenant) else { return Ok(true) };
        let now = self.desk.now();
        let since = self.waiting_since.lock().await.get(tenant).copied();
        let tells_again = since.is_some_and(|since| now.since(since) >= TOLD_AGAIN_AFTER_MILLIS);
        let is_taken_in = reconcile::is_taken_in(&self.desk, &company, tells_again).await?;
        let mut waiting_since = self.waiting_since.lock().await;
        if is_taken_in {
            waiting_since.remove(tenant);
        } else if since.is_none() || tells_again {
            waiting_since.insert(tenant.clone(), now);
        }
        Ok(is_taken_in)
    }

    fn is_due(&self, conn: &mut Connection, tenant: &TenantId, now: UnixMillis) -> database::Result<Option<bool>> {
        match self.desk.company(tenant) {
            Some(_) => reconcile::is_due(conn, tenant, now).map(Some),
            None => Ok(None),
        }
    }
}
