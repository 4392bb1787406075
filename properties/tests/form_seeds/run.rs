//! One run, from its seed to what came of it.

use std::{collections::BTreeMap, time::Duration};

use platform_sim::jiandaoyun::{Fault, Interface, Trouble};

use crate::{
    dice::Dice,
    people,
    plan::{OVERLAP_SECONDS, Plan},
    world::{START_MS, World},
};

/// What happens before all is quiet: well below a day.
const TURNS: usize = 16;
const LONGEST_TURN_SECONDS: usize = 600;
/// After so many polls everything is done.
const LAST_POLLS: usize = 6;
/// An address that is not trusted: the poll stops where it is.
const REFUSED: i64 = 17_052;
const BEFORE_START_MS: i64 = 86_400_000;

/// What is wrong; empty where all is well.
pub(crate) async fn run(seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let plan = Plan::draw(&mut dice);
    let mut world = World::open(&plan, seed).await;
    people_of_before(&world, &mut dice);
    for _ in 0..TURNS {
        turn(&mut world, &plan, &mut dice).await;
    }
    world.api.heal();
    // What was still to happen between two pages happens now, and may be committed late as well.
    come_to_rest(&mut world, &mut dice).await;
    world.pass(Duration::from_secs(OVERLAP_SECONDS));
    come_to_rest(&mut world, &mut dice).await;
    if !plan.steps_move_update_time {
        world.pass(Duration::from_secs(86_400));
        come_to_rest(&mut world, &mut dice).await;
    }
    let mut wrong = compare(&world).await;
    // Nothing more comes of it a day later, when everything is read again, and nothing more is written back.
    let before = (world.sent().await.len(), world.written());
    world.pass(Duration::from_secs(90_000));
    come_to_rest(&mut world, &mut dice).await;
    let after = (world.sent().await.len(), world.written());
    if after != before {
        wrong.push(format!("asked for and written back {before:?}, and {after:?} a day later"));
    }
    wrong
}

/// Some were entered before the start, and approved: nobody asks for them, whenever they are changed.
fn people_of_before(world: &World, dice: &mut Dice) {
    let mut forms = world.api.forms();
    let count = dice.between(0, 4);
    let form = world.form.clone();
    forms.at(START_MS - BEFORE_START_MS, |forms| (0..count).for_each(|_| people::act(forms, &form, dice)));
}

async fn turn(world: &mut World, plan: &Plan, dice: &mut Dice) {
    for _ in 0..dice.between(0, 3) {
        let lag_ms = plan.lag_ms(dice);
        world.api.forms().set_lag_ms(lag_ms);
        people::act(&mut world.api.forms(), &world.form, dice);
    }
    // Between two pages somebody goes on.
    for _ in 0..dice.between(0, 2) {
        let (form, mut dice, calls) = (world.form.clone(), Dice::new(dice.roll()), dice.below(4) as u32);
        world.api.before(Interface::DataList, calls, move |forms| people::act(forms, &form, &mut dice));
    }
    if dice.once_in(5) {
        let after = dice.below(3) as u32;
        world.api.fail(Fault::new(Trouble::Code(REFUSED)).on(Interface::DataList).after(after).times(1));
    }
    if dice.once_in(5) {
        world.dies_behind_its_next_word();
    }
    world.pass(Duration::from_secs(dice.between(1, LONGEST_TURN_SECONDS) as u64));
    world.work(dice).await;
    if dice.once_in(2) {
        world.create().await;
    }
    if dice.once_in(6) {
        world.restart().await;
    }
}

async fn come_to_rest(world: &mut World, dice: &mut Dice) {
    for _ in 0..LAST_POLLS {
        world.pass(Duration::from_secs(61));
        world.work(dice).await;
        world.create().await;
    }
}

/// What was asked for against what the form says.
async fn compare(world: &World) -> Vec<String> {
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for record in world.sent().await {
        *sent.entry(record).or_default() += 1;
    }
    let mut wrong = Vec::new();
    let forms = world.api.forms();
    for record in forms.records(&world.form) {
        match sent.remove(&record.id).unwrap_or_default() {
            0 if people::is_wanted(record, START_MS) => wrong.push(format!("{} is missed", record.id)),
            1.. if !people::may_be(record, START_MS) => wrong.push(format!("{} was not to be asked for", record.id)),
            0 | 1 => {}
            times => wrong.push(format!("{} was asked for {times} times", record.id)),
        }
    }
    wrong.extend(sent.keys().map(|record| format!("{record} is no record of the form")));
    wrong
}
