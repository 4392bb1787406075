//! Attendance as the platform tells it: what is asked, and how pages are followed.

use common::{Field, UnixMillis};
use dingtalk::api::{records_of_day, records_of_punches, records_of_results};
use serde_json::{Value, json};

use super::{DAY, NOW, Reply, World, ids};

const LIST: &str = "attendance/list";

/// The start of 2026-09-21 in China.
const MIDNIGHT: i64 = 1_789_920_000_000;

fn result_of(member: &str, plan: usize) -> Value {
    json!({"userId": member, "workDate": MIDNIGHT, "planId": plan, "checkType": "OnDuty", "timeResult": "Normal",
           "userCheckTime": MIDNIGHT + 1, "sourceType": "USER"})
}

/// A page of older interfaces that have no `result`.
fn page(rows: &[Value], has_more: bool) -> Reply {
    Reply::json(json!({"errcode": 0, "errmsg": "ok", "hasMore": has_more, "recordresult": rows}).to_string())
}

#[tokio::test]
async fn a_day_is_one_call() {
    let world = World::new(|_| {
        Reply::result(
            r#"{"userid":"U1","work_date":"2026-09-21 00:00:00","attendance_result_list":[{"plan_id":5001,
                "check_type":"OnDuty"}],"check_record_list":[{"record_id":7,"user_check_time":"2026-09-21 08:57:10"}],
                "approve_list":[{"procInst_id":"P-1","tag_name":"请假"}]}"#,
        )
    })
    .await;
    let day = world.client.attendance_day("u1", "2026-09-21").await.unwrap().value;
    let records: Vec<String> = records_of_day(&day).into_iter().map(|(id, _)| id).collect();
    assert_eq!(records, ["u1/2026-09-21/leave/P-1", "u1/2026-09-21/punch/7", "u1/2026-09-21/result/5001"]);
    let asked = world.server.asked_for(DAY);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].json(), json!({"userid": "u1", "work_date": "2026-09-21 00:00:00"}));
    assert_eq!(world.client.attendance_day("u2", "2026-09-21").await.unwrap_err().label(), "incomplete");
}

#[tokio::test]
async fn nobody_is_unknown_to_attendance() {
    let world =
        World::new(|_| Reply::result(r#"{"attendance_result_list":[],"check_record_list":[],"approve_list":[]}"#))
            .await;
    let day = world.client.attendance_day("nobody", "2026-09-21").await.unwrap().value;
    assert!(records_of_day(&day).is_empty());
}

#[tokio::test]
async fn results_of_many_are_followed_page_by_page() {
    let world = World::new(|asked| {
        let body = asked.json();
        let offset = usize::try_from(body["offset"].as_u64().unwrap()).unwrap();
        assert_eq!((body["limit"].as_u64(), body["isI18n"].as_bool()), (Some(50), Some(false)));
        let last = (offset + 50).min(120);
        let rows: Vec<Value> = (offset..last).map(|plan| result_of("u1", plan + 1)).collect();
        page(&rows, last < 120)
    })
    .await;
    let rows = world.client.attendance_results(&ids(&["u1", "u2"]), "2026-09-21", "2026-09-27").await.unwrap().value;
    assert_eq!(rows.len(), 120);
    assert_eq!(records_of_results(&rows).len(), 120);
    let asked = world.server.asked_for(LIST);
    let offsets: Vec<u64> = asked.iter().map(|asked| asked.json()["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [0, 50, 100]);
    let first = asked[0].json();
    assert_eq!(
        (&first["workDateFrom"], &first["workDateTo"]),
        (&json!("2026-09-21 00:00:00"), &json!("2026-09-27 00:00:00"))
    );
    assert_eq!(first["userIdList"], json!(["u1", "u2"]));
    assert_eq!(world.meter.used.lock().unwrap().as_slice(), [LIST; 3]);
}

#[tokio::test]
async fn a_list_that_goes_in_circles_or_is_not_whole_is_no_answer() {
    let empty = World::new(|_| page(&[], true)).await;
    let error = empty.client.attendance_results(&ids(&["u1"]), "2026-09-21", "2026-09-21").await.unwrap_err();
    assert_eq!((error.label(), empty.server.count(LIST)), ("incomplete", 1));
    let endless = World::new(|_| page(&[result_of("u1", 1)], true)).await;
    let error = endless.client.attendance_results(&ids(&["u1"]), "2026-09-21", "2026-09-21").await.unwrap_err();
    assert_eq!((error.label(), endless.server.count(LIST)), ("incomplete", 280));
    for odd in
        [json!({}), json!({"userId": "u1", "workDate": MIDNIGHT}), json!({"userId": "u1", "planId": 1}), json!(7)]
    {
        let world = World::new(move |_| page(&[result_of("u1", 1), odd.clone()], false)).await;
        let error = world.client.attendance_results(&ids(&["u1"]), "2026-09-21", "2026-09-21").await.unwrap_err();
        assert_eq!((error.label(), error.is_outage()), ("incomplete", false));
    }
}

#[tokio::test]
async fn punches_are_asked_for_from_midnight_to_midnight() {
    let world = World::new(|_| {
        page(&[json!({"id": 7, "userId": "u1", "userCheckTime": MIDNIGHT, "sourceType": "APPROVE"})], false)
    })
    .await;
    let rows = world.client.attendance_punches(&ids(&["u1"]), "2026-09-21", "2026-09-22").await.unwrap().value;
    let records = records_of_punches(&rows);
    assert_eq!(records[0].0, "u1/2026-09-21/makeup/7");
    assert_eq!(records[0].1.number(Field::CheckedAt), Some(MIDNIGHT));
    let asked = world.server.asked_for("attendance/listRecord").remove(0).json();
    let range = json!({"checkDateFrom": "2026-09-21 00:00:00", "checkDateTo": "2026-09-22 23:59:59", "userIds": ["u1"],
                       "isI18n": false});
    assert_eq!(asked, range);
}

#[tokio::test]
async fn nothing_at_all_is_an_empty_list() {
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"errmsg":"ok"}"#)).await;
    let nobody = ids(&["u1"]);
    assert!(world.client.attendance_results(&nobody, "2026-09-21", "2026-09-21").await.unwrap().value.is_empty());
    assert!(world.client.attendance_punches(&nobody, "2026-09-21", "2026-09-21").await.unwrap().value.is_empty());
}

#[tokio::test]
async fn leaves_are_followed_page_by_page() {
    let world = World::new(|asked| {
        let offset = asked.json()["offset"].as_u64().unwrap();
        let leave = |number: u64| {
            json!({"userid": "u1", "leave_code": "lc", "start_time": MIDNIGHT, "end_time": "1789952400000",
                   "duration_percent": number, "duration_unit": "percent_day"})
        };
        let rows: Vec<Value> = (offset..(offset + 20).min(30)).map(leave).collect();
        Reply::result(&json!({"has_more": offset == 0, "leave_status": rows}).to_string())
    })
    .await;
    let leaves = world.client.leave_status(&ids(&["u1", "u2"]), NOW, NOW.plus_seconds(60)).await.unwrap().value;
    assert_eq!((leaves.len(), leaves[29].duration_percent), (30, Some(29)));
    assert_eq!((leaves[0].from, leaves[0].to), (UnixMillis(MIDNIGHT), UnixMillis(1_789_952_400_000)));
    let asked = world.server.asked_for("topapi/attendance/getleavestatus").remove(1).json();
    let expected =
        json!({"userid_list": "u1,u2", "start_time": NOW.0, "end_time": NOW.0 + 60_000, "offset": 20, "size": 20});
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn columns_of_the_report_and_what_stands_in_those_of_leave() {
    let world = World::new(|asked| {
        Reply::result(match &*asked.api {
            "topapi/attendance/getattcolumns" => {
                r#"{"columns":[{"id":10001,"name":"出勤天数","alias":"attend_days","type":0,"status":0},
                    {"name":"年假","alias":"leave_"},{"id":1}]}"#
            }
            _ => {
                r#"{"columns":[{"columnvo":{"name":"年假","alias":"leave_"},"columnvals":[
                    {"date":"2026-09-21 00:00:00","value":"1.0"},{"date":"2026-09-22 00:00:00","value":""}]},
                    {"columnvo":{"name":"事假"}}]}"#
            }
        })
    })
    .await;
    let columns = world.client.report_columns().await.unwrap().value;
    let told: Vec<_> = columns.rows.iter().map(|column| (column.name.as_str(), column.is_leave())).collect();
    assert_eq!((told, columns.unreadable), (vec![("出勤天数", false), ("年假", true)], 1));
    let names = ids(&["年假", "事假"]);
    let times = world.client.leave_times("u1", &names, "2026-09-01", "2026-09-30").await.unwrap().value;
    assert_eq!(times[0].values, [("2026-09-21".to_owned(), "1.0".to_owned())]);
    assert_eq!((times[1].name.as_str(), times[1].values.len()), ("事假", 0));
    let asked = world.server.asked_for("topapi/attendance/getleavetimebynames").remove(0).json();
    let expected = json!({"userid": "u1", "leave_names": "年假,事假", "from_date": "2026-09-01 00:00:00",
                          "to_date": "2026-09-30 00:00:00"});
    assert_eq!(asked, expected);
}
