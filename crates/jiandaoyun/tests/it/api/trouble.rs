//! A platform that is busy, full, odd or not there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::{Disposition, UnixMillis};
use jiandaoyun::api::{Client, Kind, Meaning, Query};
use outbound::{Allowance, Closed, Governor, Spend, Urgency};
use serde_json::json;
use tokio::time::Instant;

use super::{LIST, NOW, Recorder, Reply, World, form, http, id, let_time_pass, record, settings};

const ATTEMPTS: usize = 4;

fn none() -> Reply {
    Reply::data(&json!([]))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_meets_a_passing_fault_is_repeated_a_few_times() {
    let faults = [Reply::code(9004), Reply::code(9007), Reply::status(502), Reply::status(500), Reply::none()];
    for fault in faults {
        let reply = fault.clone();
        let world = World::new(move |asked| if asked.nth < 2 { reply.clone() } else { none() }).await;
        let_time_pass();
        let before = Instant::now();
        world.client.records_page(&form(), &Query::ALL).await.unwrap();
        assert_eq!(world.server.count(), 3, "{fault:?}");
        assert!(before.elapsed() >= Duration::from_millis(1500), "it waits in between");

        let reply = fault.clone();
        let world = World::new(move |_| reply.clone()).await;
        let error = world.client.records_page(&form(), &Query::ALL).await.unwrap_err();
        assert!(error.is_outage() && matches!(error.disposition(), Disposition::Retry { .. }), "{error:?}");
        assert_eq!(world.server.count(), ATTEMPTS, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_a_second_is_waited_for_and_told_to_all() {
    for (limit, blocked) in [
        (Reply::code(8303), "jiandaoyun"),
        (Reply::code(8304), LIST),
        (Reply::code(8309), "jiandaoyun"),
        (Reply::status(429), "jiandaoyun"),
    ] {
        let reply = limit.clone();
        let world = World::new(move |asked| if asked.nth == 0 { reply.clone() } else { none() }).await;
        let_time_pass();
        let before = Instant::now();
        world.client.records_page(&form(), &Query::ALL).await.unwrap();
        assert!(before.elapsed() >= Duration::from_secs(1), "{limit:?}");
        let refused = world.governor.refused.lock().unwrap();
        let refused: Vec<_> = refused.iter().map(|(of, after)| (of.interface, *after)).collect();
        assert_eq!(refused, [(blocked, Duration::from_secs(1))], "{limit:?}");
    }
}

#[tokio::test]
async fn whatever_else_is_wrong_is_left_to_the_caller() {
    let replies = [
        (Reply::code(17018), "credentials"),
        (Reply::code(8301).with_status(401), "credentials"),
        (Reply::code(8302), "refused"),
        (Reply::code(17053), "refused"),
        (Reply::code(7212), "plan"),
        (Reply::code(4012), "later"),
        (Reply::code(2004), "configuration"),
        (Reply::code(3000), "configuration"),
        (Reply::code(4815), "invalid"),
        (Reply::code(4001), "not_found"),
        (Reply::code(777_777), "unknown_code"),
        (Reply::status(403), "http_status"),
        (Reply::status(301), "http_status"),
        (Reply::json("<html>CANARY-page</html>"), "foreign"),
        (Reply::json(""), "foreign"),
        (Reply::json("{}"), "incomplete"),
        (Reply::json("[]"), "incomplete"),
        (Reply::json(r#"{"data":null}"#), "incomplete"),
        (Reply::json(r#"{"data":{}}"#), "incomplete"),
    ];
    for (reply, label) in replies {
        let answer = reply.clone();
        let world = World::new(move |_| answer.clone()).await;
        let error = world.client.records_page(&form(), &Query::ALL).await.unwrap_err();
        assert_eq!((error.label(), error.api()), (label, LIST), "{reply:?}");
        assert_eq!(world.server.count(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn an_unknown_code_is_not_tried_again_and_says_nothing_of_the_platform() {
    let world = World::new(|_| Reply::code(777_777)).await;
    let error = world.client.records_page(&form(), &Query::ALL).await.unwrap_err();
    assert_eq!((error.meaning(), error.kind(), error.is_outage()), (Some(Meaning::Unknown), None, false));
    assert!(matches!(error.disposition(), Disposition::Reject { .. }));
    assert_eq!(error.to_string(), "data/list: Jiandaoyun answered 777777, a code that is not known");
    let world = World::new(|_| Reply::code(17017)).await;
    let error = world.client.records_page(&form(), &Query::ALL).await.unwrap_err();
    assert_eq!(error.kind(), Some(Kind::Invalid));
}

/// Counts who is on the way: every call passes it with a place of its own.
#[derive(Debug, Default)]
struct Gate {
    inside: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Governor for Gate {
    async fn admit(&self, _spends: &[Spend], _urgency: Urgency) -> Result<(), Closed> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        // Everybody gets here meanwhile who may.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    async fn refused(&self, _of: &Allowance, _refuses_for: Duration) {}

    async fn done_by(&self, _spends: &[Spend], _calls: u64) -> Option<UnixMillis> {
        None
    }
}

#[tokio::test]
async fn no_more_than_two_calls_are_on_their_way_at_once() {
    let world = World::new(|_| Reply::data(&record(1))).await;
    let gate = Arc::new(Gate::default());
    let (clock, ear) = (world.clock.clone(), world.ear.clone());
    let client = Client::new(settings(&world.server), http(), gate.clone(), clock, ear);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        calls.spawn(async move { client.record(&form(), &id(1)).await.map(|answer| answer.value.is_some()) });
    }
    assert!(calls.join_all().await.into_iter().all(|found| found.unwrap()));
    assert_eq!((gate.most.load(Ordering::SeqCst), world.server.count()), (2, 20));
}

#[tokio::test]
async fn answers_are_bounded_and_long_pages_fit() {
    let text = "x".repeat(200_000);
    let rows: Vec<_> = (1..=100).map(|nth| json!({"_id": id(nth), "_widget_1": text})).collect();
    let world = World::new(move |asked| match &*asked.api {
        LIST => Reply::data(&json!(rows)),
        _ => Reply::json(vec![b' '; 4 * 1024 * 1024 + 1]),
    })
    .await;
    let page = world.client.records_page(&form(), &Query::ALL).await.unwrap().value;
    assert_eq!((page.records.len(), page.is_last), (100, false));
    let error = world.client.record(&form(), &id(1)).await.unwrap_err();
    assert_eq!((error.label(), error.is_outage()), ("too_large", false));
}

#[tokio::test]
async fn while_the_governor_is_closed_for_long_nothing_is_sent() {
    let governor = Recorder { closed_until: Some(NOW.plus_seconds(42)), ..Recorder::default() };
    let world = World::with_governor(governor, |_| none()).await;
    let error = world.client.records_page(&form(), &Query::ALL).await.unwrap_err();
    assert_eq!((error.label(), error.is_outage()), ("closed", true));
    assert_eq!(error.disposition(), Disposition::Retry { after: Duration::from_secs(42) });
    assert!(world.server.asked().is_empty() && world.ear.heard().is_empty());
    assert_eq!(world.governor.admitted.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_governor_that_is_closed_for_a_moment_is_waited_for_a_few_times() {
    let governor = Recorder { closed_until: Some(NOW.plus_seconds(1)), ..Recorder::default() };
    let world = World::with_governor(governor, |_| none()).await;
    let before = Instant::now();
    assert_eq!(world.client.records_page(&form(), &Query::ALL).await.unwrap_err().label(), "closed");
    assert!(before.elapsed() >= Duration::from_secs(3));
    assert_eq!(world.governor.admitted.lock().unwrap().len(), ATTEMPTS);
    assert!(world.server.asked().is_empty());
    assert_eq!(world.client.done_by(LIST, 7).await.map(|at| at.0), Some(7));
}
