//! Who works on runs: looks for those that nobody holds, and takes them on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use broker::Lane;
use common::TenantId;
use database::Connection;
use futures::future::BoxFuture;
use service::{Context, config::SynchronizerConfig};
use store::runs::{self, Run};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    gate,
    products::OpenProduct,
    schedule,
    source::Source,
    work::{LEASE_MILLIS, Work},
};
use crate::metrics::RunsCounted;

/// How often it is looked for runs, which people wait for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked which runs are due.
const SCHEDULE_EVERY: Duration = Duration::from_secs(5);

/// What all runs share.
pub(super) struct Parts {
    pub(super) context: Context,
    pub(super) config: SynchronizerConfig,
    pub(super) products: Arc<dyn OpenProduct>,
    pub(super) source: Arc<dyn Source>,
    lanes: Vec<Lane>,
    /// What is counted, where somebody does.
    pub(super) counted: Option<RunsCounted>,
    /// Tenants whose products are known to hold rows of their own, by the revision of the tenant: they wait for a sync.
    pub(super) waiting: Mutex<BTreeMap<TenantId, i64>>,
    /// Claims of this process, so that no two bear one name.
    claims: AtomicU64,
}

/// The runs of the tenants of some lanes.
pub struct Runs(Arc<Parts>);

impl Runs {
    /// Nothing is done yet.
    pub fn new(
        config: SynchronizerConfig,
        lanes: Vec<Lane>,
        context: Context,
        products: Arc<dyn OpenProduct>,
        source: Arc<dyn Source>,
    ) -> Self {
        let (waiting, claims) = (Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Parts { context, config, products, source, lanes, counted: None, waiting, claims }))
    }

    /// Counted by this; to be said before anything is done.
    pub(crate) fn counted_by(mut self, counted: RunsCounted) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.0) {
            parts.counted = Some(counted);
        }
        self
    }

    /// Works until the context stops. What is cut off goes on elsewhere, or after the next start.
    pub fn run(self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.begin().await;
            let context = self.0.context.clone();
            drop(context.spawn("gate", gate::watch(Arc::clone(&self.0))));
            let mut ticks = interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut next_schedule = Instant::now();
            loop {
                tokio::select! {
                    biased;
                    () = context.stop.cancelled() => return,
                    _ = ticks.tick() => {}
                }
                if Instant::now() >= next_schedule {
                    schedule::ask(&self.0).await;
                    next_schedule = Instant::now() + SCHEDULE_EVERY;
                }
                for work in self.claim().await {
                    drop(context.spawn("sync run", work.drive()));
                }
            }
        })
    }

    /// Runs of a former process are nobody's any more, where there is one process only.
    pub(crate) async fn begin(&self) {
        if let Err(error) = self.0.context.database.write("runs.start", runs::free_leases).await {
            tracing::warn!(%error, "runs of a former process are waited for");
        }
    }

    /// One look at all that [`Runs::run`] looks at.
    pub(crate) async fn once(&self) {
        gate::open(&self.0).await;
        schedule::ask(&self.0).await;
        self.look().await;
    }

    /// Takes every run on that nobody holds, one after the other, as far as each goes now.
    pub fn look(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for work in self.claim().await {
                Box::pin(work.drive()).await;
            }
        })
    }

    async fn claim(&self) -> Vec<Work> {
        let mut claimed = Vec::new();
        let found = match self.0.context.database.read("runs.at-work", runs::at_work).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "runs cannot be looked for; trying again");
                return claimed;
            }
        };
        for run in found {
            match self.claim_one(&run).await {
                Ok(work) => claimed.extend(work),
                Err(error) => tracing::warn!(run = %run.id, %error, "a run cannot be taken on; trying again"),
            }
        }
        claimed
    }

    async fn claim_one(&self, run: &Run) -> database::Result<Option<Work>> {
        let parts = &self.0;
        let tenant = parts.context.tenants.get(&run.tenant).filter(|tenant| parts.lanes.contains(&tenant.lane));
        let Some(tenant) = tenant else { return Ok(None) };
        let number = parts.claims.fetch_add(1, Ordering::Relaxed);
        let owner = format!("{}-{number}", parts.context.instance);
        let (id, now) = (run.id.clone(), parts.context.clock.now());
        let claim = move |conn: &mut Connection| runs::claim(conn, &id, &owner, now, now.plus_millis(LEASE_MILLIS));
        let claimed = parts.context.database.write("runs.claim", claim).await?;
        Ok(claimed.map(|claimed| Work::new(Arc::clone(parts), claimed, tenant)))
    }
}

impl Parts {
    /// Whether a tenant is of our lanes.
    pub(super) fn is_ours(&self, lane: &Lane) -> bool {
        self.lanes.contains(lane)
    }
}
