//! All that the service does, as loops or one look after the other.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use futures::future::BoxFuture;

use crate::{Bell, desk::Desk, details, forms, gauges::Gauges, questions, reconcile, run::Runs, upkeep::Upkeep};

/// The parts of a synchronizer, ready to work.
pub struct Steps {
    desk: Arc<Desk>,
    runs: Runs,
    upkeep: Upkeep,
    gauges: Gauges,
    bell: Bell,
    has_begun: AtomicBool,
}

impl Steps {
    pub(crate) fn new(desk: Arc<Desk>, runs: Runs, bell: Bell) -> Self {
        Self {
            desk,
            runs,
            upkeep: Upkeep::default(),
            gauges: Gauges::default(),
            bell,
            has_begun: AtomicBool::new(false),
        }
    }

    /// Does one look of everything, one thing after the other and without waiting for any time to pass: tenants whose destinations
    /// collect, runs that are due, runs as far as they go, pulls that are due or were left in the middle, one step of the walk over
    /// details of each tenant, questions that are due, failed pushes and comparisons of attendance and approvals, and forms. What
    /// [`Synchronizer::run`](crate::Synchronizer::run) does in its loops, for who drives time.
    ///
    /// # Errors
    /// The first one of our database or the queue outside of runs, which keep what troubles them. All the others were looked at, and
    /// the next look tries again.
    pub fn once(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            if !self.has_begun.swap(true, Ordering::Relaxed) {
                self.runs.begin().await;
                reconcile::begin(&self.desk).await;
                details::begin(&self.desk).await;
                forms::begin(&self.desk).await;
            }
            Box::pin(self.runs.once()).await;
            let pulled = Box::pin(reconcile::once(&self.desk)).await;
            let walked = Box::pin(reconcile::step_each(&self.desk)).await;
            let asked = Box::pin(questions::once(&self.desk)).await;
            let detailed = Box::pin(details::once(&self.desk)).await;
            let polled = Box::pin(forms::once(&self.desk)).await;
            let forgot = Box::pin(self.upkeep.once(&self.desk)).await.map_err(anyhow::Error::from);
            let told = Box::pin(self.gauges.once(&self.desk)).await.map_err(anyhow::Error::from);
            pulled.and(walked).and(asked).and(detailed).and(polled).and(forgot).and(told)
        })
    }

    /// Does all of it until the context stops; calls that are on their way are finished first.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Self { desk, runs, upkeep, gauges, bell, has_begun: _ } = self;
        let context = desk.context.clone();
        let running = context.spawn("sync runs", runs.run());
        let comparing = context.spawn("pulls", reconcile::schedule(Arc::clone(&desk)));
        let walking = context.spawn("walk", reconcile::walk(Arc::clone(&desk)));
        let tidying = context.spawn("upkeep", upkeep.run(Arc::clone(&desk)));
        let telling = context.spawn("gauges", gauges.run(Arc::clone(&desk)));
        let answering = context.spawn("records", details::watch(Arc::clone(&desk)));
        let tending = context.spawn("record upkeep", details::tend(Arc::clone(&desk)));
        let hiring = context.spawn("forms", forms::watch(Arc::clone(&desk)));
        let asking = context.spawn("questions", questions::watch(desk, bell));
        asking.await.context("questions panicked")?;
        comparing.await.context("pulls panicked")?;
        walking.await.context("the walk panicked")?;
        tidying.await.context("the upkeep panicked")?;
        telling.await.context("the gauges panicked")?;
        tending.await.context("the upkeep of records panicked")?;
        answering.await.context("questions about records panicked")?;
        hiring.await.context("forms panicked")?;
        running.await.context("sync runs panicked")
    }
}
