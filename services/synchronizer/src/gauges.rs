//! Gauges of tenants, told alike by all replicas of a lane, whoever did the work, and by nobody else.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::{TenantId, UnixMillis};
use database::Connection;
use prometheus::IntGaugeVec;
use store::{record_runs, snapshots};
use tokio::time::{MissedTickBehavior, interval};

use crate::desk::Desk;

/// How often they are told anew.
const TELL_EVERY_SECONDS: i64 = 60;
/// How often it is looked whether it is time.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// When they are told next, and of whom something may have been told.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    state: Mutex<(UnixMillis, BTreeSet<TenantId>)>,
}

impl Gauges {
    /// Tells them until the context stops.
    pub(crate) async fn run(self, desk: Arc<Desk>) {
        let stop = desk.context.stop.clone();
        let mut beats = interval(LOOK_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            if let Err(error) = self.once(&desk).await {
                tracing::debug!(error = error.label(), "what the last runs found is told later");
            }
        }
    }

    /// Tells what the last runs of our tenants found, if it is time, and forgets whatever was told of tenants that went elsewhere.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn once(&self, desk: &Desk) -> database::Result<()> {
        let now = desk.now();
        if now < self.state.lock().unwrap_or_else(PoisonError::into_inner).0 {
            return Ok(());
        }
        let tenants = desk.context.tenants.snapshot();
        let is_ours = |lane| desk.lanes.contains(lane);
        let ours: BTreeSet<TenantId> =
            tenants.iter().filter(|tenant| is_ours(&tenant.lane)).map(|tenant| tenant.file.id.clone()).collect();
        let look = |conn: &mut Connection| -> database::Result<_> {
            Ok((snapshots::differences(conn)?, record_runs::differences(conn)?))
        };
        let (directory, records) = desk.context.database.read("synchronizer.gauges", look).await?;
        tell(&desk.counted.directory_differences, directory, &ours);
        tell(&desk.counted.record_differences, records, &ours);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (due_at, known) = &mut *state;
        *due_at = now.plus_seconds(TELL_EVERY_SECONDS);
        known.extend(tenants.iter().map(|tenant| tenant.file.id.clone()));
        known.difference(&ours).for_each(|tenant| desk.counted.forget(tenant));
        *known = ours;
        Ok(())
    }
}

fn tell(gauge: &IntGaugeVec, found: Vec<(TenantId, u64)>, ours: &BTreeSet<TenantId>) {
    for (tenant, count) in found.into_iter().filter(|(tenant, _)| ours.contains(tenant)) {
        gauge.with_label_values(&[tenant.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
