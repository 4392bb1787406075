//! One run in somebody's hands: which step comes next.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::{DestinationId, UnixMillis};
use database::Connection;
use destinations::{BuildError, Unavailable};
use directory::plan::Counts;
use service::{Context, Tenant};
use store::runs::{self, Run, RunKind, RunLease, RunState, Step, Update};

use super::{
    products::{Core, cores},
    runner::Parts,
    source::NotYet,
};

/// How long a run is ours, from one step to the next.
pub(super) const LEASE_MILLIS: i64 = 120_000;
/// How often it is held on to during a step.
const RENEW_EVERY: Duration = Duration::from_secs(40);

/// Why a run does not go on for now.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A product does not answer.
    #[error("{destination}: {source}")]
    Away {
        /// Which.
        destination: DestinationId,
        /// Why.
        source: Unavailable,
    },
    /// A product's settings cannot be used.
    #[error("{destination}: {source}")]
    Unusable {
        /// Which.
        destination: DestinationId,
        /// Why.
        source: BuildError,
    },
    /// Our database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The platform, or the queue.
    #[error("the source cannot be pulled: {0:#}")]
    Source(anyhow::Error),
    /// Somebody else works on it.
    #[error("another process works on it by now")]
    LeaseLost,
}

/// What a step came to.
pub(super) enum Next {
    /// There is more to do.
    Again,
    /// Something else must happen first.
    Wait,
    /// A person decides, or nothing is left to do.
    Over,
}

/// One run, with its lease held.
pub(super) struct Work {
    pub(super) parts: Arc<Parts>,
    pub(super) lease: RunLease,
    pub(super) run: Run,
    pub(super) tenant: Arc<Tenant>,
    /// The products, once they are needed.
    opened: Option<Arc<Vec<Core>>>,
    /// See [`Work::compared`], once it is needed.
    pub(super) compared: Option<Arc<BTreeSet<DestinationId>>>,
    /// The plan was just made, or looked at again.
    pub(super) is_looked_at: bool,
}

impl Work {
    /// Nothing is done yet.
    pub(super) fn new(parts: Arc<Parts>, (lease, run): (RunLease, Run), tenant: Arc<Tenant>) -> Self {
        Self { parts, lease, run, tenant, opened: None, compared: None, is_looked_at: false }
    }

    /// Goes on as far as it goes, and gives the run back.
    pub(super) async fn drive(mut self) {
        loop {
            let lost = is_lost(self.parts.context.clone(), self.lease.clone());
            let step = tokio::select! {
                biased;
                step = self.step() => step,
                // What was cut off goes on elsewhere, from what is recorded.
                () = lost => return,
            };
            match step {
                Ok(Next::Again) if !self.parts.context.stop.is_cancelled() => {}
                Ok(_) => break,
                Err(Trouble::LeaseLost) => return,
                Err(trouble) => {
                    self.suffer(&trouble).await;
                    break;
                }
            }
            // It runs out by itself, and whoever takes it then goes on from what is recorded.
            if !renew(&self.parts.context, &self.lease).await.unwrap_or(false) {
                return;
            }
        }
        let lease = self.lease;
        let release = move |conn: &mut Connection| runs::release(conn, &lease);
        if let Err(error) = self.parts.context.database.write("runs.release", release).await {
            tracing::debug!(%error, "a run's lease runs out by itself");
        }
    }

    async fn step(&mut self) -> Result<Next, Trouble> {
        match (self.run.state, self.run.step) {
            (RunState::Planning, Step::Pull) => self.pull().await,
            (RunState::Planning, Step::Settle) => self.settle().await,
            (RunState::Planning, _) if self.run.kind == RunKind::Undo => self.plan_back().await,
            (RunState::Planning, _) => self.plan().await,
            (RunState::Applying, Step::Deliver) => self.deliver().await,
            (RunState::Applying, Step::Purge) => self.purge().await,
            (RunState::Applying, _) => self.apply().await,
            _ => Ok(Next::Over),
        }
    }

    async fn pull(&mut self) -> Result<Next, Trouble> {
        let (source, tenant, id) = (Arc::clone(&self.parts.source), self.run.tenant.clone(), self.run.id.clone());
        let pulled = match source.pull(&tenant, &id).await {
            Ok(pulled) => pulled,
            Err(error) if error.is::<NotYet>() => return Ok(Next::Wait),
            Err(error) => return Err(Trouble::Source(error)),
        };
        if let Some(why) = source.held_back(&tenant, &id).await.map_err(Trouble::Source)? {
            self.record(Update { why: Some(why), ..Update::new(RunState::Quarantined, Step::Pull, 0) }).await?;
            return Ok(Next::Over);
        }
        let complete = Some(pulled.is_complete);
        self.record(Update { complete, ..Update::new(RunState::Planning, Step::Settle, 0) }).await?;
        Ok(Next::Again)
    }

    async fn settle(&mut self) -> Result<Next, Trouble> {
        let taken_in = self.parts.source.is_taken_in(&self.run.tenant, &self.run.id);
        if !taken_in.await.map_err(Trouble::Source)? {
            return Ok(Next::Wait);
        }
        self.record(Update::new(RunState::Planning, Step::Compare, 0)).await?;
        Ok(Next::Again)
    }

    /// The products that the run is about: not those that a person has runs leave alone.
    pub(super) async fn cores(&mut self) -> Result<Arc<Vec<Core>>, Trouble> {
        if let Some(opened) = &self.opened {
            return Ok(Arc::clone(opened));
        }
        let mut found = cores(self.parts.products.as_ref(), &self.tenant.file)?;
        if self.run.kind != RunKind::Undo {
            let of = self.run.tenant.clone();
            let read = move |conn: &mut Connection| runs::paused(conn, &of);
            let paused = self.parts.context.database.read("runs.paused", read).await?;
            found.retain(|core| !paused.contains(&core.id));
        }
        let opened = Arc::new(found);
        self.opened = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The products that the plan was made for, as far as is known: one that was declared since has no part in the run.
    pub(super) async fn compared(&mut self) -> Result<Arc<BTreeSet<DestinationId>>, Trouble> {
        if let Some(compared) = &self.compared {
            return Ok(Arc::clone(compared));
        }
        let id = self.run.id.clone();
        let read = move |conn: &mut Connection| runs::planned_at(conn, &id);
        let compared = Arc::new(self.parts.context.database.read("runs.planned-at", read).await?);
        self.compared = Some(Arc::clone(&compared));
        Ok(compared)
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.parts.context.clock.now()
    }

    /// Records how far the run got.
    pub(super) async fn record(&mut self, new: Update) -> Result<(), Trouble> {
        let (lease, now, update) = (self.lease.clone(), self.now(), new.clone());
        let write = move |conn: &mut Connection| runs::update(conn, &lease, &update, now);
        if !self.parts.context.database.write("runs.update", write).await? {
            return Err(Trouble::LeaseLost);
        }
        self.follow(&new);
        Ok(())
    }

    /// A person may have wanted more meanwhile.
    pub(super) async fn reload(&mut self) -> Result<(), Trouble> {
        let id = self.run.id.clone();
        let read = move |conn: &mut Connection| runs::get(conn, &id);
        self.run = self.parts.context.database.read("runs.get", read).await?.ok_or(Trouble::LeaseLost)?;
        Ok(())
    }

    /// What was recorded.
    pub(super) fn follow(&mut self, new: &Update) {
        self.run.state = new.state;
        self.run.step = new.step;
        self.run.done = new.done;
        self.run.total = new.total;
        self.run.why.clone_from(&new.why);
        self.run.counts = new.counts.unwrap_or(self.run.counts);
        self.run.is_complete = new.complete.unwrap_or(self.run.is_complete);
        self.run.mirror_version = new.mirror_version.unwrap_or(self.run.mirror_version);
        self.run.last_version = new.last_version.unwrap_or(self.run.last_version);
        if let Some(counted) = &self.parts.counted {
            counted.note(&self.run);
        }
    }

    /// Says once why a run does not go on; it is tried again and again.
    async fn suffer(&mut self, trouble: &Trouble) {
        let why = trouble.to_string();
        if self.run.why.as_deref() != Some(why.as_str()) {
            tracing::warn!(tenant.id = %self.run.tenant, run = %self.run.id, error = %why, "a run does not go on; trying again");
        }
        self.tell(why).await;
    }

    /// People who wait see why nothing happens.
    pub(super) async fn tell(&mut self, why: String) {
        if self.run.why.as_deref() == Some(why.as_str()) {
            return;
        }
        let Run { state, step, done, total, .. } = self.run;
        if let Err(error) = self.record(Update { done, why: Some(why), ..Update::new(state, step, total) }).await {
            tracing::debug!(%error, "nor can it be told why");
        }
    }
}

/// Holds a run on, however long a step takes. Ends when it is lost to somebody else.
async fn is_lost(context: Context, lease: RunLease) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match renew(&context, &lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::debug!(run = %lease.run, %error, "a run's lease is not renewed; trying again"),
        }
    }
}

async fn renew(context: &Context, lease: &RunLease) -> database::Result<bool> {
    let (lease, now) = (lease.clone(), context.clock.now());
    let renew = move |conn: &mut Connection| runs::renew(conn, &lease, now, now.plus_millis(LEASE_MILLIS));
    context.database.write("runs.renew", renew).await
}

/// How many items of a plan are published or deleted.
pub(super) const fn to_do(counts: &Counts) -> u64 {
    counts.link.saturating_add(counts.create).saturating_add(counts.update).saturating_add(counts.disable)
}
