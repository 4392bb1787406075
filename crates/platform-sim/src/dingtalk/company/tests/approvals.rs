use super::*;

const DAY: &str = "2026-09-21";

fn leave(begin: &str, end: &str) -> Matter {
    Matter::Leave { leave_type: "年假".to_owned(), begin_ms: at(begin), end_ms: at(end) }
}

fn makeup(time: &str) -> Matter {
    Matter::Makeup { work_date: DAY.to_owned(), at_ms: at(&format!("{DAY} {time}")) }
}

fn agreed(company: &mut Company, matter: Matter) -> (String, Vec<Event>) {
    let (id, _events) = company.start_approval("user0002", matter).expect("it starts");
    let events = company.decide(&id, Verdict::Agree).expect("it is decided");
    (id, events)
}

fn covers(company: &Company, date: &str) -> Vec<CoverKind> {
    company.day("user0002", date).into_iter().flat_map(Day::covers).map(|cover| cover.kind).collect()
}

#[test]
fn an_approval_of_leave_raises_events_of_both_kinds_and_covers_its_days() {
    let mut company = company();
    let (id, events) = company.start_approval("user0002", leave("2026-09-22 00:00", "2026-09-24 00:00")).expect("it");
    assert_eq!(kinds(&events), ["bpms_instance_change", "attendance_approve_status_change", "bpms_task_change"]);
    assert_eq!(events[1].data["status"], json!("start"));
    assert_eq!(events[0].data.get("finishTime"), None);
    assert!(covers(&company, "2026-09-22").is_empty());
    let events = company.decide(&id, Verdict::Agree).expect("it is decided");
    assert_eq!(kinds(&events), ["bpms_task_change", "bpms_instance_change", "attendance_approve_status_change"]);
    assert_eq!((&events[1].data["type"], &events[1].data["result"]), (&json!("finish"), &json!("agree")));
    assert_eq!(covers(&company, "2026-09-22"), [CoverKind::Leave]);
    assert_eq!(covers(&company, "2026-09-23"), [CoverKind::Leave]);
    assert!(covers(&company, "2026-09-24").is_empty());
    assert_eq!(company.decide(&id, Verdict::Agree), Err(Illegal::NotRunning(id.clone())));
    assert!(company.instance(&id).expect("it").is_agreed());
}

#[test]
fn a_refusal_is_finish_too_and_changes_nothing() {
    let mut company = company();
    let (id, _events) = company.start_approval("user0002", leave("2026-09-22", "2026-09-23")).expect("it starts");
    let events = company.decide(&id, Verdict::Refuse).expect("it is decided");
    assert_eq!((&events[1].data["type"], &events[1].data["result"]), (&json!("finish"), &json!("refuse")));
    assert_eq!(events[2].data["status"], json!("finish"));
    assert!(covers(&company, "2026-09-22").is_empty());
}

#[test]
fn a_withdrawn_approval_has_no_result() {
    let mut company = company();
    let (id, _events) = company.start_approval("user0002", Matter::Other).expect("it starts");
    let events = company.terminate(&id).expect("it is withdrawn");
    assert_eq!(kinds(&events), ["bpms_instance_change", "bpms_task_change"]);
    assert_eq!((events[0].data.get("result"), &events[1].data["type"]), (None, &json!("cancel")));
}

#[test]
fn tasks_are_redirected_and_commented_on() {
    let mut company = company();
    let (id, _events) = company.start_approval("user0002", Matter::Other).expect("it starts");
    let events = company.redirect(&id, "user0009").expect("it is handed over");
    assert_eq!((&events[0].data["result"], &events[1].data["staffId"]), (&json!("redirect"), &json!("user0009")));
    let events = company.comment(&id, "user0005", "请附发票").expect("it is commented on");
    assert_eq!((&events[0].data["type"], &events[0].data["staffId"]), (&json!("comment"), &json!("user0005")));
    company.decide(&id, Verdict::Agree).expect("it is decided");
    let instance = company.instance(&id).expect("it");
    let states: Vec<_> = instance.tasks.iter().map(|task| task.state).collect();
    assert_eq!(states, [TaskState::Redirected, TaskState::Agreed]);
    let done: Vec<_> = instance.operations.iter().map(|operation| operation.kind).collect();
    assert_eq!(done, ["START_PROCESS_INSTANCE", "REDIRECT_TASK", "ADD_REMARK", "EXECUTE_TASK_NORMAL"]);
}

#[test]
fn a_makeup_raises_a_punch_event_only_on_a_planned_working_day() {
    let mut company = company();
    let (_id, events) = agreed(&mut company, makeup("09:00"));
    assert!(!kinds(&events).contains(&"attendance_check_record"), "the day is not planned");
    assert_eq!(company.day("user0002", DAY).expect("a day").punches[0].source, Source::Approve);
    company.schedule("user0002", DAY, &Shift::day()).expect("it is planned");
    let (id, events) = agreed(&mut company, makeup("09:00"));
    let told = events.iter().find(|event| event.kind == "attendance_check_record").expect("a punch event");
    assert_eq!(told.data["dataList"][0]["locationMethod"], json!("OTHER"));
    assert_eq!(told.data["dataList"][0].get("address"), None);
    let day = company.day("user0002", DAY).expect("a day");
    let result = day.results()[0];
    assert_eq!((result.source, result.time_result, &result.instance), (Source::Approve, TimeResult::Normal, &id));
    company.set_holiday(DAY);
    let (_id, events) = agreed(&mut company, makeup("18:00"));
    assert!(!kinds(&events).contains(&"attendance_check_record"), "the day is a holiday");
    assert!(!kinds(&events).contains(&"attendance_approve_status_change"), "makeups have none");
}

#[test]
fn what_was_agreed_to_is_corrected_by_an_attached_instance() {
    let mut company = company();
    let (main, _events) = agreed(&mut company, leave("2026-09-22", "2026-09-23"));
    let (changed, _events) = company.modify(&main, leave("2026-09-23", "2026-09-24")).expect("it starts");
    assert_eq!(covers(&company, "2026-09-22"), [CoverKind::Leave]);
    company.decide(&changed, Verdict::Agree).expect("it is decided");
    assert!(covers(&company, "2026-09-22").is_empty());
    assert_eq!(covers(&company, "2026-09-23"), [CoverKind::Leave]);
    let (revoked, _events) = company.revoke(&changed).expect("it starts");
    company.decide(&revoked, Verdict::Agree).expect("it is decided");
    assert!(covers(&company, "2026-09-23").is_empty());
    let instance = company.instance(&main).expect("it");
    assert!(instance.is_agreed());
    assert_eq!(instance.attached, [changed, revoked.clone()]);
    assert_eq!(company.instance(&revoked).expect("it").main, Some(main));
}

#[test]
fn a_makeup_that_is_taken_back_leaves_the_result_before_it() {
    let mut company = company();
    company.schedule("user0002", DAY, &Shift::day()).expect("it is planned");
    company.punch("user0002", at("2026-09-21 09:20")).expect("it punches");
    let (id, _events) = agreed(&mut company, makeup("09:00"));
    let (revoked, _events) = company.revoke(&id).expect("it starts");
    company.decide(&revoked, Verdict::Agree).expect("it is decided");
    let day = company.day("user0002", DAY).expect("a day");
    assert_eq!((day.results()[0].time_result, day.results()[0].source), (TimeResult::Late, Source::User));
    assert!(day.punches.iter().all(|punch| punch.instance.is_empty()));
}

#[test]
fn overtime_is_of_its_workers_and_not_of_who_asks() {
    let mut company = company();
    let workers = vec!["user0004".to_owned(), "user0005".to_owned()];
    let (begin_ms, end_ms) = (at("2026-09-21 18:00"), at("2026-09-21 21:00"));
    let (id, _events) = agreed(&mut company, Matter::Overtime { workers, begin_ms, end_ms });
    assert!(company.day("user0002", DAY).is_none());
    let cover = company.day("user0005", DAY).expect("a day").covers().next().expect("a cover");
    assert_eq!((cover.duration.as_str(), cover.duration_unit, &cover.instance), ("3.0", "HOUR", &id));
    let suite = &company.instance(&id).expect("it").form[0];
    let children: Value = serde_json::from_str(&suite.value).expect("JSON");
    assert_eq!(children[0]["props"]["bizAlias"], json!("partner"));
    assert!(children[0]["extValue"].as_str().expect("a text").contains("user0005"));
}

#[test]
fn the_form_of_a_makeup_is_that_of_the_reference() {
    let mut company = company();
    company.schedule("user0002", DAY, &Shift::night()).expect("it is planned");
    let at_ms = at("2026-09-22 06:00");
    let (id, _events) = agreed(&mut company, Matter::Makeup { work_date: DAY.to_owned(), at_ms });
    let form = &company.instance(&id).expect("it").form;
    assert_eq!((form[0].value.as_str(), form[2].name.as_str()), ("2026-09-22 06:00", "repairCheckTime"));
    assert_eq!(form[2].value, at_ms.to_string());
    let ext: Value = serde_json::from_str(&form[0].ext_value).expect("JSON");
    assert_eq!((&ext["workDate"], &ext["userCheckTime"]), (&json!(at("2026-09-21")), &json!(at_ms)));
    assert!(ext["planId"].is_i64());
}

#[test]
fn what_is_deleted_is_known_no_more_and_covers_nothing() {
    let mut company = company();
    let (id, _events) = agreed(&mut company, leave("2026-09-22", "2026-09-23"));
    let events = company.delete(&id).expect("it is deleted");
    assert_eq!(kinds(&events), ["bpms_instance_change", "attendance_approve_status_change"]);
    assert_eq!(events[0].data["type"], json!("delete"));
    assert!(covers(&company, "2026-09-22").is_empty());
    assert_eq!(company.delete(&id), Err(Illegal::UnknownInstance(id)));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut company = company();
    let backwards = leave("2026-09-23", "2026-09-22");
    assert!(matches!(company.start_approval("user0002", backwards), Err(Illegal::Time(_))));
    let unknown = Matter::Leave { leave_type: "长假".to_owned(), begin_ms: 0, end_ms: 1 };
    assert_eq!(company.start_approval("user0002", unknown), Err(Illegal::UnknownLeaveType("长假".to_owned())));
    let (id, _events) = company.start_approval("user0002", Matter::Other).expect("it starts");
    assert_eq!(company.revoke(&id), Err(Illegal::NotAgreed(id)));
}
