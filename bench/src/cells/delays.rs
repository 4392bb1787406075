//! How long changes took, by the minute in which their events came.

/// Changes, by minute and by seconds.
#[derive(Debug, Default)]
pub(super) struct Delays(Vec<Vec<u64>>);

impl Delays {
    /// Notes changes whose events came at a second and that took so many.
    pub(super) fn note(&mut self, born: u32, seconds: u32, count: u64) {
        let (minute, seconds) = ((born / 60) as usize, seconds as usize);
        if self.0.len() <= minute {
            self.0.resize_with(minute + 1, Vec::new);
        }
        let Some(of_minute) = self.0.get_mut(minute) else { return };
        if of_minute.len() <= seconds {
            of_minute.resize(seconds + 1, 0);
        }
        if let Some(noted) = of_minute.get_mut(seconds) {
            *noted += count;
        }
    }

    /// How long the quickest of so large a share took at most.
    pub(super) fn quantile(&self, share: f64) -> usize {
        let longest = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let all: Vec<u64> =
            (0..longest).map(|seconds| self.0.iter().filter_map(|of_minute| of_minute.get(seconds)).sum()).collect();
        quantile(&all, share)
    }

    /// The same, of the minute in which it was longest.
    pub(super) fn quantile_of_the_worst_minute(&self, share: f64) -> usize {
        self.0.iter().map(|of_minute| quantile(of_minute, share)).max().unwrap_or_default()
    }

    /// How many took longer than so many seconds.
    pub(super) fn later_than(&self, seconds: usize) -> u64 {
        self.0.iter().flat_map(|of_minute| of_minute.iter().skip(seconds + 1)).sum()
    }

    pub(super) fn longest(&self) -> usize {
        let longest = |of_minute: &Vec<u64>| of_minute.iter().rposition(|count| *count > 0);
        self.0.iter().filter_map(longest).max().unwrap_or_default()
    }
}

fn quantile(counts: &[u64], share: f64) -> usize {
    let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
    let mut seen = 0_u64;
    counts
        .iter()
        .position(|count| {
            seen += *count;
            seen >= wanted
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_minute_may_be_worse_than_all_of_them() {
        let mut delays = Delays::default();
        delays.note(0, 1, 900);
        delays.note(60, 1, 90);
        delays.note(61, 30, 10);
        assert_eq!((delays.quantile(0.5), delays.quantile(0.95), delays.longest()), (1, 1, 30));
        assert_eq!(delays.quantile_of_the_worst_minute(0.95), 30);
        assert_eq!((delays.later_than(1), delays.later_than(29), delays.later_than(30)), (10, 10, 0));
        assert_eq!(Delays::default().quantile(0.95), 0);
    }
}
