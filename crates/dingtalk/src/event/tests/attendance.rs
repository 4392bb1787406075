use common::Field;

use super::*;

const PUNCH: &str = r#"{"eventId":"2bb0","dataList":[{"corpId":"ding0000test0000corp","userId":"user0001","checkTime":1790000400000,"bizId":"FF62AA00","groupId":"4C63AA00","locationMethod":"MAP","locationResult":"Normal","checkByUser":true,"address":"杭州市测试路1号","latitude":30.28,"longitude":120.01}]}"#;
const MAKEUP: &str = r#"{"eventId":"2bb1","dataList":[{"corpId":"ding0000test0000corp","userId":"user0001","checkTime":1789952400000,"bizId":"FF62AA01","groupId":"4C63AA00","locationMethod":"OTHER","locationResult":"Normal","checkByUser":true}]}"#;
const CORRECTED: &str = r#"{"eventId":"2bb3","workDate":"2026-09-21 00:00:00","action":"attend_bossCheck_update","planId":5001,"userId":"user0001"}"#;
const COUNTED: &str = r#"{"eventId":"2bb4","workDate":"2026-09-21","userId":"user0001"}"#;
const OVERTIME: &str = r#"{"eventId":"2bb5","dataList":[{"userid":"user0001","corpId":"ding0000test0000corp","workDate":1789920000000,"overtimeDay":0,"overtimeHour":2.0,"overtimeDayType":"workDay","action":"add","vacationRate":1.0,"workHoursPerDay":8,"workMinutesPerDay":480,"key":"ding0000test0000corp;user0001;20260921","timestamp":1790000455459}]}"#;

fn punch(user: &str, at: &str, biz: &str) -> String {
    let at = UnixMillis::from_rfc3339(at).unwrap().0;
    json!({ "eventId": "e", "dataList": [{ "userId": user, "checkTime": at, "bizId": biz }] }).to_string()
}

#[test]
fn each_asks_for_the_day_and_is_passed_on() {
    for (name, data, status) in [
        ("attendance_check_record", PUNCH, None),
        ("attendance_check_record", MAKEUP, None),
        ("attend_bossCheck_change", CORRECTED, Some("amended")),
        ("attend_user_daily_summary_refresh", COUNTED, Some("refreshed")),
        ("attendance_overtime_duration", OVERTIME, Some("amended")),
    ] {
        let events = stream(name, data);
        let callback = format!("callback {name}");
        assert_eq!(in_short(&events), ["attendance_day updated? user0001/2026-09-21", callback.as_str()], "{name}");
        assert_eq!(seen(&events[0]).unwrap().at, BORN);
        let fields = seen(&events[0]).unwrap().what.fields().unwrap();
        assert_eq!((fields.text(Field::Member), fields.text(Field::Status)), (Some("user0001"), status), "{name}");
    }
}

#[test]
fn a_punch_before_six_may_be_of_the_evening_before() {
    let days = |at: &str| {
        let events = stream("attendance_check_record", &punch("User0001", at, "b"));
        events.iter().filter_map(seen).map(|seen| seen.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(days("2026-09-20T21:59:59Z"), ["user0001/2026-09-20", "user0001/2026-09-21"]);
    assert_eq!(days("2026-09-20T22:00:00Z"), ["user0001/2026-09-21"]);
    assert_eq!(days("2026-09-20T15:59:59Z"), ["user0001/2026-09-20"]);
    assert_eq!(days("2026-09-30T16:00:00Z"), ["user0001/2026-09-30", "user0001/2026-10-01"]);
}

#[test]
fn a_list_of_punches_becomes_a_hint_for_each_day() {
    let item = |user: &str, at: i64, biz: &str| json!({ "userId": user, "checkTime": at, "bizId": biz });
    let list = |items: &[Value]| json!({ "eventId": "e", "dataList": items }).to_string();
    let (one, two) = (item("u1", 1_789_952_400_000, "b1"), item("u1", 1_789_956_000_000, "b2"));
    let other = item("u2", 1_789_952_400_000, "b3");
    let useless = json!({ "userId": "u/3", "checkTime": 1_789_952_400_000_i64 });
    let events = stream("attendance_check_record", &list(&[one.clone(), other.clone(), useless, two.clone()]));
    let callback = "callback attendance_check_record";
    let expected = ["attendance_day updated? u1/2026-09-21", "attendance_day updated? u2/2026-09-21", callback];
    assert_eq!(in_short(&events), expected);
    let turned = stream("attendance_check_record", &list(&[two, other, one]));
    assert_eq!(contents(&turned), contents(&events));
}

#[test]
fn two_punches_of_one_second_are_two_and_one_that_is_read_again_is_the_same() {
    let key = |data: &str| stream("attendance_check_record", data).pop().unwrap().keys.content;
    let at = "2026-09-21T01:00:00Z";
    assert_ne!(key(&punch("u1", at, "b1")), key(&punch("u1", at, "b2")));
    assert_ne!(key(&punch("u1", at, "")), key(&punch("u2", at, "")));
    assert_ne!(key(&punch("u1", at, "")), key(&punch("u1", "2026-09-21T01:00:00.001Z", "")));
    let replayed = PUNCH.replace("\"checkByUser\":true", "\"checkByUser\":false");
    assert_eq!(key(&replayed), key(PUNCH));
    let (user, system) = (PUNCH.replace("bizId", "x"), replayed.replace("bizId", "x"));
    assert_ne!(key(&user), key(&system));
}

#[test]
fn a_correction_may_be_made_again() {
    let at = |born: &str| {
        let text = push("attend_bossCheck_change", CORRECTED).replace("1790000000123", born);
        http(&text).pop().unwrap().keys.content
    };
    assert_ne!(at("1790000000123"), at("1790000000124"));
    let other_plan = CORRECTED.replace("5001", "5002");
    let other = stream("attend_bossCheck_change", &other_plan);
    let contents = contents(&other).iter().map(|content| (*content).to_owned()).collect::<Vec<_>>();
    assert!(!contents.contains(&at("1790000000123")));
}

#[test]
fn groups_shifts_leave_types_and_the_like_are_passed_on() {
    for (name, data) in [
        (
            "attend_group_change",
            r#"{"eventId":"2bb6","corpid":"ding0000test0000corp","name":"白班组","action":"attend_group_update","id":8001}"#,
        ),
        (
            "attend_shift_change",
            r#"{"eventId":"2bb7","corpid":"ding0000test0000corp","name":"早班","action":"attend_shift_update","id":"9001"}"#,
        ),
        (
            "leave_rule_change",
            r#"{"eventId":"2bb8","corpId":"ding0000test0000corp","leaveCodes":["lc-0001"],"action":"add"}"#,
        ),
        (
            "leave_quota_update",
            r#"{"eventId":"2bb9","leaveCode":"lc-0001","opUserId":"manager0001","userId":"user0001","updateType":"ADD"}"#,
        ),
        (
            "attendance_report_column_change",
            r#"{"eventId":"2bba","corpId":"ding0000test0000corp","columnId":"10001","type":"ADD"}"#,
        ),
        (
            "attendance_schedule_change",
            r#"{"DataList":[{"userIds":["user0001"],"workDateBegin":1789920000000,"type":"modify"}]}"#,
        ),
        ("check_in", r#"{"TimeStamp":"1790000000100","StaffId":"user0001"}"#),
        ("attendance_check_record", r#"{"dataList":[{"userId":"user0001"}]}"#),
    ] {
        assert_eq!(in_short(&stream(name, data)), [format!("callback {name}")]);
        let (stream, http) = (stream(name, data), http(&push(name, data)));
        assert_eq!(contents(&stream), contents(&http), "{name}");
    }
}

#[test]
fn who_does_not_want_attendance_has_it_passed_on_only() {
    let wanted = Wanted { attendance: false, ..Wanted::ALL };
    let text = push("attendance_check_record", PUNCH);
    let events = normalise_http(&tenant(), CORP, &text, NOW, None, wanted).unwrap();
    assert_eq!(in_short(&events), ["callback attendance_check_record"]);
}
