use proptest::prelude::*;

use super::*;

/// The platform's time when the test begins, in milliseconds.
const START: i64 = 1_767_225_600_250;

/// One exchange: what really happened, in milliseconds since the test began, and by how much our time of day is wrong.
#[derive(Debug, Clone)]
struct Exchange {
    began: i64,
    /// From the beginning until the platform wrote the date.
    there: i64,
    /// From then on until we had the answer.
    back: i64,
    wrong_before: i64,
    wrong_after: i64,
    /// How old the date is that the platform wrote: it keeps it for a moment. `None` when it wrote none.
    date_is_old_by: Option<i64>,
}

impl Exchange {
    fn moment(&self, at: i64, wrong: i64, base: Instant) -> Moment {
        let steady = base + Duration::from_millis(u64::try_from(at).unwrap());
        Moment { wall: UnixMillis(START + at + wrong), steady }
    }

    /// What is claimed for it.
    fn asked_at(&self, clock: &PlatformClock, base: Instant) -> i64 {
        let wrote = self.began + self.there;
        let began = self.moment(self.began, self.wrong_before, base);
        let ended = self.moment(wrote + self.back, self.wrong_after, base);
        let date = self.date_is_old_by.map(|old| UnixMillis::from_seconds(UnixMillis(START + wrote - old).seconds()));
        clock.asked_at(&began, &ended, date).0
    }

    /// The platform's time at its beginning.
    fn truth(&self) -> i64 {
        START + self.began
    }
}

fn wrong() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), -5_000_i64..5_000, -100_000_000_i64..100_000_000]
}

fn exchange(wrong_before: i64, wrong_after: i64) -> impl Strategy<Value = Exchange> {
    (0_i64..3_000_000, 0_i64..20_000, 0_i64..20_000, 0_i64..1_500).prop_map(move |(began, there, back, old)| Exchange {
        began,
        there,
        back,
        wrong_before,
        wrong_after,
        date_is_old_by: Some(old),
    })
}

fn any_exchange() -> impl Strategy<Value = Exchange> {
    (wrong(), wrong()).prop_flat_map(|(before, after)| exchange(before, after))
}

proptest! {
    /// Whatever our clock shows, and even if it is set in the middle.
    #[test]
    fn a_date_is_never_claimed_too_late(exchanges in prop::collection::vec(any_exchange(), 1..8)) {
        let (clock, base) = (PlatformClock::default(), Instant::now());
        for exchange in exchanges {
            prop_assert!(exchange.asked_at(&clock, base) <= exchange.truth(), "{exchange:?}");
        }
    }

    #[test]
    fn an_answer_without_a_date_is_not_claimed_too_late_either(
        first in any_exchange(),
        others in prop::collection::vec(any_exchange(), 1..8),
    ) {
        let (clock, base) = (PlatformClock::default(), Instant::now());
        first.asked_at(&clock, base);
        for other in others {
            let undated = Exchange { date_is_old_by: None, ..other };
            prop_assert!(undated.asked_at(&clock, base) <= undated.truth(), "{undated:?}");
        }
    }

    /// So early that it would be of no use is wrong too.
    #[test]
    fn nor_is_it_claimed_much_too_early(exchange in wrong().prop_flat_map(|wrong| exchange(wrong, wrong))) {
        let claimed = exchange.asked_at(&PlatformClock::default(), Instant::now());
        let behind_by_more_than_is_believed = exchange.wrong_before < -millis_down(MOST_AHEAD);
        let earliest = exchange.truth() - exchange.back - 1_500 - 3_000;
        prop_assert!(behind_by_more_than_is_believed || claimed >= earliest, "{exchange:?} {claimed}");
    }

    #[test]
    fn it_is_in_whole_seconds(exchange in any_exchange()) {
        prop_assert_eq!(exchange.asked_at(&PlatformClock::default(), Instant::now()) % 1000, 0);
    }
}

#[test]
fn a_date_far_ahead_is_not_believed() {
    let clock = PlatformClock::default();
    let now = Moment { wall: UnixMillis(START), steady: Instant::now() };
    let claimed = clock.asked_at(&now, &now, Some(UnixMillis(START + 90_000_000)));
    assert_eq!(claimed.0, (START + 300_000) / 1000 * 1000 - 1000);
}

#[test]
fn an_old_date_says_nothing_of_now() {
    let clock = PlatformClock::default();
    let then = Moment { wall: UnixMillis(START), steady: Instant::now() };
    clock.asked_at(&then, &then, Some(UnixMillis(START - 7_000)));
    let at = |seconds: u64| {
        let steady = then.steady + Duration::from_secs(seconds);
        let moment = Moment { wall: UnixMillis(START), steady };
        clock.asked_at(&moment, &moment, None).0
    };
    assert_eq!(at(3600), (START - 7_000 + 3_600_000).min(START + 300_000) / 1000 * 1000 - 1000);
    assert_eq!(at(3601), START / 1000 * 1000 - 1000, "our own time of day");
}

#[test]
fn dates_are_read_in_the_form_that_http_has() {
    assert_eq!(read_date("Thu, 01 Jan 2026 00:00:00 GMT"), Some(UnixMillis::from_seconds(1_767_225_600)));
    for bad in ["", "Thu", "Fri, 01 Jan 2026 00:00:00 GMT", "Thu, 32 Jan 2026 00:00:00 GMT", "1767225600", "\u{4e2d}"] {
        assert_eq!(read_date(bad), None, "{bad}");
    }
}
