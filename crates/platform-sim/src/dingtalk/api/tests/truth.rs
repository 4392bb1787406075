//! The truth as rows, which is what the API tells.

use std::collections::BTreeSet;

use super::*;
use crate::dingtalk::TimeResult;

/// Everything of attendance that the API tells of a member's day, as ids.
fn told(stage: &Stage, userid: &str, date: &str) -> BTreeSet<String> {
    let day = stage.result(Interface::AttendanceDay, &json!({ "userid": userid, "work_date": date }));
    let rows = |list: &str| day[list].as_array().expect("a list").clone();
    let start = format!("{}/{date}", userid.to_lowercase());
    let results = rows("attendance_result_list").into_iter().map(|row| format!("result/{}", row["plan_id"]));
    let punches = rows("check_record_list").into_iter().map(|row| {
        let kind = if row["source_type"] == "APPROVE" { "makeup" } else { "punch" };
        format!("{kind}/{}", row["record_id"])
    });
    let covers = rows("approve_list").into_iter().map(|row| {
        let kind = match row["tag_name"].as_str() {
            Some("请假") => "leave",
            Some("加班") => "overtime",
            Some("出差") => "trip",
            _ => "outing",
        };
        format!("{kind}/{}", row["procInst_id"].as_str().expect("an id"))
    });
    results.chain(punches).chain(covers).map(|end| format!("{start}/{end}")).collect()
}

fn agreed(stage: &Stage, matter: Matter) -> String {
    stage.happens(|company| {
        let (id, _events) = company.start_approval(&stage.people[0], matter).expect("legal");
        company.decide(&id, Verdict::Agree).expect("legal");
        id
    })
}

#[test]
fn the_rows_of_attendance_are_those_that_the_api_tells_day_by_day() {
    let stage = Stage::new();
    let userid = stage.people[0].clone();
    let span = |from: &str, to: &str| (at(from), at(to));
    let plans = stage.happens(|company| company.schedule(&userid, MONDAY, &Shift::day())).expect("legal");
    stage.happens(|company| {
        company.punch(&userid, at("2026-09-21 09:20:30") + 250).expect("legal");
        company.punch(&userid, at("2026-09-21 18:05:00")).expect("legal");
        company.boss_edit(&userid, plans[0], TimeResult::Normal).expect("legal");
    });
    let (begin_ms, end_ms) = span("2026-09-22", "2026-09-23");
    let leave = agreed(&stage, Matter::Leave { leave_type: "年假".to_owned(), begin_ms, end_ms });
    let (begin_ms, end_ms) = span("2026-09-24 08:00", "2026-09-24 12:00");
    agreed(&stage, Matter::Trip { begin_ms, end_ms });
    let (begin_ms, end_ms) = span("2026-09-25 13:00", "2026-09-25 15:00");
    agreed(&stage, Matter::Outing { begin_ms, end_ms });
    let (begin_ms, end_ms) = span("2026-09-25 18:00", "2026-09-25 20:00");
    agreed(&stage, Matter::Overtime { workers: stage.people.to_vec(), begin_ms, end_ms });
    agreed(&stage, Matter::Makeup { work_date: "2026-09-20".to_owned(), at_ms: at("2026-09-20 08:58:00") });

    let truth = truth_of_attendance(&stage.api.company(), stage.now_ms());
    let mut all = BTreeSet::new();
    for person in &stage.people {
        for number in 0..10 {
            all.extend(told(&stage, person, &time::date(at("2026-09-19") + number * time::DAY_MS)));
        }
    }
    assert_eq!(truth.keys().cloned().collect::<BTreeSet<_>>(), all);
    let kinds: BTreeSet<&str> = truth.values().map(|row| row.kind).collect();
    assert_eq!(kinds, BTreeSet::from(["leave", "makeup", "outing", "overtime", "punch", "result", "trip"]));

    let came = &truth[&format!("{userid}/{MONDAY}/result/{}", plans[0])];
    assert_eq!((came.check_type, came.result, came.source), (Some("OnDuty"), Some("Normal"), Some("BOSS")));
    assert_eq!(came.planned_ms, Some(at("2026-09-21 09:00")));
    let punch = &truth[&format!("{userid}/{MONDAY}/punch/1001")];
    assert_eq!((punch.checked_ms, punch.source), (Some(at("2026-09-21 09:20:30")), Some("USER")));
    let leave = &truth[&format!("{userid}/2026-09-22/leave/{leave}")];
    assert_eq!((leave.member.as_str(), leave.work_date.as_str(), leave.result), (userid.as_str(), "2026-09-22", None));
    assert_eq!(leave.details.as_ref().map(|details| &details["sub_type"]), Some(&json!("年假")));
}

#[test]
fn what_lags_is_in_the_truth_of_later_only() {
    let stage = Stage::with_company(CompanyOptions { result_lag_ms: 60_000, ..CompanyOptions::default() });
    let userid = stage.people[0].clone();
    stage.happens(|company| {
        company.schedule(&userid, MONDAY, &Shift::day()).expect("legal");
        company.punch(&userid, at("2026-09-21 08:59")).expect("legal");
    });
    let now_ms = stage.now_ms();
    let truth = |at_ms| truth_of_attendance(&stage.api.company(), at_ms);
    let punched = |at_ms| truth(at_ms).values().filter(|row| row.kind == "punch").count();
    assert_eq!((punched(now_ms), punched(now_ms + 60_000), punched(i64::MAX)), (0, 1, 1));
    let normal = |at_ms| truth(at_ms).values().filter(|row| row.result == Some("Normal")).count();
    assert_eq!((normal(now_ms), normal(i64::MAX)), (0, 1));
}

#[test]
fn a_member_with_capital_letters_has_records_in_lower_case() {
    let stage = Stage::new();
    stage.happens(|company| {
        let member = NewMember { userid: Some("ZhangSan".to_owned()), ..NewMember::in_departments(&[1]) };
        company.hire(member).expect("legal");
        company.punch("ZhangSan", at("2026-09-21 08:59")).expect("legal");
    });
    let truth = truth_of_attendance(&stage.api.company(), i64::MAX);
    let (id, row) = truth.first_key_value().expect("a row");
    assert!(id.starts_with("zhangsan/2026-09-21/punch/"), "{id}");
    assert_eq!(row.member, "ZhangSan");
}

#[test]
fn the_rows_of_approvals_have_the_words_of_a_core() {
    let stage = Stage::new();
    let outing = || Matter::Outing { begin_ms: at("2026-09-21 14:00"), end_ms: at("2026-09-21 17:00") };
    let ids = stage.happens(|company| {
        let mut start = || company.start_approval(&stage.people[0], outing()).expect("legal").0;
        let ids = [start(), start(), start(), start(), start()];
        company.decide(&ids[1], Verdict::Agree).expect("legal");
        company.decide(&ids[2], Verdict::Refuse).expect("legal");
        company.terminate(&ids[3]).expect("legal");
        company.delete(&ids[4]).expect("legal");
        ids
    });
    let truth = truth_of_approvals(&stage.api.company(), i64::MAX);
    let words: Vec<(&str, &str)> =
        ids.iter().filter_map(|id| truth.get(id)).map(|row| (row.status, row.result)).collect();
    assert_eq!(words, [("running", "none"), ("completed", "agree"), ("completed", "refuse"), ("terminated", "none")]);
    let running = &truth[&ids[0]];
    assert_eq!((running.applicant.as_str(), running.finished_ms), (stage.people[0].as_str(), None));
    assert!(truth[&ids[1]].finished_ms.is_some_and(|finished_ms| finished_ms >= running.started_ms));
    assert!(running.template.starts_with("PROC-"));
}
