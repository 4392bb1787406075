//! When which process is killed: drawn from a seed.

use std::time::Duration;

use store::runs::Step;
use tests::Service;

/// At which steps of a run. Most time goes into the pull, and some of these are over when their turn comes.
const STEPS: [Step; 6] = [Step::Pull, Step::Pull, Step::Settle, Step::Compare, Step::Apply, Step::Deliver];
/// How long after a step was reached, in milliseconds, at most.
const WITHIN_MILLIS: u64 = 400;
/// One out of so many hits the sink; the others hit the synchronizer.
const ONE_FOR_THE_SINK: u64 = 5;

/// One process is killed.
pub(super) struct Blow {
    /// Which is not before a run has come so far.
    pub(super) step: Step,
    /// So long after that.
    pub(super) after: Duration,
    pub(super) service: Service,
}

impl Blow {
    /// So many for one run, in the order of its steps.
    pub(super) fn draw(dice: &mut Dice, count: usize) -> Vec<Self> {
        let mut blows: Vec<Self> = (0..count).map(|_| Self::draw_one(dice)).collect();
        blows.sort_by_key(|blow| blow.step);
        blows
    }

    fn draw_one(dice: &mut Dice) -> Self {
        let step = STEPS[dice.below(STEPS.len() as u64) as usize];
        let after = Duration::from_millis(dice.below(WITHIN_MILLIS + 1));
        let service = if dice.below(ONE_FOR_THE_SINK) == 0 { Service::Sink } else { Service::Synchronizer };
        Self { step, after, service }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `end` - 1.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
