//! Planted bugs: something is wrong on purpose, in what stands around the synchronizer, and the runs must notice. What is tried has no
//! switch for any of it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use common::{Action, Change, Entity, EntityKey, EntityKind, Event, EventBody, EventKeys, Observation, Platform, What};
use database::Connection;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use directory::plan::Action as Planned;
use store::{outbox, records, runs::Run};

use crate::{
    clocks::Clocks,
    courier, person,
    post::Letter,
    run::run,
    seeds::{alone, on_all_cores},
    stores::{CORP, Stores, core, tenant},
    world::World,
};

/// Each is found by one of so many seeds.
const SEEDS: u64 = 1000;

/// Entities as they were when a plan was made.
pub(crate) type Stale = BTreeMap<EntityKey, Entity>;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// An answer counts as of when it is taken, not of when it was asked for.
    AnswersAsOfReceipt,
    /// An answer counts as of our time, by a clock that is off by up to a minute: what ten seconds do is mostly mended by the next look.
    OurTimeForTheirs,
    /// What one list does not have is believed to be gone.
    GoneByOneList,
    /// What the app does not see is believed to be gone.
    UnseenIsGone,
    /// A plan is applied as it was made, whatever has changed since.
    StalePlan,
}

impl Bug {
    const ALL: [Self; 5] =
        [Self::AnswersAsOfReceipt, Self::OurTimeForTheirs, Self::GoneByOneList, Self::UnseenIsGone, Self::StalePlan];

    /// What the resolver is told instead of what the platform answered.
    pub(crate) fn alters(self, clocks: &Clocks, seen: &mut Observation) {
        match self {
            Self::AnswersAsOfReceipt => seen.at = clocks.platform(),
            Self::OurTimeForTheirs => seen.at = seen.at.plus_millis(clocks.skew() * 6),
            Self::UnseenIsGone if seen.what == What::Nameless => seen.what = What::Removed,
            _ => {}
        }
    }

    /// After the synchronizer has looked.
    pub(crate) async fn after_look(self, world: &World) {
        if self != Self::GoneByOneList {
            return;
        }
        let gone = world.read(missed_once).await;
        let (mut state, now) = (world.state(), world.clocks.platform());
        for key in gone {
            let at = now.plus_seconds(-1);
            let content = EventKeys::content_hash(CORP, Some(&key), at, b"gone");
            let (kind, id, what) = (key.kind, key.id.to_string(), What::Removed);
            let event = Event {
                id: content.clone(),
                tenant: tenant(),
                platform: Platform::Wecom,
                received_at: now,
                keys: EventKeys { platform: None, content },
                traceparent: None,
                body: EventBody::Directory(Observation { kind, id, at, what, hint: false, answer: true }),
            };
            state.post.send(now, Letter::Event(event));
        }
    }
}

/// Writes what a plan has, from entities as they were when it was made.
pub(crate) async fn apply_as_made(world: &World, run: &Run, stale: &Stale) {
    let version = world.read(|conn: &mut Connection| outbox::last_version(conn, &tenant())).await;
    let mut changes = Vec::new();
    for item in person::items(world, run).await {
        let planned = &item.planned.item;
        let key = planned.key().filter(|_| matches!(planned.action, Planned::Create | Planned::Update));
        let Some((key, entity)) = key.and_then(|key| Some((key.clone(), stale.get(&key)?.clone()))) else { continue };
        changes.push(Change {
            tenant: tenant(),
            version,
            entity: key,
            action: Action::Upsert { entity, renamed_from: None },
            source_time: world.clocks.platform(),
            received_at: world.clocks.platform(),
            traceparent: None,
            refers_to: Vec::new(),
            leaves: Vec::new(),
            first: false,
            only_for: Some(core()),
        });
    }
    courier::force(world, &changes).await;
}

#[derive(QueryableByName)]
struct About {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    id: String,
}

/// What is live and was missed by a list.
fn missed_once(conn: &mut Connection) -> database::Result<Vec<EntityKey>> {
    const MISSED: &str = "SELECT kind, id FROM questions WHERE absent_since IS NOT NULL";
    let missed: Vec<About> = sql_query(MISSED).load(conn.sqlite()?)?;
    let key = |about: About| Some(EntityKey::new(about.kind.parse::<EntityKind>().ok()?, &about.id));
    let missed: Vec<EntityKey> = missed.into_iter().filter_map(key).collect();
    let known = records::load(conn, &tenant(), &missed)?;
    Ok(known.into_iter().filter(|(_, row)| row.record.is_live()).map(|(key, _)| key).collect())
}

#[test]
fn every_planted_bug_is_found() {
    let _alone = alone();
    for bug in Bug::ALL {
        let found = first_that_fails(bug);
        println!("{bug:?}: found by {found:?}");
        assert!(found.is_some(), "{bug:?} goes unnoticed");
    }
}

/// A seed that notices, and by what.
fn first_that_fails(bug: Bug) -> Option<(u64, String)> {
    let (next, is_found) = (AtomicU64::new(0), AtomicBool::new(false));
    let found = on_all_cores(|| {
        let stores = Stores::open();
        while !is_found.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                break;
            }
            if let Some(violation) = run(&stores, seed, Some(bug), false).violations.first() {
                is_found.store(true, Ordering::Relaxed);
                return Some((seed, violation.to_string()));
            }
        }
        None
    });
    found.into_iter().flatten().min()
}
