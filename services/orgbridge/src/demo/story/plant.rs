//! A day at the plant: attendance over Stream, approvals that DingTalk tells of more than once, pushes that fail.

use std::time::Instant;

use platform_sim::dingtalk::{Event, Route, Script, Sent};
use store::runs::Wanted;

use super::{COPIES, Story, seconds};
use crate::{
    demo::{display::Display, plant::LISTED_AFTER_SECONDS, texts, watch::Seen},
    failure::Failure,
};

/// The share of events that cannot be pushed.
const DROPPED: f64 = 0.1;

impl Story {
    pub(super) async fn plant(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::plant(language))?;
        let gateway = self.world.listening.gateway.ok_or_else(|| anyhow::anyhow!("the gateway does not listen"))?;
        self.world.plant.connect(gateway).await?;
        self.world.sync(&self.world.plant.tenant, Wanted::Apply, display).await?;
        self.wait(display, "the plant's directory", Seen::is_settled).await?;

        let happened = self.world.plant.work().map_err(anyhow::Error::from)?;
        let once = Script { seed: self.options.seed, dropped: DROPPED, shuffled: true, ..Script::over(Route::Stream) };
        let often =
            Script { copies: COPIES, routes: vec![Route::Stream, Route::Http], concurrency: 16, ..once.clone() };
        let attendance = self.deliver(&happened.attendance, &once).await?;
        let approvals = self.deliver(&happened.approvals, &often).await?;
        self.recovered(display).await?;

        let kept = self.world.plant.kept().await?;
        Ok(display.end(texts::plant_done(
            language,
            happened.attendance.len() + happened.approvals.len(),
            approvals.copies,
            attendance.failed + approvals.failed,
            kept.attendance(),
            kept.approvals(),
            seconds(started.elapsed()),
        ))?)
    }

    /// Somebody at the plant comes or goes.
    pub(in crate::demo) async fn punch(&mut self, round: u64) -> Result<(), Failure> {
        let place = usize::try_from(round).unwrap_or_default();
        let events = self.world.plant.punch(place).map_err(anyhow::Error::from)?;
        self.deliver(&events, &Script::over(Route::Stream)).await?;
        Ok(())
    }

    async fn deliver(&mut self, events: &[Event], script: &Script) -> Result<Delivered, Failure> {
        let sent = self.world.plant.deliver(events, script).await?;
        let delivered = Delivered::new(events.len(), &sent);
        self.sum.events_sent += events.len();
        self.sum.duplicates_sent += delivered.copies;
        self.sum.pushes_recovered += delivered.failed;
        self.sum.unanswered += sent.http_parked;
        Ok(delivered)
    }

    /// Waits until DingTalk's list was read, then until all that came of it is where it belongs, also what is late.
    async fn recovered(&mut self, display: &Display<'_, '_>) -> Result<(), Failure> {
        self.world.clock.pass_seconds(LISTED_AFTER_SECONDS);
        self.wait(display, "failed pushes", |seen| seen.listed == 0 && !seen.reads_list).await?;
        self.wait(display, "attendance and approvals", |seen| !seen.looks_soon && seen.is_answered()).await?;
        Ok(())
    }
}

/// What went out of a series of events.
struct Delivered {
    /// Sendings beyond the first of each.
    copies: usize,
    /// Events that could not be pushed.
    failed: usize,
}

impl Delivered {
    fn new(events: usize, sent: &Sent) -> Self {
        let itinerary = &sent.itinerary;
        Self { copies: itinerary.steps.len().saturating_sub(events), failed: itinerary.dropped.len() }
    }
}
