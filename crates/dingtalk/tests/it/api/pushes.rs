//! Pushes that failed, and the opening of Stream connections.

use common::Secret;
use dingtalk::api::Meaning;
use serde_json::json;

use super::{CLIENT_ID, CLIENT_SECRET, Reply, World};

const FAILED: &str = "call_back/get_call_back_failed_result";
const OPEN: &str = "v1.0/gateway/connections/open";

#[tokio::test]
async fn a_page_of_failed_pushes_is_told_byte_for_byte() {
    const PAGE: &str =
        r#" {"errcode":0, "errmsg":"ok","has_more":true ,"failed_list":[{"call_back_tag":"x","odd":[1.50]}]} "#;
    let world = World::new(|_| Reply::json(PAGE)).await;
    assert_eq!(world.client.failed_pushes_page().await.unwrap().value, PAGE);
    let asked = world.server.asked_for(FAILED).remove(0);
    assert_eq!((asked.host.as_str(), asked.method.as_str(), asked.query.len()), ("old", "GET", 1));
    assert!(world.meter.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_is_asked_for_once_since_reading_removes_it() {
    for fault in [Reply::none(), Reply::status(502), Reply::code(-1), Reply::json("<html>")] {
        let world = World::new(move |_| fault.clone()).await;
        assert!(world.client.failed_pushes_page().await.unwrap_err().is_outage());
        assert_eq!(world.server.count(FAILED), 1);
    }
}

#[tokio::test]
async fn a_stream_connection_is_opened_with_id_and_secret_and_without_a_token() {
    let world = World::new(|_| {
        Reply::json(r#"{"endpoint":"wss://wss-open-connection.dingtalk.com:443/connect","ticket":"CANARY-ticket"}"#)
    })
    .await;
    let opened = world.client.open_stream("orgbridge-sdk-rust/0.1.0").await.unwrap();
    assert_eq!(opened.endpoint, "wss://wss-open-connection.dingtalk.com:443/connect");
    assert_eq!(opened.ticket.expose(), Secret::new("CANARY-ticket").expose());
    let asked = world.server.asked_for(OPEN).remove(0);
    assert_eq!((asked.host.as_str(), asked.token(), asked.header("accept")), ("new", "", "application/json"));
    let body = asked.json();
    assert_eq!((body["clientId"].as_str(), body["clientSecret"].as_str()), (Some(CLIENT_ID), Some(CLIENT_SECRET)));
    assert_eq!(body["subscriptions"], json!([{"type": "EVENT", "topic": "*"}]));
    assert_eq!(world.tokens_asked(), [0, 0]);
}

#[tokio::test]
async fn a_wrong_secret_at_the_gateway_is_told_from_trouble() {
    for (reply, meaning) in [
        (Reply::word(401, "authFailed"), Some(Meaning::Credentials)),
        (Reply::word(400, "badTopic"), Some(Meaning::Outage)),
        (Reply::word(503, "busy"), Some(Meaning::Retry)),
        (Reply::status(503), None),
        (Reply::json("{}"), None),
    ] {
        let world = World::new(move |_| reply.clone()).await;
        let error = world.client.open_stream("ua").await.unwrap_err();
        assert_eq!((error.meaning(), error.api()), (meaning, OPEN));
        assert_eq!(world.server.count(OPEN), 1, "the gateway has a patience of its own");
    }
}
