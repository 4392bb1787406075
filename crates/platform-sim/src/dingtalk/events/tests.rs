use super::*;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn user_added() -> Event {
    let data = json!({"timeStamp": "1790000000100", "userId": ["user0001"]});
    Event::new(1, 7, "ding0000test0000corp", "user_add_org", 1_790_000_000_123, data)
}

fn finished() -> Event {
    let data = json!({"processInstanceId": "P1", "processCode": "PROC-1", "bizCategoryId": "attendance.supply",
        "type": "finish", "result": "agree", "createTime": 1_789_999_000_000_i64, "staffId": "user0001"});
    Event::new(1, 8, "ding0000test0000corp", "bpms_instance_change", 1_790_000_000_123, data)
}

#[test]
fn the_three_shapes_tell_of_the_same_fact_in_different_words() {
    let event = user_added();
    assert_eq!(event.id.len(), 32);
    let stream = parse(&event.stream_data());
    assert_eq!(stream, json!({"eventId": event.id, "timeStamp": "1790000000100", "userId": ["user0001"]}));
    let current = parse(&event.http_text(Dialect::Current));
    assert_eq!(current["EventTime"], json!(1_790_000_000_123_i64));
    assert_eq!((&current["eventId"], &current["userId"]), (&json!(event.id), &json!(["user0001"])));
    let old = json!({"CorpId": "ding0000test0000corp", "EventType": "user_add_org", "UserId": ["user0001"],
        "TimeStamp": "1790000000100"});
    assert_eq!(parse(&event.http_text(Dialect::Old)), old);
    let failed = json!({"call_back_tag": "user_add_org", "event_time": 1_790_000_000_123_i64,
        "user_add_org": {"corpid": "ding0000test0000corp", "userid": ["user0001"]}});
    assert_eq!(event.failed_entry(), failed);
}

#[test]
fn approvals_have_their_own_words() {
    let event = finished();
    let resource = "/v1.0/event/bpms_instance_change/bizCategoryId/attendance.supply/processCode/PROC-1/type/finish";
    assert_eq!(parse(&event.stream_data())["resource"], json!(resource));
    let old = parse(&event.http_text(Dialect::Old));
    assert_eq!(old["corpId"], json!("ding0000test0000corp"));
    assert!(old.get("TimeStamp").is_none() && old.get("eventId").is_none() && old.get("CorpId").is_none());
    let failed = event.failed_entry();
    assert_eq!(failed["bpms_instance_change"]["bpmsCallBackData"]["result"], json!("agree"));
    assert!(!failed.to_string().contains(&event.id), "the failed list shows no event id");
}

#[test]
fn contacts_are_free_and_attendance_and_approvals_count() {
    let of = |kind: &str| Event::new(1, 1, "c", kind, 0, json!({}));
    assert!(!of("user_leave_org").is_counted());
    assert!(!of("org_dept_create").is_counted());
    assert!(!of("org_admin_add").is_counted());
    assert!(!of("label_user_change").is_counted());
    assert!(finished().is_counted());
    assert!(of("attendance_check_record").is_counted());
    assert!(of("attend_bossCheck_change").is_counted());
}

#[test]
fn a_repeat_is_equal_byte_for_byte_and_another_event_has_another_id() {
    assert_eq!(user_added().http_text(Dialect::Old), user_added().http_text(Dialect::Old));
    assert_ne!(user_added().id, finished().id);
}
