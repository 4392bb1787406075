//! `GET`: the platform verifies the address.

use std::time::Duration;

use crate::{
    bridge::{Bridge, CORP, KEY, NOW, PATH, TOKEN, acme_keys, keys},
    client::Request,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_is_answered_in_clear_within_a_second() {
    let bridge = Bridge::start().await;
    for roll in 0..32 {
        let (query, expected) = wecom::echo_request(&acme_keys(), NOW, "263014780", [roll; 16]);
        let reply = bridge.send(&Request::get(format!("{PATH}?{query}"))).await;
        assert_eq!((reply.status(), reply.body()), (Some(200), expected));
        assert!(reply.header("content-type").unwrap().starts_with("text/plain"));
        assert!(reply.took < Duration::from_secs(1), "{:?}", reply.took);
    }
    assert_eq!(bridge.counted("verified"), 32);
    assert_eq!(bridge.depth().await, 0);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plus_in_the_echo_survives_in_every_spelling() {
    let bridge = Bridge::start().await;
    // Find an echo with a plus in its base64.
    let with_plus = (0..=255).map(|roll| wecom::echo_request(&acme_keys(), NOW, "1", [roll; 16]));
    let (query, expected) = with_plus.into_iter().find(|(query, _)| query.contains("%2B")).unwrap();
    for spelling in ["%2B", "%2b", "+", "%20"] {
        let query = query.replace("%2B", spelling);
        let reply = bridge.send(&Request::get(format!("{PATH}?{query}"))).await;
        assert_eq!((reply.status(), reply.body().as_str()), (Some(200), expected.as_str()), "{spelling}");
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_is_not_ours_is_refused() {
    let bridge = Bridge::start().await;
    let (query, _) = wecom::echo_request(&acme_keys(), NOW, "1", [3; 16]);
    let (stale, _) = wecom::echo_request(&acme_keys(), NOW - 301, "1", [3; 16]);
    let (stranger, _) = wecom::echo_request(&keys("stranger", KEY, CORP), NOW, "1", [3; 16]);
    let without_echo = query.split("&echostr").next().unwrap().to_owned();
    for query in [&stale, &stranger, &without_echo, &format!("{query}&echostr=x"), "", "a=b"] {
        bridge.refused(&Request::get(format!("{PATH}?{query}")), 401).await;
    }
    bridge.refused(&Request::get(format!("/callback/wecom/nobody?{query}")), 401).await;
    bridge.refused(&Request::get(format!("/callback/wecom/quiet?{query}")), 401).await;
    // Signed with our token, yet for somebody else.
    let (foreign, _) = wecom::echo_request(&keys(TOKEN, KEY, "ww-foreign"), NOW, "1", [3; 16]);
    bridge.refused(&Request::get(format!("{PATH}?{foreign}")), 400).await;
    bridge.stop().await;
}
