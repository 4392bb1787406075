//! Looks whether everything is done, and whether it is right.

use std::collections::BTreeSet;

use broker::Broker;
use common::Hop;
use database::Connection;
use store::{dead_letters, destinations, outbox, records, waiting};

use crate::{plan::Plan, receivers::Which, run::Scene, stores::tenant, world::Violation};

/// Differences that are shown.
const SHOWN: usize = 4;

/// What is still to be done; `None` when nothing is.
pub(crate) async fn open_work(scene: &Scene) -> Option<String> {
    let unaccepted = scene.world.state().unaccepted;
    if unaccepted > 0 {
        return Some(format!("{unaccepted} callbacks were not accepted"));
    }
    let Some(queue) = scene.site.current() else { return Some("the broker is down".to_owned()) };
    let waiting = queue.depth(Hop::Events).await.unwrap();
    if waiting > 0 {
        return Some(format!("{waiting} events are in the queue"));
    }
    scene.world.tables.read("simulation.look", in_tables).await.unwrap()
}

fn in_tables(conn: &mut Connection) -> database::Result<Option<String>> {
    let tenant = tenant();
    let last = outbox::last_version(conn, &tenant)?;
    if !waiting::first_releases(conn)?.is_empty() {
        return Ok(Some("a release is not worked off".to_owned()));
    }
    let (parked, _) = records::parked_summary(conn, &tenant)?;
    if parked > 0 {
        return Ok(Some(format!("{parked} entities are parked")));
    }
    let watched = destinations::watch(conn)?;
    let behind = watched.iter().find(|one| one.position != last || one.has_held || last == 0);
    Ok(behind.map(|one| format!("{} is at {} of {last}, held: {}", one.id, one.position, one.has_held)))
}

/// Compares what destinations show with the truth, and notes what is not as it should be.
pub(crate) async fn check(scene: &Scene, plan: &Plan) {
    let mut found = at_destinations(scene, plan);
    let tables = scene.world.tables.read("simulation.check", outbox_and_letters).await.unwrap();
    found.extend(tables.into_iter().map(Violation::Wrong));
    found.into_iter().for_each(|violation| scene.world.violated(violation));
}

fn at_destinations(scene: &Scene, plan: &Plan) -> Vec<Violation> {
    let state = scene.world.state();
    let mut found = Vec::new();
    for which in [Which::Core, Which::Oa] {
        let differences = platform_sim::compare(&plan.truth, &state.receivers.shown(which));
        if !differences.is_empty() {
            let shown: Vec<String> = differences.iter().take(SHOWN).map(|one| format!("{one:?}")).collect();
            found.push(Violation::Lost(format!("{which:?}: {} differences: {}", differences.len(), shown.join("; "))));
        }
    }
    let oa = state.receivers.oa();
    let told: BTreeSet<&str> = oa.callbacks().iter().map(String::as_str).collect();
    let others = plan.others();
    if told != others {
        found.push(Violation::Lost(format!("oa: {} callbacks, not {}", told.len(), others.len())));
    }
    if oa.repeats() > state.excuses {
        let (repeats, excuses) = (oa.repeats(), state.excuses);
        found.push(Violation::Doubled(format!("oa: {repeats} repeats, and only {excuses} reasons for one")));
    }
    found
}

fn outbox_and_letters(conn: &mut Connection) -> database::Result<Vec<String>> {
    let tenant = tenant();
    let mut wrong = Vec::new();
    let last = outbox::last_version(conn, &tenant)?;
    let versions = outbox::bodies_after(conn, &tenant, 0, 100_000)?.into_iter().map(|(version, _)| version);
    if !versions.eq(1..=last) {
        wrong.push(format!("the versions in the outbox are not 1 to {last}"));
    }
    for letter in dead_letters::list(conn, None)? {
        wrong.push(format!(
            "a dead letter: {} {} {}",
            letter.letter.kind,
            letter.letter.entity,
            letter.letter.reason.as_str()
        ));
    }
    Ok(wrong)
}
