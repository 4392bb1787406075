//! A request that somebody recorded, sent again.

use std::collections::BTreeMap;

use common::Event;

use super::{Chance, Parts, STALE, counted, line::Line, over_one_line, platform, started, told};
use crate::{
    bridge::{Bridge, NOW},
    takeover::drained,
};

const REQUESTS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_well_within_the_window_and_is_the_same_fact() {
    let bridge = started().await;
    let recorded = recorded();
    for forward in [0, 1, 298, 1] {
        bridge.clock.forward(forward);
        all_answered(&bridge, &recorded, 200).await;
    }
    assert_eq!(bridge.depth().await, 4 * REQUESTS as u64);
    let events = drained(&bridge.queue, 4 * REQUESTS).await;
    let mut facts: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in events.iter().map(|payload| Event::from_cloud_event(payload).unwrap()) {
        facts.entry(event.id.clone()).or_default().push(event);
    }
    // The resolver takes one of each: they have the same keys.
    assert_eq!(facts.len(), REQUESTS);
    for events in facts.values() {
        assert_eq!(events.len(), 4);
        assert!(
            events.iter().all(|event| (&event.keys, &event.body) == (&events[0].keys, &events[0].body)),
            "{events:?}"
        );
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_outside_the_window_is_refused_and_nothing_is_taken_over() {
    let bridge = started().await;
    let recorded = recorded();
    for forward in [301, -602, -86_400] {
        bridge.clock.forward(forward);
        all_answered(&bridge, &recorded, 401).await;
    }
    assert_eq!((counted(&bridge, &STALE), bridge.depth().await), (3 * REQUESTS, 0));
    // Too early it is as bad as too late.
    bridge.clock.forward(86_400 + 1);
    all_answered(&bridge, &recorded, 200).await;
    assert_eq!(bridge.depth().await, REQUESTS as u64);
    bridge.stop().await;
}

/// Requests of one second, each of another event.
fn recorded() -> Vec<Parts> {
    let mut chance = Chance::from_seed(5_000);
    let mut one = || {
        let encrypt = platform().encrypt(told(&mut chance).as_bytes(), chance.sixteen());
        Parts::signed_with(&platform(), &mut chance, encrypt, NOW)
    };
    (0..REQUESTS).map(|_| one()).collect()
}

async fn all_answered(bridge: &Bridge, recorded: &[Parts], status: u16) {
    let recorded = recorded.to_vec();
    let ask = move |line: &mut Line| {
        for parts in &recorded {
            assert_eq!(line.ask(&parts.request()).status, status, "{parts:?}");
        }
    };
    over_one_line(bridge, ask).await;
}
