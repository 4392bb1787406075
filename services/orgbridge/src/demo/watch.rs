//! How far the bridge is, seen from outside: by its database and its queue.

use std::time::{Duration, Instant};

use common::{Clock as _, DestinationId, Hop, TenantId};
use database::Connection;
use store::{
    dead_letters, destinations, failed_pushes,
    form_records::{self, State},
    outbox, questions, records, repulls,
};

use super::{
    display::Display,
    texts,
    world::{CORE, OA, World},
};
use crate::Language;

const LOOK_EVERY: Duration = Duration::from_millis(25);
/// What was asked about is looked at again within a minute, then much later.
const SOON_SECONDS: i64 = 90;
/// What passes of the day from one look to the next: nobody wants to wait for it.
const PASSES_SECONDS: i64 = 1;
/// Longer than anything here takes; beyond it something is wrong and the demo says what.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is seen at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Events that the resolver has not worked off.
    pub(super) queued: u64,
    /// Entities that wait for others, or for an answer.
    pub(super) parked: u64,
    /// Questions that no platform has answered yet.
    pub(super) asked: u64,
    /// Changes so far.
    pub(super) versions: u64,
    /// Changes that each destination has not got yet.
    pub(super) core_backlog: u64,
    pub(super) oa_backlog: u64,
    pub(super) dead: u64,
    /// Records of the form that made a member, and that cannot.
    pub(super) hires_created: u64,
    pub(super) hires_refused: u64,
    /// Events in DingTalk's list of failed pushes.
    pub(super) listed: usize,
    /// That list is being read, or what was read is not taken over yet.
    pub(super) reads_list: bool,
    /// Something is looked at again soon, since a platform may be late with it.
    pub(super) looks_soon: bool,
    /// The OA's last failure is known: the sender has noticed that it is away.
    pub(super) oa_is_away: bool,
}

impl Seen {
    /// The same as [`Seen::is_settled`], and nothing is asked any more.
    pub(super) fn is_answered(&self) -> bool {
        self.is_settled() && self.asked == 0
    }

    /// Everything that was sent is taken over, and what came of it is at every destination.
    pub(super) fn is_settled(&self) -> bool {
        self.core_is_settled() && self.oa_backlog == 0
    }

    /// The same, but for the OA.
    pub(super) fn core_is_settled(&self) -> bool {
        self.is_resolved() && self.parked == 0 && self.core_backlog == 0
    }

    /// Everything that was sent is worked off, though some of it may wait for others.
    pub(super) fn is_resolved(&self) -> bool {
        self.queued == 0
    }

    pub(super) fn told(&self, language: Language) -> String {
        let arrived = |backlog: u64| self.versions.saturating_sub(backlog);
        let (core, oa) = (arrived(self.core_backlog), arrived(self.oa_backlog));
        texts::progress(language, self.parked, self.asked, self.queued, core, oa, self.versions)
    }
}

impl World {
    /// Looks once.
    pub(super) async fn look(&self) -> anyhow::Result<Seen> {
        // The list and the queue first: what has left them is in the database by then.
        let listed = self.plant.listed();
        let queued = self.context.broker.depth(Hop::Events).await?;
        let soon = self.clock.now().plus_seconds(SOON_SECONDS);
        let (core, oa): (DestinationId, DestinationId) = (CORE.parse()?, OA.parse()?);
        let (tenant, plant) = (self.tenant.clone(), self.plant.tenant.clone());
        let look = move |conn: &mut Connection| -> database::Result<Seen> {
            let backlog = destinations::backlog(conn)?;
            let hires = form_records::counts(conn, &tenant)?;
            let hires = |state: State| hires.get(&state).copied().unwrap_or_default();
            // Only the company has an OA.
            let left =
                |of: &DestinationId| backlog.iter().filter(|one| one.destination == *of).map(|one| one.changes).sum();
            let mut seen = Seen {
                queued,
                listed,
                reads_list: failed_pushes::is_under_way(conn, &plant)?,
                looks_soon: !repulls::tenants_with_due(conn, soon)?.is_empty(),
                core_backlog: left(&core),
                oa_backlog: left(&oa),
                dead: dead_letters::counts(conn)?.iter().map(|(_, _, count)| count).sum(),
                hires_created: hires(State::Created),
                hires_refused: hires(State::Refused),
                oa_is_away: destinations::get(conn, &tenant, &oa)?.is_some_and(|oa| oa.last_error.is_some()),
                ..Seen::default()
            };
            for tenant in [&tenant, &plant] {
                seen.parked += records::parked_summary(conn, tenant)?.0;
                seen.asked += questions::count_open(conn, tenant)?;
                seen.versions += outbox::last_version(conn, tenant)?;
            }
            Ok(seen)
        };
        Ok(self.context.database.read("demo.look", look).await?)
    }

    /// Changes that the core product has taken.
    pub(super) fn applied_at_core(&self) -> u64 {
        let applied = |tenant: &TenantId| {
            self.context.metrics.changes_total.with_label_values(&[tenant.as_str(), CORE, "applied"]).get()
        };
        applied(&self.tenant) + applied(&self.plant.tenant)
    }

    /// Waits until what is seen is as wished, while the day goes on; every look is also given to `along`.
    pub(super) async fn wait_until(
        &self,
        what: &str,
        display: &Display<'_, '_>,
        wished: impl Fn(&Seen) -> bool,
        mut along: impl FnMut(&Seen),
    ) -> anyhow::Result<Seen> {
        let started = Instant::now();
        let mut progress = (0, 0, 0, 0, 0, (0, 0));
        let mut moved = started;
        loop {
            let seen = self.look().await?;
            along(&seen);
            display.update(seen.told(display.language()));
            if wished(&seen) {
                return Ok(seen);
            }
            // Patience is for standing still: a big company may take its time as long as something moves.
            let others = (seen.listed, seen.hires_created);
            let now = (seen.queued, seen.asked, seen.versions, seen.core_backlog, seen.oa_backlog, others);
            if now != progress {
                (progress, moved) = (now, Instant::now());
            }
            if moved.elapsed() > PATIENCE {
                let (language, seconds) = (display.language(), started.elapsed().as_secs());
                anyhow::bail!(texts::stuck(language, what, seconds, seen.told(language)));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            self.clock.pass_seconds(PASSES_SECONDS);
        }
    }
}
