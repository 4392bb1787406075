//! What Jiandaoyun pushes, from the simulated one and by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use common::{Clock as _, EntityKind, Event, EventBody, UnixMillis};
use platform_sim::jiandaoyun::{self as jdy, FormId, Op, Push, PushFate, PushOptions, PushOutcome};
use serde_json::{Value, json};

use crate::{
    bridge::{Bridge, NOW, apply},
    client::Request,
    ding::scene::{clock_of, gap, with_queue},
    takeover::drained,
};

const PATH: &str = "/callback/jiandaoyun/ding";
const SECRET: &str = "push-secret";
const APP: &str = "64a0c0ffee000000000000aa";
const ENTRY: &str = "64a0c0ffee000000000000bb";
const RECORD: &str = "69d8ab62d78c62093e724f25";
/// The platform's patience (reference jiandaoyun 11).
const PATIENCE: Duration = Duration::from_secs(2);

/// A tenant to which pushes are signed with this.
fn tenant(secret: &str) -> String {
    format!(
        r#"
id = "ding"
[jiandaoyun]
api_key = "key"
push_secret = "{secret}"
[jiandaoyun.mapping]
api = "/cgi-bin/user/create"
[jiandaoyun.mapping.source]
appId = "{APP}"
entryId = "{ENTRY}"
[[jiandaoyun.mapping.request]]
field = "userid"
value = "{{_widget_1005}}"
[[jiandaoyun.mapping.request]]
field = "name"
value = "{{_widget_1001}}"
[[jiandaoyun.mapping.request]]
field = "mobile"
value = "{{_widget_1002}}"
"#
    )
}

fn body(op: &str, entry: &str) -> String {
    let data = json!({"_id": RECORD, "appId": APP, "entryId": entry, "_widget_1001": "张三", "flowState": 1});
    json!({"op": op, "opTime": NOW * 1000, "data": data}).to_string()
}

/// A push as the platform sends it at that second.
fn pushed_at(secret: &str, body: &str, second: i64) -> Request {
    let signature = jdy::signature("0f5ade", body.as_bytes(), secret, &second.to_string());
    Request::post(format!("{PATH}?timestamp={second}&nonce=0f5ade"), body)
        .header("content-type", "application/json")
        .header("X-JDY-DeliverId", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        .header("X-JDY-Signature", &signature)
}

fn pushed(secret: &str, body: &str) -> Request {
    pushed_at(secret, body, NOW)
}

/// What the connection test may send.
const TEST: &str = "{}";

async fn applied(bridge: &Bridge, secret: &str) {
    apply(&bridge.ctx, &tenant(secret)).await;
    let now = bridge.clock.now().seconds();
    // Rarely enough not to be taken for a flood.
    let began = Instant::now();
    while bridge.send(&pushed_at(secret, TEST, now)).await.status() != Some(200) {
        assert!(began.elapsed() < Duration::from_secs(20), "the tenant is never known");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn known() -> Bridge {
    let bridge = Bridge::start().await;
    applied(&bridge, SECRET).await;
    bridge
}

fn counted(bridge: &Bridge, outcome: &str) -> u64 {
    bridge.ctx.metrics.callbacks_total.with_label_values(&["jiandaoyun", outcome]).get()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_the_platforms_becomes_a_hint_for_the_record() {
    let bridge = known().await;
    let url = format!("http://{}{PATH}", bridge.address);
    let push = Push::new(&url, SECRET, PushOptions::default(), clock_of(&bridge)).unwrap();
    assert_eq!(push.test().await, PushFate::Success, "the connection test of the console");
    let data: Value = json!({"_id": RECORD, "appId": APP, "entryId": ENTRY, "_widget_1001": "张三·𠮷"});
    for op in [Op::Create, Op::Update, Op::Recover, Op::Remove] {
        let (form, record, data) = (FormId::new(APP, ENTRY), RECORD.to_owned(), data.clone());
        let event = jdy::Event { op, at_ms: NOW * 1000, form, record, data };
        assert_eq!(push.send(&event).await, PushOutcome::Delivered, "{op:?}");
    }
    assert!(push.reports().iter().all(|report| report.took < PATIENCE), "{:?}", push.reports());
    assert_eq!(counted(&bridge, "accepted"), 3, "what is removed is only acknowledged");
    let events = drained(&bridge.queue, 3).await;
    assert_eq!(events.len(), 3);
    for event in &events {
        assert!(!String::from_utf8_lossy(event).contains("张三"), "nothing of the record goes along");
        let event = Event::from_cloud_event(event).unwrap();
        let EventBody::Directory(seen) = &event.body else { panic!("{event:?}") };
        assert_eq!((seen.kind, seen.id.as_str()), (EntityKind::Onboarding, format!("{APP}/{ENTRY}/{RECORD}").as_str()));
        assert!(seen.hint && !seen.answer && seen.at == UnixMillis::from_seconds(NOW));
        let key = event.keys.platform.unwrap();
        assert!(key.starts_with(&format!("{APP}/{ENTRY}/{RECORD}/")), "{key}");
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_signed_and_not_about_the_mapped_form_is_only_acknowledged() {
    let bridge = known().await;
    let other = "64a0c0ffee000000000000ff";
    let bodies = [body("data_update", other), body("form_update", ENTRY), body("something_new", ENTRY)];
    for body in bodies.iter().map(String::as_str).chain(["", "no json", "[]", "null"]) {
        bridge.accepted(&pushed(SECRET, body)).await;
    }
    assert_eq!((counted(&bridge, "accepted"), bridge.depth().await), (0, 0));
    bridge.accepted(&pushed(SECRET, &body("data_update", ENTRY))).await;
    assert_eq!(bridge.depth().await, 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_refused_in_the_order_of_the_others() {
    let bridge = known().await;
    let text = body("data_update", ENTRY);
    let good = pushed(SECRET, &text);
    for method in ["GET", "PUT", "DELETE"] {
        bridge.refused(&Request { method, ..good.clone() }, 405).await;
    }
    bridge.refused(&good.clone().header("content-encoding", "gzip"), 415).await;
    let nobody = Request::post("/callback/jiandaoyun/nobody", vec![b'x'; 256 * 1024 + 1]);
    bridge.refused(&Request { method: "GET", ..nobody.clone() }, 405).await;
    bridge.refused(&nobody.clone().header("content-encoding", "gzip"), 415).await;
    bridge.refused(&nobody, 413).await;
    let asked = |from: &str, to: &str| {
        assert!(good.target.contains(from), "{from}");
        Request { target: good.target.replace(from, to), ..good.clone() }
    };
    for (from, to) in [
        ("jiandaoyun/ding?", "jiandaoyun/nobody?"),
        // A tenant without such a form.
        ("jiandaoyun/ding?", "jiandaoyun/acme?"),
        ("timestamp=", "x="),
        ("timestamp=1", "timestamp=2"),
        ("nonce=0f5ade", "nonce=0f5adf"),
    ] {
        bridge.refused(&asked(from, to), 401).await;
    }
    bridge.refused(&Request { body: text.replace("data_update", "data_create").into(), ..good.clone() }, 401).await;
    bridge.refused(&Request { headers: Vec::new(), ..good.clone() }, 401).await;
    bridge.refused(&pushed("another", &text), 401).await;
    for seconds in [-301, 301] {
        bridge.refused(&pushed_at(SECRET, &text, NOW + seconds), 401).await;
    }
    assert_eq!(counted(&bridge, "stale_timestamp"), 2);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_previous_secret_is_honoured_for_ten_minutes() {
    let bridge = known().await;
    applied(&bridge, "new-secret").await;
    for secret in [SECRET, "new-secret"] {
        bridge.accepted(&pushed(secret, TEST)).await;
    }
    bridge.clock.forward(599);
    bridge.accepted(&pushed_at(SECRET, TEST, NOW + 599)).await;
    bridge.clock.forward(1);
    bridge.refused(&pushed_at(SECRET, TEST, NOW + 600), 401).await;
    bridge.accepted(&pushed_at("new-secret", TEST, NOW + 600)).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_queue_hangs_the_answer_comes_in_time_and_is_no_success() {
    let is_away = Arc::new(AtomicBool::new(false));
    let bridge = with_queue(&is_away).await;
    applied(&bridge, SECRET).await;
    is_away.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let reply = bridge.send(&pushed(SECRET, &body("data_update", ENTRY))).await;
    assert_eq!(reply.status(), Some(503));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    // Nothing is missing in the directory for that, and the poll finds the record.
    assert_eq!(gap(&bridge).await, None);
    is_away.store(false, Ordering::SeqCst);
    bridge.accepted(&pushed(SECRET, &body("data_update", ENTRY))).await;
    bridge.stop().await;
}
