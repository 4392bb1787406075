//! How a run behaves while things go wrong: each run has only some of the faults, so that one does not hide another.

use crate::dice::Dice;

/// Once in how many times something happens; 0: never. And what does not change within a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) store_fails: usize,
    pub(crate) commit_answer_is_lost: usize,
    pub(crate) store_is_slow: usize,
    pub(crate) publish_fails: usize,
    pub(crate) confirm_is_lost: usize,
    pub(crate) publishes_twice: usize,
    pub(crate) publish_hangs: usize,
    pub(crate) redelivers: usize,
    pub(crate) overlaps: usize,
    pub(crate) acknowledgement_is_lost: usize,
    pub(crate) hands_over: usize,
    pub(crate) queue_fails: usize,
    pub(crate) queue_answer_is_lost: usize,
    pub(crate) refuses: usize,
    /// Of which change of a department on the OA never takes that department; 0: it takes all.
    pub(crate) cursed: usize,
    pub(crate) answer_is_lost: usize,
    pub(crate) hangs: usize,
    /// A process has its last step before it begins, once in so many starts.
    pub(crate) is_doomed: usize,
    pub(crate) resolver_batch: usize,
    pub(crate) grace_seconds: u64,
    pub(crate) sink_batch: usize,
    /// How wrong the sinks' clock is from the start.
    pub(crate) sinks_skew_millis: i64,
}

impl Habits {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut rarity = |least: usize, most: usize| if dice.once_in(2) { 0 } else { dice.between(least, most) };
        Self {
            store_fails: rarity(30, 200),
            commit_answer_is_lost: rarity(30, 200),
            store_is_slow: rarity(8, 60),
            publish_fails: rarity(6, 40),
            confirm_is_lost: rarity(6, 40),
            publishes_twice: rarity(4, 30),
            publish_hangs: rarity(30, 120),
            redelivers: rarity(4, 20),
            overlaps: rarity(3, 20),
            acknowledgement_is_lost: rarity(8, 30),
            hands_over: rarity(6, 30),
            queue_fails: rarity(30, 150),
            queue_answer_is_lost: rarity(30, 150),
            refuses: rarity(15, 60),
            cursed: 0,
            answer_is_lost: rarity(15, 60),
            hangs: rarity(30, 120),
            is_doomed: rarity(1, 3),
            resolver_batch: [4, 16, 256][dice.below(3)],
            grace_seconds: [2, 30][dice.below(2)],
            sink_batch: [1, 4, 16, 64][dice.below(4)],
            sinks_skew_millis: dice.between(0, 7_200_000) as i64 - 3_600_000,
        }
    }
}
