//! The sink: its decisions on what comes next, and the core's tables, without its service. What fails is tried again as it is, and what
//! was taken without our hearing of it too.

use common::{Action, Change, Clock as _, EntityKey, EntityKind};
use database::Connection;
use destinations::{Batch as _, Links, Outcome};
use sink::courier::{Courier, Decision, Step, Verdict};
use store::{
    destinations::{self as positions, Lease, Progress},
    links, outbox,
};

use crate::{
    faults::Kind,
    oracle,
    stores::{core, tenant},
    world::{Violation, World},
};

const OWNER: &str = "courier";
const LEASE_SECONDS: i64 = 60;
/// More changes than there ever are.
const ALL: usize = 100_000;

/// Delivers what there is, batch by batch, until there is nothing more or something goes wrong.
pub(crate) async fn deliver(world: &World) {
    let now = world.clocks.now();
    let until = now.plus_seconds(LEASE_SECONDS);
    let acquire = move |conn: &mut Connection| positions::acquire(conn, &tenant(), &core(), OWNER, now, until);
    // Where the product holds rows nothing is delivered before the first sync.
    let Some(lease) = world.write(acquire).await else { return };
    let read = |conn: &mut Connection| -> database::Result<(u64, Vec<Change>)> {
        let position = positions::get(conn, &tenant(), &core())?.map_or(0, |row| row.position);
        Ok((position, outbox::after(conn, &tenant(), position, ALL)?))
    };
    let (position, changes) = world.read(read).await;
    let mut courier = Courier::new(position, []);
    loop {
        let takes = |change: &Change| change.is_for(&core()) && world.product.tables.takes(change);
        let steps = courier.plan(&changes, takes, world.habits.changes_at_once);
        if steps.is_empty() || !carry_out(world, &lease, &mut courier, &steps).await {
            return;
        }
    }
}

/// One batch; whether it is done.
async fn carry_out(world: &World, lease: &Lease, courier: &mut Courier, steps: &[Step]) -> bool {
    let sent: Vec<&Step> = steps.iter().filter(|step| step.decision == Decision::Deliver).collect();
    let changes: Vec<Change> = sent.iter().map(|step| step.send.clone()).collect();
    let links = links_of(world, &sent, &changes).await;
    if !changes.is_empty() && world.state().strikes(Kind::DeliveryFailed) {
        return false;
    }
    if !changes.is_empty() && !is_taken(world, &changes, &links).await {
        return false;
    }
    let is_unheard = !changes.is_empty() && world.state().strikes(Kind::DeliveryUnheard);
    if !is_unheard {
        for step in steps {
            courier.settle(step, Verdict::Applied, world.clocks.now());
        }
        commit(world, lease, courier.position(), &sent).await;
    }
    oracle::look_at_core(world).await;
    !is_unheard
}

/// For a planted bug: these are written, whatever is there.
pub(crate) async fn force(world: &World, changes: &[Change]) {
    let links = links_of(world, &[], changes).await;
    if !changes.is_empty() {
        world.product.tables.apply(changes, &links).await.unwrap();
    }
    oracle::look_at_core(world).await;
}

/// What the links of these are, of what they refer to, and of the rows that have their ids.
async fn links_of(world: &World, sent: &[&Step], changes: &[Change]) -> Links {
    let mut keys = Links::needed_for(changes);
    keys.extend(sent.iter().flat_map(|step| [Some(step.key.clone()), step.renames.clone()]).flatten());
    keys.retain(|key| key.kind != EntityKind::Callback);
    let found = world.read(move |conn: &mut Connection| links::load(conn, &tenant(), &core(), &keys)).await;
    found.into_iter().map(|link| (link.entity, link.core_id)).collect()
}

/// Whether the product takes a batch: there is nothing in it that it could refuse for good.
async fn is_taken(world: &World, changes: &[Change], links: &Links) -> bool {
    let outcomes = match world.product.tables.apply(changes, links).await {
        Ok(outcomes) => outcomes,
        Err(unavailable) => {
            world.violated(Violation::Wrong(format!("the product does not answer: {unavailable}")));
            return false;
        }
    };
    for (change, outcome) in changes.iter().zip(&outcomes) {
        world.note("core", &format!("{} {}", change.version, change.entity), &format!("{outcome:?}"));
        // The sink tries again, too, what is not taken now.
        if !matches!(outcome, Outcome::Applied | Outcome::Retry { .. }) {
            let what =
                format!("the product does not take version {} of {}: {outcome:?}", change.version, change.entity);
            world.violated(Violation::Wrong(what));
        }
    }
    outcomes.iter().all(|outcome| *outcome == Outcome::Applied)
}

/// Notes how far it got. Links follow renames; of two rows that became one, the former one's link is forgotten.
async fn commit(world: &World, lease: &Lease, position: u64, sent: &[&Step]) {
    let renamed: Vec<(EntityKey, EntityKey)> =
        sent.iter().filter_map(|step| Some((step.renames.clone()?, step.key.clone()))).collect();
    let merged: Vec<EntityKey> = sent.iter().filter_map(|step| former(&step.send)).collect();
    let (lease, now) = (lease.clone(), world.clocks.now());
    let write = move |conn: &mut Connection| -> database::Result<bool> {
        if !positions::advance(conn, &lease, &Progress { position, last_second: None, delivered_at: Some(now) })? {
            return Ok(false);
        }
        for (from, to) in &renamed {
            links::rename(conn, &tenant(), &core(), from, to)?;
        }
        links::remove(conn, &tenant(), &core(), &merged)?;
        Ok(true)
    };
    assert!(world.write(write).await, "nobody else delivers");
}

/// The id that a change renames from.
fn former(change: &Change) -> Option<EntityKey> {
    match &change.action {
        Action::Upsert { renamed_from: Some(former), .. } if *former != change.entity => Some(former.clone()),
        _ => None,
    }
}
