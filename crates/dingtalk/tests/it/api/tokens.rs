//! One token for many, and what happens when it dies.

use std::time::Duration;

use common::Disposition;
use dingtalk::api::{ApiError, Client};
use tokio::{task::JoinSet, time::advance};

use super::{
    ACCESS_TOKEN, Asked, CLIENT_ID, CLIENT_SECRET, GETTOKEN, Reply, USER_GET, World, let_time_pass, member, token,
};

/// So many calls at once, each of another member.
async fn members_at_once(client: &Client, count: usize) -> Vec<Result<String, ApiError>> {
    let mut calls = JoinSet::new();
    for number in 0..count {
        let client = client.clone();
        calls.spawn(async move { client.member(&format!("u{number}")).await.map(|answer| answer.value.id) });
    }
    calls.join_all().await
}

/// Dead is the first token.
fn dead_at_first(reply: Reply) -> impl Fn(&Asked) -> Reply {
    move |asked| if asked.token() == "CANARY-new-0" { reply.clone() } else { member(asked) }
}

#[tokio::test]
async fn fifty_who_wait_need_one_token() {
    let world = World::new(member).await;
    let mut got: Vec<String> =
        members_at_once(&world.client, 50).await.into_iter().map(|result| result.unwrap()).collect();
    got.sort();
    got.dedup();
    assert_eq!((got.len(), world.tokens_asked(), world.server.count(USER_GET)), (50, [1, 0], 50));
    assert!(world.tokens_used(USER_GET).iter().all(|token| token == "CANARY-new-0"));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_while_it_lives_and_replaced_five_minutes_before_it_ends() {
    let world = World::new(member).await;
    let_time_pass();
    for wait in [0, 6890, 20] {
        advance(Duration::from_secs(wait)).await;
        world.client.member("u").await.unwrap();
    }
    assert_eq!(world.tokens_used(USER_GET), ["CANARY-new-0", "CANARY-new-0", "CANARY-new-1"]);
}

#[tokio::test]
async fn a_token_that_died_early_is_replaced_and_the_call_repeated() {
    let mut replies: Vec<Reply> = [40014, 42001, 40001, 41001, 40000].map(Reply::code).into();
    replies.push(Reply::json(r#"{"errcode":40014,"errmsg":"不合法的access_token"}"#));
    replies.push(Reply::word(400, "InvalidAuthentication"));
    for reply in replies {
        let world = World::new(dead_at_first(reply.clone())).await;
        assert_eq!(world.client.member("u").await.unwrap().value.id, "u", "{reply:?}");
        assert_eq!(world.tokens_used(USER_GET), ["CANARY-new-0", "CANARY-new-1"], "{reply:?}");
        assert_eq!(world.tokens_asked(), [2, 0], "{reply:?}");
    }
}

#[tokio::test]
async fn ten_who_find_it_dead_need_one_new_one() {
    let world = World::new(|asked| match &*asked.api {
        "topapi/user/listid" => Reply::result(r#"{"userid_list":[]}"#),
        _ => dead_at_first(Reply::code(42001))(asked),
    })
    .await;
    world.client.member_ids("1").await.unwrap();
    assert!(members_at_once(&world.client, 10).await.iter().all(Result::is_ok));
    assert_eq!(world.tokens_asked(), [2, 0]);
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
    assert_eq!((world.server.count(USER_GET), world.tokens_asked()), (2, [2, 0]));
    advance(Duration::from_secs(61)).await;
    world.client.member("u").await.unwrap_err();
    assert_eq!((world.server.count(USER_GET), world.tokens_asked()), (4, [4, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_not_tried_again_for_a_while_nor_at_the_other_interface() {
    let world = World::without_tokens(|_| Reply::word(400, "invalidClientIdOrSecret")).await;
    let_time_pass();
    for _ in 0..5 {
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.api(), error.label(), error.is_outage()), (ACCESS_TOKEN, "credentials", true));
        advance(Duration::from_secs(100)).await;
    }
    assert_eq!(world.tokens_asked(), [1, 0]);
    advance(Duration::from_secs(101)).await;
    world.client.member("u").await.unwrap_err();
    assert_eq!((world.tokens_asked(), world.server.count(USER_GET)), ([2, 0], 0));
}

#[tokio::test]
async fn where_the_newer_interface_gives_none_the_older_one_is_asked() {
    let gone = [
        Reply::json(r#"{"errcode":404,"errmsg":"请求的URI地址不存在"}"#),
        Reply::word(500, "unknownError"),
        Reply::word(400, "Missingbody"),
        Reply::status(404),
        Reply::status(503),
        Reply::none(),
        Reply::json("<html>"),
        Reply::json("{}"),
    ];
    for reply in gone {
        let answer = reply.clone();
        let world = World::without_tokens(move |asked| match &*asked.api {
            ACCESS_TOKEN => answer.clone(),
            GETTOKEN => token(asked, 7200),
            _ => member(asked),
        })
        .await;
        world.client.member("u").await.unwrap();
        assert_eq!(
            (world.tokens_used(USER_GET), world.tokens_asked()),
            (vec!["CANARY-old-0".to_owned()], [1, 1]),
            "{reply:?}"
        );
        let asked = world.server.asked_for(GETTOKEN).remove(0);
        assert_eq!((asked.host.as_str(), asked.method.as_str(), asked.query.len()), ("old", "GET", 2));
        assert_eq!((asked.parameter("appkey"), asked.parameter("appsecret")), (CLIENT_ID, CLIENT_SECRET));
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_by_the_older_interface_too() {
    let world = World::without_tokens(|asked| match &*asked.api {
        ACCESS_TOKEN => Reply::status(404),
        _ => Reply::json(r#"{"errcode":40096,"errmsg":"不合法的appKey或appSecret"}"#),
    })
    .await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!((error.api(), error.label()), (GETTOKEN, "credentials"));
}

#[tokio::test(start_paused = true)]
async fn those_who_waited_share_a_failure_and_the_next_one_asks_again() {
    let world = World::without_tokens(|_| Reply::code(60020)).await;
    let_time_pass();
    let results = members_at_once(&world.client, 50).await;
    assert!(results.iter().all(|result| result.as_ref().unwrap_err().label() == "refused"), "{results:?}");
    assert_eq!(world.tokens_asked(), [1, 0], "the other one would refuse the address too");
    advance(Duration::from_secs(61)).await;
    world.client.member("u").await.unwrap_err();
    assert_eq!(world.tokens_asked(), [2, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_does_while_no_new_one_is_to_be_had() {
    let world = World::without_tokens(|asked| match &*asked.api {
        ACCESS_TOKEN if asked.nth == 0 => token(asked, 7200),
        ACCESS_TOKEN | GETTOKEN => Reply::status(503),
        _ => member(asked),
    })
    .await;
    let_time_pass();
    world.client.member("u").await.unwrap();
    advance(Duration::from_secs(6950)).await;
    for _ in 0..3 {
        world.client.member("u").await.unwrap();
    }
    assert_eq!(world.tokens_asked(), [2, 1], "nor is it asked for with every call");
    advance(Duration::from_secs(300)).await;
    assert_eq!(world.client.member("u").await.unwrap_err().label(), "http_status");
}

#[tokio::test(start_paused = true)]
async fn odd_lives_of_tokens_are_survived() {
    for life in ["0", "-5", "null", "\"7200\"", "1e300", "18446744073709551615", "{}", "\"x\""] {
        let world = World::without_tokens(move |asked| match &*asked.api {
            ACCESS_TOKEN => Reply::json(format!(r#"{{"accessToken":"t","expireIn":{life}}}"#)),
            _ => member(asked),
        })
        .await;
        let_time_pass();
        for _ in 0..3 {
            world.client.member("u").await.unwrap();
        }
        assert_eq!(world.tokens_asked(), [1, 0], "{life}");
    }
}

#[tokio::test]
async fn an_answer_without_a_token_is_no_token() {
    for body in ["{}", r#"{"accessToken":""}"#, r#"{"accessToken":null}"#, r#"{"accessToken":5}"#] {
        let world = World::without_tokens(move |asked| match &*asked.api {
            ACCESS_TOKEN => Reply::json(body),
            _ => Reply::json(r#"{"errcode":0,"access_token":""}"#),
        })
        .await;
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.api(), error.label()), (ACCESS_TOKEN, "incomplete"), "{body}");
    }
}
