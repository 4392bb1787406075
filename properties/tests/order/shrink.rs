//! Makes a failing run as small as it gets, so that a person can read it.

use crate::{
    dice::Dice,
    model::{Company, History},
    run::{Arrival, run},
};

/// The report of the smallest run found that still fails.
pub(crate) fn shrink(history: History, arrival: Arrival, dice: &Dice, reason: String) -> String {
    let mut smallest = Smallest { history, arrival, reason, dice: dice.clone() };
    loop {
        let without_events =
            (0..smallest.history.events.len()).rev().filter(|&event| smallest.drop_event(event)).count();
        let places = (0..smallest.arrival.deliveries.len()).rev();
        let without_repeats = places.filter(|&place| smallest.drop_repeat(place)).count();
        let simpler = SIMPLIFICATIONS.iter().filter(|simplify| smallest.simplify(simplify)).count();
        if without_events + without_repeats + simpler == 0 && !smallest.drop_pair() {
            return smallest.reason;
        }
    }
}

struct Smallest {
    history: History,
    arrival: Arrival,
    reason: String,
    dice: Dice,
}

/// Each says whether it changed anything.
const SIMPLIFICATIONS: [fn(&mut Arrival) -> bool; 7] = [
    |arrival| std::mem::take(&mut arrival.fails_once_in) != 0,
    |arrival| std::mem::take(&mut arrival.folds),
    |arrival| std::mem::take(&mut arrival.oa_has_moods),
    |arrival| std::mem::take(&mut arrival.habits.forgets_keys),
    |arrival| std::mem::take(&mut arrival.habits.skips_named),
    |arrival| std::mem::replace(&mut arrival.batch_max, 1) != 1,
    |arrival| std::mem::replace(&mut arrival.slice_max, 1) != 1,
];

impl Smallest {
    /// Some events go only together: a creation and its removal.
    fn drop_pair(&mut self) -> bool {
        let places = self.history.events.len();
        let mut pairs = (0..places).flat_map(|first| (first + 1..places).map(move |second| (first, second)));
        pairs.any(|(first, second)| self.drop_events(&[second, first]))
    }

    fn drop_event(&mut self, dropped: usize) -> bool {
        self.drop_events(&[dropped])
    }

    /// The places of the events must be given in descending order.
    fn drop_events(&mut self, dropped: &[usize]) -> bool {
        let mut events = self.history.events.clone();
        let mut settled = self.history.settled;
        let mut arrival = self.arrival.clone();
        for &place in dropped {
            events.remove(place);
            settled -= usize::from(place < settled);
            arrival.deliveries.retain(|event| *event != place);
            for event in &mut arrival.deliveries {
                *event -= usize::from(*event > place);
            }
        }
        Company::replay(&events, settled).is_some_and(|history| self.adopt_if_failing(history, arrival))
    }

    fn drop_repeat(&mut self, place: usize) -> bool {
        let mut arrival = self.arrival.clone();
        let event = arrival.deliveries.remove(place);
        arrival.deliveries.contains(&event) && self.adopt_if_failing(self.history.clone(), arrival)
    }

    fn simplify(&mut self, simplify: &fn(&mut Arrival) -> bool) -> bool {
        let mut arrival = self.arrival.clone();
        simplify(&mut arrival) && self.adopt_if_failing(self.history.clone(), arrival)
    }

    fn adopt_if_failing(&mut self, history: History, arrival: Arrival) -> bool {
        for _ in 0..20 {
            self.dice.roll();
            if let Err(reason) = run(&history, &arrival, &mut self.dice.clone(), None) {
                (self.history, self.arrival, self.reason) = (history, arrival, reason);
                return true;
            }
        }
        false
    }
}
