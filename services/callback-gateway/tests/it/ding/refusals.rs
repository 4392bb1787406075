//! What is refused, and in which order it is looked at.

use serde_json::json;

use super::scene::{
    CLIENT, CORP, KEY, OTHER_KEY, PATH, TOKEN, applied, called, counted, keys, posted, posted_at, signed,
};
use crate::{
    bridge::{Bridge, NOW},
    client::Request,
};

const CHECK: &str = r#"{"EventType":"check_url"}"#;

async fn known() -> Bridge {
    let bridge = Bridge::start().await;
    applied(&bridge, &called(TOKEN, KEY), &keys(TOKEN, KEY, CLIENT)).await;
    bridge
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_types_and_encodings_that_cannot_be_are_refused() {
    let bridge = known().await;
    let good = posted(&keys(TOKEN, KEY, CLIENT), CHECK);
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        bridge.refused(&Request { method, ..good.clone() }, 405).await;
    }
    let reply = bridge.send(&Request { method: "GET", ..good.clone() }).await;
    assert_eq!(reply.header("allow").as_deref(), Some("POST"));
    bridge.refused(&good.clone().header("content-encoding", "gzip"), 415).await;
    let typed = Request {
        headers: vec![("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned())],
        ..good.clone()
    };
    bridge.refused(&typed, 415).await;
    for kind in ["application/json", "text/plain", ""] {
        let typed = Request { headers: vec![("content-type".to_owned(), kind.to_owned())], ..good.clone() };
        assert_eq!(bridge.send(&typed).await.status(), Some(200), "{kind}");
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_come_in_the_contracts_order() {
    let bridge = known().await;
    let limit = 256 * 1024;
    let big = Request::post("/callback/dingtalk/nobody", vec![b'x'; limit + 1]);
    let encoded = big.clone().header("content-encoding", "gzip");
    bridge.refused(&Request { method: "GET", ..encoded.clone() }, 405).await;
    bridge.refused(&encoded, 415).await;
    bridge.refused(&big, 413).await;
    bridge.refused(&Request::post("/callback/dingtalk/nobody", vec![b'x'; limit]), 401).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_nothing_is_refused_alike() {
    let bridge = known().await;
    let keys = keys(TOKEN, KEY, CLIENT);
    let good = posted(&keys, CHECK);
    let asked = |from: &str, to: &str| {
        assert!(good.target.contains(from), "{from}");
        Request { target: good.target.replace(from, to), ..good.clone() }
    };
    for (from, to) in [
        ("dingtalk/ding?", "dingtalk/nobody?"),
        // A tenant that DingTalk does not call.
        ("dingtalk/ding?", "dingtalk/acme?"),
        ("timestamp=", "x="),
        ("nonce=Nonce01", "nonce=Nonce02"),
        ("nonce=", "nonce=Nonce01&nonce="),
        ("msg_signature=", "msg_signature=0"),
        ("timestamp=1", "timestamp=2"),
    ] {
        bridge.refused(&asked(from, to), 401).await;
    }
    for body in ["", "{}", "[]", "null", "{\"encrypt\":\"\"}", "<xml><Encrypt>x</Encrypt></xml>", "{\"encrypt\":\"x\"}"]
    {
        bridge.refused(&Request { body: body.into(), ..good.clone() }, 401).await;
    }
    for seconds in [-301, 301] {
        bridge.refused(&posted_at(&keys, CHECK, (NOW + seconds) * 1000), 401).await;
    }
    assert_eq!(counted(&bridge, "stale_timestamp"), 2);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_signed_and_makes_no_sense_is_refused_in_another_way() {
    let bridge = known().await;
    let good = keys(TOKEN, KEY, CLIENT);
    let foreign =
        [keys(TOKEN, OTHER_KEY, CLIENT), keys(TOKEN, KEY, "dingforeign"), keys(TOKEN, KEY, &format!("{CORP}x"))];
    for keys in &foreign {
        bridge.refused(&posted(keys, CHECK), 400).await;
    }
    for encrypt in ["A", "AAAA", "!!!!", &"A".repeat(64)] {
        bridge.refused(&signed(&good, encrypt, &json!({ "encrypt": encrypt }).to_string(), NOW * 1000), 400).await;
    }
    assert_eq!(counted(&bridge, "undecryptable"), 7);
    for text in ["", "success", "[]", "{\"EventType\":", "<xml/>"] {
        bridge.refused(&posted(&good, text), 400).await;
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_name_of_the_signature_will_do() {
    let bridge = known().await;
    let good = posted(&keys(TOKEN, KEY, CLIENT), CHECK);
    let (before, query) = good.target.split_once('?').unwrap();
    assert_eq!(before, PATH);
    let pairs: Vec<&str> = query.split('&').collect();
    for name in ["signature", "msg_signature"] {
        let left_out = pairs.iter().filter(|pair| pair.split_once('=').unwrap().0 != name).copied().collect::<Vec<_>>();
        let request = Request { target: format!("{PATH}?{}", left_out.join("&")), ..good.clone() };
        assert_eq!(bridge.send(&request).await.status(), Some(200), "without {name}");
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_do_not_know_is_passed_on() {
    let bridge = known().await;
    let good = keys(TOKEN, KEY, CLIENT);
    let unknown = json!({ "EventType": "something_new", "EventTime": NOW * 1000, "CorpId": CORP, "x": 1 }).to_string();
    assert_eq!(bridge.send(&posted(&good, &unknown)).await.status(), Some(200));
    let published = &bridge.ctx.metrics.events_published_total;
    assert_eq!(published.with_label_values(&["dingtalk", "ding", "callback"]).get(), 1);
    bridge.stop().await;
}
