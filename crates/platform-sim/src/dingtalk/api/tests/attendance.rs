//! One member's day, the report, leave and schedules.

use super::*;
use crate::dingtalk::TimeResult;

fn day(stage: &Stage, userid: &str, date: &str) -> Value {
    stage.result(Interface::AttendanceDay, &json!({ "userid": userid, "work_date": date }))
}

/// The first member has a day shift on Monday.
fn scheduled(stage: &Stage) -> Vec<i64> {
    stage.happens(|company| company.schedule(&stage.people[0], MONDAY, &Shift::day())).expect("legal")
}

fn agreed(stage: &Stage, matter: Matter) -> String {
    stage.happens(|company| {
        let (id, _events) = company.start_approval(&stage.people[0], matter).expect("legal");
        company.decide(&id, Verdict::Agree).expect("legal");
        id
    })
}

fn annual_leave() -> Matter {
    let (begin_ms, end_ms) = (at("2026-09-22"), at("2026-09-24"));
    Matter::Leave { leave_type: "年假".to_owned(), begin_ms, end_ms }
}

#[test]
fn a_day_has_its_results_its_punches_and_its_break() {
    let stage = Stage::new();
    let plans = scheduled(&stage);
    stage.happens(|company| company.punch(&stage.people[0], at("2026-09-21 08:57:10"))).expect("legal");
    let answer = stage.ask(Interface::AttendanceDay, &json!({ "userid": stage.people[0], "work_date": MONDAY }));
    assert_eq!((&answer["success"], &answer["errmsg"]), (&json!(true), &json!("ok")));
    let day = &answer["result"];
    assert_eq!(
        (&day["work_date"], &day["corpId"]),
        (&json!("2026-09-21 00:00:00"), &json!(CompanyOptions::default().corp_id))
    );
    let [came, went] = day["attendance_result_list"].as_array().expect("a list").as_slice() else { panic!("{day}") };
    let expected = json!({
        "record_id": 1001, "source_type": "USER", "plan_check_time": "2026-09-21 09:00:00",
        "user_check_time": "2026-09-21 08:57:10", "check_type": "OnDuty", "time_result": "Normal",
        "location_result": "Normal", "location_method": "MAP", "class_id": 9001, "plan_id": plans[0],
        "group_id": 8001, "user_address": "杭州市测试路1号",
    });
    assert_eq!(came, &expected);
    let expected = json!({
        "source_type": "SYSTEM", "plan_check_time": "2026-09-21 18:00:00", "check_type": "OffDuty",
        "time_result": "NotSigned", "location_result": "NotSigned", "class_id": 9001, "plan_id": plans[1],
        "group_id": 8001,
    });
    assert_eq!(went, &expected);
    let expected = json!([{
        "record_id": 1001, "source_type": "USER", "user_check_time": "2026-09-21 08:57:10", "valid_matched": true,
        "user_accuracy": "15.0", "user_longitude": "120.01", "user_latitude": "30.28",
    }]);
    assert_eq!(day["check_record_list"], expected);
    assert_eq!(day["approve_list"], json!([]));
    let break_ = json!([{ "rest_begin_time": 1_789_963_200_000_i64, "rest_end_time": 1_789_966_800_000_i64 }]);
    assert_eq!(day["class_setting_info"]["rest_time_vo_list"], break_);
}

#[test]
fn of_an_unknown_user_and_of_an_empty_day_there_is_nothing_and_no_error() {
    let stage = Stage::new();
    for (userid, date) in [("nobody", MONDAY), (stage.people[0].as_str(), "1999-01-01 00:00:00")] {
        let day = day(&stage, userid, date);
        for list in ["attendance_result_list", "check_record_list", "approve_list"] {
            assert_eq!(day[list], json!([]), "{userid} {list}");
        }
    }
    let refused = |body: Value| stage.refusal(Interface::AttendanceDay, &body);
    assert_eq!(refused(json!({ "userid": "x", "work_date": "2026-02-30" })), 400_002);
    assert_eq!(refused(json!({ "work_date": MONDAY })), 400_002);
}

#[test]
fn results_and_punches_lag_behind_their_event() {
    let stage = Stage::with_company(CompanyOptions { result_lag_ms: 60_000, ..CompanyOptions::default() });
    scheduled(&stage);
    stage.happens(|company| company.punch(&stage.people[0], at("2026-09-21 09:20:00"))).expect("legal");
    let told = |stage: &Stage| {
        let day = day(stage, &stage.people[0], MONDAY);
        let punches = day["check_record_list"].as_array().expect("a list").len();
        (day["attendance_result_list"][0]["time_result"].as_str().expect("a word").to_owned(), punches)
    };
    assert_eq!(told(&stage), ("NotSigned".to_owned(), 0));
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(told(&stage), ("Late".to_owned(), 1));
}

#[test]
fn an_amended_result_takes_the_place_of_the_one_before() {
    let stage = Stage::new();
    let plans = scheduled(&stage);
    stage.happens(|company| company.punch(&stage.people[0], at("2026-09-21 09:20:00"))).expect("legal");
    stage.happens(|company| company.boss_edit(&stage.people[0], plans[0], TimeResult::Normal)).expect("legal");
    let results = day(&stage, &stage.people[0], MONDAY)["attendance_result_list"].clone();
    assert_eq!(results.as_array().map(Vec::len), Some(2));
    assert_eq!((&results[0]["time_result"], &results[0]["source_type"]), (&json!("Normal"), &json!("BOSS")));
}

#[test]
fn an_agreed_leave_covers_its_days() {
    let stage = Stage::new();
    let id = agreed(&stage, annual_leave());
    let covers = day(&stage, &stage.people[0], "2026-09-22")["approve_list"].clone();
    let [cover] = covers.as_array().expect("a list").as_slice() else { panic!("{covers}") };
    assert_eq!((&cover["procInst_id"], &cover["biz_type"]), (&json!(id), &json!(3)));
    assert_eq!((&cover["tag_name"], &cover["sub_type"]), (&json!("请假"), &json!("年假")));
    assert!(cover["duration"].is_string());
    assert_eq!(cover["begin_time"].as_str().map(str::len), Some("2026-09-22 00:00:00".len()));
    assert_eq!(day(&stage, &stage.people[1], "2026-09-22")["approve_list"], json!([]));
}

#[test]
fn a_makeup_on_a_day_without_a_schedule_is_a_record_of_an_approval_and_no_result() {
    let stage = Stage::new();
    agreed(&stage, Matter::Makeup { work_date: "2026-09-20".to_owned(), at_ms: at("2026-09-20 09:00:00") });
    let day = day(&stage, &stage.people[0], "2026-09-20");
    assert_eq!((&day["attendance_result_list"], &day["approve_list"]), (&json!([]), &json!([])));
    let [punch] = day["check_record_list"].as_array().expect("a list").as_slice() else { panic!("{day}") };
    assert_eq!((&punch["source_type"], &punch["user_check_time"]), (&json!("APPROVE"), &json!("2026-09-20 09:00:00")));
    assert_eq!(punch.get("user_latitude"), None);
}

#[test]
fn a_leave_type_without_a_column_has_no_values() {
    let stage = Stage::new();
    agreed(&stage, annual_leave());
    stage
        .api
        .company()
        .leave_types_mut()
        .iter_mut()
        .filter(|leave| leave.name == "病假")
        .for_each(|leave| leave.has_column = false);
    let columns = stage.result(Interface::AttendanceColumns, &json!({}))["columns"].clone();
    let columns = columns.as_array().expect("a list");
    let leave: Vec<&str> = columns
        .iter()
        .filter(|column| column["alias"] == "leave_")
        .map(|column| {
            assert_eq!(column.get("id"), None, "leave columns have no id");
            column["name"].as_str().expect("a name")
        })
        .collect();
    assert!(leave.contains(&"年假") && !leave.contains(&"病假"));
    let body = json!({
        "userid": stage.people[0],
        "leave_names": "年假,病假,无此假",
        "from_date": "2026-09-21",
        "to_date": "2026-09-25",
    });
    let times = stage.result(Interface::LeaveTimes, &body)["columns"].clone();
    assert_eq!(times.as_array().map(Vec::len), Some(2), "nobody knows the third");
    let values = times[0]["columnvals"].as_array().expect("a list");
    assert_eq!((values.len(), &times[1]["columnvals"]), (5, &json!([])));
    let zero = |date: usize| values[date]["value"] == "0.0";
    assert!(zero(0) && !zero(1) && zero(4), "{values:?}");
    assert_eq!(values[1]["date"], "2026-09-22 00:00:00");
}

#[test]
fn ranges_and_lists_of_the_report_are_bounded() {
    let stage = Stage::new();
    let range = |interface, days: i64, more: Value| {
        let to = time::date(at(MONDAY) + (days - 1) * time::DAY_MS);
        let mut body = json!({ "userid": stage.people[0], "from_date": MONDAY, "to_date": to });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        stage.refusal(interface, &body)
    };
    let names = |count: usize| json!({ "leave_names": vec!["年假"; count].join(",") });
    let columns = |ids: &[&str]| json!({ "column_id_list": ids.join(",") });
    assert_eq!(range(Interface::LeaveTimes, 31, names(20)), 0);
    assert_eq!(range(Interface::LeaveTimes, 32, names(1)), 850_012);
    assert_eq!(range(Interface::LeaveTimes, 1, names(21)), 850_015);
    assert_eq!(range(Interface::AttendanceColumnValues, 31, columns(&["2001", "1001"])), 0);
    assert_eq!(range(Interface::AttendanceColumnValues, 32, columns(&["2001"])), 850_012);
    assert_eq!(range(Interface::AttendanceColumnValues, 1, columns(&["2001"; 21])), 850_015);
    assert_eq!(range(Interface::AttendanceColumnValues, 1, columns(&["77"])), 850_015);
    let old = json!({ "userid": "x", "leave_names": "年假", "from_date": "2026-01-01", "to_date": "2026-01-02" });
    assert_eq!(stage.refusal(Interface::LeaveTimes, &old), 850_012);
    stage.api.configure(|options| options.report = false);
    assert_ne!(stage.refusal(Interface::AttendanceColumns, &json!({})), 0);
}

#[test]
fn columns_count_the_day_as_texts_and_fixed_ones_have_one_value() {
    let stage = Stage::new();
    scheduled(&stage);
    stage.happens(|company| company.punch(&stage.people[0], at("2026-09-21 09:20:00"))).expect("legal");
    let body = json!({
        "userid": stage.people[0],
        "column_id_list": "1001,2001,2003",
        "from_date": MONDAY,
        "to_date": MONDAY,
    });
    let values = stage.result(Interface::AttendanceColumnValues, &body)["column_vals"].clone();
    let name = stage.api.company().member(&stage.people[0]).expect("it").name.clone();
    assert_eq!(values[0], json!({ "column_vo": { "id": 1001 }, "fixed_value": name }));
    let one = json!([{ "date": "2026-09-21 00:00:00", "value": "1" }]);
    assert_eq!((&values[1]["column_vals"], &values[2]["column_vals"]), (&one, &one));
    stage.clock.advance(Duration::from_secs(16 * 86_400));
    let values = stage.result(Interface::AttendanceColumnValues, &body)["column_vals"].clone();
    assert_eq!(values[1]["column_vals"][0]["value"], "0", "planned days are right for 15 days only");
    stage.happens(|company| company.leave(&stage.people[0])).expect("legal");
    assert_eq!(stage.refusal(Interface::AttendanceColumnValues, &body), 60121);
}

#[test]
fn who_is_on_leave_is_told_from_beginning_to_end() {
    let stage = Stage::new();
    agreed(&stage, annual_leave());
    let ask = |from: &str, to: &str| {
        let users = stage.people.join(",");
        let body = json!({ "userid_list": users, "start_time": at(from), "end_time": at(to), "offset": 0, "size": 20 });
        stage.result(Interface::LeaveStatus, &body)
    };
    let leaves = ask("2026-09-01", "2026-09-30")["leave_status"].clone();
    let [leave] = leaves.as_array().expect("a list").as_slice() else { panic!("{leaves}") };
    assert_eq!((&leave["userid"], &leave["leave_code"]), (&json!(stage.people[0]), &json!("lc-0001")));
    assert_eq!(leave["start_time"].as_i64().map(time::date).as_deref(), Some("2026-09-22"));
    assert!(leave["duration_percent"].as_i64().is_some_and(|percent| percent > 0 && percent % 100 == 0));
    assert_eq!(ask("2026-09-01", "2026-09-20"), json!({ "has_more": false, "leave_status": [] }));
    let wide = json!({
        "userid_list": "a",
        "start_time": at("2026-01-01"),
        "end_time": at("2026-08-01"),
        "offset": 0,
        "size": 20,
    });
    assert_eq!(stage.refusal(Interface::LeaveStatus, &wide), 400_002);
    let many = json!({ "userid_list": "a", "start_time": 1, "end_time": 2, "offset": 0, "size": 21 });
    assert_eq!(stage.refusal(Interface::LeaveStatus, &many), 400_002);
    let crowd =
        json!({ "userid_list": vec!["a"; 101].join(","), "start_time": 1, "end_time": 2, "offset": 0, "size": 20 });
    assert_eq!(stage.refusal(Interface::LeaveStatus, &crowd), 400_002);
}

#[test]
fn a_schedule_is_known_two_weeks_ahead() {
    let stage = Stage::new();
    stage.happens(|company| {
        for date in [MONDAY, "2026-10-06", "2026-10-07"] {
            company.schedule(&stage.people[0], date, &Shift::day()).expect("legal");
        }
    });
    let listed = |date: &str| {
        let answer = stage.result(Interface::AttendanceSchedule, &json!({ "workDate": date, "offset": 0, "size": 1 }));
        (answer["schedules"].as_array().expect("a list").len(), answer["has_more"].as_bool().expect("a word"))
    };
    assert_eq!(listed(MONDAY), (1, true));
    assert_eq!(listed("2026-10-06"), (1, true));
    assert_eq!(listed("2026-10-07"), (0, false));
    assert_eq!(stage.refusal(Interface::AttendanceSchedule, &json!({ "workDate": MONDAY, "size": 201 })), 400_002);
}
