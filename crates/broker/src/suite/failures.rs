//! Handlers that fail, in all the ways in which they can.

use std::time::{Duration, Instant};

use common::Hop;

use super::{
    Fixture,
    support::{Reaction, Recorder, Running, drained, message, messages, options, publish, text, texts},
};
use crate::{ConsumeOptions, Delivery, Failure, Lane, Outgoing};

/// A batch that is returned comes again as a whole and in order, marked, before anything behind it.
pub async fn retry_brings_back_everything_in_order(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let sent = messages("acme", 100);
    publish(&broker, &sent).await;
    let handler = Recorder::scripted(|calls, _| match calls {
        0..3 => Reaction::Fail(Failure::RETRY),
        _ => Reaction::Accept,
    });
    let consumer = Running::start(&broker, &handler);
    handler.accepts(sent.len()).await;
    drained(&broker).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&sent));
    assert!(handler.deliveries().first().is_some_and(|first| first.redelivered));
    assert!(handler.buried().is_empty());
}

/// A handler that names a time is not called before.
pub async fn retry_waits_as_long_as_it_was_told(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let after = Duration::from_millis(120);
    let handler = Recorder::scripted(move |calls, _| match calls {
        0 => Reaction::Fail(Failure::Retry { after }),
        _ => Reaction::Accept,
    });
    publish(&broker, &messages("acme", 1)).await;
    let consumer = Running::start(&broker, &handler);
    handler.is_called(1).await;
    let failed = Instant::now();
    handler.accepts(1).await;
    assert!(failed.elapsed() > after / 2);
    consumer.stop().await;
}

/// The bad ones among many are found, each is buried once, and all others are handled in order.
pub async fn halving_finds_the_poison_and_buries_only_that(fixture: &dyn Fixture) {
    finds(fixture, || Reaction::Fail(Failure::Poison)).await;
}

/// A handler that panics is treated like one that says poison.
pub async fn a_panic_is_poison(fixture: &dyn Fixture) {
    finds(fixture, || Reaction::Panic).await;
}

async fn finds(fixture: &dyn Fixture, bad: impl Fn() -> Reaction + Send + Sync + 'static) {
    let broker = fixture.open().await;
    let sent = messages("acme", 100);
    let is_bad =
        |text: &str| ["\"number\":0}", "\"number\":17}", "\"number\":99}"].iter().any(|end| text.ends_with(end));
    publish(&broker, &sent).await;
    let handler =
        Recorder::scripted(
            move |_, batch: &[Delivery]| {
                if batch.iter().any(|delivery| is_bad(&text(delivery))) { bad() } else { Reaction::Accept }
            },
        );
    let consumer = Running::start(&broker, &handler);
    handler.accepts(97).await;
    drained(&broker).await;
    consumer.stop().await;
    let (buried, accepted): (Vec<String>, Vec<String>) = texts(&sent).into_iter().partition(|text| is_bad(text));
    assert_eq!(handler.accepted(), accepted);
    assert_eq!(handler.buried(), buried);
}

/// While a dead letter cannot be stored, its message is not given up and nothing overtakes it.
pub async fn a_burial_that_fails_is_tried_again(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let sent: Vec<Outgoing> = (0..3).map(|number| message("acme", number)).collect();
    publish(&broker, &sent).await;
    let handler = Recorder::with_failing_burials(3, |_, batch| {
        let bad = batch.iter().any(|delivery| text(delivery).ends_with("\"number\":1}"));
        if bad { Reaction::Fail(Failure::Poison) } else { Reaction::Accept }
    });
    let consumer = Running::start(&broker, &handler);
    handler.accepts(2).await;
    drained(&broker).await;
    consumer.stop().await;
    assert_eq!(handler.buried(), texts(&[message("acme", 1)]));
    assert_eq!(handler.accepted(), texts(&[message("acme", 0), message("acme", 2)]));
}

/// A handler that does not come back in time is called again with the same batch.
pub async fn an_overrun_deadline_is_a_retry(fixture: &dyn Fixture) {
    let broker = fixture.open().await;
    let sent = messages("acme", 10);
    publish(&broker, &sent).await;
    let handler = Recorder::scripted(|calls, _| if calls == 0 { Reaction::Hang } else { Reaction::Accept });
    let options = ConsumeOptions { handler_deadline: Duration::from_millis(100), ..options() };
    let consumer = Running::on(&broker, &handler, Hop::Events, Lane::shared(), options);
    handler.accepts(sent.len()).await;
    consumer.stop().await;
    assert_eq!(handler.accepted(), texts(&sent));
    assert!(handler.buried().is_empty());
}
