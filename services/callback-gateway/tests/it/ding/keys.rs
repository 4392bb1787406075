//! Keys that were replaced, tenants that come and go.

use std::time::{Duration, Instant};

use common::UnixMillis;
use dingtalk::CallbackKeys;
use serde_json::Value;

use super::scene::{CLIENT, KEY, OTHER_KEY, TOKEN, applied, called, keys, posted, posted_at};
use crate::bridge::{Bridge, NOW};

const CHECK: &str = r#"{"EventType":"check_url"}"#;

/// Whether the answer can be read with these keys and is the word that the platform wants.
fn is_success(reply: &str, keys: &CallbackKeys) -> bool {
    let reply: Value = serde_json::from_str(reply).unwrap();
    let text = |name: &str| reply[name].as_str().unwrap();
    let signature = keys.sign(text("timeStamp"), text("nonce"), text("encrypt"));
    signature == text("msg_signature") && keys.decrypt(text("encrypt")).is_ok_and(|push| push.text == "success")
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_honoured_soon_and_the_previous_pair_for_ten_minutes() {
    let bridge = Bridge::start().await;
    let (old, new) = (keys(TOKEN, KEY, CLIENT), keys("NewToken", OTHER_KEY, CLIENT));
    applied(&bridge, &called(TOKEN, KEY), &old).await;
    applied(&bridge, &called("NewToken", OTHER_KEY), &new).await;
    // Each is answered under the keys that it came with.
    for (mine, other) in [(&old, &new), (&new, &old)] {
        let reply = bridge.send(&posted(mine, CHECK)).await;
        assert!(is_success(&reply.body(), mine) && !is_success(&reply.body(), other), "{}", reply.body());
    }
    // Not a mixture of both.
    for mixed in [keys("NewToken", KEY, CLIENT), keys(TOKEN, OTHER_KEY, CLIENT)] {
        assert_eq!(bridge.send(&posted(&mixed, CHECK)).await.status(), Some(400));
    }
    bridge.clock.forward(599);
    let at = |keys: &CallbackKeys, seconds: i64| posted_at(keys, CHECK, (NOW + seconds) * 1000);
    assert_eq!(bridge.send(&at(&old, 599)).await.status(), Some(200));
    bridge.clock.forward(1);
    assert_eq!(bridge.send(&at(&old, 600)).await.status(), Some(401));
    assert_eq!(bridge.send(&at(&new, 600)).await.status(), Some(200));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_still_opens_when_only_the_key_was_replaced() {
    let bridge = Bridge::start().await;
    let old = keys(TOKEN, KEY, CLIENT);
    applied(&bridge, &called(TOKEN, KEY), &old).await;
    applied(&bridge, &called(TOKEN, OTHER_KEY), &keys(TOKEN, OTHER_KEY, CLIENT)).await;
    let reply = bridge.send(&posted(&old, CHECK)).await;
    assert!(is_success(&reply.body(), &old), "{}", reply.body());
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_tenant_is_refused_soon() {
    let bridge = Bridge::start().await;
    let good = keys(TOKEN, KEY, CLIENT);
    applied(&bridge, &called(TOKEN, KEY), &good).await;
    let id = "ding".parse().unwrap();
    service::tenants::remove(&bridge.ctx.database, &id, UnixMillis(1)).await.unwrap();
    let began = Instant::now();
    while bridge.send(&posted(&good, CHECK)).await.status() != Some(401) {
        assert!(began.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bridge.stop().await;
}
