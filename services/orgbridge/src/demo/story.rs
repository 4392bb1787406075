//! The story in six stages.

use std::time::{Duration, Instant};

use platform_sim::{Callback, Difference, Order, Pace, Script, State, Stats, Subject, compare};

use super::{
    display::Display,
    summary::Summary,
    texts,
    watch::Seen,
    world::{CORE, OA, World},
};
use crate::{arguments, failure::Failure};

/// Callbacks under way at once: enough to be quick, few enough to keep the order.
const AT_ONCE: usize = 16;
/// Each callback is sent once up to so many times.
const COPIES: u32 = 4;
/// Levels below the root.
const DEPTH: u32 = 5;
/// Differences that are told one by one.
const TOLD: usize = 5;

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
        self.handshakes(display).await?;
        self.import(display).await?;
        self.life(display).await?;
        self.outage(display).await?;
        self.forgery(display).await
    }

    async fn handshakes(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::handshakes(language))?;
        let gateway = self.world.address_verified().await?;
        let oa = self.world.oa_registered().await?;
        Ok(display.end(texts::handshakes_done(language, oa.as_millis(), gateway.as_millis()))?)
    }

    async fn import(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::import(language))?;
        let members = usize::try_from(self.options.members).unwrap_or(usize::MAX);
        let departments = (members / 8).clamp(usize::try_from(DEPTH).unwrap_or_default() + 1, 2000);
        self.world.company.set_pace(Pace::PerSecond(20));
        let callbacks = self.world.company.import(members, departments, DEPTH);
        self.world.company.set_pace(Pace::OwnSecond);
        // What stands right below the root comes last of all: until then nearly everything waits.
        let is_top = |callback: &Callback| callback.depth == 1 && matches!(callback.subject, Subject::Department(_));
        let (top, below): (Vec<_>, Vec<_>) = callbacks.into_iter().partition(is_top);
        let mut sent = self.send(&below, Order::Worst, display).await?;
        self.wait(display, "import", Seen::is_resolved).await?;
        sent += self.send(&top, Order::Worst, display).await?;
        self.wait(display, "import", Seen::is_settled).await?;
        Ok(display.end(texts::import_done(
            language,
            sent.requests,
            sent.copies,
            self.sum.parked_peak,
            self.world.company.department_count(),
            self.world.company.member_count(),
            seconds(started.elapsed()),
        ))?)
    }

    async fn life(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::life(language))?;
        let steps = usize::try_from(self.options.members).unwrap_or(usize::MAX).clamp(60, 2000);
        let callbacks = self.world.company.live(steps);
        let seed = self.options.seed;
        let sent = self.send(&callbacks, Order::Shuffled(seed), display).await?;
        self.wait(display, "life", Seen::is_settled).await?;
        let told = texts::life_done(language, callbacks.len(), sent.copies, seconds(started.elapsed()));
        Ok(display.end(told)?)
    }

    async fn outage(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::outage(language))?;
        self.world.oa.set_state(State::Down);
        let steps = usize::try_from(self.options.members / 4).unwrap_or(usize::MAX).clamp(20, 500);
        let callbacks = self.world.company.live(steps);
        self.send(&callbacks, Order::Late { seed: self.options.seed, places: 10 }, display).await?;
        let went_on = |seen: &Seen| seen.core_is_settled() && seen.oa_is_away;
        let backlog = self.wait(display, "core", went_on).await?.oa_backlog;
        self.sum.oa_backlog_peak = backlog;
        display.update(texts::outage_core_went_on(language, backlog));
        let back = Instant::now();
        self.world.oa.set_state(State::Up);
        self.wait(display, "OA", Seen::is_settled).await?;
        let told = texts::outage_done(language, callbacks.len(), backlog, seconds(back.elapsed()));
        Ok(display.end(told)?)
    }

    async fn forgery(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::forgery(language))?;
        // A real company's callback, and yet it must not count: the signature is made with another token.
        let mut elsewhere = platform_sim::Company::new(platform_sim::CompanyOptions::default());
        let forged: Vec<Callback> = elsewhere.import(1, 1, 1);
        let stats = self.world.forger.send(&forged, &Script::default()).await;
        let refusal = stats.last_refusal.filter(|status| stats.answered == 0 && *status == 401);
        self.sum.forgeries_refused = usize::from(refusal.is_some());
        Ok(display.end(match refusal {
            Some(status) => texts::forgery_done(language, status),
            None => texts::forgery_failed(language, format!("{:?}", stats.last_refusal)),
        })?)
    }

    async fn comparison(&mut self, display: &mut Display<'_, '_>, started: Instant) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::comparison(language))?;
        let source = self.world.company.snapshot();
        let core = compare(&source, &self.world.core.snapshot().await?);
        let oa = compare(&source, &self.world.oa_snapshot());
        let seen = self.world.look().await?;
        let sum = &mut self.sum;
        sum.members = source.members.len();
        sum.departments = source.departments.len();
        sum.core_differences = core.len();
        sum.oa_differences = oa.len();
        sum.oa_violations = self.world.oa.violations().len();
        sum.oa_messages = self.world.oa.received_count();
        sum.changes = seen.versions;
        sum.changes_applied = self.world.applied_at_core();
        sum.parked_now = seen.parked;
        sum.dead_letters = seen.dead;
        sum.seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        self.judge(display, &core, &oa)
    }

    fn judge(&self, display: &mut Display<'_, '_>, core: &[Difference], oa: &[Difference]) -> Result<(), Failure> {
        let (language, sum) = (display.language(), &self.sum);
        if sum.is_equal() {
            display.end(texts::equal(language, sum.departments, sum.members))?;
        } else {
            display.end(texts::different(language, core.len(), oa.len(), sum.oa_violations))?;
        }
        for (side, differences) in [(CORE, core), (OA, oa)] {
            for one in differences.iter().take(TOLD) {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                let (there, here) = (value(&one.source), value(&one.destination));
                display.line(texts::difference(language, side, &one.kind, &one.id, &one.field, there, here))?;
            }
        }
        if !sum.is_nothing_left() {
            display.line(texts::left_over(language, sum.parked_now, sum.dead_letters, sum.unanswered))?;
        }
        if sum.is_fine() {
            let (events, copies) = (sum.events_sent, sum.duplicates_sent);
            display.line(texts::done(language, events, copies, sum.changes_applied, sum.seconds))?;
        }
        Ok(())
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
