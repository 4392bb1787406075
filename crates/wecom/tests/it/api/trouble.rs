//! A platform that is busy, full, odd or not there.

use std::time::Duration;

use common::Disposition;
use outbound::Allowance;
use tokio::time::{Instant, advance};
use wecom::api::{Kind, Meaning};

use super::{NOW, Recorder, Reply, World, let_time_pass, member, token};

#[tokio::test(start_paused = true)]
async fn a_read_that_meets_a_passing_fault_is_repeated_a_few_times() {
    let faults = [Reply::code(-1), Reply::code(6000), Reply::status(502), Reply::none()];
    for fault in faults {
        let reply = fault.clone();
        let world = World::new(move |asked| if asked.nth < 2 { reply.clone() } else { member(asked) }).await;
        let_time_pass();
        let before = Instant::now();
        assert_eq!(world.client.member("u").await.unwrap().value.id, "u", "{fault:?}");
        assert_eq!(world.server.count("user/get"), 3, "{fault:?}");
        assert!(before.elapsed() >= Duration::from_millis(1500), "it waits in between");

        let reply = fault.clone();
        let world = World::new(move |_| reply.clone()).await;
        let error = world.client.member("u").await.unwrap_err();
        assert!(error.is_outage() && matches!(error.disposition(), Disposition::Retry { .. }), "{error:?}");
        assert_eq!(world.server.count("user/get"), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn whatever_else_is_wrong_is_left_to_the_caller() {
    let replies = [
        (Reply::code(60111), "not_found"),
        (Reply::code(48009), "forbidden"),
        (Reply::code(60020), "refused"),
        (Reply::code(777_777), "unknown_code"),
        (Reply::code(45009), "throttled"),
        (Reply::status(301), "http_status"),
        (Reply::status(404), "http_status"),
        (Reply::json("<html>CANARY-page</html>"), "foreign"),
        (Reply::json(""), "foreign"),
        (Reply::json(r#"{"errcode":[]}"#), "foreign"),
        (Reply::json("[0]"), "incomplete"),
        (Reply::json("{}"), "incomplete"),
    ];
    for (reply, label) in replies {
        let answer = reply.clone();
        let world = World::new(move |_| answer.clone()).await;
        assert_eq!(world.client.member("u").await.unwrap_err().label(), label, "{reply:?}");
        assert_eq!(world.server.count("user/get"), 1, "{reply:?}");
        assert_eq!(world.ear.heard()[0], ("gettoken", "ok"));
        assert_eq!(world.ear.heard()[1].0, "user/get");
    }
}

#[tokio::test]
async fn the_address_that_is_not_trusted_is_told() {
    let world = World::new(|_| Reply::code(60020)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "user/get: WeCom answered 60020, the address that we call from is not among the trusted ones (203.0.113.7)"
    );
    assert!(error.is_outage());
    let world = World::new(|_| Reply::code(60111)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert!(!error.to_string().contains("203.0.113.7"), "where it matters only: {error}");
}

#[tokio::test]
async fn an_unknown_code_never_says_that_something_is_not_there() {
    let world = World::new(|_| Reply::code(777_777)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!((error.meaning(), error.kind(), error.is_outage()), (Some(Meaning::Unknown), None, false));
    assert!(matches!(error.disposition(), Disposition::Retry { .. }));
}

#[tokio::test]
async fn answers_are_bounded_and_long_lists_fit() {
    let world = World::new(|asked| {
        let department = |id: u32| format!(r#"{{"id":{id},"parentid":1,"order":4294967295}}"#);
        let many: Vec<String> = (1..=30_000).map(department).collect();
        match &*asked.api {
            "user/get" => Reply::json(format!(r#"{{"errcode":0,"userid":"u","name":"{}"}}"#, "x".repeat(1024 * 1024))),
            "user/list" => Reply::json(vec![b' '; 32 * 1024 * 1024 + 1]),
            _ => Reply::json(format!(r#"{{"errcode":0,"department_id":[{}]}}"#, many.join(","))),
        }
    })
    .await;
    for error in [world.client.member("u").await.unwrap_err(), world.client.members("1").await.unwrap_err()] {
        assert_eq!((error.label(), error.kind(), error.is_outage()), ("too_large", Some(Kind::TooLarge), false));
    }
    let all = world.client.department_ids(None).await.unwrap().value;
    assert_eq!((all.rows.len(), all.is_whole()), (30_000, true));
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_was_called_too_often_is_closed_for_a_minute_and_then_for_an_hour() {
    let world = World::new(|_| Reply::code(45009)).await;
    let_time_pass();
    let mut refuses_for = Vec::new();
    for _ in 0..2 {
        let error = world.client.member("u").await.unwrap_err();
        let Some(Meaning::Wait { refuses_for: time }) = error.meaning() else { panic!("{error:?}") };
        assert_eq!(error.disposition(), Disposition::Retry { after: time });
        refuses_for.push(time);
        advance(time).await;
    }
    assert_eq!(refuses_for.iter().map(Duration::as_secs).collect::<Vec<_>>(), [60, 3600]);
    let company = Allowance { company: "ww1".into(), interface: "user/get", egress: "".into() };
    let told: Vec<_> = refuses_for.into_iter().map(|time| (company.clone(), time)).collect();
    assert_eq!(*world.governor.refused.lock().unwrap(), told);
}

#[tokio::test]
async fn a_ban_on_asking_for_tokens_is_of_the_address_and_lasts_an_hour() {
    let world = World::without_tokens(|_| Reply::code(45009)).await;
    for _ in 0..3 {
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.api(), error.label()), ("gettoken", "throttled"));
    }
    let address = Allowance { company: "".into(), interface: "gettoken", egress: "203.0.113.7".into() };
    assert_eq!(*world.governor.refused.lock().unwrap(), [(address, Duration::from_secs(3600))]);
    assert_eq!(world.server.count("gettoken"), 1, "and meanwhile nobody asks");
}

#[tokio::test]
async fn while_the_governor_is_closed_nothing_is_sent() {
    let governor = Recorder { closed_until: Some(NOW.plus_seconds(42)), ..Recorder::default() };
    let world = World::with_governor(governor, |asked| token(asked, 7200)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!((error.label(), error.is_outage()), ("closed", true));
    assert_eq!(error.disposition(), Disposition::Retry { after: Duration::from_secs(42) });
    assert!(world.server.asked().is_empty() && world.ear.heard().is_empty());
}
