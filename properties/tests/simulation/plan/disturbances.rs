//! What happens once at its time: these every run has, whatever its habits are.

use std::time::Duration;

use crate::{dice::Dice, receivers::Which};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Disturbance {
    /// Whichever process stands there is killed, wherever it is.
    Kill { slot: usize },
    /// The broker dies, and comes back on what it stored.
    BrokerCrash { back_after: Duration },
    /// A clock is moved.
    Jump { slot: usize, millis: i64 },
    /// A destination does not answer.
    Away { which: Which, time: Duration },
}

const HOUR_MILLIS: usize = 3_600_000;

pub(crate) fn draw(dice: &mut Dice, calm_at: Duration) -> Vec<(Duration, Disturbance)> {
    let mut all = [
        Disturbance::Kill { slot: 0 },
        Disturbance::Kill { slot: dice.between(1, 2) },
        Disturbance::Kill { slot: dice.between(3, 4) },
        Disturbance::BrokerCrash { back_after: millis(dice, 20, 500) },
        Disturbance::Jump { slot: 0, millis: either_way(dice) },
        Disturbance::Jump { slot: dice.between(1, 2), millis: either_way(dice) },
        Disturbance::Jump { slot: 3, millis: far(dice) },
        Disturbance::Away { which: Which::Core, time: millis(dice, 50, 800) },
        Disturbance::Away { which: Which::Oa, time: millis(dice, 50, 800) },
    ];
    dice.shuffle(&mut all);
    let wanted = dice.between(5, 7);
    let end = calm_at.as_millis() as usize - 20;
    all.into_iter().take(wanted).map(|what| (millis(dice, 25, end), what)).collect()
}

fn millis(dice: &mut Dice, first: usize, last: usize) -> Duration {
    Duration::from_millis(dice.between(first, last) as u64)
}

fn either_way(dice: &mut Dice) -> i64 {
    if dice.once_in(2) { far(dice) } else { -far(dice) }
}

/// Less than the gateway tolerates, or up to an hour.
fn far(dice: &mut Dice) -> i64 {
    let most = if dice.once_in(2) { 250_000 } else { HOUR_MILLIS };
    dice.between(1_000, most) as i64
}
