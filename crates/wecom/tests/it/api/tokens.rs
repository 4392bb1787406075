//! One token for many, and what happens when it dies.

use std::time::Duration;

use common::Disposition;
use serde_json::Map;
use tokio::{task::JoinSet, time::advance};
use wecom::api::{ApiError, Client};

use super::{AGENT_SECRET, Asked, CONTACT_SECRET, Reply, World, let_time_pass, member, token};

const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// So many calls at once, each of another member.
async fn members_at_once(client: &Client, count: usize) -> Vec<Result<String, ApiError>> {
    let mut calls = JoinSet::new();
    for number in 0..count {
        let client = client.clone();
        calls.spawn(async move { client.member(&format!("u{number}")).await.map(|answer| answer.value.id) });
    }
    calls.join_all().await
}

fn tokens_used(world: &World, api: &str) -> Vec<String> {
    world.server.asked_for(api).iter().map(|asked| asked.parameter("access_token").to_owned()).collect()
}

/// Dead is the first token of each secret.
fn dead_at_first(code: i64) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let is_first = asked.parameter("access_token").ends_with("-0");
        if asked.api == "user/get" && is_first { Reply::code(code) } else { member(asked) }
    }
}

#[tokio::test]
async fn fifty_who_wait_need_one_token() {
    let world = World::new(member).await;
    let mut got: Vec<String> =
        members_at_once(&world.client, 50).await.into_iter().map(|result| result.unwrap()).collect();
    got.sort();
    got.dedup();
    assert_eq!((got.len(), world.server.count("gettoken"), world.server.count("user/get")), (50, 1, 50));
    assert!(tokens_used(&world, "user/get").iter().all(|token| token == "CANARY-agent-0"));
}

#[tokio::test]
async fn each_secret_has_a_token_of_its_own() {
    let world = World::new(|asked| match &*asked.api {
        "user/get" => member(asked),
        _ => Reply::json(r#"{"errcode":0,"department_id":[]}"#),
    })
    .await;
    world.client.member("u").await.unwrap();
    world.client.department_ids(None).await.unwrap();
    world.client.member("u").await.unwrap();
    let asked = world.server.asked_for("gettoken");
    let secrets: Vec<&str> = asked.iter().map(|asked| asked.parameter("corpsecret")).collect();
    assert_eq!(secrets, [AGENT_SECRET, CONTACT_SECRET]);
    assert!(asked.iter().all(|asked| asked.parameter("corpid") == "ww1" && asked.query.len() == 2));
    assert_eq!(tokens_used(&world, "user/get"), ["CANARY-agent-0", "CANARY-agent-0"]);
    assert_eq!(tokens_used(&world, "department/simplelist"), ["CANARY-contact-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_while_it_lives_and_replaced_before_it_ends() {
    let world = World::new(member).await;
    let_time_pass();
    for wait in [0, 7000, 150] {
        advance(Duration::from_secs(wait)).await;
        world.client.member("u").await.unwrap();
    }
    assert_eq!(tokens_used(&world, "user/get"), ["CANARY-agent-0", "CANARY-agent-0", "CANARY-agent-1"]);
}

#[tokio::test]
async fn a_token_that_died_early_is_replaced_and_the_call_repeated() {
    for code in [40001, 40014, 42001] {
        let world = World::new(dead_at_first(code)).await;
        assert_eq!(world.client.member("u").await.unwrap().value.id, "u", "{code}");
        assert_eq!(tokens_used(&world, "user/get"), ["CANARY-agent-0", "CANARY-agent-1"], "{code}");
        assert_eq!(world.server.count("gettoken"), 2, "{code}");
    }
}

#[tokio::test]
async fn ten_who_find_it_dead_need_one_new_one() {
    let world = World::new(dead_at_first(42001)).await;
    world.client.member_names("1").await.unwrap();
    assert!(members_at_once(&world.client, 10).await.iter().all(Result::is_ok));
    assert_eq!(world.server.count("gettoken"), 2);
}

#[tokio::test]
async fn a_write_is_repeated_when_only_the_token_was_to_blame() {
    let world = World::new(|asked| if asked.nth == 0 { Reply::code(42001) } else { Reply::json(OK) }).await;
    world.client.create_member(&Map::new()).await.unwrap();
    assert_eq!((world.server.count("user/create"), world.server.count("gettoken")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_is_dead_too_is_not_replaced_at_once() {
    let world = World::new(|_| Reply::code(40014)).await;
    let_time_pass();
    for _ in 0..5 {
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.label(), error.is_outage()), ("token_dead", true));
        assert_eq!(error.disposition(), Disposition::Retry { after: Duration::from_secs(60) });
    }
    assert_eq!((world.server.count("user/get"), world.server.count("gettoken")), (2, 2));
    advance(Duration::from_secs(61)).await;
    world.client.member("u").await.unwrap_err();
    assert_eq!((world.server.count("user/get"), world.server.count("gettoken")), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_not_tried_again_for_a_while() {
    for code in [40001, 40013, 40091] {
        let world = World::without_tokens(move |_| Reply::code(code)).await;
        let_time_pass();
        for _ in 0..5 {
            let error = world.client.member("u").await.unwrap_err();
            assert_eq!((error.api(), error.label(), error.is_outage()), ("gettoken", "refused", true), "{code}");
            advance(Duration::from_secs(300)).await;
        }
        assert_eq!(world.server.count("gettoken"), 1, "{code}");
        advance(Duration::from_secs(301)).await;
        world.client.member("u").await.unwrap_err();
        assert_eq!((world.server.count("gettoken"), world.server.count("user/get")), (2, 0), "{code}");
    }
}

#[tokio::test]
async fn a_refused_secret_leaves_the_other_one_alone() {
    let world = World::without_tokens(|asked| match &*asked.api {
        "gettoken" if asked.parameter("corpsecret") == AGENT_SECRET => Reply::code(40001),
        "gettoken" => token(asked, 7200),
        _ => Reply::json(r#"{"errcode":0,"department_id":[]}"#),
    })
    .await;
    world.client.member("u").await.unwrap_err();
    world.client.department_ids(None).await.unwrap();
}

#[tokio::test]
async fn those_who_waited_share_a_failure_and_the_next_one_asks_again() {
    let world = World::without_tokens(|_| Reply::status(502)).await;
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let client = world.client.clone();
        calls.spawn(async move { client.create_member(&Map::new()).await.unwrap_err().label() });
    }
    let labels = calls.join_all().await;
    assert!(labels.iter().all(|label| *label == "http_status"), "{labels:?}");
    assert_eq!(world.server.count("gettoken"), 1);
    world.client.create_member(&Map::new()).await.unwrap_err();
    assert_eq!(world.server.count("gettoken"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_does_while_no_new_one_is_to_be_had() {
    let world = World::without_tokens(|asked| match &*asked.api {
        "gettoken" if asked.nth == 0 => token(asked, 7200),
        "gettoken" => Reply::status(503),
        _ => member(asked),
    })
    .await;
    let_time_pass();
    world.client.member("u").await.unwrap();
    advance(Duration::from_secs(7150)).await;
    for _ in 0..3 {
        world.client.member("u").await.unwrap();
    }
    assert_eq!(world.server.count("gettoken"), 2, "nor is it asked for with every call");
    advance(Duration::from_secs(100)).await;
    assert_eq!(world.client.member("u").await.unwrap_err().label(), "http_status");
}

#[tokio::test(start_paused = true)]
async fn odd_lives_of_tokens_are_survived() {
    for life in ["0", "-5", "null", "\"7200\"", "1e300", "18446744073709551615", "{}", "\"x\""] {
        let world = World::without_tokens(move |asked| match &*asked.api {
            "gettoken" => Reply::json(format!(r#"{{"errcode":0,"access_token":"t","expires_in":{life}}}"#)),
            _ => member(asked),
        })
        .await;
        let_time_pass();
        for _ in 0..3 {
            world.client.member("u").await.unwrap();
        }
        assert_eq!(world.server.count("gettoken"), 1, "{life}");
    }
}

#[tokio::test]
async fn an_answer_without_a_token_is_no_token() {
    for body in
        [OK, r#"{"errcode":0,"access_token":""}"#, r#"{"errcode":0,"access_token":null}"#, r#"{"access_token":5}"#]
    {
        let world = World::without_tokens(move |_| Reply::json(body)).await;
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.api(), error.label()), ("gettoken", "incomplete"), "{body}");
    }
}
