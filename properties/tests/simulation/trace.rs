//! What happened, as a number: two runs in which the same happened at the same times have the same one.

use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub(crate) struct Trace {
    began: Instant,
    hash: u64,
    steps: u64,
    is_shown: bool,
}

impl Trace {
    pub(crate) fn new(is_shown: bool) -> Self {
        Self { began: Instant::now(), hash: 0, steps: 0, is_shown }
    }

    pub(crate) fn note(&mut self, who: &str, what: &str, came_to: &str) {
        let millis = self.millis();
        let words = [who, what, came_to];
        let with_time = self.hash.rotate_left(7) ^ millis;
        self.hash = words.iter().fold(with_time, |hash, word| xxh3_64_with_seed(word.as_bytes(), hash));
        self.steps += 1;
        if self.is_shown {
            println!("{:>5}.{:03} {who:<14} {what:<24} {came_to}", millis / 1000, millis % 1000);
        }
    }

    /// Since the run began, in its own time.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }
}
