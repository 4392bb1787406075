//! Waiting until everything is as it should be, with nobody's help.

use std::{collections::BTreeSet, time::Duration};

use common::{DestinationId, EntityKey, EntityKind, TenantId};
use database::{Connection, Database, Options};
use platform_sim::{Oa, Subject, compare};
use serde_json::{Value, json};
use store::held::{Held, HeldState};
use tokio::time::{Instant, sleep};

use super::{
    curse::Curse,
    load::Told,
    tally::{Tally, differing},
};
use crate::Bridge;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The OA that never takes one entity, among the tenant's destinations.
const CURSED_OA: &str = "second-oa";

/// Whoever should agree in the end.
pub(super) struct Scene<'a> {
    pub(super) bridge: &'a Bridge,
    pub(super) told: &'a Told,
    pub(super) oa: &'a Oa,
    pub(super) cursed_oa: &'a Oa,
    pub(super) curse: &'a Curse,
}

/// How they stand.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) core: Tally,
    pub(super) oa: Tally,
    pub(super) cursed_oa: Cursed,
    /// Events in the gateways' spools.
    pub(super) spooled: f64,
}

/// How an OA stands that never takes one entity.
#[derive(Debug)]
pub(super) struct Cursed {
    /// What it was told twice, and the callbacks that are passed on as they came.
    pub(super) messages: Tally,
    /// Changes that it was not told of yet, without those that are held.
    pub(super) behind: u64,
    /// Entities whose newest change it has not got.
    held: usize,
    /// That must be so many, or the OA took what it never takes, or what refers to it.
    least_held: usize,
    /// Entities that are not there as they should be.
    differing: usize,
    /// Those of either that are not the other, and what is held though it does not wait for the one that it never takes.
    pub(super) strays: BTreeSet<Subject>,
}

impl Scene<'_> {
    /// Looks again and again until everything is right, or the time is over.
    pub(super) async fn settle(&self, patience: Duration) -> Standing {
        let end = Instant::now() + patience;
        loop {
            let standing = self.look().await;
            if standing.is_right() || Instant::now() > end {
                return standing;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self) -> Standing {
        let Told { truth, others, .. } = self.told;
        Standing {
            core: Tally::of_core(&self.bridge.core(), truth).await,
            oa: Tally::of_oa(self.oa, truth, *others),
            cursed_oa: self.look_at_the_cursed().await,
            spooled: self.bridge.sum_of("orgbridge_spool_events").await,
        }
    }

    async fn look_at_the_cursed(&self) -> Cursed {
        let url = self.bridge.database_url().expect("services of their own");
        // When it cannot be read, nothing seems to be held, and that is not right either.
        let (held, behind) = books(url).await.unwrap_or_default();
        let differing = differing(&compare(&self.told.truth, &self.cursed_oa.snapshot()));
        Cursed {
            messages: Tally::of_messages(self.cursed_oa, self.told.others),
            behind,
            held: held.len(),
            least_held: self.curse.least_held(),
            differing: differing.len(),
            strays: strays(&held, &differing, self.curse.subject()),
        }
    }
}

impl Standing {
    fn is_right(&self) -> bool {
        self.core.is_right() && self.oa.is_right() && self.cursed_oa.is_right() && self.spooled == 0.0
    }
}

impl Cursed {
    /// It has everything but the one entity and what refers to that, and precisely those are held.
    pub(super) fn is_right(&self) -> bool {
        self.messages.is_right() && self.behind == 0 && self.strays.is_empty() && self.held >= self.least_held
    }

    pub(super) fn to_json(&self, curse: &Curse) -> Value {
        json!({
            "never_takes": match curse.subject() {
                Subject::Department(_) => "a department",
                _ => "a member",
            },
            "held": self.held, "differing": self.differing, "neither_it_nor_of_it": self.strays.len(),
            "behind": self.behind, "other_callbacks": self.messages.to_json(),
        })
    }
}

/// What is held for the OA, and how far it is behind.
async fn books(url: &str) -> database::Result<(Vec<Held>, u64)> {
    let database = Database::open(&Options { pool_size: 1, ..Options::new(url) })?;
    let tenant: TenantId = "acme".parse().expect("an id");
    let oa: DestinationId = CURSED_OA.parse().expect("an id");
    let read = move |conn: &mut Connection| -> database::Result<(Vec<Held>, u64)> {
        let held = store::held::load(conn, &tenant, &oa)?;
        let position = store::destinations::get(conn, &tenant, &oa)?.map_or(0, |row| row.position);
        Ok((held, store::outbox::last_version(conn, &tenant)?.saturating_sub(position)))
    };
    database.read("chaos.held", read).await
}

fn strays(held: &[Held], differing: &BTreeSet<Subject>, cursed: &Subject) -> BTreeSet<Subject> {
    let listed: BTreeSet<Subject> = held.iter().map(|row| subject(&row.entity)).collect();
    let mut explained = BTreeSet::from([cursed.clone()]);
    loop {
        let before = explained.len();
        for row in held.iter().filter(|row| row.state == HeldState::Waiting) {
            if row.waits_for.iter().any(|on| explained.contains(&subject(on))) {
                explained.insert(subject(&row.entity));
            }
        }
        if explained.len() == before {
            break;
        }
    }
    // The row that the OA still has under an id which its owner gave up by a rename that waits.
    let former: BTreeSet<Subject> = held.iter().flat_map(|row| &row.formerly).map(|id| subject(&id.key)).collect();
    let unlisted = differing.symmetric_difference(&listed).filter(|subject| !former.contains(subject));
    unlisted.chain(listed.difference(&explained)).cloned().collect()
}

fn subject(key: &EntityKey) -> Subject {
    let id = key.id.to_string();
    match key.kind {
        EntityKind::Department => Subject::Department(id),
        EntityKind::Member => Subject::Member(id),
        _ => Subject::Other,
    }
}
