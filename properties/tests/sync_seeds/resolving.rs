//! The resolver: its turns and its patience, without its service.

use common::{Clock as _, Event, EventBody};
use database::Connection;
use resolver::{
    Turn,
    patience::{self, Limits},
};

use crate::{
    oracle,
    post::Letter,
    stores::{CORP, tenant},
    world::World,
};

/// As they are configured unless somebody says otherwise.
const LIMITS: Limits = Limits { grace_millis: 30_000, limit_millis: 86_400_000, names_can_be_asked: true };

/// Takes what has arrived by now.
pub(crate) async fn take_what_arrived(world: &World) {
    let letters = {
        let mut state = world.state();
        let state = &mut *state;
        state.post.take(world.clocks.platform(), &mut state.dice)
    };
    let events: Vec<Event> = letters.into_iter().flat_map(|letter| events_of(world, letter)).collect();
    for batch in events.chunks(world.habits.events_at_once) {
        take(world, batch.to_vec()).await;
    }
    oracle::look_at_mirror(world).await;
}

/// As the gateway makes them of a callback; or what the platform answered, as a planted bug alters it.
fn events_of(world: &World, letter: Letter) -> Vec<Event> {
    let mut event = match letter {
        Letter::Callback(plaintext) => {
            return wecom::normalise(&tenant(), CORP, &plaintext, world.clocks.now(), None).unwrap();
        }
        Letter::Event(event) => event,
    };
    world.state().history.told(&event);
    if let (Some(bug), EventBody::Directory(seen)) = (world.bug, &mut event.body) {
        bug.alters(&world.clocks, seen);
    }
    vec![event]
}

async fn take(world: &World, events: Vec<Event>) {
    let (rules, count) = (world.rules(), events.len());
    let turn = world.write(move |conn: &mut Connection| Turn::events(conn, &events, &rules)).await;
    note(world, &format!("takes {count}"), &turn);
    release(world, turn).await;
}

/// Works off what a turn released, slice by slice.
async fn release(world: &World, turn: Turn) {
    let mut is_more = !turn.released.is_empty();
    while is_more {
        let (rules, limit) = (world.rules(), world.habits.released_at_once);
        let turn = world.write(move |conn: &mut Connection| Turn::released(conn, &tenant(), limit, &rules)).await;
        note(world, "releases", &turn);
        is_more = !turn.released.is_empty();
    }
}

fn note(world: &World, what: &str, turn: &Turn) {
    let changes: usize = turn.changes.values().map(Vec::len).sum();
    world.note("resolver", what, &format!("{changes} changes"));
}

/// Founds the tenant's root department.
pub(crate) async fn found(world: &World) {
    let rules = world.rules();
    let turn = world.write(move |conn: &mut Connection| Turn::found(conn, &tenant(), &rules)).await;
    note(world, "founds", &turn);
    release(world, turn).await;
}

/// Asks for what is waited for, and gives up on what was waited for too long.
pub(crate) async fn be_patient(world: &World) {
    loop {
        let rules = world.rules();
        let look = move |conn: &mut Connection| -> database::Result<Option<(Turn, bool)>> {
            if !patience::is_overdue(conn, &tenant(), LIMITS, rules.now)? {
                return Ok(None);
            }
            let (turn, is_more) = patience::ask(conn, &tenant(), LIMITS, &rules)?;
            let dead = patience::give_up(conn, &tenant(), LIMITS, rules.now)?;
            Ok(Some((turn, is_more || dead > 0)))
        };
        let Some((turn, is_more)) = world.write(look).await else { return };
        note(world, "is patient", &turn);
        release(world, turn).await;
        oracle::look_at_mirror(world).await;
        if !is_more {
            return;
        }
    }
}
