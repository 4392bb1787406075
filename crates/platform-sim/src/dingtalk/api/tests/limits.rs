//! Too many calls, and the month's quota (reference dingtalk 5.1 and 5.2).

use super::*;

fn call(stage: &Stage, token: &str) -> Value {
    parsed(&stage.call_with(token, Interface::DepartmentListSubId, &[], &json!({ "dept_id": 1 })))
}

fn day(stage: &Stage, token: &str) -> i64 {
    let body = json!({ "userid": stage.people[0], "work_date": MONDAY });
    code(&parsed(&stage.call_with(token, Interface::AttendanceDay, &[], &body)))
}

#[test]
fn an_app_has_twenty_calls_a_second_to_each_interface() {
    let stage = Stage::new().with(|options| options.limits = Limits::default());
    let token = stage.token();
    assert!((0..20).all(|_call| code(&call(&stage, &token)) == 0));
    let refused = call(&stage, &token);
    assert_eq!((refused["errcode"].as_i64(), refused["sub_code"].as_str()), (Some(88), Some("90018")));
    let other = stage.call_with(&token, Interface::DepartmentGet, &[], &json!({ "dept_id": 1 }));
    assert_eq!(code(&parsed(&other)), 0, "another interface has a bucket of its own");
    stage.clock.advance(Duration::from_millis(49));
    assert_eq!(code(&call(&stage, &token)), 90018);
    stage.clock.advance(Duration::from_millis(1));
    assert_eq!(code(&call(&stage, &token)), 0);
    assert_eq!(code(&call(&stage, &token)), 90018);
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!((0..25).filter(|_call| code(&call(&stage, &token)) == 0).count(), 20, "a bucket does not overflow");
    assert_eq!(stage.api.tally(Interface::DepartmentListSubId).throttled, 8);
}

#[test]
fn too_many_calls_of_everybody_are_told_with_their_end() {
    let stage = Stage::new();
    let token = stage.token();
    stage.api.crowd(Interface::DepartmentListSubId, Duration::from_secs(12));
    let refused = call(&stage, &token);
    assert_eq!((refused["errcode"].as_i64(), refused["sub_code"].as_str()), (Some(88), Some("90002")));
    let text = refused["sub_msg"].as_str().expect("a text");
    for part in ["v2.department.listsubid", "从 2026-09-21 10:00:00 到 2026-09-21 10:00:01", "请求总次数超过 1200 次"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.ends_with("限制将在 2026-09-21 10:00:12 结束"), "{text}");
    stage.clock.advance(Duration::from_secs(12));
    assert_eq!(code(&call(&stage, &token)), 0);

    stage.api.crowd(Interface::ApprovalIds, Duration::from_secs(5));
    let new = stage.call_with(&token, Interface::ApprovalIds, &[], &json!({}));
    assert_eq!((new.status, parsed(&new)["code"].as_str()), (403, Some("Forbidden.AccessDenied.QpsLimitForApi")));
}

#[test]
fn the_full_hour_is_crowded_if_it_is_to_be() {
    let stage = Stage::new().with(|options| options.limits.full_hour = Duration::from_secs(10));
    stage.clock.advance(Duration::from_secs(9));
    let query = format!("appkey={CLIENT}&appsecret={SECRET}");
    assert_eq!(code(&parsed(&stage.send("GET", "/gettoken", &query, &[], ""))), 90002);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&call(&stage, &stage.token())), 0);
}

#[test]
fn an_address_that_calls_much_too_often_is_banned_from_everything_for_five_minutes() {
    let stage = Stage::new().with(|options| {
        options.limits.address =
            Some(AddressLimit { calls: 30, window: Duration::from_secs(20), ban: Duration::from_secs(300) });
    });
    let token = stage.token();
    assert!((0..29).all(|_call| code(&call(&stage, &token)) == 0));
    let mut shapes = std::collections::BTreeSet::new();
    for _call in 0..20 {
        let answer = stage.call_with(&token, Interface::DepartmentListSubId, &[], &json!({}));
        shapes.insert(answer.content_type);
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) => assert_eq!((body["status"].as_i64(), body["punish"].as_str()), (Some(1111), Some("deny"))),
            Err(_) => assert!(answer.body.starts_with(b"<!DOCTYPE html>")),
        }
    }
    assert_eq!(shapes.len(), 2, "both shapes come");
    stage.clock.advance(Duration::from_secs(299));
    assert_eq!(stage.send("GET", "/nothing", "", &[], "").status, 200);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&call(&stage, &token)), 0);
    assert_eq!(stage.api.tally(Interface::DepartmentListSubId).throttled, 20);
}

#[test]
fn the_months_quota_counts_attendance_and_approvals_and_ends_with_the_month_of_china() {
    let stage = Stage::new().with(|options| options.monthly_calls = Some(3));
    let token = stage.token();
    assert_eq!(code(&call(&stage, &token)), 0, "contacts are free");
    assert!((0..2).all(|_call| day(&stage, &token) == 0));
    let body = json!({ "processCode": "PROC-X", "startTime": "x" });
    let refused = stage.call_with(&token, Interface::ApprovalIds, &[], &body);
    assert_eq!(parsed(&refused)["code"], "invalidParameter", "what is refused for itself counts");
    assert_eq!(day(&stage, &token), 90020);
    let new = stage.call_with(&token, Interface::Approval, &[("processInstanceId", "x")], &json!({}));
    assert_eq!((new.status, parsed(&new)["code"].as_str()), (403, Some("Forbidden.AccessDenied.ApiCountLimitForOrg")));
    assert_eq!(code(&call(&stage, &token)), 0);

    stage.clock.set(at("2026-09-30 23:59:59"));
    assert_eq!(day(&stage, &stage.token()), 90020);
    stage.clock.set(at("2026-10-01 00:00:00"));
    assert_eq!(day(&stage, &stage.token()), 0);
    assert_eq!((stage.api.used("2026-09"), stage.api.used("2026-10")), (3, 1));
    let by_interface = stage.api.used_by_interface("2026-09");
    assert_eq!(by_interface, BTreeMap::from([(Interface::AttendanceDay, 2), (Interface::ApprovalIds, 1)]));
}

#[test]
fn calls_that_were_too_many_or_were_not_answered_do_not_count_and_busy_ones_do() {
    let stage = Stage::new().with(|options| options.limits.of = [(Interface::AttendanceDay, 4)].into());
    let token = stage.token();
    for trouble in [Trouble::Status(503), Trouble::Cut, Trouble::CutAfter, Trouble::Never] {
        stage.api.fail(Fault::new(trouble).on(Interface::AttendanceDay).times(1));
    }
    let body = json!({ "userid": stage.people[0], "work_date": MONDAY });
    for _call in 0..4 {
        stage.call_with(&token, Interface::AttendanceDay, &[], &body);
    }
    assert_eq!(stage.api.used("2026-09"), 0);
    stage.api.fail(Fault::new(Trouble::Busy).on(Interface::AttendanceDay).times(1));
    assert_eq!(day(&stage, &token), -1);
    assert_eq!(day(&stage, "no-such-token"), 40014);
    assert_eq!(stage.api.used("2026-09"), 2);
    let codes: Vec<i64> = (0..4).map(|_call| day(&stage, &token)).collect();
    assert_eq!(codes, [0, 0, 90018, 90018], "of the four before two were not done");
    assert_eq!(stage.api.used("2026-09"), 4);
    assert_eq!(stage.api.records().iter().filter(|record| record.counted).count(), 4);
}
