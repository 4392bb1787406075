//! A queue as it is seen from outside: how much waits, and since when.

use std::collections::VecDeque;

/// What came in the same second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cohort {
    /// When the first event of it came.
    pub(super) born: u32,
    pub(super) count: u64,
    /// It is of the import that is looked at, not of those who may suffer from it.
    pub(super) imported: bool,
}

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Cohort>,
    count: u64,
    /// What of a whole was not taken yet, where only a part of it could be.
    rest: f64,
}

impl Queue {
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn put(&mut self, cohort: Cohort) {
        if cohort.count == 0 {
            return;
        }
        self.count += cohort.count;
        match self.waiting.back_mut() {
            Some(last) if (last.born, last.imported) == (cohort.born, cohort.imported) => last.count += cohort.count,
            _ => self.waiting.push_back(cohort),
        }
    }

    /// Takes a share of at most so many, and hands them over in their order.
    pub(super) fn take(&mut self, most: u64, share: f64, mut to: impl FnMut(Cohort)) {
        let mut left = self.portion(most.min(self.count), share);
        self.count -= left;
        while left > 0
            && let Some(first) = self.waiting.front_mut()
        {
            let taken = first.count.min(left);
            let cohort = Cohort { count: taken, ..*first };
            first.count -= taken;
            if first.count == 0 {
                self.waiting.pop_front();
            }
            left -= taken;
            to(cohort);
        }
    }

    /// A share in whole ones; what is lost by that is made up for the next time.
    fn portion(&mut self, most: u64, share: f64) -> u64 {
        if share >= 1.0 {
            return most;
        }
        let exact = most as f64 * share + self.rest;
        self.rest = exact.fract();
        (exact as u64).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cohort(born: u32, count: u64) -> Cohort {
        Cohort { born, count, imported: false }
    }

    #[test]
    fn what_comes_out_is_what_went_in_and_in_that_order() {
        let mut queue = Queue::default();
        for (born, count) in [(1, 5), (1, 2), (2, 0), (3, 4)] {
            queue.put(cohort(born, count));
        }
        assert_eq!(queue.count(), 11);
        let mut taken = Vec::new();
        for (most, share) in [(6, 1.0), (0, 1.0), (3, 0.0), (100, 1.0), (1, 1.0)] {
            queue.take(most, share, |cohort| taken.push(cohort));
        }
        assert_eq!(taken, [cohort(1, 6), cohort(1, 1), cohort(3, 4)]);
        assert_eq!(queue.count(), 0);
    }

    #[test]
    fn a_share_of_little_is_taken_in_the_end() {
        let mut queue = Queue::default();
        queue.put(cohort(0, 1));
        let mut taken = 0;
        for _ in 0..4 {
            queue.take(1, 0.25, |cohort| taken += cohort.count);
        }
        assert_eq!((taken, queue.count()), (1, 0));
    }
}
