//! Our gateway beside both SDKs, all of one application.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use platform_sim::dingtalk::{ConnectionInfo, ConnectionState, Event, Fate};
use test_kit::eventually;
use tests::{
    Bridge, DingtalkSetup, Setup,
    dingtalk::{Oa, Platform, company, fact_of},
};

use crate::sdk::{Language, Sdk, quick};

const EVENTS: u64 = 900;
/// Events that are sent one shortly after the other, between two disturbances.
const PART: usize = 90;
const SHORTLY: Duration = Duration::from_millis(10);
/// By chance each of three gets 300, and fewer if it is away for seconds after each disturbance.
const AT_LEAST: usize = 30;

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Ours,
    Python,
    Node,
}

impl Whose {
    /// By what it calls itself; the SDK for Node.js says nothing.
    fn of(connection: &ConnectionInfo) -> Self {
        match connection.ua.as_str() {
            "" => Self::Node,
            ua if ua.starts_with("dingtalk-sdk-python/") => Self::Python,
            ua if ua.starts_with("orgbridge-sdk-rust/") => Self::Ours,
            ua => panic!("a stranger: {ua}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_gateway_and_both_sdks_share_one_applications_events_without_a_loss() {
    let platform = Platform::start(company(), quick);
    let oa = Oa::start().await;
    let dingtalk = DingtalkSetup { platform: platform.url(), oa: Some(oa.url()), ..DingtalkSetup::default() };
    let _bridge = Bridge::start(&Setup { dingtalk: Some(dingtalk), ..Setup::default() }).await;
    let sdks = [(Whose::Python, Language::Python), (Whose::Node, Language::Node)]
        .map(|(whose, language)| (whose, Sdk::start(language, &platform)));
    platform.connected(3).await;

    let events = platform.labels(1..EVENTS + 1);
    for (turn, part) in events.chunks(PART).enumerate() {
        for event in part {
            platform.stream.push(std::slice::from_ref(event));
            tokio::time::sleep(SHORTLY).await;
        }
        disturb(&platform, turn);
    }
    platform.settled().await;

    let tally = platform.stream.tally();
    assert_eq!((tally.parked, tally.lost, tally.unreadable), (0, 0, 0), "{tally:?}");
    let acknowledged = acknowledged(&platform, &events);
    let by_all: BTreeSet<&String> = acknowledged.values().flatten().collect();
    assert_eq!(by_all.len(), events.len(), "each is acknowledged by somebody");
    assert!(acknowledged.len() == 3 && acknowledged.values().all(|facts| facts.len() >= AT_LEAST), "{tally:?}");
    // Whoever acknowledged an event has it.
    for (whose, sdk) in &sdks {
        let acknowledged = events.iter().filter(|event| acknowledged[whose].contains(&fact_of(event)));
        sdk.has_told(&acknowledged.map(|event| event.id.as_str()).collect()).await;
    }
    let ours = &acknowledged[&Whose::Ours];
    let passed_on = async || oa.facts(|kind| kind == "label_user_change");
    let has_all = |facts: &Vec<String>| ours.iter().all(|fact| facts.contains(fact));
    let facts = eventually("what we acknowledged is passed on", passed_on, has_all).await;
    let once: BTreeSet<&String> = facts.iter().collect();
    assert_eq!(once.len(), facts.len(), "and nothing of it twice");
}

/// One of the connections ends, as planned or without a word. The SDK for Python is away for 10 s after the latter, so that it
/// would get nothing any more.
fn disturb(platform: &Platform, turn: usize) {
    let whose = [Whose::Ours, Whose::Python, Whose::Node][turn % 3];
    let is_open = |it: &&ConnectionInfo| it.state == ConnectionState::Live && Whose::of(it) == whose;
    let connections = platform.stream.connections();
    let Some(connection) = connections.iter().find(is_open) else { return };
    if whose != Whose::Python && turn % 2 == 1 {
        platform.stream.cut(connection.id);
    } else {
        platform.stream.disconnect(connection.id, "connection is expired");
    }
}

/// Who acknowledged which facts.
fn acknowledged(platform: &Platform, events: &[Event]) -> BTreeMap<Whose, BTreeSet<String>> {
    let whose: BTreeMap<u64, Whose> =
        platform.stream.connections().iter().map(|connection| (connection.id, Whose::of(connection))).collect();
    let facts: BTreeMap<&String, String> = events.iter().map(|event| (&event.id, fact_of(event))).collect();
    let mut acknowledged: BTreeMap<Whose, BTreeSet<String>> = BTreeMap::new();
    for delivery in platform.stream.deliveries().iter().filter(|delivery| delivery.fate == Fate::Delivered) {
        acknowledged.entry(whose[&delivery.connection]).or_default().insert(facts[&delivery.event_id].clone());
    }
    acknowledged
}
