//! What a run is to be, drawn from its seed: what happens in a company, how it is told, and what goes wrong when.

mod arrivals;
mod company;
mod disturbances;
mod habits;

use std::{collections::BTreeSet, time::Duration};

use platform_sim::{Callback, Snapshot, Subject};

use crate::{dice::Dice, faults::Counts};

pub(crate) use arrivals::Arrival;
pub(crate) use disturbances::Disturbance;
pub(crate) use habits::Habits;

/// Makes of a run's seed that of its curse.
const CURSE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Each run has at least so many events.
pub(crate) const EVENTS: usize = 60;

/// See the module.
pub(crate) struct Plan {
    /// What the platform tells, as it happened.
    pub(crate) callbacks: Vec<Callback>,
    /// What is true in the end.
    pub(crate) truth: Snapshot,
    pub(crate) arrivals: Vec<Arrival>,
    /// What happens once, and when.
    pub(crate) disturbances: Vec<(Duration, Disturbance)>,
    /// From then on nothing goes wrong any more.
    pub(crate) calm_at: Duration,
    pub(crate) habits: Habits,
    /// What the platform does every day, counted.
    pub(crate) counts: Counts,
}

impl Plan {
    /// Draws a run; what is decided on the way comes from the dice that are left.
    pub(crate) fn draw(seed: u64) -> (Self, Dice) {
        let mut dice = Dice::new(seed);
        let mut counts = Counts::default();
        let (callbacks, truth) = company::live(&mut dice);
        let arrivals = arrivals::draw(&mut dice, &callbacks, &mut counts);
        let last = arrivals.iter().map(|arrival| arrival.at).max().unwrap_or_default();
        let calm_at = last + Duration::from_millis(dice.between(200, 900) as u64);
        let disturbances = disturbances::draw(&mut dice, calm_at);
        let mut habits = Habits::draw(&mut dice);
        // From dice of its own: what older seeds draw stays as it is.
        let mut curse = Dice::new(seed.wrapping_mul(CURSE));
        habits.cursed = if curse.once_in(4) { curse.between(1, 8) } else { 0 };
        (Self { callbacks, truth, arrivals, disturbances, calm_at, habits, counts }, dice)
    }

    /// The callbacks that say nothing about the directory: the OA is to get them verbatim.
    pub(crate) fn others(&self) -> BTreeSet<&str> {
        let others = self.callbacks.iter().filter(|callback| callback.subject == Subject::Other);
        others.map(|callback| callback.plaintext.as_str()).collect()
    }
}
