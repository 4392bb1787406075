//! Results and punches of many members.

use super::*;

fn results(users: &[String], from: &str, to: &str, offset: usize, limit: usize) -> Value {
    json!({
        "workDateFrom": from,
        "workDateTo": to,
        "userIdList": users,
        "offset": offset,
        "limit": limit,
        "isI18n": false,
    })
}

fn punches(users: &[String], from: &str, to: &str) -> Value {
    json!({ "checkDateFrom": from, "checkDateTo": to, "userIds": users, "isI18n": false })
}

fn rows(answer: &Value) -> &Vec<Value> {
    assert_eq!(code(answer), 0, "{answer}");
    answer["recordresult"].as_array().expect("a list")
}

/// So many more members, each with a day shift on Monday.
fn crew(stage: &Stage, members: usize) -> Vec<String> {
    stage.happens(|company| {
        let hire = |_number| {
            let (userid, _events) = company.hire(NewMember::in_departments(&[1])).expect("legal");
            company.schedule(&userid, MONDAY, &Shift::day()).expect("legal");
            userid
        };
        (0..members).map(hire).collect()
    })
}

#[test]
fn results_come_in_pages_with_the_points_at_which_nobody_punched() {
    let stage = Stage::new();
    let crew = crew(&stage, 30);
    stage.happens(|company| company.punch(&crew[0], at("2026-09-21 08:50:05"))).expect("legal");
    let first = stage.ask(Interface::AttendanceResults, &results(&crew, MONDAY, "2026-09-27 00:00:00", 0, 50));
    assert_eq!((rows(&first).len(), &first["hasMore"]), (50, &json!(true)));
    let second = stage.ask(Interface::AttendanceResults, &results(&crew, MONDAY, "2026-09-27 00:00:00", 50, 50));
    assert_eq!((rows(&second).len(), &second["hasMore"]), (10, &json!(false)));
    let midnight = 1_789_920_000_000_i64;
    let of_first: Vec<&Value> = rows(&first).iter().filter(|row| row["userId"] == json!(crew[0])).collect();
    let [came, went] = of_first.as_slice() else { panic!("{of_first:?}") };
    assert_eq!(
        (&came["timeResult"], &came["sourceType"], &came["workDate"]),
        (&json!("Normal"), &json!("USER"), &json!(midnight))
    );
    assert_eq!(came["userCheckTime"], json!(at("2026-09-21 08:50:05")));
    assert_eq!((&came["baseCheckTime"], &came["checkType"]), (&json!(at("2026-09-21 09:00")), &json!("OnDuty")));
    assert_eq!(
        (&went["timeResult"], went.get("userCheckTime"), went.get("recordId")),
        (&json!("NotSigned"), None, None)
    );
}

#[test]
fn both_batches_are_bounded_to_fifty_members_and_seven_days() {
    let stage = Stage::new();
    let users = |count: usize| vec!["user0001".to_owned(); count];
    let listed = |body: Value| stage.refusal(Interface::AttendanceResults, &body);
    let recorded = |body: Value| stage.refusal(Interface::AttendancePunches, &body);
    let (last, beyond) = ("2026-09-27", "2026-09-28");
    assert_eq!(listed(results(&users(50), MONDAY, last, 0, 50)), 0);
    assert_eq!(listed(results(&users(51), MONDAY, last, 0, 50)), 40035);
    assert_eq!(listed(results(&users(0), MONDAY, last, 0, 50)), 40035);
    assert_eq!(listed(results(&users(1), MONDAY, beyond, 0, 50)), 40035);
    assert_eq!(listed(results(&users(1), beyond, MONDAY, 0, 50)), 40035);
    assert_eq!(listed(results(&users(1), MONDAY, last, 0, 51)), 40035);
    assert_eq!(listed(results(&users(1), "yesterday", last, 0, 50)), 40035);
    assert_eq!(recorded(punches(&users(50), MONDAY, last)), 0);
    assert_eq!(recorded(punches(&users(51), MONDAY, last)), 40035);
    assert_eq!(recorded(punches(&users(1), MONDAY, beyond)), 40035);
}

#[test]
fn wrong_ids_the_other_platform_and_old_days_give_nothing_and_no_error() {
    let stage = Stage::new();
    let crew = crew(&stage, 1);
    stage.happens(|company| company.punch(&crew[0], at("2026-09-21 08:50"))).expect("legal");
    let none = |interface, body: Value| rows(&stage.ask(interface, &body)).is_empty();
    let nobody = ["nobody".to_owned()];
    assert!(none(Interface::AttendanceResults, results(&nobody, MONDAY, MONDAY, 0, 50)));
    let mut body = results(&crew, MONDAY, MONDAY, 0, 50);
    assert!(!none(Interface::AttendanceResults, body.clone()));
    body["isI18n"] = json!(true);
    assert!(none(Interface::AttendanceResults, body));
    let whole_day = |users: &[String]| punches(users, "2026-09-21 00:00:00", "2026-09-21 23:59:59");
    assert!(none(Interface::AttendancePunches, whole_day(&nobody)));
    assert!(!none(Interface::AttendancePunches, whole_day(&crew)));
    stage.clock.advance(Duration::from_secs(181 * 86_400));
    assert!(none(Interface::AttendanceResults, results(&crew, MONDAY, MONDAY, 0, 50)));
    assert!(none(Interface::AttendancePunches, whole_day(&crew)));
}

#[test]
fn punches_are_told_by_their_exact_time_with_the_day_that_they_count_for() {
    let stage = Stage::new();
    let userid = stage.people[0].clone();
    stage.happens(|company| {
        company.schedule(&userid, MONDAY, &Shift::night()).expect("legal");
        for time in ["2026-09-21 21:55:00", "2026-09-22 06:01:00", "2026-09-23 12:00:00"] {
            company.punch(&userid, at(time)).expect("legal");
        }
    });
    let users = [userid];
    let told = |from: &str, to: &str| {
        let answer = stage.ask(Interface::AttendancePunches, &punches(&users, from, to));
        let row = |row: &Value| {
            let moment = |name: &str| row[name].as_i64().expect("a time");
            (
                time::minute(moment("userCheckTime")),
                time::date(moment("workDate")),
                row["checkType"].as_str().map(str::to_owned),
            )
        };
        rows(&answer).iter().map(row).collect::<Vec<_>>()
    };
    let went = ("2026-09-22 06:01".to_owned(), MONDAY.to_owned(), Some("OffDuty".to_owned()));
    assert_eq!(told("2026-09-22 06:01:00", "2026-09-22 06:01:00"), [went], "of the night before");
    assert!(told("2026-09-22 06:01:01", "2026-09-22 23:59:59").is_empty());
    let unplanned = ("2026-09-23 12:00".to_owned(), "2026-09-23".to_owned(), None);
    assert_eq!(told("2026-09-23 00:00:00", "2026-09-23 23:59:59"), [unplanned]);
    let all = stage.ask(Interface::AttendancePunches, &punches(&users, "2026-09-21", "2026-09-27"));
    let first = &rows(&all)[0];
    assert!(first["id"].is_i64() && first["bizId"].is_string() && first["isLegal"] == "Y");
}
