//! What goes wrong by script.

use super::*;

fn ask(stage: &Stage, interface: Interface, body: &Value) -> Answer {
    stage.call_with(&stage.token(), interface, &[], body)
}

#[test]
fn a_fault_strikes_what_it_is_about_as_often_as_it_was_scripted() {
    let stage = Stage::new();
    let fault = Fault::new(Trouble::Busy).on(Interface::UserGet).about(About::member(&stage.people[0]));
    stage.api.fail(fault.after(1).times(2));
    let code_of = |userid: &str| stage.refusal(Interface::UserGet, &json!({ "userid": userid }));
    let [first, second] = &stage.people;
    assert_eq!((code_of(first), code_of(first), code_of(second), code_of(first)), (0, -1, 0, -1));
    assert_eq!(code_of(first), 0);
    stage.api.fail(Fault::new(Trouble::Busy).on(Interface::UserGet));
    assert_eq!(code_of(first), -1);
    stage.api.heal();
    assert_eq!(code_of(first), 0);
}

#[test]
fn each_trouble_answers_in_the_style_of_the_interface() {
    let stage = Stage::new();
    let body = json!({ "userid": stage.people[0] });
    let old = |trouble| {
        stage.api.heal();
        stage.api.fail(Fault::new(trouble).on(Interface::UserGet));
        ask(&stage, Interface::UserGet, &body)
    };
    let new = |trouble| {
        stage.api.heal();
        stage.api.fail(Fault::new(trouble).on(Interface::ApprovalIds));
        ask(&stage, Interface::ApprovalIds, &json!({}))
    };
    assert_eq!(parsed(&old(Trouble::Busy))["errcode"], json!(-1));
    assert_eq!((new(Trouble::Busy).status, parsed(&new(Trouble::Busy))["code"].as_str()), (429, Some("system.busy")));
    assert_eq!(code(&parsed(&old(Trouble::Code(43_007)))), 43_007);
    let wrapped = parsed(&old(Trouble::Wrapped { errcode: 15, sub_code: -1 }));
    assert_eq!((&wrapped["errcode"], &wrapped["sub_code"]), (&json!(15), &json!("-1")));
    assert_eq!(wrapped["errmsg"], "remote service error[subcode=-1,submsg=系统繁忙]");
    let word = new(Trouble::Word(403, "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi"));
    assert_eq!((word.status, &parsed(&word)["code"]), (403, &json!("Forbidden.AccessDenied.QpmLimitForAppkeyAndApi")));
    let down = old(Trouble::Status(503));
    assert_eq!((down.status, down.body.len(), down.delivery), (503, 0, Delivery::Now));
    assert_eq!(old(Trouble::Cut).delivery, Delivery::Cut);
    assert_eq!(old(Trouble::Never).delivery, Delivery::Never);
    let late = old(Trouble::Late(Duration::from_secs(3)));
    assert_eq!((code(&parsed(&late)), late.delivery), (0, Delivery::Late(Duration::from_secs(3))));
    assert_eq!(code(&parsed(&old(Trouble::Crowd(Duration::from_secs(9))))), 90002);
    stage.clock.advance(Duration::from_secs(9));
    let banned = old(Trouble::Ban(Duration::from_secs(300)));
    stage.api.heal();
    assert_eq!(banned.status, 200);
    let still = stage.call_with("any", Interface::UserGet, &[], &body);
    assert!(!String::from_utf8_lossy(&still.body).contains("40014"), "the gate does not even look at the token");
}

#[test]
fn a_read_of_the_failed_list_that_is_cut_has_removed_its_page() {
    let stage = Stage::new();
    let events = stage.happens(|company| {
        let hire = |_number| company.hire(NewMember::in_departments(&[1])).expect("legal").1;
        (0..5).flat_map(hire).collect::<Vec<_>>()
    });
    for event in &events {
        stage.failed.park(event, stage.now_ms());
    }
    stage.api.fail(Fault::new(Trouble::CutAfter).on(Interface::FailedPushes).times(1));
    assert_eq!(ask(&stage, Interface::FailedPushes, &Value::Null).delivery, Delivery::Cut);
    let pages: Vec<Value> = (0..3).map(|_read| parsed(&ask(&stage, Interface::FailedPushes, &Value::Null))).collect();
    let sizes: Vec<(usize, bool)> = pages
        .iter()
        .map(|page| (page["failed_list"].as_array().expect("a list").len(), page["has_more"] == json!(true)))
        .collect();
    assert_eq!(sizes, [(2, true), (1, false), (0, false)]);
    assert_eq!((code(&pages[0]), pages[0]["errmsg"].as_str()), (0, Some("ok")));
    assert_eq!(pages[0]["failed_list"][0]["call_back_tag"], "user_add_org");
    assert_eq!(stage.api.used("2026-09"), 0, "it is not counted");
}

#[test]
fn a_share_of_the_calls_may_find_the_platform_busy_the_same_one_with_the_same_seed() {
    let codes = || -> Vec<i64> {
        let stage = Stage::new().with(|options| {
            options.busy_share = 0.3;
            options.limits = Limits::none();
        });
        (0..40).map(|_call| stage.refusal(Interface::DepartmentGet, &json!({ "dept_id": 1 }))).collect()
    };
    let first = codes();
    assert!(first.contains(&0) && first.contains(&-1));
    assert_eq!(first, codes());
}

#[test]
fn the_journal_tells_what_was_asked_about() {
    let stage = Stage::new();
    let [first, second] = stage.people.clone();
    ask(&stage, Interface::AttendanceDay, &json!({ "userid": first, "work_date": "2026-09-21 00:00:00" }));
    let batch = json!({
        "userIdList": [first, second],
        "workDateFrom": MONDAY,
        "workDateTo": "2026-09-22",
        "offset": 0,
        "limit": 50,
    });
    ask(&stage, Interface::AttendanceResults, &batch);
    let records = stage.api.records();
    let about: Vec<&About> = records.iter().filter_map(|record| record.about.as_ref()).collect();
    let members =
        About::Members { members: vec![first.clone(), second], from: MONDAY.to_owned(), to: "2026-09-22".to_owned() };
    assert_eq!(about, [&About::day(&first, MONDAY), &members]);
    let asked: Vec<_> = records.iter().filter(|record| record.counted).map(|record| record.interface).collect();
    assert_eq!(asked, [Interface::AttendanceDay, Interface::AttendanceResults]);
    assert!(
        records.iter().all(|record| record.client_id.as_deref() == Some(CLIENT) && record.outcome == Outcome::Good)
    );
    assert_eq!(stage.api.tally(Interface::AttendanceDay).highest_per_minute, 1);
}
