//! Who works on runs: looks for those that nobody holds, and takes them on.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use broker::Lane;
use common::TenantId;
use database::Connection;
use service::{Context, config::SynchronizerConfig};
use store::runs::{self, Run};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    gate,
    products::OpenProduct,
    schedule,
    source::Source,
    work::{LEASE_MILLIS, Work},
};

/// How often it is looked for runs.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What all runs share.
pub(super) struct Parts {
    pub(super) context: Context,
    pub(super) config: SynchronizerConfig,
    pub(super) products: Arc<dyn OpenProduct>,
    pub(super) source: Arc<dyn Source>,
    lanes: Vec<Lane>,
    /// Tenants whose products are known to hold rows of their own: they wait for their first sync.
    pub(super) waiting: Mutex<BTreeSet<TenantId>>,
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
        Self(Arc::new(Parts { context, config, products, source, lanes, waiting, claims }))
    }

    /// Works until the context stops. What is cut off goes on elsewhere, or after the next start.
    pub async fn run(self) {
        let context = self.0.context.clone();
        if let Err(error) = context.database.write("runs.start", runs::free_leases).await {
            tracing::warn!(%error, "runs of a former process are waited for");
        }
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = context.stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            gate::open(&self.0).await;
            schedule::ask(&self.0).await;
            for work in self.claim().await {
                drop(context.spawn("sync run", work.drive()));
            }
        }
    }

    /// Takes every run on that nobody holds, one after the other, as far as each goes now.
    pub async fn look(&self) {
        for work in self.claim().await {
            work.drive().await;
        }
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
        Ok(claimed.map(|(lease, run)| Work { parts: Arc::clone(parts), lease, run, tenant, opened: None }))
    }
}

impl Parts {
    /// Whether a tenant is of our lanes.
    pub(super) fn is_ours(&self, lane: &Lane) -> bool {
        self.lanes.contains(lane)
    }
}
