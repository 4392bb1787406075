//! Randomness that is the same on every machine and in every release, so that a seed keeps its meaning.

use std::{ops::RangeInclusive, time::Duration};

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough for dice.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end` - 1.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap_or_default()
    }

    /// A time out of a range of milliseconds.
    pub(super) fn time(&mut self, millis: &RangeInclusive<u64>) -> Duration {
        let span = millis.end().saturating_sub(*millis.start());
        Duration::from_millis(millis.start() + self.roll() % (span + 1))
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}
