//! How often interfaces may be called (reference jiandaoyun 2).

use std::{sync::Arc, time::Duration};

use outbound::{Allowance, Limit, Spend};

/// Many records.
pub(crate) const LIST: &str = "data/list";
/// One record.
pub(crate) const GET: &str = "data/get";
/// Changes one record.
pub(crate) const UPDATE: &str = "data/update";
/// The fields of a form.
pub(crate) const WIDGETS: &str = "widget/list";

/// How many calls of a company may be on their way at once. The platform's own figure is not published (reference
/// jiandaoyun 14).
pub(crate) const PARALLEL: usize = 2;

/// How much is taken of what the platform allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rate {
    /// Five calls a second in all: a poll has all the time that it needs, and others use the company's allowance too.
    #[default]
    Gentle,
    /// What the platform allows: 30 reads a second of each interface and 20 changes, 50 of all together.
    Full,
}

/// The name of all interfaces together.
const ALL: &str = "jiandaoyun";

/// What is documented for a second is kept over ten, in which calls come closer to it without ever being too many in one:
/// a burst of three or four is all that the pace leaves.
const TEN_SECONDS: Duration = Duration::from_secs(10);
const READS: &[Limit] = &[Limit { calls: 285, per: TEN_SECONDS }];
const WRITES: &[Limit] = &[Limit { calls: 190, per: TEN_SECONDS }];
const FULL: &[Limit] = &[Limit { calls: 475, per: TEN_SECONDS }];
const GENTLE: &[Limit] = &[Limit { calls: 50, per: TEN_SECONDS }];

/// What one call of an interface spends: first of its own allowance, then of that of all of them.
pub(crate) fn spends(company: &Arc<str>, rate: Rate, api: &'static str) -> [Spend; 2] {
    let of = |interface| Allowance { company: Arc::clone(company), interface, egress: "".into() };
    let of_one = if api == UPDATE { WRITES } else { READS };
    let of_all = match rate {
        Rate::Gentle => GENTLE,
        Rate::Full => FULL,
    };
    [Spend { of: of(api), limits: of_one }, Spend { of: of(ALL), limits: of_all }]
}

#[cfg(test)]
mod tests {
    use common::UnixMillis;
    use outbound::{Budget, Spent, Urgency};

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

    /// The largest number of calls within any second of a minute of them, and how many there are in all.
    fn flood(limits: &[Limit]) -> (usize, usize) {
        let mut budget = Budget::default();
        limits.iter().for_each(|&limit| budget.add(limit, Spent::default(), UnixMillis(0), NOW));
        let (mut starts, mut now) = (Vec::new(), NOW);
        while now < NOW.plus_seconds(60) {
            let reserved = budget.reserve(Urgency::Live, 64, now);
            starts.extend(reserved.starts);
            now = reserved.ask_again;
        }
        let within = |first: &UnixMillis| starts.iter().filter(|at| (0..1000).contains(&at.since(*first))).count();
        (starts.iter().map(within).max().unwrap(), starts.len())
    }

    #[test]
    fn what_is_documented_for_a_second_is_used_and_hardly_ever_exceeded() {
        // One more at the very start is answered with 8304 or 8303 at worst, and repeated.
        for (limits, a_second) in [(READS, 30), (WRITES, 20), (FULL, 50)] {
            let (most, in_a_minute) = flood(limits);
            assert!(most <= a_second + 2, "{most} of {a_second}");
            assert!(in_a_minute * 100 >= 60 * a_second * 88, "{in_a_minute} of {}", 60 * a_second);
        }
        assert!(flood(GENTLE).1 <= 60 * 5 + 5);
    }
}
