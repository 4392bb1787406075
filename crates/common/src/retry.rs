//! When to try again.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Reason;

/// What an error asks of the one who meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It may pass: try again, not before this.
    Retry {
        /// The least time to wait; zero leaves it to the policy.
        after: Duration,
    },
    /// It will never pass.
    Reject {
        /// Why, for the dead letter.
        reason: Reason,
    },
    /// A fault of ours or of the set-up; a person has to look.
    Fatal,
}

/// Exponential back-off with jitter. Randomness comes in as an argument, so that a test can choose it.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The wait before attempt `attempt + 1`, where `attempt` counts from 1. `roll` in `0.0..1.0` spreads it over half to
    /// the whole of the exponential step.
    pub fn wait(&self, attempt: u32, roll: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let step = self.first.saturating_mul(1u32 << doublings).min(self.longest);
        step.mul_f64(0.5 + roll.clamp(0.0, 1.0) / 2.0)
    }
}

/// The roll of [`Backoff::wait`] for whoever these words name, in `0.0..1.0`: as good as random between different words and
/// attempts, so that those who failed together do not come back together, and the same for the same ones.
pub fn jitter_of(words: &[&str], attempt: u32) -> f64 {
    let hash = words.iter().fold(u64::from(attempt), |hash, word| xxh3_64_with_seed(word.as_bytes(), hash));
    // As many bits as the number holds exactly.
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stop_growing() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let waits: Vec<u64> = (1..=8).map(|attempt| backoff.wait(attempt, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.wait(500, 0.0), Duration::from_secs(30));
    }

    #[test]
    fn those_who_failed_together_come_back_apart_and_each_always_at_the_same_time() {
        let rolls: Vec<f64> = (0..1000).map(|attempt| jitter_of(&["a", "acme", "oa"], attempt)).collect();
        assert!(rolls.iter().all(|roll| (0.0..1.0).contains(roll)));
        let mean = rolls.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert!((jitter_of(&["a", "acme"], 1) - jitter_of(&["b", "acme"], 1)).abs() > f64::EPSILON);
        assert_eq!(jitter_of(&["a"], 7).to_bits(), jitter_of(&["a"], 7).to_bits());
    }
}
