//! The story in eleven stages: a first sync in the morning, the day with all that callbacks do, a day at the plant, new hires, a
//! reconciliation in the evening.

mod day;
mod evening;
mod first_sync;
mod hires;
mod plant;

use std::time::{Duration, Instant};

use platform_sim::{Callback, Order, Script, Stats};

use super::{display::Display, summary::Summary, watch::Seen, world::World};
use crate::{arguments, failure::Failure};

/// Callbacks under way at once: enough to be quick, few enough to keep the order.
const AT_ONCE: usize = 16;
/// Each callback is sent once up to so many times.
const COPIES: u32 = 4;

/// The story while it is told.
pub(super) struct Story {
    pub(super) world: World,
    options: arguments::Demo,
    sum: Summary,
    round: u64,
}

impl Story {
    pub(super) fn new(world: World, options: arguments::Demo) -> Self {
        let sum = Summary { seed: options.seed, ..Summary::default() };
        Self { world, options, sum, round: 0 }
    }

    /// Tells all of it.
    pub(super) async fn tell(&mut self, display: &mut Display<'_, '_>) -> Result<Summary, Failure> {
        let started = Instant::now();
        // What keeps a stage from its end does not keep us from comparing: that shows how far it came.
        if let Err(error) = self.stages(display).await {
            let failure = match error {
                Failure::Failed(error) => format!("{error:#}"),
                other => return Err(other),
            };
            display.end(format_args!("      {failure}"))?;
            self.sum.failure = Some(failure);
        }
        self.comparison(display, started).await?;
        Ok(self.sum.clone())
    }

    async fn stages(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        self.introduction(display).await?;
        self.plan(display).await?;
        self.apply(display).await?;
        self.import(display).await?;
        self.life(display).await?;
        self.outage(display).await?;
        self.forgery(display).await?;
        self.plant(display).await?;
        self.hires(display).await?;
        self.reconciliation(display).await
    }

    /// Sends callbacks in an order, each once up to [`COPIES`] times, and shows meanwhile how the bridge is doing.
    pub(super) async fn send(
        &mut self,
        callbacks: &[Callback],
        order: Order,
        display: &Display<'_, '_>,
    ) -> Result<Sent, Failure> {
        self.round += 1;
        let seed = self.options.seed.wrapping_add(self.round);
        let script = Script { order, seed, copies: COPIES, concurrency: AT_ONCE, ..Script::default() };
        let mut peak = 0;
        let watching = self.world.wait_until("callbacks", display, |_| false, |seen| peak = peak.max(seen.parked));
        let stats = tokio::select! {
            stats = self.world.dispatcher.send(callbacks, &script) => stats,
            // Only when it cannot look any more.
            stuck = watching => return Err(stuck.err().unwrap_or_else(|| anyhow::anyhow!("callbacks")).into()),
        };
        self.sum.parked_peak = self.sum.parked_peak.max(peak);
        let sent = Sent::new(&stats);
        self.sum.events_sent += stats.events;
        self.sum.duplicates_sent += sent.copies;
        self.sum.unanswered += stats.failed.len();
        Ok(sent)
    }

    /// Waits for a state of the bridge.
    pub(super) async fn wait(
        &mut self,
        display: &Display<'_, '_>,
        what: &str,
        wished: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, Failure> {
        let mut peak = 0;
        let seen = self.world.wait_until(what, display, wished, |seen| peak = peak.max(seen.parked)).await?;
        self.sum.parked_peak = self.sum.parked_peak.max(peak);
        Ok(seen)
    }

    /// How many members the company had in the morning.
    fn members(&self) -> usize {
        usize::try_from(self.options.members).unwrap_or(usize::MAX)
    }
}

/// What went out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    requests: usize,
    copies: usize,
}

impl Sent {
    fn new(stats: &Stats) -> Self {
        Self { requests: stats.sent, copies: stats.sent.saturating_sub(stats.events) }
    }
}

impl std::ops::AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.copies += other.copies;
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}
