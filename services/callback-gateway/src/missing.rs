//! Tenants whose callbacks may be missing: noted at once in memory, and in the database as soon as that answers. No request
//! waits for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{TenantId, UnixMillis};
use database::Database;
use service::Context;
use store::gaps::{self, Gap};
use tokio::time::{sleep, timeout};

use crate::gateway::Gateway;

/// How often what is noted is written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How long a stopping gateway waits for the database; what is noted and not written by then is only in the log.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// What is noted and not written yet.
#[derive(Default)]
pub(crate) struct Missing(Mutex<BTreeMap<TenantId, Gap>>);

impl Missing {
    /// A callback of this tenant could not be taken over.
    pub(crate) fn note(&self, tenant: &TenantId, at: UnixMillis) {
        let new = Gap::at(at);
        self.lock().entry(tenant.clone()).and_modify(|gap| *gap = gap.or(new)).or_insert(new);
    }

    async fn write(&self, database: &Database) -> database::Result<()> {
        let noted = self.lock().clone();
        if noted.is_empty() {
            return Ok(());
        }
        let rows = noted.clone();
        let note = move |conn: &mut database::Connection| -> database::Result<()> {
            rows.iter().try_for_each(|(tenant, gap)| gaps::note(conn, tenant, *gap))
        };
        database.write("gaps.note", note).await?;
        // What has grown meanwhile is written next time.
        self.lock().retain(|tenant, gap| noted.get(tenant) != Some(&*gap));
        for (tenant, gap) in &noted {
            tracing::error!(tenant.id = %tenant, since = %gap.since, "callbacks may be missing");
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Gap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is noted until the process is told to stop.
pub(crate) async fn keep_written(gateway: Arc<Gateway>, ctx: Context) {
    while ctx.stop.run_until_cancelled(sleep(WRITE_EVERY)).await.is_some() {
        if let Err(error) = gateway.missing.write(&ctx.database).await {
            tracing::debug!(error = error.label(), "cannot note yet that callbacks may be missing");
        }
    }
}

/// Writes what is left, when no request comes any more.
pub(crate) async fn write_the_last(gateway: &Gateway, ctx: &Context) {
    if !matches!(timeout(LAST_WRITE, gateway.missing.write(&ctx.database)).await, Ok(Ok(()))) {
        for (tenant, gap) in gateway.missing.lock().iter() {
            tracing::error!(tenant.id = %tenant, since = %gap.since, "callbacks may be missing, and that could not be noted");
        }
    }
}
