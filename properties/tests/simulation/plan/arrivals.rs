//! In which order, how often and when callbacks arrive.

use std::time::Duration;

use platform_sim::{Callback, Order, Script, dispatcher};

use crate::{
    dice::Dice,
    faults::{Counts, Kind},
};

/// When everything is up.
const FIRST_MILLIS: usize = 20;

/// A callback that the platform pushes, until it hears `success`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Since the run began.
    pub(crate) at: Duration,
    /// Which one, in the order in which things happened.
    pub(crate) callback: usize,
}

pub(crate) fn draw(dice: &mut Dice, callbacks: &[Callback], counts: &mut Counts) -> Vec<Arrival> {
    let order = order(dice, callbacks, counts);
    let longest_pause = [5, 40, 120][dice.below(3)];
    let mut at = FIRST_MILLIS;
    let mut arrivals = Vec::with_capacity(order.len());
    for callback in order {
        // Several at once, as in an import, then none for a moment.
        if dice.once_in(3) {
            at += dice.between(1, longest_pause);
        }
        let is_late = dice.once_in(15);
        let late = if is_late { dice.between(200, 1500) } else { 0 };
        if is_late {
            counts.add(Kind::CallbackDelayed);
        }
        arrivals.push(Arrival { at: Duration::from_millis((at + late) as u64), callback });
    }
    arrivals
}

/// Places in the order in which things happened, some of them several times.
fn order(dice: &mut Dice, callbacks: &[Callback], counts: &mut Counts) -> Vec<usize> {
    let order = match dice.below(5) {
        0 => Order::Natural,
        1 | 2 => Order::Late { seed: dice.roll(), places: dice.between(2, 12) },
        3 => Order::Shuffled(dice.roll()),
        _ => Order::Worst,
    };
    if order != Order::Natural {
        counts.add(Kind::CallbacksReordered);
    }
    let mut places = dispatcher::plan(callbacks, &Script { order, ..Script::default() }).order;
    let repeats_once_in = [0, 12, 6, 4][dice.below(4)];
    for callback in 0..callbacks.len() {
        if repeats_once_in == 0 || !dice.once_in(repeats_once_in) {
            continue;
        }
        for _ in 0..dice.between(1, 3) {
            places.insert(dice.below(places.len() + 1), callback);
            counts.add(Kind::CallbackRepeated);
        }
    }
    places
}
