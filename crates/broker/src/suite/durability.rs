//! What survives an end, and what does not come back after one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::Hop;

use super::{
    Fixture,
    support::{Reaction, Recorder, Running, accepted_between, drained, message, messages, options, publish, texts},
};
use crate::{Error, Failure, Lane, Outgoing};

/// What publishing said `Ok` to is there after a restart, marked as possibly handed out before.
pub async fn ok_means_durable(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let sent = messages("acme", 200);
    publish(&broker, &sent).await;
    drop(broker);
    let broker = fixture.open().await;
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    handler.accepts(sent.len()).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&sent));
}

/// A consumer that was stopped in good order leaves nothing behind that was handled.
pub async fn what_was_handled_does_not_come_again_after_a_restart(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    publish(&broker, &messages("acme", 100)).await;
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    handler.accepts(100).await;
    consumer.stop().await;
    drop(broker);
    let broker = fixture.open().await;
    assert_eq!(broker.depth(Hop::Events).await.ok(), Some(0));
    let last = message("acme", 100);
    publish(&broker, std::slice::from_ref(&last)).await;
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    handler.accepts(1).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&[last]));
    assert!(handler.deliveries().iter().all(|delivery| !delivery.redelivered));
}

/// Whoever dies with a batch in hand leaves it to the next one, in this process or after a restart.
pub async fn a_batch_that_was_cut_off_comes_again_and_says_so(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let sent = messages("acme", 20);
    publish(&broker, &sent).await;
    let stuck = Recorder::scripted(|_, _| Reaction::Hang);
    let consumer = Running::start(&broker, &stuck);
    stuck.is_called(1).await;
    consumer.cut_off().await;
    let consumer = Running::start(&broker, &stuck);
    stuck.is_called(2).await;
    consumer.cut_off().await;
    drop(broker);
    let broker = fixture.open().await;
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    handler.accepts(sent.len()).await;
    drained(&broker).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&sent));
    assert!(handler.deliveries().iter().all(|delivery| delivery.redelivered));
}

/// A batch that is in the handler's hands when the consumer is told to stop is finished and acknowledged.
pub async fn stopping_finishes_the_batch_in_hand(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    publish(&broker, &messages("acme", 5)).await;
    let handler = Recorder::scripted(|_, _| Reaction::Block);
    let consumer = Running::start(&broker, &handler);
    handler.is_called(1).await;
    consumer.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(handler.accepted().is_empty());
    handler.release();
    consumer.stop().await;
    assert!(!handler.accepted().is_empty());
    let rest = Recorder::accepting();
    let consumer = Running::start(&broker, &rest);
    accepted_between(&[&handler, &rest], 5).await;
    drained(&broker).await;
    consumer.stop().await;
    let accepted: Vec<String> = [handler.accepted(), rest.accepted()].concat();
    assert_eq!(accepted, texts(&messages("acme", 5)), "what was in hand does not come again");
}

/// A consumer that waits to try again stops at once; its batch stays.
pub async fn stopping_does_not_wait_for_a_retry(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    publish(&broker, &messages("acme", 5)).await;
    let after = Duration::from_secs(3600);
    let handler = Recorder::scripted(move |_, _| Reaction::Fail(Failure::Retry { after }));
    let consumer = Running::start(&broker, &handler);
    handler.is_called(1).await;
    let told = Instant::now();
    consumer.stop().await;
    assert!(told.elapsed() < Duration::from_secs(10));
    let handler = Recorder::accepting();
    let consumer = Running::start(&broker, &handler);
    handler.accepts(5).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&messages("acme", 5)));
}

/// One payload that is no JSON document fails its call, and nothing of the call is stored.
pub async fn a_message_that_is_no_json_is_refused_and_nothing_stored(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    for bad in ["", "{", "1 2", "{},{}", "]"] {
        let sent = vec![message("acme", 0), Outgoing::new("acme", bad.to_owned())];
        let refused = broker.publish(Hop::Events, &Lane::shared(), sent).await;
        assert!(matches!(refused, Err(Error::NotJson { index: 1 })), "{bad}");
    }
    assert_eq!(broker.depth(Hop::Events).await.ok(), Some(0));
    let handler = Recorder::accepting();
    let consumer = Running::on(&broker, &Arc::clone(&handler), Hop::Events, Lane::shared(), options());
    publish(&broker, &[message("acme", 1)]).await;
    handler.accepts(1).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&[message("acme", 1)]));
}
