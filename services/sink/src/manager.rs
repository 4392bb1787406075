//! Which couriers there are: one per destination of each tenant of our lanes, started, told and stopped as tenants change.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use broker::{Lane, Shares};
use common::{DestinationId, Hop, TenantId};
use database::Connection;
use destinations::BuildError;
use service::{Context, Tenant, config::SinkConfig, tenant::DestinationFile};
use store::{
    destinations::{State, Watched},
    tenants,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Build, Timing, build,
    cleanup::Cleanup,
    gate::{Collecting, Gate},
    handler::{Batch, Routes},
    worker::{Signal, Worker, WorkerParts},
};

/// Batches that may wait for a courier; one that is behind reads the outbox.
const WAITING_BATCHES: usize = 8;

type Name = (TenantId, DestinationId);

pub(crate) struct Manager {
    config: SinkConfig,
    lanes: Vec<Lane>,
    context: Context,
    build: Arc<dyn Build>,
    timing: Timing,
    routes: Routes,
    gate: Gate,
    couriers: BTreeMap<Name, Running>,
    /// Destinations that need nothing of the outbox, since nobody delivers to them.
    idle: BTreeSet<Name>,
    revision: i64,
}

/// A courier at work.
struct Running {
    fingerprint: String,
    lane: Lane,
    batches: mpsc::Sender<Batch>,
    signal: watch::Sender<Signal>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What the database says about all destinations, and what the queue says about our lanes.
struct Seen {
    versions: BTreeMap<TenantId, u64>,
    destinations: BTreeMap<Name, Watched>,
    shares: Shares,
}

impl Manager {
    pub(crate) fn new(
        config: SinkConfig,
        lanes: Vec<Lane>,
        context: Context,
        build: Arc<dyn Build>,
        timing: Timing,
    ) -> Self {
        Self {
            gate: Gate::new(context.clone(), Arc::clone(&build)),
            config,
            lanes,
            context,
            build,
            timing,
            routes: Routes::default(),
            couriers: BTreeMap::new(),
            idle: BTreeSet::new(),
            revision: -1,
        }
    }

    pub(crate) fn routes(&self) -> Routes {
        self.routes.clone()
    }

    /// Runs until the context stops, and then until every courier has finished what it has in hand.
    pub(crate) async fn run(mut self) {
        let context = self.context.clone();
        if let Err(error) = context.database.write("sink.start", store::destinations::free_leases).await {
            tracing::warn!(%error, "leases of a former process are waited for");
        }
        let mut tenants = context.tenants.watch();
        let mut ticks = interval(self.timing.watch_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cleanup = Cleanup::new(context.clone(), self.timing.clone());
        let mut next_cleanup = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = context.stop.cancelled() => break,
                Ok(()) = tenants.changed() => {}
                _ = ticks.tick() => {}
            }
            self.look().await;
            // After a look, so that neither keeps the other from happening, however slow the database is.
            if Instant::now() >= next_cleanup {
                cleanup.run(&self.idle).await;
                next_cleanup = Instant::now() + self.timing.clean_every;
            }
        }
        self.routes.replace(HashMap::new());
        for (_, courier) in std::mem::take(&mut self.couriers) {
            courier.finish().await;
        }
    }

    /// Looks at everything, and starts, tells and stops couriers.
    async fn look(&mut self) {
        let shares = Shares::of(&*self.context.broker, Hop::Changes, &self.lanes);
        let seen = match self.context.database.read("sink.watch", |conn| see(conn, shares)).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(%error, "destinations cannot be looked at; trying again");
                return;
            }
        };
        let snapshot = self.context.tenants.snapshot();
        let ours: Vec<Arc<Tenant>> =
            snapshot.iter().filter(|tenant| self.lanes.contains(&tenant.lane)).cloned().collect();
        self.gate.look(&seen.collecting(), &ours);
        if snapshot.revision != self.revision {
            self.arrange(&ours, &seen);
            self.revision = snapshot.revision;
        }
        for (name, courier) in &self.couriers {
            let Some(signal) = seen.signal(name, &courier.lane) else { continue };
            courier.signal.send_if_modified(|current| {
                let is_new = *current != signal;
                *current = signal;
                is_new
            });
        }
    }

    fn arrange(&mut self, tenants: &[Arc<Tenant>], seen: &Seen) {
        let mut wanted: BTreeSet<Name> = BTreeSet::new();
        self.idle.clear();
        for tenant in tenants {
            for file in &tenant.file.destinations {
                let name = (tenant.file.id.clone(), file.id.clone());
                let fingerprint = build::fingerprint(tenant, file);
                let former = self.couriers.remove(&name);
                if let Some(mut former) = former {
                    if former.fingerprint == fingerprint {
                        former.lane = tenant.lane.clone();
                        self.couriers.insert(name.clone(), former);
                        wanted.insert(name);
                        continue;
                    }
                    former.stop.cancel();
                    self.start(tenant, file, fingerprint, seen, Some(former.task));
                } else {
                    self.start(tenant, file, fingerprint, seen, None);
                }
                wanted.insert(name);
            }
        }
        self.couriers.retain(|name, courier| {
            let stays = wanted.contains(name);
            if !stays {
                courier.stop.cancel();
            }
            stays
        });
        let mut routes: HashMap<TenantId, Vec<mpsc::Sender<Batch>>> = HashMap::new();
        for ((tenant, _), courier) in &self.couriers {
            routes.entry(tenant.clone()).or_default().push(courier.batches.clone());
        }
        self.routes.replace(routes);
    }

    fn start(
        &mut self,
        tenant: &Arc<Tenant>,
        file: &DestinationFile,
        fingerprint: String,
        seen: &Seen,
        former: Option<JoinHandle<()>>,
    ) {
        let name = (tenant.file.id.clone(), file.id.clone());
        let destination = match self.build.build(tenant, file) {
            Ok(destination) => destination,
            Err(error) => {
                if matches!(error, BuildError::NotBuiltYet(_)) {
                    self.idle.insert(name.clone());
                }
                tracing::error!(tenant.id = %name.0, destination.id = %name.1, %error, "nothing is delivered to it");
                return;
            }
        };
        let (batches, feed) = mpsc::channel(WAITING_BATCHES);
        let (signal, told) = watch::channel(seen.signal(&name, &tenant.lane).unwrap_or_default());
        let stop = self.context.stop.child_token();
        let worker = Worker::new(WorkerParts {
            context: self.context.clone(),
            timing: self.timing.clone(),
            batch_size: self.config.batch_size.max(1),
            retry_limit_millis: i64::try_from(self.config.retry_limit_seconds).unwrap_or(i64::MAX).saturating_mul(1000),
            tenant: name.0.clone(),
            destination_id: name.1.clone(),
            kind: file.kind().as_str(),
            directory: build::directory(tenant),
            lane: tenant.lane.clone(),
            corp_id: build::wecom_corp_id(tenant),
            destination,
            fingerprint: fingerprint.clone(),
            feed,
            signal: told,
            stop: stop.clone(),
        });
        let task = self.context.spawn("courier", async move {
            // The one with the old settings finishes what it has in hand first.
            if let Some(former) = former
                && former.await.is_err()
            {
                tracing::error!("a courier panicked");
            }
            worker.run().await;
        });
        self.couriers.insert(name, Running { fingerprint, lane: tenant.lane.clone(), batches, signal, stop, task });
    }
}

impl Running {
    async fn finish(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("a courier panicked");
        }
    }
}

impl Seen {
    /// The destinations that collect.
    fn collecting(&self) -> Collecting {
        let mut collecting = Collecting::new();
        for watched in self.destinations.values().filter(|watched| watched.state == State::Collecting) {
            collecting.entry(watched.tenant.clone()).or_default().insert(watched.id.clone());
        }
        collecting
    }

    fn signal(&self, name: &Name, lane: &Lane) -> Option<Signal> {
        let watched = self.destinations.get(name)?;
        Some(Signal {
            last_version: self.versions.get(&name.0).copied().unwrap_or_default(),
            position: watched.position,
            state: watched.state,
            backfill: watched.backfill,
            touched: watched.touched,
            has_held: watched.has_held,
            is_declared: true,
            comes_here: self.shares.has(lane, name.0.as_str()),
        })
    }
}

fn see(conn: &mut Connection, shares: Shares) -> database::Result<Seen> {
    let versions = tenants::last_versions(conn)?.into_iter().collect();
    let watched = store::destinations::watch(conn)?;
    let named = watched.into_iter().map(|watched| ((watched.tenant.clone(), watched.id.clone()), watched));
    Ok(Seen { versions, destinations: named.collect(), shares })
}
