use common::{Field, Fields, UnixMillis};

use super::*;

const DATE: &str = "2026-09-21";

fn at(text: &str) -> UnixMillis {
    china_time::moment(text).unwrap()
}

fn day(result: &Value) -> Option<Day> {
    serde_json::from_value::<ToldDay>(result.clone()).unwrap().into_day("User0001", DATE)
}

/// The official sample (reference dingtalk 4.3).
fn sample() -> Value {
    json!({
        "corpId": "ding0000test0000corp", "userid": "user0001", "work_date": "2026-09-21 00:00:00",
        "attendance_result_list": [
            {"record_id": 1001, "source_type": "USER", "plan_check_time": "2026-09-21 09:00:00",
             "user_check_time": "2026-09-21 08:57:10", "check_type": "OnDuty", "time_result": "Normal",
             "location_result": "Normal", "location_method": "MAP", "class_id": 9001, "plan_id": 5001,
             "group_id": 8001, "user_address": "杭州市测试路1号"},
            {"source_type": "SYSTEM", "plan_check_time": "2026-09-21 18:00:00", "check_type": "OffDuty",
             "time_result": "NotSigned", "location_result": "NotSigned", "class_id": 9001, "plan_id": 5002,
             "group_id": 8001}],
        "check_record_list": [
            {"record_id": 1001, "source_type": "USER", "user_check_time": "2026-09-21 08:57:10", "valid_matched": true,
             "user_accuracy": "15.0", "user_longitude": "120.01", "user_latitude": "30.28"}],
        "approve_list": [],
        "class_setting_info": {"rest_time_vo_list":
            [{"rest_begin_time": 1_789_963_200_000_i64, "rest_end_time": 1_789_966_800_000_i64}]}
    })
}

/// The same results, as `/attendance/list` tells them.
fn sample_in_batch() -> Vec<Value> {
    vec![
        json!({"id": 1, "userId": "user0001", "workDate": at(DATE).0, "groupId": 8001, "planId": "5001",
               "recordId": 1001, "checkType": "OnDuty", "timeResult": "Normal", "locationResult": "Normal",
               "sourceType": "USER", "baseCheckTime": at("2026-09-21 09:00").0,
               "userCheckTime": at("2026-09-21 08:57:10").0}),
        json!({"id": 2, "userId": "user0001", "workDate": at(DATE).0, "groupId": 8001, "planId": 5002,
               "checkType": "OffDuty", "timeResult": "NotSigned", "locationResult": "NotSigned",
               "sourceType": "SYSTEM", "baseCheckTime": at("2026-09-21 18:00").0.to_string(),
               "userCheckTime": at("2026-09-21 18:00").0}),
    ]
}

fn listed(rows: Vec<Value>) -> Vec<ResultRow> {
    let told = Listed { has_more: None, recordresult: Some(Value::Array(rows)) };
    told.rows(|row| ResultRow::of_list(&row)).unwrap()
}

fn record(kind: &str) -> Fields {
    Fields::new().with(Field::Member, "User0001").with(Field::WorkDate, DATE).with(Field::RecordKind, kind)
}

fn ids(records: &[(String, Fields)]) -> Vec<&str> {
    records.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn each_row_of_a_day_is_one_record() {
    let records = records_of_day(&day(&sample()).unwrap());
    let punch = record("punch")
        .with(Field::CheckedAt, at("2026-09-21 08:57:10").0)
        .with(Field::Source, "USER")
        .with(Field::Details, r#"{"record_id":"1001"}"#);
    let came = record("result")
        .with(Field::CheckType, "OnDuty")
        .with(Field::PlannedAt, at("2026-09-21 09:00").0)
        .with(Field::CheckedAt, at("2026-09-21 08:57:10").0)
        .with(Field::Outcome, "Normal")
        .with(Field::Source, "USER")
        .with(Field::Details, r#"{"group_id":"8001","location_result":"Normal","plan_id":"5001","record_id":"1001"}"#);
    let left = record("result")
        .with(Field::CheckType, "OffDuty")
        .with(Field::PlannedAt, at("2026-09-21 18:00").0)
        .with(Field::CheckedAt, "")
        .with(Field::Outcome, "NotSigned")
        .with(Field::Source, "SYSTEM")
        .with(Field::Details, r#"{"group_id":"8001","location_result":"NotSigned","plan_id":"5002"}"#);
    let expected = [
        ("user0001/2026-09-21/punch/1001", punch),
        ("user0001/2026-09-21/result/5001", came),
        ("user0001/2026-09-21/result/5002", left),
    ];
    assert_eq!(records, expected.map(|(id, fields)| (id.to_owned(), fields)));
}

#[test]
fn a_result_is_the_same_record_whichever_interface_tells_it() {
    let mut rows = day(&sample()).unwrap().results;
    for row in &mut rows {
        row.member = "user0001".into();
    }
    assert_eq!(listed(sample_in_batch()), rows);
    let by_batch = records_of_results(&listed(sample_in_batch()));
    assert_eq!(by_batch, records_of_results(&rows));
}

#[test]
fn a_punch_of_the_night_counts_to_the_day_that_is_told_or_else_to_its_own() {
    let night = at("2026-09-22 05:58");
    let told = json!({"id": 7, "userId": "user0001", "workDate": at(DATE).0, "userCheckTime": night.0});
    let punch = |row: &Value| PunchRow::of_list(row.as_object().unwrap()).unwrap();
    assert_eq!(punch(&told).date, DATE);
    let untold = json!({"id": 7, "userId": "user0001", "userCheckTime": night.0.to_string(), "isLegal": "N",
                        "invalidRecordType": "Security", "invalidRecordMsg": "x"});
    let records = records_of_punches(&[punch(&untold)]);
    assert_eq!(ids(&records), ["user0001/2026-09-22/punch/7"]);
    let details = r#"{"invalid_record_type":"Security","record_id":"7"}"#;
    assert_eq!(records[0].1.text(Field::Details), Some(details));
}

#[test]
fn a_punch_that_an_approval_made_is_a_makeup() {
    let mut told = sample();
    told["check_record_list"] = json!([
        {"record_id": 1002, "source_type": "APPROVE", "user_check_time": "2026-09-21 18:00:00"},
        {"source_type": "ATM", "user_check_time": "2026-09-21 18:01:00"}
    ]);
    told["attendance_result_list"] = json!([]);
    let without_id = format!("user0001/2026-09-21/punch/{}", at("2026-09-21 18:01").0);
    assert_eq!(ids(&records_of_day(&day(&told).unwrap())), ["user0001/2026-09-21/makeup/1002", without_id.as_str()]);
}

#[test]
fn what_covers_a_day_is_told_whole_and_named_after_its_approval() {
    let mut told = sample();
    let leave = json!({"procInst_id": "P-1", "biz_type": 3, "tag_name": "请假", "sub_type": "年假", "duration": "1.0",
        "duration_unit": "DAY", "begin_time": "2026-09-21 09:00:00", "end_time": "2026-09-21 18:00:00",
        "gmt_finished": null});
    told["approve_list"] = json!([
        leave,
        {"procInst_id": "P-2", "biz_type": "2", "tag_name": "出差"},
        {"procInst_id": "P-3", "biz_type": 2},
        {"procInst_id": "P-4", "biz_type": 1, "tag_name": "overtime"},
        {"biz_type": 3, "begin_time": "2026-09-21 13:00:00"},
        {"procInst_id": "P-5", "tag_name": "别的"}
    ]);
    told["attendance_result_list"] = Value::Null;
    told["check_record_list"] = Value::Null;
    let records = records_of_day(&day(&told).unwrap());
    let without_id = format!("user0001/2026-09-21/leave/{}", at("2026-09-21 13:00").0);
    let expected = [
        without_id.as_str(),
        "user0001/2026-09-21/leave/P-1",
        "user0001/2026-09-21/outing/P-3",
        "user0001/2026-09-21/overtime/P-4",
        "user0001/2026-09-21/trip/P-2",
    ];
    assert_eq!(ids(&records), expected);
    let details = concat!(
        r#"{"begin_time":"2026-09-21 09:00:00","biz_type":3,"duration":"1.0","duration_unit":"DAY","#,
        r#""end_time":"2026-09-21 18:00:00","procInst_id":"P-1","sub_type":"年假","tag_name":"请假"}"#,
    );
    assert_eq!(records[1].1, record("leave").with(Field::Details, details));
}

#[test]
fn rows_with_one_key_are_numbered_by_their_times_and_the_same_row_twice_is_one() {
    let mut told = sample();
    let row = |planned: &str| json!({"check_type": "OnDuty", "time_result": "Normal", "plan_check_time": planned});
    for order in [["13:00", "09:00", "09:00"], ["09:00", "13:00", "09:00"]] {
        told["attendance_result_list"] = order.map(|time| row(&format!("{DATE} {time}:00"))).to_vec().into();
        let records = records_of_day(&day(&told).unwrap());
        let planned: Vec<_> =
            records.iter().filter_map(|(id, fields)| Some((id.as_str(), fields.number(Field::PlannedAt)?))).collect();
        let expected = [
            ("user0001/2026-09-21/result/OnDuty", at("2026-09-21 09:00").0),
            ("user0001/2026-09-21/result/OnDuty-2", at("2026-09-21 13:00").0),
        ];
        assert_eq!(planned, expected);
    }
}

#[test]
fn an_empty_day_is_a_day_and_one_that_cannot_be_read_is_none() {
    let empty = Day {
        member: "User0001".into(),
        date: DATE.into(),
        results: Vec::new(),
        punches: Vec::new(),
        approvals: Vec::new(),
    };
    for told in [json!({}), json!({"userid": "user0001", "attendance_result_list": [], "approve_list": null})] {
        assert_eq!(day(&told).as_ref(), Some(&empty), "{told}");
    }
    for odd in [
        json!({"userid": "user0002"}),
        json!({"work_date": "2026-09-22 00:00:00"}),
        json!({"work_date": "soon"}),
        json!({"attendance_result_list": "x"}),
        json!({"attendance_result_list": [{"time_result": "Normal"}]}),
        json!({"attendance_result_list": [7]}),
        json!({"check_record_list": [{"record_id": 1}]}),
        json!({"check_record_list": [{"record_id": 1, "user_check_time": "soon"}]}),
        json!({"approve_list": [null]}),
    ] {
        assert_eq!(day(&odd), None, "{odd}");
    }
}
