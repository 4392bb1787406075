//! Everything else that is refused, and in which order it is looked at.

use common::{Event, EventBody};

use crate::{
    bridge::{Bridge, CORP, CREATE_PARTY, KEY, NOW, OTHER_KEY, PATH, TOKEN, acme_keys, callback, keys},
    client::Request,
};

#[tokio::test(flavor = "multi_thread")]
async fn methods_types_and_encodings_that_cannot_be_are_refused() {
    let bridge = Bridge::start().await;
    let good = callback(&acme_keys(), CREATE_PARTY);
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"] {
        bridge.refused(&Request { method, ..good.clone() }, 405).await;
    }
    bridge.refused(&Request { method: "GET", ..Request::post("/callback/dingtalk/acme", "") }, 405).await;
    for encoding in ["gzip", "br", "zstd", "deflate", "identity", "gzip, gzip", "x"] {
        bridge.refused(&good.clone().header("content-encoding", encoding), 415).await;
    }
    let typed = |kind: &str| {
        let mut request = good.clone();
        request.headers = vec![("content-type".to_owned(), kind.to_owned())];
        request
    };
    for kind in ["multipart/form-data; boundary=x", "image/png", "Audio/mp3", "video/mp4", "font/woff", "message/http"]
    {
        bridge.refused(&typed(kind), 415).await;
    }
    for (name, kind) in [("wrong_method", 7), ("encoded_body", 7), ("wrong_type", 6)] {
        assert_eq!(bridge.counted(name), kind, "{name}");
    }
    for kind in ["text/xml", "text/plain", "application/xml", "application/json", "application/octet-stream", "", "xml"]
    {
        bridge.accepted(&typed(kind)).await;
    }
    bridge.accepted(&Request { headers: Vec::new(), ..good }).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_come_in_the_contracts_order() {
    let bridge = Bridge::start().await;
    let limit = 256 * 1024;
    let big = Request::post("/callback/wecom/nobody", vec![b'x'; limit + 1]);
    let encoded = big.clone().header("content-encoding", "gzip");
    bridge.refused(&Request { method: "PUT", ..encoded.clone() }, 405).await;
    bridge.refused(&encoded, 415).await;
    bridge.refused(&big, 413).await;
    bridge.refused(&Request::post("/callback/wecom/nobody", vec![b'x'; limit]), 401).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_places_are_refused_like_a_bad_signature() {
    let bridge = Bridge::start().await;
    let good = callback(&acme_keys(), CREATE_PARTY);
    for tenant in ["nobody", "quiet", "ACME", "acme/", "acme%20", "", "%00", "../acme", "acme%2f"] {
        let target = good.target.replace("acme", tenant);
        bridge.refused(&Request { target, ..good.clone() }, 401).await;
    }
    let dingtalk = good.target.replace("wecom", "dingtalk");
    bridge.refused(&Request { target: dingtalk, ..good.clone() }, 401).await;
    for target in ["/", "/callback/wecom", "/callback/feishu/acme", "/callbacks/wecom/acme", "/metrics"] {
        bridge.refused(&Request { target: target.to_owned(), ..good.clone() }, 404).await;
    }
    bridge.stop().await;
}

/// A request whose signature is good and whose body is this.
fn signed_body(encrypt: &str, body: String) -> Request {
    let timestamp = NOW.to_string();
    let signature = acme_keys().sign(&timestamp, "1", encrypt);
    Request::post(format!("{PATH}?msg_signature={signature}&timestamp={timestamp}&nonce=1"), body)
}

fn signed(encrypt: &str) -> Request {
    signed_body(encrypt, format!("<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_decrypt_under_a_good_signature_is_refused_alike() {
    let bridge = Bridge::start().await;
    let good = acme_keys().encrypt(CREATE_PARTY.as_bytes(), [1; 16]);
    let broken = [
        "A".to_owned(),
        "AAAA".to_owned(),
        "!!!!".to_owned(),
        "A".repeat(64),
        "A".repeat(44),
        good[..good.len() - 4].to_owned(),
        good[4..].to_owned(),
        format!("{good}AAAA"),
        format!("=={good}"),
        keys(TOKEN, OTHER_KEY, CORP).encrypt(CREATE_PARTY.as_bytes(), [1; 16]),
        keys(TOKEN, KEY, "ww-foreign").encrypt(CREATE_PARTY.as_bytes(), [1; 16]),
        keys(TOKEN, KEY, "").encrypt(CREATE_PARTY.as_bytes(), [1; 16]),
        keys(TOKEN, KEY, &format!("{CORP}x")).encrypt(CREATE_PARTY.as_bytes(), [1; 16]),
        acme_keys().encrypt(b"\xff\xfe", [1; 16]),
    ];
    for encrypt in &broken {
        bridge.refused(&signed(encrypt), 400).await;
    }
    assert_eq!(bridge.counted("undecryptable"), broken.len() as u64);
    bridge.accepted(&signed(&good)).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_refused_outside_and_inside_the_envelope() {
    let bridge = Bridge::start().await;
    let good = acme_keys().encrypt(CREATE_PARTY.as_bytes(), [1; 16]);
    let attributes: String = (0..8_000).map(|number| format!(" a{number}='x'")).collect();
    let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>";
    let hostile = |inner: &str| {
        vec![
            format!("{laughs}<xml>{inner}<A>&c;</A></xml>"),
            format!("<!DOCTYPE x SYSTEM 'file:///etc/passwd'><xml>{inner}</xml>"),
            format!("<!DOCTYPE x [<!ENTITY e SYSTEM 'http://127.0.0.1:1/x'>]><xml>{inner}&e;</xml>"),
            format!("<xml>{}{inner}", "<a>".repeat(10_000)),
            format!("<xml>{inner}<a{attributes}/>"),
            format!("<xml>{inner}"),
            format!("<xml>{inner}</xml><xml/>"),
            format!("<xml>{inner}&undefined;</xml>"),
            format!("{{\"a\": {inner}"),
            "\0".to_owned(),
            String::new(),
        ]
    };
    for body in hostile(&format!("<Encrypt>{good}</Encrypt>")) {
        bridge.refused(&signed_body(&good, body), 401).await;
    }
    let twins = format!("<xml><Encrypt>{good}</Encrypt><Encrypt>{good}</Encrypt></xml>");
    bridge.refused(&signed_body(&good, twins), 401).await;
    for plaintext in hostile("<Event>change_contact</Event>").into_iter().chain(["plain".to_owned(), "[1]".to_owned()])
    {
        bridge.refused(&callback(&acme_keys(), &plaintext), 400).await;
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_cannot_read_but_the_platform_meant_is_passed_on() {
    let bridge = Bridge::start().await;
    let strange = "<xml><Event>change_contact</Event><ChangeType>create_user</ChangeType></xml>";
    bridge.accepted(&callback(&acme_keys(), strange)).await;
    bridge.accepted(&callback(&acme_keys(), "{\"event\": \"something new\"}")).await;
    let published = &bridge.ctx.metrics.events_published_total;
    assert_eq!(published.with_label_values(&["wecom", "acme", "callback"]).get(), 2);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_carries_who_when_and_the_trace() {
    let bridge = Bridge::start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY).header("traceparent", trace)).await;
    bridge.accepted(&callback(&acme_keys(), "<xml/>").header("traceparent", "nonsense")).await;
    let events = crate::takeover::drained(&bridge.queue, 2).await;
    let events: Vec<Event> = events.iter().map(|payload| Event::from_cloud_event(payload).unwrap()).collect();
    assert_eq!(events[0].tenant.as_str(), "acme");
    assert_eq!(events[0].received_at.seconds(), NOW);
    assert_eq!(events[0].traceparent.as_deref(), Some(trace));
    assert_eq!(events[0].type_name(), "department.created");
    assert_eq!(events[1].traceparent, None);
    assert!(matches!(&events[1].body, EventBody::Callback(callback) if callback.content == "<xml/>"));
    bridge.stop().await;
}
