//! A platform that refuses: for how long nothing is sent.

use std::time::Duration;

use common::UnixMillis;

/// A pause is at most so many times what the platform documents...
const MOST_TIMES: i64 = 16;
/// ...and no longer than a day, unless the platform itself says so.
const LONGEST_MILLIS: i64 = 86_400_000;

/// Until when nothing is sent. The default is a platform that never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Block {
    /// The end of the pause.
    pub until: UnixMillis,
    /// How long the pause is, in milliseconds.
    pub lasts_millis: i64,
}

impl Block {
    /// The platform refused at `now`, and does so for `refuses_for`. Refusals of calls that were on their way while the pause began are
    /// one with it. One that follows within a pause's length after its end means that the pause was too short: the next is twice as long.
    #[must_use]
    pub fn again(self, refuses_for: Duration, now: UnixMillis) -> Self {
        let stated = i64::try_from(refuses_for.as_millis()).unwrap_or(i64::MAX).max(1);
        let until = self.until_by(now);
        if now < until {
            return Self { until: until.max(now.plus_millis(stated)), lasts_millis: self.lasts_millis.max(stated) };
        }
        let repeats = now < until.plus_millis(self.lasts_millis);
        let doubled = self.lasts_millis.saturating_mul(2).min(stated.saturating_mul(MOST_TIMES)).min(LONGEST_MILLIS);
        let lasts_millis = if repeats { stated.max(doubled) } else { stated };
        Self { until: now.plus_millis(lasts_millis), lasts_millis }
    }

    /// The end of the pause as it can be true at `now`: after a clock was set back, a pause is not longer than it was.
    #[must_use]
    pub fn until_by(self, now: UnixMillis) -> UnixMillis {
        self.until.min(now.plus_millis(self.lasts_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn seconds(block: Block, now: UnixMillis) -> i64 {
        block.until.since(now) / 1000
    }

    #[test]
    fn a_pause_doubles_each_time_that_the_platform_refuses_right_after_it() {
        let mut block = Block::default();
        let (mut now, mut pauses) = (NOW, Vec::new());
        for _ in 0..7 {
            block = block.again(MINUTE, now);
            pauses.push(seconds(block, now));
            now = block.until.plus_seconds(1);
        }
        assert_eq!(pauses, [60, 120, 240, 480, 960, 960, 960]);
        let later = block.until.plus_seconds(960);
        assert_eq!(seconds(block.again(MINUTE, later), later), 60, "that was long ago");
    }

    #[test]
    fn refusals_of_calls_that_were_under_way_are_one() {
        let first = Block::default().again(MINUTE, NOW);
        let second = first.again(MINUTE, NOW.plus_seconds(2));
        assert_eq!((seconds(second, NOW), second.lasts_millis), (62, 60_000));
        let shorter = second.again(Duration::from_secs(1), NOW.plus_seconds(3));
        assert_eq!(shorter, second, "what a longer limit says stands");
        let longer = second.again(Duration::from_secs(3_600), NOW.plus_seconds(3));
        assert_eq!((seconds(longer, NOW), longer.lasts_millis), (3_603, 3_600_000));
    }

    #[test]
    fn a_pause_is_never_longer_than_a_day_unless_the_platform_says_so() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let first = Block::default().again(hours(20), NOW);
        let then = first.until.plus_seconds(60);
        assert_eq!(seconds(first.again(hours(20), then), then), 86_400);
        assert_eq!(seconds(first.again(hours(30), then), then), 30 * 3_600);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_pause_longer() {
        let block = Block::default().again(MINUTE, NOW);
        let before = NOW.plus_seconds(-86_400);
        assert_eq!(block.until_by(before), before.plus_seconds(60));
    }
}
