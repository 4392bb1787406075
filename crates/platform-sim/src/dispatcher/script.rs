//! In which order callbacks are sent, which twice, which never.

use std::cmp::Reverse;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Act, Callback, Subject};

/// The order of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As things happened.
    #[default]
    Natural,
    /// Any order, by seed.
    Shuffled(u64),
    /// Each callback at most so many places late.
    Late {
        /// Decides which.
        seed: u64,
        /// The greatest lateness, in callbacks.
        places: usize,
    },
    /// Leaves first, root last: removals, then members, the deepest first, then departments, the deepest first; of one
    /// entity the newest first.
    Worst,
}

/// How a series of callbacks is sent.
#[derive(Clone, Debug)]
pub struct Script {
    /// The order of submission; with a concurrency of 1 also that of arrival.
    pub order: Order,
    /// Decides about copies and losses.
    pub seed: u64,
    /// Each callback is sent once up to so many times.
    pub copies: u32,
    /// The share of callbacks that are never sent, 0 to 1.
    pub loss: f64,
    /// The pause before each submission.
    pub delay: Duration,
    /// How many are under way at once.
    pub concurrency: usize,
}

impl Default for Script {
    fn default() -> Self {
        Self { order: Order::Natural, seed: 1, copies: 1, loss: 0.0, delay: Duration::ZERO, concurrency: 1 }
    }
}

/// What a script makes of a series of callbacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Indexes into the series in order of submission; copies are repeated indexes.
    pub order: Vec<usize>,
    /// How many of them are copies.
    pub duplicates: usize,
    /// Indexes that are never sent, ascending.
    pub lost: Vec<usize>,
}

/// Works a script out without sending anything.
#[must_use]
pub fn plan(callbacks: &[Callback], script: &Script) -> Plan {
    let mut random = StdRng::seed_from_u64(script.seed ^ 0x005c_4197);
    let mut lost = Vec::new();
    let mut places = Vec::with_capacity(callbacks.len());
    let mut duplicates = 0;
    for index in 0..callbacks.len() {
        if script.loss > 0.0 && random.random_bool(script.loss.min(1.0)) {
            lost.push(index);
            continue;
        }
        places.push((index, index));
        for _copy in 1..random.random_range(1..=script.copies.max(1)) {
            // Half of the copies follow at once, the others any time later.
            let late = random.random_bool(0.5);
            places.push((if late { random.random_range(index..callbacks.len()) } else { index }, index));
            duplicates += 1;
        }
    }
    arrange(&mut places, callbacks, script.order);
    Plan { order: places.into_iter().map(|(_place, index)| index).collect(), duplicates, lost }
}

/// Sorts pairs of (natural place, index) into the order of submission.
fn arrange(places: &mut [(usize, usize)], callbacks: &[Callback], order: Order) {
    match order {
        Order::Natural => places.sort_by_key(|(place, _index)| *place),
        Order::Shuffled(seed) => {
            let mut random = StdRng::seed_from_u64(seed);
            places.sort_by_cached_key(|_pair| random.random::<u64>());
        }
        Order::Late { seed, places: most } => {
            let mut random = StdRng::seed_from_u64(seed);
            places.sort_by_cached_key(|(place, _index)| place + random.random_range(0..=most));
        }
        Order::Worst => places.sort_by_cached_key(|(_place, index)| callbacks.get(*index).map(badness)),
    }
}

/// Sorts what depends on most to the front.
fn badness(callback: &Callback) -> (u8, Reverse<u32>, Reverse<u64>) {
    let rank = match (&callback.subject, callback.act) {
        (_, Act::Remove) => 0,
        (Subject::Other, _) => 1,
        (Subject::Member(_), _) => 2,
        (Subject::Department(_), _) => 3,
    };
    (rank, Reverse(callback.depth), Reverse(callback.sequence))
}
