//! What a person does: asks for runs, allows or rejects what they remove, and says who is who.

use std::sync::Arc;

use common::{Clock as _, EntityKey, EntityKind};
use database::Connection;
use directory::plan::Action;
use store::{
    links::{self, DecidedBy, Link},
    runs::{self, PlanItem, Run, RunState, Wanted, Wish},
    snapshots::{self, Stage},
};

use crate::{
    faults::Kind,
    stores::{core, tenant},
    world::World,
};

/// How long a pull's removals pass once they are allowed.
const PASS_SECONDS: i64 = 3600;
/// A person says no once in so many times.
const REJECTS: usize = 4;
/// More items than there ever are.
const ALL: i64 = 10_000;

/// Asks for a run.
pub(crate) async fn ask(world: &World, wanted: Wanted) {
    let now = world.clocks.now();
    let request = move |conn: &mut Connection| runs::request(conn, &tenant(), Wish { wanted, key: None }, now);
    let run = world.write(request).await.unwrap();
    world.note("person", wanted.as_str(), run.state.as_str());
}

/// The newest run.
pub(crate) async fn newest(world: &World) -> Option<Run> {
    world.read(|conn: &mut Connection| runs::list(conn, &tenant(), 1)).await.pop()
}

/// What became of the items of a run.
pub(crate) async fn items(world: &World, run: &Run) -> Vec<PlanItem> {
    let id = run.id.clone();
    world.read(move |conn: &mut Connection| runs::items(conn, &id, 0, ALL)).await
}

/// Decides whatever waits for a decision.
pub(crate) async fn decide(world: &World) {
    let Some(run) = newest(world).await else { return decide_on_pull(world).await };
    if run.state == RunState::Quarantined {
        decide_on_run(world, &run).await;
    } else if !run.state.is_open() {
        decide_on_pull(world).await;
    }
    if run.counts.unsure > 0 && run.state != RunState::Planning {
        say_who_is_who(world, &run).await;
    }
}

async fn decide_on_run(world: &World, run: &Run) {
    let rejects = world.state().happens(Kind::PlanRejected, REJECTS);
    let (id, now) = (run.id.clone(), world.clocks.now());
    let decide = move |conn: &mut Connection| {
        if rejects { runs::reject(conn, &id, now) } else { runs::allow(conn, &id, now) }
    };
    world.write(decide).await;
    world.note("person", "decides", if rejects { "no" } else { "yes" });
}

/// A pull that belongs to no run may be held back too.
async fn decide_on_pull(world: &World) {
    let until = world.clocks.now().plus_seconds(PASS_SECONDS);
    let decide = move |conn: &mut Connection| -> database::Result<bool> {
        let pull = snapshots::get(conn, &tenant())?.filter(|pull| pull.stage == Stage::Quarantined);
        match pull {
            Some(pull) => snapshots::decide(conn, &tenant(), &pull.run, Some(until)),
            None => Ok(false),
        }
    };
    if world.write(decide).await {
        world.note("person", "allows a pull", "");
    }
}

/// Says of the rows that somebody may be whether they are his.
async fn say_who_is_who(world: &World, run: &Run) {
    let now = world.clocks.now();
    for item in items(world, run).await {
        let planned = item.planned.item;
        let unsure = planned.key().filter(|_| planned.action == Action::Unsure && planned.kind == EntityKind::Member);
        let Some(entity) = unsure else { continue };
        for row in planned.why.candidates {
            let is_his = world.state().known_rows.get(&*row) == Some(&entity);
            let (entity, says) = (entity.clone(), if is_his { "it is" } else { "it is not" });
            world.note("person", &format!("{row} and {entity}"), says);
            let said = Said { entity: entity.clone(), row, is_his };
            if world.write(move |conn: &mut Connection| said.keep(conn, now)).await {
                world.state().torn.insert(entity);
            }
        }
    }
}

/// Whether a row is somebody's.
struct Said {
    entity: EntityKey,
    row: Arc<str>,
    is_his: bool,
}

impl Said {
    /// Keeps it. Whether a row is taken from somebody whom the mirror may still take for the one that it was.
    fn keep(self, conn: &mut Connection, now: common::UnixMillis) -> database::Result<bool> {
        let Self { entity, row, is_his } = self;
        let core_id = row.to_string();
        let linked = links::of_rows(conn, &tenant(), &core(), entity.kind, std::slice::from_ref(&core_id))?;
        if is_his && linked.is_empty() {
            let link = Link { entity, core_id, decided_by: DecidedBy::Person, since: now };
            return links::set(conn, &tenant(), &core(), &[link]).map(|()| false);
        }
        if is_his && linked.iter().all(|link| link.entity == entity) {
            return Ok(false);
        }
        links::reject(conn, &tenant(), &core(), &entity, &core_id, now)?;
        Ok(linked.iter().any(|link| link.entity == entity))
    }
}
