//! What can be seen of a scene, and waiting until nothing is on its way any more.

use std::{collections::BTreeSet, fmt::Debug};

use common::{EntityKey, EntityKind, Hop, TenantId};
use database::Connection;
use platform_sim::{Difference, compare};
use store::{
    destinations::{self, Backfill, State},
    links, outbox, questions, records,
    snapshots::{self, Snapshot, Stage},
    waiting,
};
use test_kit::eventually;
use tests::as_core_sees;

use super::{Scene, core_id, tenant};
use crate::product::Links;

/// What is still to be done, and how much of it.
type Open = Vec<(&'static str, u64)>;

/// What only time brings on.
const WAITS_FOR_TIME: [&str; 3] = ["held changes", "parked entities", "questions"];

impl Scene {
    /// Waits until the directory was pulled for the first time, and nothing is on its way any more.
    pub(crate) async fn known(&self) {
        let look = async || self.read(|conn| snapshots::get(conn, &tenant())).await;
        let is_over = |at: &Option<Snapshot>| {
            at.as_ref().is_some_and(|at| at.stage == Stage::Idle && at.started_at.0 > 0 && at.is_whole)
        };
        eventually("the directory is pulled", look, is_over).await;
        if !self.is_filled {
            let look = async || self.is_collecting().await;
            eventually("an empty core takes everything", look, |collects| !collects).await;
        }
        self.settled().await;
    }

    /// Waits until nothing is on its way any more. Time passes while something waits for nothing else.
    pub(crate) async fn settled(&self) {
        let look = async || {
            let open = self.open().await;
            if !open.is_empty() && open.iter().all(|(what, _)| WAITS_FOR_TIME.contains(what)) {
                self.pass(1);
            }
            open
        };
        eventually("nothing is on its way", look, Vec::is_empty).await;
    }

    /// Waits until nothing is on its way any more; then the core's rows are the company.
    pub(crate) async fn agrees(&self) {
        self.settled().await;
        nothing_of(&self.core_differs().await);
    }

    /// What differs between the company and the core's rows.
    pub(crate) async fn core_differs(&self) -> Vec<Difference> {
        let truth = as_core_sees(&self.api.company().snapshot());
        let links = self.links().await;
        compare(&truth, &self.core.rows().directory(&links))
    }

    /// Which rows of the core are known to be whose.
    pub(crate) async fn links(&self) -> Links {
        let list = |conn: &mut Connection| -> database::Result<Vec<links::Link>> {
            let mut all = Vec::new();
            for kind in [EntityKind::Department, EntityKind::Member] {
                all.extend(links::list(conn, &tenant(), &core_id(), kind, None, 1_000_000)?);
            }
            Ok(all)
        };
        let mut found = Links::default();
        for link in self.read(list).await {
            if !synchronizer::run::is_placeholder(&link.entity) {
                found.add(link.entity.kind, &link.entity.id, &link.core_id);
            }
        }
        found
    }

    /// Entities that the mirror has live.
    pub(crate) async fn mirror(&self) -> BTreeSet<EntityKey> {
        let live = |conn: &mut Connection| records::live_after(conn, &tenant(), None, 1_000_000);
        self.read(live).await.into_iter().map(|(key, _)| key).collect()
    }

    pub(crate) async fn last_version(&self) -> u64 {
        self.read(|conn| outbox::last_version(conn, &tenant())).await
    }

    /// Whether changes for the core collect.
    pub(crate) async fn is_collecting(&self) -> bool {
        let row = self.read(|conn| destinations::get(conn, &tenant(), &core_id())).await;
        row.unwrap().state == State::Collecting
    }

    /// What a metric of the tenant says; 0 where it says nothing.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let start = format!("orgbridge_{name}{{tenant=\"acme\"}} ");
        let text = self.stage.context.metrics.render().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(&start));
        value.map_or(0, |value| value.parse().unwrap())
    }

    async fn open(&self) -> Open {
        let events = self.stage.context.broker.depth(Hop::Events).await.unwrap();
        let mut open = self.read(|conn| in_tables(conn, &tenant())).await;
        open.push(("events", events));
        open.retain(|(_, count)| *count > 0);
        open
    }
}

/// There is none of these.
pub(crate) fn nothing_of<T: Debug>(found: &[T]) {
    let some: Vec<&T> = found.iter().take(5).collect();
    assert!(found.is_empty(), "{} of them, such as {some:?}", found.len());
}

fn in_tables(conn: &mut Connection, tenant: &TenantId) -> database::Result<Open> {
    let last = outbox::last_version(conn, tenant)?;
    let watched = destinations::watch(conn)?;
    let active = || watched.iter().filter(|one| one.state == State::Active);
    let behind: u64 = active().map(|one| last.saturating_sub(one.position)).sum();
    let backfills = active().filter(|one| one.backfill == Some(Backfill::Wanted)).count();
    let held = active().filter(|one| one.has_held).count();
    let (parked, _) = records::parked_summary(conn, tenant)?;
    Ok(vec![
        ("releases", waiting::first_releases(conn)?.len() as u64),
        ("replays", u64::from(outbox::any_replays(conn)?)),
        ("changes", behind),
        ("back-fills", backfills as u64),
        ("held changes", held as u64),
        ("parked entities", parked),
        ("questions", questions::count_open(conn, tenant)?),
    ])
}
