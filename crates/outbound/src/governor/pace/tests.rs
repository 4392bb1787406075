use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;
use crate::governor::Budget;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const NEVER: UnixMillis = UnixMillis(0);

fn limit(calls: u32, seconds: u64) -> Limit {
    Limit { calls, per: Duration::from_secs(seconds) }
}

fn millis(limit: Limit) -> i64 {
    i64::try_from(limit.per.as_millis()).unwrap()
}

/// Limits of which the blur is a small part, as those of WeCom.
fn wide_limit() -> impl Strategy<Value = Limit> {
    (100_u32..5_000, 30_u64..3_600).prop_map(|(calls, seconds)| limit(calls, seconds))
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(5), ..ProptestConfig::with_cases(cases) }
}

/// A limit as replicas see it: what is spent is noted between them.
struct Shared {
    limit: Limit,
    noted: Spent,
}

impl Shared {
    fn new(limit: Limit) -> Self {
        Self { limit, noted: Spent::default() }
    }

    /// What may start, and when to ask again.
    fn reserve(&mut self, urgency: Urgency, wanted: usize, now: UnixMillis) -> (Vec<UnixMillis>, UnixMillis) {
        let mut budget = Budget::default();
        budget.add(self.limit, self.noted, NEVER, now);
        let reserved = budget.reserve(urgency, wanted, now);
        self.noted = budget.spent().next().unwrap();
        (reserved.starts, reserved.ask_again)
    }
}

/// Somebody asks.
#[derive(Debug, Clone)]
struct Ask {
    /// So many thousandths of the window after the one before.
    after: i64,
    urgency: Urgency,
    wanted: usize,
    /// Whether its clock is ahead of the others'.
    ahead: bool,
    /// How late its calls arrive, in percent of what they may.
    late: i64,
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let urgency = prop_oneof![Just(Urgency::Live), Just(Urgency::Backfill)];
    let after = prop_oneof![3 => Just(0_i64), 3 => 0_i64..5, 1 => 0_i64..200];
    let ask = (after, urgency, 1_usize..65, any::<bool>(), 0_i64..101)
        .prop_map(|(after, urgency, wanted, ahead, late)| Ask { after, urgency, wanted, ahead, late });
    prop::collection::vec(ask, 1..300)
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn no_window_ever_has_more_calls_than_the_platform_allows(
        calls in 1_u32..1_500,
        seconds in prop::sample::select(vec![1_u64, 20, 60, 3_600]),
        asks in asks(),
    ) {
        let limit = limit(calls, seconds);
        let blur = 2 * Pace::of(limit).grace_millis();
        let (mut shared, mut now, mut arrived) = (Shared::new(limit), NOW, Vec::new());
        for ask in asks {
            now = now.plus_millis(millis(limit) * ask.after / 1000);
            let skew = if ask.ahead { blur / 4 } else { 0 };
            let (starts, _) = shared.reserve(ask.urgency, ask.wanted, now.plus_millis(skew));
            let late = blur * 3 / 4 * ask.late / 100 - skew;
            arrived.extend(starts.into_iter().map(|start| start.plus_millis(late)));
        }
        arrived.sort_unstable();
        let too_many = arrived.iter().zip(arrived.iter().skip(calls as usize));
        for (first, one_too_many) in too_many {
            let within = one_too_many.since(*first);
            prop_assert!(within >= millis(limit), "{} calls within {within} ms", calls + 1);
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn back_fill_that_has_enough_to_do_uses_nine_tenths_of_every_window(
        limit in wide_limit(),
        hiccups in prop::collection::vec(0_i64..50, 1..20),
    ) {
        let (mut shared, mut now, mut calls) = (Shared::new(limit), NOW, Vec::new());
        let mut hiccups = hiccups.iter().cycle();
        while now < NOW.plus_millis(3 * millis(limit)) {
            let (starts, ask_again) = shared.reserve(Urgency::Backfill, 64, now);
            calls.extend(starts);
            now = ask_again.plus_millis(*hiccups.next().unwrap());
        }
        let nine_tenths = limit.calls as usize * 9 / 10;
        prop_assert!(calls.len() > 2 * nine_tenths);
        for (first, last) in calls.iter().zip(calls.iter().skip(nine_tenths)) {
            prop_assert!(last.since(*first) <= millis(limit), "{} ms", last.since(*first));
        }
    }

    #[test]
    fn live_calls_at_any_pace_that_the_limit_allows_go_at_once_whatever_back_fill_does(
        limit in wide_limit(),
        every_percent in 105_i64..3_000,
        wanted in prop::collection::vec(1_usize..65, 1..20),
    ) {
        let every = ceil(Pace::of(limit).every * every_percent, 100_000) + 1;
        let (mut shared, mut live_at, mut backfill_at) = (Shared::new(limit), NOW.plus_millis(777), NOW);
        let mut wanted = wanted.iter().cycle();
        for _ in 0..3_000 {
            if live_at <= backfill_at {
                let (starts, _) = shared.reserve(Urgency::Live, 1, live_at);
                prop_assert_eq!(starts, vec![live_at]);
                live_at = live_at.plus_millis(every);
            } else {
                (_, backfill_at) = shared.reserve(Urgency::Backfill, *wanted.next().unwrap(), backfill_at);
            }
        }
    }

    #[test]
    fn a_flood_of_live_calls_waits_hardly_longer_than_it_would_without_back_fill(
        limit in wide_limit(),
        floods in prop::collection::vec((0_i64..60, 1_usize..200), 1..20),
    ) {
        let pace = Pace::of(limit);
        let longer = (pace.ahead + pace.backfill_burst + pace.every) / 1000 + 2;
        let (mut shared, mut alone, mut now) = (Shared::new(limit), Spent::default(), NOW);
        for (after, calls) in floods {
            let flood_at = now.plus_millis(millis(limit) * after / 1000);
            while now < flood_at {
                (_, now) = shared.reserve(Urgency::Backfill, 64, now);
            }
            for _ in 0..calls {
                let start = pace.earliest(shared.noted, Urgency::Live, now);
                let start_alone = pace.earliest(alone, Urgency::Live, now);
                prop_assert!(start.since(start_alone) <= longer, "{} ms longer", start.since(start_alone));
                let behind = pace.earliest(shared.noted, Urgency::Backfill, now);
                prop_assert!(start == now || behind > start, "back-fill goes on while a live call waits");
                shared.noted = pace.spend(shared.noted, Urgency::Live, start);
                alone = pace.spend(alone, Urgency::Live, start_alone);
            }
        }
    }
}

#[test]
fn limits_as_they_are_documented_are_used_well() {
    // WeCom's, DingTalk's and Jiandaoyun's: calls, window, and what is at least used of them, in percent.
    for (calls, seconds, percent) in [
        (10_000, 60, 92),
        (150_000, 3_600, 92),
        (20_000, 60, 92),
        (600_000, 3_600, 92),
        (10_000, 20, 92),
        (60, 60, 92),
        (50, 1, 65),
        (20, 1, 60),
        (5, 1, 50),
        (1, 1, 60),
    ] {
        let limit = limit(calls, seconds);
        let backfill_every = Pace::of(limit).backfill_every;
        let used = millis(limit) * 1000 * 100 / backfill_every / i64::from(calls);
        assert!((percent..=93).contains(&used), "{calls} per {seconds} s: {used} %");
    }
}

#[test]
fn after_a_clock_was_set_back_a_window_is_waited_for_and_no_more() {
    let limit = limit(10_000, 60);
    let pace = Pace::of(limit);
    let spent = (0..500).fold(Spent::default(), |spent, _| pace.spend(spent, Urgency::Backfill, NOW));
    let before = NOW.plus_seconds(-86_400);
    let waits = pace.earliest(pace.recall(spent, NEVER, before), Urgency::Live, before).since(before);
    assert!((60_000..65_000).contains(&waits), "{waits} ms");
}

#[test]
fn after_a_refusal_back_fill_begins_without_a_burst() {
    let limit = limit(600, 60);
    let pace = Pace::of(limit);
    let starts = |noted: Spent, opened: UnixMillis| {
        let mut spent = pace.recall(noted, opened, NOW);
        let mut starts = Vec::new();
        for _ in 0..3 {
            let start = pace.earliest(spent, Urgency::Backfill, NOW);
            spent = pace.spend(spent, Urgency::Backfill, start);
            starts.push(start.since(NOW));
        }
        starts
    };
    assert_eq!(starts(Spent::default(), NEVER), [0, 0, 0]);
    assert_eq!(starts(Spent::default(), NOW), [0, 108, 216]);
}
