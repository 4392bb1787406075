//! How callbacks come: mostly at once, at times twice, at times late.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Order, Script};

/// Later than that, and the bridge would ask by itself.
const LATEST_SECONDS: u64 = 20;

/// How the callbacks of one bit of life are sent.
#[derive(Debug)]
pub(super) struct Manner {
    /// How late.
    pub(super) pause: Duration,
    /// In any order, and how often each.
    pub(super) script: Script,
}

impl Manner {
    pub(super) fn of(seed: u64, turn: u64) -> Self {
        let seed = seed ^ turn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = StdRng::seed_from_u64(seed);
        let is_late = random.random_ratio(1, 5);
        let pause = if is_late { random.random_range(1..=LATEST_SECONDS) } else { 0 };
        let copies = if random.random_ratio(1, 4) { 2 } else { 1 };
        let script = Script { order: Order::Shuffled(seed), seed, copies, ..Script::default() };
        Self { pause: Duration::from_secs(pause), script }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_come_late_some_twice_and_most_do_not() {
        let manners: Vec<Manner> = (0..1000).map(|turn| Manner::of(7, turn)).collect();
        let late = manners.iter().filter(|manner| !manner.pause.is_zero()).count();
        let twice = manners.iter().filter(|manner| manner.script.copies == 2).count();
        assert!((150..250).contains(&late), "{late}");
        assert!((200..300).contains(&twice), "{twice}");
        assert!(manners.iter().all(|manner| manner.pause <= Duration::from_secs(LATEST_SECONDS)));
    }
}
