//! Each SDK alone.

use platform_sim::dingtalk::{Event, Fate};
use test_kit::eventually;
use tests::dingtalk::{Platform, company};

use crate::sdk::{Language, Sdk, quick};

/// How many events are sent before each disturbance, and after the last one.
const EVENTS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_gets_events_and_acknowledges_them_and_survives_a_disconnect() {
    survives_a_disconnect(Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_node_sdk_gets_events_and_acknowledges_them_and_survives_a_disconnect() {
    survives_a_disconnect(Language::Node).await;
}

async fn survives_a_disconnect(language: Language) {
    let platform = Platform::start(company(), quick);
    let events = platform.happens(|company| company.populate(3, 3 * EVENTS)).unwrap();
    let mut parts = events.chunks(EVENTS);
    let sdk = Sdk::start(language, &platform);
    platform.connected(1).await;
    platform.stream.push(parts.next().unwrap());
    platform.settled().await;

    let planned = platform.stream.live()[0];
    assert!(platform.stream.disconnect(planned, "persistent connection is timeout"));
    platform.stream.push(parts.next().unwrap());
    platform.settled().await;

    let broken = platform.stream.live()[0];
    assert!(broken != planned && platform.stream.cut(broken));
    parts.for_each(|part| platform.stream.push(part));
    platform.settled().await;

    let tally = platform.stream.tally();
    assert_eq!((tally.parked, tally.lost, tally.unreadable, tally.spent_tickets), (0, 0, 0, 0), "{tally:?}");
    assert_eq!((tally.later, tally.failed), (0, 0), "{tally:?}");
    let acknowledged =
        |event: &Event| platform.stream.deliveries_of(&event.id).iter().any(|it| it.fate == Fate::Delivered);
    assert!(events.iter().all(acknowledged), "{tally:?}");
    sdk.has_told(&events.iter().map(|event| event.id.as_str()).collect()).await;
    let tally = async || platform.stream.tally();
    eventually("pings are answered", tally, |tally| tally.echoes + tally.wrong_echoes > 0).await;
}
