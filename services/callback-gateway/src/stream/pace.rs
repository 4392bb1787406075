//! When the next connection is opened (reference dingtalk 1.8).

use std::time::Duration;

use common::jitter_of;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
const MOST_DOUBLINGS: u32 = 6;
/// A connection whose end is planned at this age is replaced hastily; that may happen, but not again and again.
const YOUNG: Duration = Duration::from_secs(3);
/// The pause after hasty ends but the first: with the time that opening takes, events never wait for a second.
const HASTY: Duration = Duration::from_millis(500);
/// After so many hasty ends in a row the platform does not know what it wants.
const MOST_HASTY: u32 = 5;
/// A connection that lived so long was no failure, even if nothing came over it.
const PROVEN: Duration = Duration::from_secs(60);

/// The pauses of one place of a connection. They are spread over the whole of each exponential step, so that those who lost
/// their connections together do not come back together.
#[derive(Debug)]
pub(super) struct Pace {
    /// Whose place it is, among all processes.
    name: String,
    failures: u32,
    hasty_ends: u32,
    pauses: u32,
}

impl Pace {
    pub(super) const fn new(name: String) -> Self {
        Self { name, failures: 0, hasty_ends: 0, pauses: 0 }
    }

    /// A connection ended that was this old, and over which an event came or not.
    pub(super) fn lived(&mut self, age: Duration, has_carried: bool) {
        if has_carried || age >= PROVEN {
            self.failures = 0;
        }
    }

    /// The pause after a connection broke or could not be opened.
    pub(super) fn after_failure(&mut self) -> Duration {
        let step = FIRST.saturating_mul(1 << self.failures.min(MOST_DOUBLINGS)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.pauses = self.pauses.wrapping_add(1);
        step.mul_f64(jitter_of(&[&self.name], self.pauses))
    }

    /// The pause after the platform planned the end of a connection that was this old: none, as a rule.
    pub(super) fn after_plan(&mut self, age: Duration) -> Duration {
        self.hasty_ends = if age < YOUNG { self.hasty_ends.saturating_add(1) } else { 0 };
        match self.hasty_ends {
            0 | 1 => Duration::ZERO,
            2..=MOST_HASTY => HASTY,
            _ => self.after_failure(),
        }
    }

    /// Whether nothing failed since something worked.
    pub(super) const fn is_fine(&self) -> bool {
        self.failures == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new("instance/acme/0".to_owned())
    }

    #[test]
    fn pauses_grow_to_a_minute_and_are_spread_over_all_of_it() {
        let longest = |failures: u32| {
            let pause = |number: u32| {
                let mut pace = Pace { failures, ..Pace::new(number.to_string()) };
                pace.after_failure()
            };
            let pauses: Vec<Duration> = (0..1000).map(pause).collect();
            let step = Duration::from_secs(1 << failures).min(LONGEST);
            assert!(pauses.iter().any(|pause| *pause < step / 10), "{failures}: full jitter begins at nothing");
            pauses.into_iter().max().unwrap().as_secs_f64() / step.as_secs_f64()
        };
        for failures in 0..=12 {
            assert!((0.99..=1.0).contains(&longest(failures)), "{failures}");
        }
    }

    #[test]
    fn only_what_lived_or_carried_something_begins_anew() {
        let mut pace = pace();
        for _ in 0..5 {
            pace.after_failure();
        }
        pace.lived(Duration::from_secs(59), false);
        assert!(!pace.is_fine());
        pace.lived(Duration::from_secs(60), false);
        assert!(pace.is_fine());
        assert!(pace.after_failure() <= FIRST);
        pace.lived(Duration::from_millis(1), true);
        assert!(pace.is_fine());
    }

    #[test]
    fn a_planned_end_is_followed_at_once_and_not_again_and_again() {
        let mut pace = pace();
        let (old, young) = (Duration::from_secs(3600), Duration::from_millis(1));
        for age in [old, old, young] {
            assert_eq!(pace.after_plan(age), Duration::ZERO);
        }
        for _ in 0..4 {
            assert_eq!(pace.after_plan(young), HASTY);
        }
        let longest = (0..50).map(|_| pace.after_plan(young)).max();
        assert!(longest > Some(Duration::from_secs(30)), "{longest:?}");
        assert_eq!(pace.after_plan(old), Duration::ZERO);
    }
}
