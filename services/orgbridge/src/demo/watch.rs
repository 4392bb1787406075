//! How far the bridge is, seen from outside: by its database and its queue.

use std::time::{Duration, Instant};

use common::{DestinationId, Hop};
use database::Connection;
use store::{dead_letters, destinations, outbox, questions, records};

use super::{
    display::Display,
    texts,
    world::{CORE, OA, World},
};
use crate::Language;

const LOOK_EVERY: Duration = Duration::from_millis(25);
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
    /// Questions that WeCom has not answered yet.
    pub(super) asked: u64,
    /// Changes so far.
    pub(super) versions: u64,
    /// Changes that each destination has not got yet.
    pub(super) core_backlog: u64,
    pub(super) oa_backlog: u64,
    pub(super) dead: u64,
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
        // The queue first: what has left it is in the database by then.
        let queued = self.context.broker.depth(Hop::Events).await?;
        let (tenant, core, oa): (_, DestinationId, DestinationId) = (self.tenant.clone(), CORE.parse()?, OA.parse()?);
        let look = move |conn: &mut Connection| -> database::Result<Seen> {
            let backlog = destinations::backlog(conn)?;
            let left = |of: &DestinationId| {
                backlog.iter().filter(|one| one.tenant == tenant && one.destination == *of).map(|one| one.changes).sum()
            };
            Ok(Seen {
                queued,
                parked: records::parked_summary(conn, &tenant)?.0,
                asked: questions::count_open(conn, &tenant)?,
                versions: outbox::last_version(conn, &tenant)?,
                core_backlog: left(&core),
                oa_backlog: left(&oa),
                dead: dead_letters::counts(conn)?.iter().map(|(_, _, count)| count).sum(),
                oa_is_away: destinations::get(conn, &tenant, &oa)?.is_some_and(|oa| oa.last_error.is_some()),
            })
        };
        Ok(self.context.database.read("demo.look", look).await?)
    }

    /// Changes that the core product has taken.
    pub(super) fn applied_at_core(&self) -> u64 {
        self.context.metrics.changes_total.with_label_values(&[self.tenant.as_str(), CORE, "applied"]).get()
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
        let mut progress = (0, 0, 0, 0, 0);
        let mut moved = started;
        loop {
            let seen = self.look().await?;
            along(&seen);
            display.update(seen.told(display.language()));
            if wished(&seen) {
                return Ok(seen);
            }
            // Patience is for standing still: a big company may take its time as long as something moves.
            let now = (seen.queued, seen.asked, seen.versions, seen.core_backlog, seen.oa_backlog);
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
