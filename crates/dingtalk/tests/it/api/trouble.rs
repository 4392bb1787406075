//! A platform that is busy, full, odd or not there.

use std::{net::IpAddr, time::Duration};

use common::Disposition;
use dingtalk::api::{ApiError, Detail, Kind, Meaning};
use outbound::Allowance;
use tokio::time::Instant;

use super::{ACCESS_TOKEN, NOW, Recorder, Reply, USER_GET, World, let_time_pass, member, token};

#[tokio::test(start_paused = true)]
async fn a_read_that_meets_a_passing_fault_is_repeated_a_few_times() {
    let faults = [
        Reply::code(-1),
        Reply::json(r#"{"errcode":15,"errmsg":"remote service error"}"#),
        Reply::word(429, "system.busy"),
        Reply::word(503, "somethingElse"),
        Reply::status(502),
        Reply::none(),
    ];
    for fault in faults {
        let reply = fault.clone();
        let world = World::new(move |asked| if asked.nth < 2 { reply.clone() } else { member(asked) }).await;
        let_time_pass();
        let before = Instant::now();
        assert_eq!(world.client.member("u").await.unwrap().value.id, "u", "{fault:?}");
        assert_eq!(world.server.count(USER_GET), 3, "{fault:?}");
        assert!(before.elapsed() >= Duration::from_millis(1500), "it waits in between");

        let reply = fault.clone();
        let world = World::new(move |_| reply.clone()).await;
        let error = world.client.member("u").await.unwrap_err();
        assert!(error.is_outage() && matches!(error.disposition(), Disposition::Retry { .. }), "{error:?}");
        assert_eq!(world.server.count(USER_GET), 3, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_a_second_is_waited_for_and_told_to_all() {
    for limit in [Reply::code(90018), Reply::word(403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")] {
        let reply = limit.clone();
        let world = World::new(move |asked| if asked.nth == 0 { reply.clone() } else { member(asked) }).await;
        let_time_pass();
        let before = Instant::now();
        world.client.member("u").await.unwrap();
        assert!(before.elapsed() >= Duration::from_secs(1), "{limit:?}");
        let company = Allowance { company: "ding1".into(), interface: USER_GET, egress: "".into() };
        assert_eq!(*world.governor.refused.lock().unwrap(), [(company, Duration::from_secs(1))]);
    }
}

#[tokio::test]
async fn a_limit_on_everybody_is_waited_for_until_the_end_that_its_text_tells() {
    // The clock of the platform shows eight in the morning.
    let text = "apiPath:v2.user.get，从 2026-01-01 08:00:00 到 2026-01-01 08:00:01 请求总次数超过 1200 次，限制将在 2026-01-01 08:00:20 结束";
    let body = format!(r#"{{"errcode":88,"sub_code":"90002","sub_msg":"{text}"}}"#);
    let world = World::new(move |_| Reply::json(body.clone())).await;
    let error = world.client.member("u").await.unwrap_err();
    let wait = Duration::from_secs(21);
    assert_eq!(error.meaning(), Some(Meaning::Wait { refuses_for: wait }));
    assert_eq!(error.disposition(), Disposition::Retry { after: wait });
    assert_eq!(world.governor.refused.lock().unwrap()[0].1, wait);
    assert_eq!(world.server.count(USER_GET), 1, "too long to be waited for here");
}

#[tokio::test]
async fn a_ban_is_of_the_address_and_lasts_five_minutes() {
    for status in [200, 403] {
        let ban = Reply::json(r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"CANARY"}"#);
        let ban = ban.with_status(status);
        let world = World::new(move |_| ban.clone()).await;
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.label(), error.is_outage()), ("throttled", true));
        let address = Allowance { company: "".into(), interface: "dingtalk", egress: "203.0.113.7".into() };
        assert_eq!(*world.governor.refused.lock().unwrap(), [(address, Duration::from_secs(300))]);
        assert_eq!(world.server.count(USER_GET), 1);
    }
}

#[tokio::test]
async fn whatever_else_is_wrong_is_left_to_the_caller() {
    let replies = [
        (Reply::code(60121), "not_found"),
        (Reply::code(60011), "forbidden"),
        (Reply::code(60020), "refused"),
        (Reply::code(400_002), "invalid"),
        (Reply::code(777_777), "unknown_code"),
        (Reply::code(90005), "throttled"),
        (Reply::word(400, "CANARY_other"), "unknown_code"),
        (Reply::status(301), "http_status"),
        (Reply::status(404), "http_status"),
        (Reply::json("<html>CANARY-page</html>"), "foreign"),
        (Reply::json(""), "foreign"),
        (Reply::json("{}"), "foreign"),
        (Reply::json(r#"{"errcode":[]}"#), "foreign"),
        (Reply::json(r#"{"errcode":0}"#), "incomplete"),
        (Reply::json(r#"{"errcode":0,"result":{}}"#), "incomplete"),
    ];
    for (reply, label) in replies {
        let answer = reply.clone();
        let world = World::new(move |_| answer.clone()).await;
        assert_eq!(world.client.member("u").await.unwrap_err().label(), label, "{reply:?}");
        assert_eq!(world.server.count(USER_GET), 1, "{reply:?}");
        assert_eq!(world.ear.heard()[0], (ACCESS_TOKEN, "ok"));
        assert_eq!(world.ear.heard()[1].0, USER_GET);
    }
}

#[tokio::test]
async fn what_a_person_has_to_mend_is_told() {
    let world = World::new(|_| Reply::code(60020)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "topapi/v2/user/get: DingTalk answered 60020, the address that we call from is not among the trusted ones \
         (203.0.113.7)"
    );
    let address: IpAddr = "203.0.113.7".parse().unwrap();
    assert!(matches!(error, ApiError::Answered { detail: Detail::SeenAt(seen), .. } if seen == address));
    let world = World::new(|_| Reply::code(60011)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "topapi/v2/user/get: DingTalk answered 60011, the app has not the permission for this interface \
         (qyapi_get_member)"
    );
    let world = World::new(|_| Reply::code(60121)).await;
    let error = world.client.member("u").await.unwrap_err().to_string();
    assert!(!error.contains("203.0.113.7") && !error.contains("qyapi"), "where it matters only: {error}");
}

#[tokio::test]
async fn an_unknown_code_never_says_that_something_is_not_there() {
    for reply in [Reply::code(777_777), Reply::word(404, "nobody.knows")] {
        let world = World::new(move |_| reply.clone()).await;
        let error = world.client.member("u").await.unwrap_err();
        assert_eq!((error.meaning(), error.kind(), error.is_outage()), (Some(Meaning::Unknown), None, false));
        assert!(matches!(error.disposition(), Disposition::Retry { .. }));
    }
}

#[tokio::test]
async fn answers_are_bounded_and_long_lists_fit() {
    let world = World::new(|asked| {
        let department = |id: u32| format!(r#"{{"dept_id":{id},"parent_id":1,"name":"n"}}"#);
        let many: Vec<String> = (2..30_002).map(department).collect();
        match &*asked.api {
            USER_GET => Reply::result(&format!(r#"{{"userid":"u","name":"{}"}}"#, "x".repeat(1024 * 1024))),
            "topapi/user/listid" => Reply::json(vec![b' '; 32 * 1024 * 1024 + 1]),
            _ => Reply::result(&format!("[{}]", many.join(","))),
        }
    })
    .await;
    for error in [world.client.member("u").await.unwrap_err(), world.client.member_ids("1").await.unwrap_err()] {
        assert_eq!((error.label(), error.kind(), error.is_outage()), ("too_large", Some(Kind::TooLarge), false));
    }
    let all = world.client.sub_departments("1").await.unwrap().value;
    assert_eq!((all.rows.len(), all.is_whole()), (30_000, true));
}

#[tokio::test]
async fn while_the_governor_is_closed_for_long_nothing_is_sent() {
    let governor = Recorder { closed_until: Some(NOW.plus_seconds(42)), ..Recorder::default() };
    let world = World::with_governor(governor, |asked| token(asked, 7200)).await;
    let error = world.client.member("u").await.unwrap_err();
    assert_eq!((error.label(), error.is_outage()), ("closed", true));
    assert_eq!(error.disposition(), Disposition::Retry { after: Duration::from_secs(42) });
    assert!(world.server.asked().is_empty() && world.ear.heard().is_empty());
    assert_eq!(world.governor.admitted.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_governor_that_is_closed_for_a_moment_is_waited_for_a_few_times() {
    let governor = Recorder { closed_until: Some(NOW.plus_seconds(1)), ..Recorder::default() };
    let world = World::with_governor(governor, |asked| token(asked, 7200)).await;
    let before = Instant::now();
    assert_eq!(world.client.member("u").await.unwrap_err().label(), "closed");
    assert!(before.elapsed() >= Duration::from_secs(2));
    assert_eq!(world.governor.admitted.lock().unwrap().len(), 3);
    assert!(world.server.asked().is_empty());
}
