//! What goes wrong at its time.

use platform_sim::{
    Api, ROOT,
    api::{About, Fault, Interface, Scope, Trouble},
};

use crate::{faults::Kind, plan::skew_millis, product::quoted, world::World};

/// The only app.
pub(crate) const AGENT: u32 = 1_000_002;
/// More calls in a row than anybody makes for one answer.
const PERSISTENT: u32 = 4;

/// Lets something go wrong, or arranges for the next occasion.
pub(crate) async fn happen(world: &World, kind: Kind) {
    match kind {
        Kind::ApiBusy => fail(world, kind, Trouble::Code(-1)),
        Kind::ApiBroken => {
            let troubles = [Trouble::Status(502), Trouble::Cut, Trouble::CutAfter];
            let trouble = *world.state().dice.pick(&troubles).unwrap();
            fail(world, kind, trouble);
        }
        Kind::ApiThrottled => fail(world, kind, Trouble::Code(45009)),
        Kind::ApiRefuses => fail(world, kind, Trouble::Code(60020)),
        Kind::TokensDie => {
            world.api.kill_tokens(None);
            world.state().happened(kind);
        }
        Kind::CursorsDie => {
            world.api.break_cursors();
            world.state().happened(kind);
        }
        Kind::PageFails => {
            let fault = Fault::new(Trouble::Code(-1)).on(Interface::UserListId).about(About::Page(2));
            world.api.fail(fault.times(PERSISTENT));
            world.state().happened(kind);
        }
        Kind::DepartmentFails => {
            let fault = Fault::new(Trouble::Status(503)).on(Interface::UserList);
            let fault = somewhere(world).into_iter().fold(fault, |fault, id| fault.about(About::Department(id)));
            world.api.fail(fault.times(PERSISTENT));
            world.state().happened(kind);
        }
        Kind::ScopeNarrowed => narrow(world),
        Kind::RowEdited | Kind::RowDeleted => tamper(world, kind).await,
        Kind::ClockSet => {
            let mut state = world.state();
            world.clocks.set_skew(skew_millis(&mut state.dice));
            state.happened(kind);
        }
        _ => world.state().is_next(kind),
    }
}

/// A few of the next calls fail, of one interface or of all.
fn fail(world: &World, kind: Kind, trouble: Trouble) {
    let interfaces = [
        None,
        Some(Interface::UserListId),
        Some(Interface::DepartmentSimpleList),
        Some(Interface::DepartmentList),
        Some(Interface::UserList),
        Some(Interface::UserGet),
    ];
    let mut state = world.state();
    let times = state.dice.between(1, PERSISTENT as usize) as u32;
    let fault = Fault::new(trouble).times(times);
    let fault = match state.dice.pick(&interfaces).copied().flatten() {
        Some(interface) => fault.on(interface),
        None => fault,
    };
    state.happened(kind);
    world.api.fail(fault);
}

/// A department below the root, if there is one.
fn somewhere(world: &World) -> Option<String> {
    let mut departments: Vec<String> = world.api.company().snapshot().departments.into_keys().collect();
    departments.retain(|id| id != ROOT);
    world.state().dice.pick(&departments).cloned()
}

/// The app sees one department only, or nothing where there is none.
fn narrow(world: &World) {
    let department = somewhere(world);
    let seen: Vec<&str> = department.iter().map(String::as_str).collect();
    world.api.configure(|options| options.app_mut(AGENT).unwrap().scope = Scope::of(&seen, &[]));
    world.state().happened(Kind::ScopeNarrowed);
}

/// The app sees everything again.
pub(crate) fn widen(api: &Api) {
    api.configure(|options| options.app_mut(AGENT).unwrap().scope = Scope::everything());
}

/// Somebody edits or deletes a row of the product. Where there is none yet the platform is busy instead.
async fn tamper(world: &World, kind: Kind) {
    let rows = world.product.members().await;
    let live: Vec<&str> = rows.iter().filter(|row| row.deleted_at.is_none()).map(|row| row.id.as_str()).collect();
    let picked = world.state().dice.pick(&live).map(|id| quoted(id));
    let Some(id) = picked else { return fail(world, Kind::ApiBusy, Trouble::Code(-1)) };
    let sql = if kind == Kind::RowEdited {
        let column = if world.state().dice.once_in(2) { "name" } else { "title" };
        format!("UPDATE members SET {column} = 'by hand' WHERE id = {id}")
    } else {
        let owners = crate::product::owners(world).await;
        let torn = live.iter().find(|live| quoted(live) == id).map(|live| owners.member(live));
        world.state().torn.extend(torn);
        format!("DELETE FROM member_departments WHERE member_id = {id}; DELETE FROM members WHERE id = {id}")
    };
    world.product.execute(sql).await;
    world.state().happened(kind);
}
