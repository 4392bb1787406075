//! Looks all the time whether anything is shown that must not be any more, and at the end whether everything is as it is at the source.

use common::{Clock as _, EntityKey};
use database::Connection;
use directory::Record;
use service::config::SynchronizerConfig;
use store::{dead_letters, destinations as positions, outbox, questions, records, runs, snapshots, waiting};
use synchronizer::run::differences;

use crate::{
    bugs::Stale,
    history::Side,
    product,
    seen::{self, Directory},
    stores::{core, tenant},
    world::{Violation, World},
};

/// More entities than there ever are.
const ALL: i64 = 10_000;
/// Differences that are shown.
const SHOWN: usize = 4;

/// A mirror's version, and its records.
type Mirror = (u64, Vec<(EntityKey, Record)>);

/// Looks at the mirror, if it has changed.
pub(crate) async fn look_at_mirror(world: &World) {
    let seen_version = world.state().seen_version;
    let read = move |conn: &mut Connection| -> database::Result<Option<Mirror>> {
        let version = outbox::last_version(conn, &tenant())?;
        if version == seen_version {
            return Ok(None);
        }
        Ok(Some((version, snapshots::mirror_after(conn, &tenant(), None, ALL)?)))
    };
    let Some((version, records)) = world.read(read).await else { return };
    let shown = seen::directory(&seen::mirror(&records), world.habits.is_personal);
    world.state().seen_version = version;
    look(world, Side::Mirror, &shown);
}

/// Looks at the product.
pub(crate) async fn look_at_core(world: &World) {
    let shown = core_directory(world).await;
    look(world, Side::Core, &shown);
}

fn look(world: &World, side: Side, shown: &Directory) {
    let mut state = world.state();
    let state = &mut *state;
    let found = state.history.look(side, shown, &mut state.torn);
    found.into_iter().for_each(|violation| state.violated(violation));
}

async fn core_directory(world: &World) -> Directory {
    let owners = product::owners(world).await;
    let (departments, members) = (world.product.departments().await, world.product.members().await);
    seen::directory(&seen::core(&departments, &members, &owners), world.habits.is_personal)
}

/// What the mirror has last sent of everybody.
pub(crate) async fn sent(world: &World) -> Stale {
    let read = |conn: &mut Connection| snapshots::mirror_after(conn, &tenant(), None, ALL);
    let records = world.read(read).await;
    records.into_iter().filter_map(|(key, record)| Some((key, record.sent?.entity))).collect()
}

/// What is still to be done; `None` when nothing is.
pub(crate) async fn open_work(world: &World) -> Option<String> {
    if !world.state().post.is_empty() {
        return Some("something is on its way".to_owned());
    }
    world.read(in_tables).await
}

fn in_tables(conn: &mut Connection) -> database::Result<Option<String>> {
    let tenant = tenant();
    if let Some(run) = runs::open(conn, &tenant)? {
        let why = run.why.unwrap_or_default();
        return Ok(Some(format!("a run is {} at {}: {why}", run.state.as_str(), run.step.as_str())));
    }
    if questions::silent_since(conn, &tenant)?.is_some() {
        return Ok(Some("the platform is silent".to_owned()));
    }
    let open = questions::open(conn, &tenant, ALL)?;
    if let Some(question) = open.first() {
        return Ok(Some(format!("{} questions are open, one about {}: {}", open.len(), question.about, question.why)));
    }
    if !waiting::first_releases(conn)?.is_empty() {
        return Ok(Some("a release is not worked off".to_owned()));
    }
    let (parked, _) = records::parked_summary(conn, &tenant)?;
    if parked > 0 {
        return Ok(Some(format!("{parked} entities are parked")));
    }
    let last = outbox::last_version(conn, &tenant)?;
    let position = positions::get(conn, &tenant, &core())?.map_or(0, |row| row.position);
    Ok((position != last).then(|| format!("the core is at {position} of {last}")))
}

/// Compares the company with the mirror and the product, and notes what is not as it should be.
pub(crate) async fn check(world: &World) {
    let truth = world.api.company().snapshot();
    let truth = seen::directory(&truth, world.habits.is_personal);
    let read = |conn: &mut Connection| snapshots::mirror_after(conn, &tenant(), None, ALL);
    let records = world.read(read).await;
    let mirror = seen::directory(&seen::mirror(&records), world.habits.is_personal);
    let core = core_directory(world).await;
    for (side, shown) in [(Side::Mirror, mirror), (Side::Core, core)] {
        compare(world, side, &truth, &shown);
    }
    let letters = world.read(|conn: &mut Connection| dead_letters::list(conn, None)).await;
    for dead in letters {
        let (letter, reason) = (&dead.letter, dead.letter.reason.as_str());
        world.violated(Violation::Wrong(format!("a dead letter: {} {} {reason}", letter.kind, letter.entity)));
    }
    ask_what_differs(world).await;
}

/// What `sync diff` says.
async fn ask_what_differs(world: &World) {
    let tenant = world.tenants.get(&tenant()).unwrap();
    let (config, now) = (SynchronizerConfig::default(), world.clocks.now());
    let found = differences(&world.tables, &tenant.file, &world.product.opener(), &config, now).await.unwrap();
    for one in found.iter().take(SHOWN) {
        let what = format!("{} of {} {} differs for the synchronizer", one.field, one.kind.as_str(), one.id);
        world.violated(Violation::Lost(what));
    }
}

fn compare(world: &World, side: Side, truth: &Directory, shown: &Directory) {
    let mut differing: Vec<String> = Vec::new();
    for (key, fields) in truth {
        match shown.get(key) {
            Some(other) if other == fields => {}
            Some(other) => {
                let field = fields.keys().chain(other.keys()).find(|field| fields.get(*field) != other.get(*field));
                let field = field.copied().unwrap_or_default();
                differing.push(format!("{field} of {key} is {:?}, not {:?}", other.get(field), fields.get(field)));
            }
            None => differing.push(format!("{key} is missing")),
        }
    }
    differing.extend(shown.keys().filter(|key| !truth.contains_key(*key)).map(|key| format!("{key} is too much")));
    if !differing.is_empty() {
        let count = differing.len();
        differing.truncate(SHOWN);
        world.violated(Violation::Lost(format!("{side:?}: {count} differ: {}", differing.join("; "))));
    }
}
