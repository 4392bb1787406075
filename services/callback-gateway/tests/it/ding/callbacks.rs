//! What the platform posts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use broker::{Broker, SpoolOptions, Spooled};
use common::{Event, EventBody, UnixMillis};
use platform_sim::dingtalk::{Dialect, PushFate, PushOptions, PushOutcome};
use serde_json::{Value, json};
use service::config::GatewayConfig;
use store::gaps::Gap;

use super::scene::{
    CLIENT, CORP, KEY, TOKEN, applied, called, counted, event, gap, keys, posted, punched, pushes, until, with_queue,
};
use crate::{
    away::Main,
    bridge::{Bridge, NOW},
    takeover::drained,
};

/// The platform's patience (reference dingtalk 2.6).
const PATIENCE: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_verified_and_both_dialects_are_answered_in_time() {
    let bridge = Bridge::start().await;
    applied(&bridge, &called(TOKEN, KEY), &keys(TOKEN, KEY, CLIENT)).await;
    for (owner, dialect) in [(CLIENT, Dialect::Current), (CORP, Dialect::Old)] {
        let options = PushOptions { dialect, deadline: PATIENCE, retries: Vec::new(), ..PushOptions::default() };
        let push = pushes(&bridge, owner, options);
        push.check_url().await.unwrap();
        let users = json!({ "timeStamp": (NOW * 1000).to_string(), "userId": ["user0001", "user0002"] });
        for event in [event(1, "user_add_org", users), punched(2)] {
            assert_eq!(push.send(&event).await, PushOutcome::Delivered, "{dialect:?} {}", event.kind);
        }
        assert!(push.reports().iter().all(|report| report.took < PATIENCE), "{:?}", push.reports());
    }
    assert_eq!(counted(&bridge, "accepted"), 4);
    // Looking whether somebody is there is no event; once each, besides how often it was asked above.
    assert!(counted(&bridge, "verified") >= 3);
    let published = &bridge.ctx.metrics.events_published_total;
    assert_eq!(published.with_label_values(&["dingtalk", "ding", "member.created"]).get(), 4);
    assert!(published.with_label_values(&["dingtalk", "ding", "attendance_day.updated"]).get() >= 2);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_whose_it_is_and_what_it_is_about() {
    let bridge = Bridge::start().await;
    let good = keys(TOKEN, KEY, CLIENT);
    applied(&bridge, &called(TOKEN, KEY), &good).await;
    let left = json!({
        "EventType": "user_leave_org", "EventTime": NOW * 1000, "CorpId": CORP, "BizId": "1", "eventId": "e1",
        "userId": ["user0001"], "timeStamp": (NOW * 1000).to_string()
    });
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let reply = bridge.send(&posted(&good, &left.to_string()).header("traceparent", trace)).await;
    assert_eq!(reply.status(), Some(200));
    assert_eq!(reply.header("content-type").as_deref(), Some("application/json"));
    let names: Value = serde_json::from_str(&reply.body()).unwrap();
    let mut names: Vec<&String> = names.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["encrypt", "msg_signature", "nonce", "timeStamp"], "{}", reply.body());
    let events = drained(&bridge.queue, 1).await;
    let event = Event::from_cloud_event(&events[0]).unwrap();
    assert_eq!((event.tenant.as_str(), event.type_name()), ("ding", "member.removed"));
    assert_eq!((event.received_at, event.traceparent.as_deref()), (UnixMillis::from_seconds(NOW), Some(trace)));
    assert!(event.keys.platform.is_some(), "it has an id at the platform");
    assert!(matches!(&event.body, EventBody::Directory(seen) if seen.id == "user0001"));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_queue_hangs_every_answer_comes_within_a_second_and_none_is_success() {
    let is_away = Arc::new(AtomicBool::new(false));
    let bridge = with_queue(&is_away).await;
    applied(&bridge, &called(TOKEN, KEY), &keys(TOKEN, KEY, CLIENT)).await;
    let options = PushOptions { deadline: PATIENCE, retries: Vec::new(), ..PushOptions::default() };
    let push = pushes(&bridge, CLIENT, options);
    push.check_url().await.unwrap();
    is_away.store(true, Ordering::SeqCst);
    let events: Vec<_> = (1..=20).map(punched).collect();
    let sending = events.iter().map(|event| push.send(event));
    for outcome in futures::future::join_all(sending).await {
        assert_eq!(outcome, PushOutcome::Parked);
    }
    // Who only looks whether somebody is there needs no queue.
    push.check_url().await.unwrap();
    let reports = push.reports();
    let pushed: Vec<_> = reports.iter().filter(|report| !report.event_id.is_empty()).collect();
    assert_eq!(pushed.len(), 20);
    for report in pushed {
        assert_eq!(report.fate, PushFate::Status(503), "{report:?}");
        assert!(report.took < Duration::from_secs(1), "{report:?}");
    }
    assert_eq!((counted(&bridge, "not_taken"), counted(&bridge, "accepted"), bridge.depth().await), (20, 0, 0));
    until("the tenant is marked", async || gap(&bridge).await == Some(Gap::at(UnixMillis::from_seconds(NOW)))).await;
    is_away.store(false, Ordering::SeqCst);
    assert_eq!(push.send(&punched(21)).await, PushOutcome::Delivered);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_hangs_the_spool_takes_over_within_a_second() {
    let (directory, hung) = (tempfile::tempdir().unwrap(), Arc::new(Main::default()));
    let spooled = Spooled::open_in(directory.path(), hung, SpoolOptions::new(1 << 20)).await.unwrap();
    let spooled = Arc::new(spooled);
    let queue = Arc::clone(&spooled) as Arc<dyn Broker>;
    let bridge = Bridge::start_with(GatewayConfig::default(), |_| queue).await;
    applied(&bridge, &called(TOKEN, KEY), &keys(TOKEN, KEY, CLIENT)).await;
    // A disk that is too slow for once is no success either.
    let options =
        PushOptions { deadline: PATIENCE, retries: vec![Duration::from_millis(100); 5], ..PushOptions::default() };
    let push = pushes(&bridge, CLIENT, options);
    push.check_url().await.unwrap();
    let events: Vec<_> = (1..=20).map(punched).collect();
    let sending = events.iter().map(|event| push.send(event));
    for outcome in futures::future::join_all(sending).await {
        assert_eq!(outcome, PushOutcome::Delivered);
    }
    let reports = push.reports();
    assert!(reports.iter().all(|report| report.took < Duration::from_secs(1)), "{reports:?}");
    // A day that is asked about and a callback that is passed on, of each.
    assert!(spooled.stats().events >= 40, "{:?}", spooled.stats());
    assert_eq!(counted(&bridge, "accepted"), 20);
    bridge.stop().await;
    spooled.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_over_is_when_it_comes_again() {
    let is_away = Arc::new(AtomicBool::new(false));
    let bridge = with_queue(&is_away).await;
    applied(&bridge, &called(TOKEN, KEY), &keys(TOKEN, KEY, CLIENT)).await;
    let push =
        pushes(&bridge, CLIENT, PushOptions { retries: vec![Duration::from_millis(300)], ..PushOptions::default() });
    push.check_url().await.unwrap();
    is_away.store(true, Ordering::SeqCst);
    let back = async {
        tokio::time::sleep(Duration::from_millis(950)).await;
        is_away.store(false, Ordering::SeqCst);
    };
    let event = punched(1);
    let (outcome, ()) = tokio::join!(push.send(&event), back);
    assert_eq!(outcome, PushOutcome::Delivered, "{:?}", push.reports());
    assert_eq!((counted(&bridge, "not_taken"), counted(&bridge, "accepted")), (1, 1));
    bridge.stop().await;
}
