//! What goes in comes out: all of it, in order, to whoever asked for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::Hop;
use futures::future::join_all;

use super::{
    Fixture,
    support::{
        Reaction, Recorder, Running, accepted_between, drained, key_and_number, message, messages, options, publish,
        texts,
    },
};
use crate::{Lane, Outgoing};

/// Payloads are not touched, whatever JSON they are; what was never handed out says so.
pub async fn documents_come_out_as_they_went_in(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let long = format!("\"{}\"", "企".repeat(200_000));
    let payloads = [r#"{"b": 1.00,"a":"\u4f01业"}"#, "[]", "[1, 2]", "null", "\"a,b]\"", "3", &long];
    let sent: Vec<Outgoing> = payloads.iter().map(|payload| Outgoing::new("acme", (*payload).to_owned())).collect();
    publish(&broker, &sent).await;
    assert!(broker.depth(Hop::Events).await.is_ok_and(|depth| (1..=7).contains(&depth)));
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    handler.accepts(payloads.len()).await;
    drained(&broker).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), payloads);
    assert!(handler.deliveries().iter().all(|delivery| !delivery.redelivered));
}

/// Each key's messages come in the order of its caller, within a call and over calls, while others publish.
pub async fn order_is_kept_per_key_among_many_callers(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    let callers = (0..20).map(|caller| {
        let broker = &broker;
        async move {
            for call in 0..10 {
                let numbers = call * 7..(call + 1) * 7;
                let some: Vec<Outgoing> = numbers.map(|number| message(&format!("key-{caller}"), number)).collect();
                publish(broker, &some).await;
            }
        }
    });
    join_all(callers).await;
    handler.accepts(20 * 70).await;
    drained(&broker).await;
    consumer.stop().await;
    let mut per_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for text in handler.accepted() {
        let (key, number) = key_and_number(&text);
        per_key.entry(key).or_default().push(number);
    }
    assert_eq!(per_key.len(), 20);
    assert!(per_key.values().all(|numbers| numbers.iter().copied().eq(0..70)), "{per_key:?}");
}

/// A consumer gets its own hop and lane only, and the depth is counted per hop.
pub async fn hops_and_lanes_do_not_mix(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let places = [(Hop::Events, Lane::shared()), (Hop::Events, Lane::new("big")), (Hop::Changes, Lane::shared())];
    for (number, (hop, lane)) in places.iter().enumerate() {
        broker.publish(*hop, lane, vec![message("acme", number)]).await.expect("published");
    }
    assert_eq!(broker.depth(Hop::Events).await.ok(), Some(2));
    assert_eq!(broker.depth(Hop::Changes).await.ok(), Some(1));
    for (number, (hop, lane)) in places.into_iter().enumerate() {
        let handler = Recorder::accepting();
        let consumer = Running::on(&broker, &handler, hop, lane, options());
        handler.accepts(1).await;
        consumer.stop().await;
        assert_eq!(handler.accepted(), texts(&[message("acme", number)]));
    }
    drained(&broker).await;
}

/// A consumer that found nothing gets what is published later, at once.
pub async fn a_waiting_consumer_wakes_up(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    for round in 1..=3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        publish(&broker, &messages("acme", 1)).await;
        tokio::time::timeout(Duration::from_secs(5), handler.accepts(round)).await.expect("woken, not polled");
    }
    consumer.stop().await;
}

/// Two consumers of one lane get everything between them, and at the end nothing is left.
pub async fn two_consumers_at_once_miss_nothing(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let handlers = [Recorder::accepting(), Recorder::accepting()];
    let first = Running::start(&broker, &handlers[0]);
    let mut sent = Vec::new();
    for key in 0..40 {
        sent.extend(messages(&format!("key-{key}"), 10));
    }
    let (one, other) = sent.split_at(200);
    publish(&broker, one).await;
    let second = Running::start(&broker, &handlers[1]);
    publish(&broker, other).await;
    let accepted = accepted_between(&handlers.each_ref(), sent.len()).await;
    drained(&broker).await;
    first.stop().await;
    second.stop().await;
    let expected: BTreeSet<String> = texts(&sent).into_iter().collect();
    assert_eq!(accepted, expected);
}

/// When one of two consumers is cut off in the middle, the other takes over all that it had.
pub async fn partitions_go_on_with_another_consumer(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let stuck = Recorder::scripted(|_, _| Reaction::Hang);
    let sent: Vec<Outgoing> = (0..20).map(|key| message(&format!("key-{key}"), 0)).collect();
    let first = Running::start(&broker, &stuck);
    publish(&broker, &sent).await;
    stuck.is_called(1).await;
    let healthy = Recorder::accepting();
    let second = Running::start(&broker, &healthy);
    first.cut_off().await;
    let accepted = accepted_between(&[&healthy], sent.len()).await;
    drained(&broker).await;
    second.stop().await;
    let expected: BTreeSet<String> = texts(&sent).into_iter().collect();
    assert_eq!(accepted, expected);
}
