//! Reconciliations by the clock: that of the pulls they begin with, so that a day has one pull.

use std::sync::Arc;

use common::{TenantId, UnixMillis};
use database::Connection;
use store::{
    runs::{self, Wanted, Wish},
    snapshots,
};

use super::{runner::Parts, source::Source};

/// What it takes to tell which runs are due.
#[derive(Clone)]
struct Clock {
    source: Arc<dyn Source>,
    now: UnixMillis,
    /// One that was asked for before this is old: a run, where nothing is pulled, and a plan that nobody decided on.
    before: UnixMillis,
}

/// Asks for the reconciliations that are due. A tenant's first sync is left to a person.
pub(super) async fn ask(parts: &Parts) {
    let (now, every) = (parts.context.clock.now(), parts.config.reconcile_every_seconds);
    let before = now.plus_seconds(-i64::try_from(every).unwrap_or(i64::MAX));
    let clock = Clock { source: Arc::clone(&parts.source), now, before };
    let tenants = parts.context.tenants.snapshot();
    let ours = tenants.iter().filter(|tenant| parts.is_ours(&tenant.lane));
    let ours: Vec<TenantId> = ours.map(|tenant| tenant.file.id.clone()).collect();
    let look = {
        let clock = clock.clone();
        move |conn: &mut Connection| clock.due(conn, ours)
    };
    let asked = match parts.context.database.read("runs.due", look).await {
        Ok(due) if due.is_empty() => Ok(()),
        Ok(due) => parts.context.database.write("runs.ask", move |conn| clock.ask(conn, due)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = asked {
        tracing::warn!(%error, "reconciliations are not asked for; trying again");
    }
}

impl Clock {
    /// Of these tenants, those of which a run is due.
    fn due(&self, conn: &mut Connection, of: Vec<TenantId>) -> database::Result<Vec<TenantId>> {
        let quiet = snapshots::quiet(conn, self.now)?;
        let mut due = Vec::new();
        for tenant in of.into_iter().filter(|tenant| !quiet.contains(tenant)) {
            if self.is_due(conn, &tenant)? {
                due.push(tenant);
            }
        }
        Ok(due)
    }

    /// The first sync is applied, and it is time. None is open but a plan that was forgotten: who waits for a person is not asked again.
    fn is_due(&self, conn: &mut Connection, tenant: &TenantId) -> database::Result<bool> {
        let is_free = runs::open(conn, tenant)?.is_none_or(|run| run.is_forgotten(self.before));
        if !is_free || runs::last_finished(conn, tenant)?.is_none() {
            return Ok(false);
        }
        match self.source.is_due(conn, tenant, self.now)? {
            Some(is_due) => Ok(is_due),
            None => Ok(runs::list(conn, tenant, 1)?.iter().all(|run| run.requested_at < self.before)),
        }
    }

    /// Another replica may just have asked, so it is looked again.
    fn ask(&self, conn: &mut Connection, due: Vec<TenantId>) -> database::Result<()> {
        for tenant in self.due(conn, due)? {
            runs::end_forgotten(conn, &tenant, self.before, self.now)?;
            runs::request(conn, &tenant, Wish { wanted: Wanted::Apply, key: None }, self.now)?;
        }
        Ok(())
    }
}
