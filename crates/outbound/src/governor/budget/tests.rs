use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const NEVER: UnixMillis = UnixMillis(0);

fn limit(calls: u32, seconds: u64) -> Limit {
    Limit { calls, per: Duration::from_secs(seconds) }
}

fn budget(limits: &[Limit]) -> Budget {
    let mut budget = Budget::default();
    limits.iter().for_each(|&limit| budget.add(limit, Spent::default(), NEVER, NOW));
    budget
}

/// When calls of back-fill start that are made as soon as they may.
fn pull(budget: &mut Budget, calls: usize) -> Vec<UnixMillis> {
    let (mut starts, mut now) = (Vec::new(), NOW);
    while starts.len() < calls {
        let reserved = budget.reserve(Urgency::Backfill, (calls - starts.len()).min(64), now);
        starts.extend(reserved.starts);
        now = reserved.ask_again;
    }
    starts
}

#[test]
fn what_nothing_limits_goes_at_once() {
    let mut budget = budget(&[]);
    assert_eq!(budget.reserve(Urgency::Backfill, 3, NOW), Reserved { starts: vec![NOW; 3], ask_again: NOW });
    assert_eq!(budget.last_of(1_000_000, NOW), None);
}

#[test]
fn only_what_begins_soon_is_let_through() {
    let mut budget = budget(&[limit(60, 60)]);
    let reserved = budget.reserve(Urgency::Backfill, 64, NOW);
    assert_eq!(reserved.starts, [NOW]);
    assert!(reserved.ask_again > NOW);
    let early = budget.reserve(Urgency::Backfill, 64, NOW.plus_millis(10));
    assert_eq!(early, Reserved { starts: Vec::new(), ask_again: reserved.ask_again });
    let live = budget.reserve(Urgency::Live, 1, NOW.plus_millis(10));
    assert_eq!(live.starts, [NOW.plus_millis(10)], "live calls go first");
    let then = budget.reserve(Urgency::Backfill, 64, reserved.ask_again);
    assert!(then.starts.is_empty() && then.ask_again > reserved.ask_again, "and back-fill waits for longer");
}

/// reference wecom 5.1: what one company may ask of one interface.
#[test]
fn a_pull_from_wecom_is_fast_at_first_and_then_goes_by_the_hour() {
    let calls = pull(&mut budget(&[limit(10_000, 60), limit(150_000, 3_600)]), 145_000);
    let within = |seconds: i64| calls.iter().filter(|start| start.since(NOW) < seconds * 1000).count();
    assert!(within(30) > 4_500, "{}", within(30));
    assert!((139_500..150_000).contains(&within(3_600)), "{}", within(3_600));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(5), ..ProptestConfig::with_cases(100) })]

    #[test]
    fn the_predicted_finish_is_right_within_a_twentieth(
        limits in prop::collection::vec((100_u32..20_000, 20_u64..3_600), 1..4),
        before in prop::collection::vec((any::<bool>(), 1_usize..65), 0..20),
        calls in 50_usize..3_000,
    ) {
        let limits: Vec<Limit> = limits.into_iter().map(|(calls, seconds)| limit(calls, seconds)).collect();
        let mut budget = budget(&limits);
        for (is_live, wanted) in before {
            budget.reserve(if is_live { Urgency::Live } else { Urgency::Backfill }, wanted, NOW);
        }
        let predicted = budget.last_of(calls as u64, NOW).unwrap().since(NOW);
        let took = pull(&mut budget, calls).last().unwrap().since(NOW);
        prop_assert!((predicted - took).abs() <= took / 20 + 20, "{predicted} ms predicted, {took} ms taken");
    }
}
