//! When punches are asked about: a call tells of fifty members, so those who punch within a while are asked about together.

use std::time::Duration;

use common::UnixMillis;

use crate::{Timing, timing::millis};

/// An answer has to be a few seconds later than a punch, so one that comes right before a call is left for the next one.
const LEFT_OVER_MILLIS: i64 = 5_000;

/// When they were last asked about, and when they will be next.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    last: Option<UnixMillis>,
    next: Option<UnixMillis>,
}

impl Gather {
    pub(crate) const fn new() -> Self {
        Self { last: None, next: None }
    }

    /// When punches are asked about of which the oldest was first asked about at `oldest`: a while after that, not soon after the last time,
    /// and never so late that it takes longer than that.
    pub(crate) fn at(&mut self, oldest: UnixMillis, timing: &Timing) -> UnixMillis {
        let after = |from: UnixMillis, wait: Duration| from.plus_millis(millis(wait));
        let latest = after(oldest, timing.gather_apart).plus_millis(LEFT_OVER_MILLIS);
        // One that is over was for others.
        let next = self.next.filter(|next| oldest <= *next).unwrap_or_else(|| {
            let apart = self.last.map(|last| after(last, timing.gather_apart));
            after(oldest, timing.gather).max(apart.unwrap_or(oldest))
        });
        *self.next.insert(next.min(latest))
    }

    /// They are asked about now.
    pub(crate) const fn begins(&mut self, now: UnixMillis) {
        (self.last, self.next) = (Some(now), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis::from_seconds(seconds)
    }

    #[test]
    fn a_punch_waits_a_while_for_others_and_never_longer_than_the_time_between_two_calls() {
        let timing = Timing::default();
        let mut gather = Gather::new();
        assert_eq!(gather.at(at(100), &timing), at(120));
        assert_eq!(gather.at(at(115), &timing), at(120), "it comes along");
        gather.begins(at(121));
        assert_eq!(gather.at(at(122), &timing), at(181), "a call a minute is enough for those who are few");
        assert_eq!(gather.at(at(170), &timing), at(181));
        assert_eq!(gather.at(at(118), &timing), at(181), "it was too early for the last one");
        assert_eq!(gather.at(at(110), &timing), at(175), "what was left over is not left longer");
        gather.begins(at(181));
        assert_eq!(gather.at(at(400), &timing), at(420));
    }
}
