//! Forgetting what nobody needs any more, once a day.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::UnixMillis;
use database::Connection;
use service::StoreGovernor;
use store::{approvals, runs};
use tokio::time::{MissedTickBehavior, interval};

use crate::desk::Desk;

/// Runs are kept for so long, with their plans: until then they can be undone.
const RUNS_KEPT_DAYS: i64 = 90;
/// To which days an approval applies is kept for so long: corrections of what is older are for people.
const APPROVAL_DAYS_KEPT_DAYS: i64 = 400;
const DAY_SECONDS: i64 = 86_400;
/// How often it is looked whether a day is over.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// When it is next worth looking.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    due_at: Mutex<UnixMillis>,
}

impl Upkeep {
    /// Forgets once a day until the context stops.
    pub(crate) async fn run(self, desk: Arc<Desk>) {
        let stop = desk.context.stop.clone();
        let mut beats = interval(LOOK_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            if let Err(error) = self.once(&desk).await {
                tracing::warn!(error = error.label(), "what is old is not forgotten; trying again");
            }
        }
    }

    /// Forgets, if a day is over since it last did. Several replicas do no harm: each statement is one's at a time.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn once(&self, desk: &Desk) -> database::Result<()> {
        let now = desk.now();
        if now < *self.due_at.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(());
        }
        let before = now.plus_seconds(-RUNS_KEPT_DAYS * DAY_SECONDS);
        let forget = move |conn: &mut Connection| runs::prune(conn, before);
        let runs = desk.context.database.write("synchronizer.prune-runs", forget).await?;
        let before = now.plus_seconds(-APPROVAL_DAYS_KEPT_DAYS * DAY_SECONDS);
        let forget = move |conn: &mut Connection| approvals::prune(conn, before);
        let days = desk.context.database.write("synchronizer.prune-days", forget).await?;
        let context = &desk.context;
        let governor =
            StoreGovernor::new(context.database.clone(), Arc::clone(&context.clock), context.instance.clone());
        let allowances = governor.prune().await?;
        *self.due_at.lock().unwrap_or_else(PoisonError::into_inner) = now.plus_seconds(DAY_SECONDS);
        tracing::debug!(runs, days, allowances, "what is old is forgotten");
        Ok(())
    }
}
