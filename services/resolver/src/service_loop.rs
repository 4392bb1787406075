//! The service: the queue's consumer, and everything that happens by the clock.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use broker::{ConsumeOptions, Lane};
use common::{Hop, Platform, TenantId};
use database::Connection;
use futures::future::BoxFuture;
use service::{Context, TenantFile, config::ResolverConfig, depths};
use store::{
    destinations, keys, outbox, records,
    waiting::{self, Release},
};
use tokio::time::{Instant, MissedTickBehavior};

use crate::{
    backfill,
    handler::EventHandler,
    part::Part,
    patience::{self, Limits},
    publisher::{Handover, Publisher},
    requests,
    turn::{Rules, Turn},
};

/// A slice of a release is this many batches: nobody waits for the answer of it, and neighbours are cheaper together.
const RELEASE_BATCHES: usize = 8;
/// How often new tenants, back-fills and replays are looked for: the beat of all that happens by the clock.
const REQUESTS_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked whether a release was left in the middle, by this process or by one that is gone.
const RELEASES_EVERY: Duration = Duration::from_secs(1);
/// How often parked entities are looked at.
const PATIENCE_EVERY: Duration = Duration::from_secs(1);
/// How often old keys are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Runs the resolver until the context stops.
///
/// # Errors
/// When the queue cannot be consumed at all; losses of connections are handled below.
pub fn run(config: ResolverConfig, lanes: Vec<Lane>, context: Context) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        context.database.write("resolver.start", outbox::free_leases).await?;
        let (publisher, handover) = Publisher::new(context.clone(), lanes.clone());
        let publishing = context.spawn("publisher", publisher.run());
        let resolver = Arc::new(Resolver::new(config, lanes.clone(), context.clone(), handover)?);
        let by_clock = context.spawn("resolver's clock", Arc::clone(&resolver).by_the_clock());
        context.spawn("queue depths", depths::keep(context.clone(), Hop::Events, lanes.clone()));
        let options = ConsumeOptions { batch_size: resolver.config.batch_size, ..ConsumeOptions::default() };
        let handler = Arc::new(EventHandler(Arc::clone(&resolver)));
        let consumed = context.broker.consume(Hop::Events, &lanes, options, handler, context.stop.clone()).await;
        if consumed.is_err() {
            // The clock and the publisher end with the process, which this stops.
            return Ok(consumed?);
        }
        by_clock.await?;
        // The last hand-over closes with the resolver: the publisher then sends what is left and ends.
        drop(resolver);
        publishing.await?;
        Ok(consumed?)
    })
}

/// What handlers and timers share.
pub(crate) struct Resolver {
    pub(crate) config: ResolverConfig,
    lanes: Vec<Lane>,
    pub(crate) context: Context,
    /// Whom a dead letter belongs to when not even its tenant can be read.
    pub(crate) nobody: TenantId,
    handover: Handover,
    /// Tenants whose releases are being worked off here.
    in_hand: Mutex<BTreeSet<TenantId>>,
    /// What the clock saw of releases at its last look.
    seen: Mutex<BTreeSet<Release>>,
}

impl Resolver {
    fn new(config: ResolverConfig, lanes: Vec<Lane>, context: Context, handover: Handover) -> anyhow::Result<Self> {
        Ok(Self {
            config,
            lanes,
            context,
            nobody: "unknown".parse()?,
            handover,
            in_hand: Mutex::default(),
            seen: Mutex::default(),
        })
    }

    /// The rules of a turn that begins now.
    pub(crate) fn rules(&self) -> Rules {
        let now = self.context.clock.now();
        let memory = i64::try_from(self.config.duplicate_memory_seconds).unwrap_or(i64::MAX);
        Rules { now, horizon: now.plus_seconds(-memory), tenants: self.context.tenants.snapshot() }
    }

    fn part(&self) -> Part {
        Part::of(&self.context, &self.lanes)
    }

    /// After a turn's commit: publishes, counts, and works off what it released.
    pub(crate) async fn finish(&self, turn: Turn) {
        let released: Vec<TenantId> = turn.released.iter().cloned().collect();
        self.hand_over(turn);
        for tenant in released {
            if let Err(error) = self.work_off(&tenant).await {
                tracing::warn!(tenant.id = %tenant, error = %chain(error), "a release is not finished; it goes on in a moment");
            }
        }
    }

    fn hand_over(&self, turn: Turn) {
        if turn.strangers > 0 {
            tracing::warn!(count = turn.strangers, "events of tenants that do not exist were dropped");
        }
        for (tenant, counts) in turn.counts {
            let metrics = &self.context.metrics;
            for (outcome, count) in [
                ("applied", counts.applied),
                ("duplicate", counts.duplicate),
                ("stale", counts.stale),
                ("parked", counts.parked),
                ("released", counts.released),
            ] {
                if count > 0 {
                    metrics.resolver_events_total.with_label_values(&[tenant.as_str(), outcome]).inc_by(count);
                }
            }
        }
        for (tenant, changes) in turn.changes {
            self.handover.committed(tenant, changes);
        }
    }

    /// Works off a tenant's releases, slice by slice, each in a transaction of its own. What is cut off, by a stop or a failure, is
    /// still in the table, and taken up by [`Resolver::resume`], here or in another process.
    async fn work_off(&self, tenant: &TenantId) -> database::Result<()> {
        if !lock(&self.in_hand).insert(tenant.clone()) {
            // Whoever is at it goes on until nothing is left.
            return Ok(());
        }
        let _in_hand = InHand { tenants: &self.in_hand, tenant };
        self.work_off_slices(tenant).await
    }

    async fn work_off_slices(&self, tenant: &TenantId) -> database::Result<()> {
        let limit = self.config.batch_size.saturating_mul(RELEASE_BATCHES);
        while !self.context.stop.is_cancelled() {
            let (rules, of) = (self.rules(), tenant.clone());
            let slice = move |conn: &mut Connection| -> database::Result<Turn> {
                let turn = Turn::released(conn, &of, limit, &rules)?;
                fail::fail_point!("resolver.slice_before_commit");
                Ok(turn)
            };
            let turn = self.context.database.write("resolver.release", slice).await?;
            fail::fail_point!("resolver.slice_committed_before_handover");
            let is_more = turn.released.contains(tenant);
            self.hand_over(turn);
            if !is_more {
                break;
            }
        }
        Ok(())
    }

    /// With each beat whatever is due is done once, in one order: nothing keeps anything else from its turn, however slow the
    /// database is.
    async fn by_the_clock(self: Arc<Self>) {
        let mut beats = tokio::time::interval(REQUESTS_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut releases, mut patience, mut forget) =
            (Due::every(RELEASES_EVERY), Due::every(PATIENCE_EVERY), Due::every(FORGET_EVERY));
        let stop = &self.context.stop;
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            self.logged("requests", self.carry_out_requests().await);
            if !stop.is_cancelled() && releases.is_now() {
                self.logged("releases left over", self.resume().await);
            }
            if !stop.is_cancelled() && patience.is_now() {
                self.logged("patience", self.be_patient().await);
            }
            if !stop.is_cancelled() && forget.is_now() {
                self.logged("old keys", self.forget().await);
            }
        }
    }

    fn logged(&self, what: &'static str, result: database::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(what, error = %chain(error), "periodic work failed; trying again");
        }
    }

    /// Works off what a crash, or a failure in the middle, left released: what has not moved since the last look, and so is in
    /// nobody's hands.
    async fn resume(&self) -> database::Result<()> {
        let now: BTreeSet<Release> =
            self.context.database.read("resolver.left", waiting::first_releases).await?.into_iter().collect();
        let before = std::mem::replace(&mut *lock(&self.seen), now.clone());
        let part = self.part();
        for (tenant, ..) in now.intersection(&before) {
            let Ok(tenant) = tenant.parse() else { continue };
            if !part.has(&tenant) {
                continue;
            }
            if let Err(error) = self.work_off(&tenant).await {
                tracing::warn!(tenant.id = %tenant, error = %chain(error), "a release is not finished; trying again");
            }
        }
        Ok(())
    }

    async fn carry_out_requests(&self) -> database::Result<()> {
        let (rules, part) = (self.rules(), self.part());
        let wanted = move |conn: &mut Connection| requests::any_wanted(conn, &rules, &part);
        if !self.context.database.read("resolver.wanted", wanted).await? {
            return Ok(());
        }
        let rules = self.rules();
        let found = move |conn: &mut Connection| requests::found(conn, &rules);
        for turn in self.context.database.write("resolver.found", found).await? {
            self.finish(turn).await;
        }
        let part = self.part();
        for (tenant, destination) in
            self.context.database.read("resolver.backfills", destinations::backfills_wanted).await?
        {
            if !part.has(&tenant) {
                continue;
            }
            let now = self.context.clock.now();
            let write = move |conn: &mut Connection| backfill::write(conn, &tenant, &destination, now);
            self.context.database.write("resolver.backfill", write).await?;
        }
        loop {
            let rules = self.rules();
            let replay = move |conn: &mut Connection| requests::replay(conn, &rules);
            let (turns, is_more) = self.context.database.write("resolver.replay", replay).await?;
            for turn in turns {
                self.finish(turn).await;
            }
            if !is_more {
                return Ok(());
            }
        }
    }

    async fn be_patient(&self) -> database::Result<()> {
        // Of many tenants few have anything that waits: that is one question.
        let parked = self.context.database.read("resolver.parked", records::parked_by_tenant).await?;
        let (tenants, part) = (self.context.tenants.snapshot(), self.part());
        let waits_here = |id: &TenantId| parked.contains_key(id) && part.has(id);
        for tenant in tenants.iter().filter(|tenant| waits_here(&tenant.file.id)) {
            let limits = Limits {
                grace_millis: millis(self.config.parking_grace_seconds),
                limit_millis: millis(self.config.parking_limit_seconds),
                names_can_be_asked: names_can_be_asked(&tenant.file),
            };
            loop {
                let (rules, of) = (self.rules(), tenant.file.id.clone());
                let ask = move |conn: &mut Connection| patience::ask(conn, &of, limits, &rules);
                if !self.is_overdue(&tenant.file.id, limits).await? {
                    break;
                }
                let (turn, is_more) = self.context.database.write("resolver.ask", ask).await?;
                self.finish(turn).await;
                let (now, of) = (self.context.clock.now(), tenant.file.id.clone());
                let give_up = move |conn: &mut Connection| patience::give_up(conn, &of, limits, now);
                let dead = self.context.database.write("resolver.give-up", give_up).await?;
                if dead > 0 {
                    let outcome = self
                        .context
                        .metrics
                        .resolver_events_total
                        .with_label_values(&[tenant.file.id.as_str(), "dead"]);
                    outcome.inc_by(dead as u64);
                    tracing::warn!(tenant.id = %tenant.file.id, count = dead, "entities waited too long and were made dead letters; see `orgbridge dead list`");
                }
                if !is_more && dead == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether anything waits for longer than the grace time and was not asked for, or longer than the limit and is not dead.
    async fn is_overdue(&self, tenant: &TenantId, limits: Limits) -> database::Result<bool> {
        let (of, now) = (tenant.clone(), self.context.clock.now());
        self.context.database.read("resolver.overdue", move |conn| patience::is_overdue(conn, &of, limits, now)).await
    }

    async fn forget(&self) -> database::Result<()> {
        let before = self.rules().horizon;
        self.context.database.write("resolver.forget", move |conn| keys::forget(conn, before)).await.map(drop)
    }
}

/// A tenant whose releases are being worked off; not any more when this is dropped, as it is when a handler is cut off.
struct InHand<'a> {
    tenants: &'a Mutex<BTreeSet<TenantId>>,
    tenant: &'a TenantId,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        lock(self.tenants).remove(self.tenant);
    }
}

/// An error with its causes.
pub(crate) fn chain(error: database::Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be done every so often, looked at with every beat.
struct Due {
    every: Duration,
    next: Instant,
}

impl Due {
    /// For the first time now.
    fn every(every: Duration) -> Self {
        Self { every, next: Instant::now() }
    }

    fn is_now(&mut self) -> bool {
        let now = Instant::now();
        // Half a beat early is on time: the next one would be late.
        let is_now = now + REQUESTS_EVERY / 2 >= self.next;
        if is_now {
            self.next = now + self.every;
        }
        is_now
    }
}

/// Whether the platform of a tenant's directory tells names: WeCom tells them to an app only.
fn names_can_be_asked(file: &TenantFile) -> bool {
    file.directory != Some(Platform::Wecom) || file.wecom.as_ref().is_none_or(|wecom| !wecom.agent_secret.is_empty())
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}
