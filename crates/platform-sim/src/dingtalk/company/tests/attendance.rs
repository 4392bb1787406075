use super::*;

const DAY: &str = "2026-09-21";

fn results(company: &Company, userid: &str, date: &str) -> Vec<(CheckType, TimeResult, Source)> {
    let day = company.day(userid, date).expect("a day");
    day.results().into_iter().map(|result| (result.plan.check_type, result.time_result, result.source)).collect()
}

#[test]
fn who_comes_is_counted_by_the_first_punch_and_who_goes_by_the_last() {
    let mut company = company();
    company.schedule("user0001", DAY, &Shift::day()).expect("it is planned");
    let not_signed = TimeResult::NotSigned;
    let on = |result, source| (CheckType::OnDuty, result, source);
    let off = |result, source| (CheckType::OffDuty, result, source);
    assert_eq!(results(&company, "user0001", DAY), [on(not_signed, Source::System), off(not_signed, Source::System)]);
    for time in ["08:57", "09:10", "17:30", "18:05"] {
        let events = company.punch("user0001", at(&format!("{DAY} {time}"))).expect("it punches");
        let item = &events[0].data["dataList"][0];
        assert_eq!((&item["userId"], &item["checkByUser"]), (&json!("user0001"), &json!(true)));
    }
    let told: Vec<_> = results(&company, "user0001", DAY).into_iter().map(|(_, result, _)| result).collect();
    assert_eq!(told, [TimeResult::Normal, TimeResult::Normal]);
    let day = company.day("user0001", DAY).expect("a day");
    assert_eq!(day.punches.iter().map(|punch| punch.matched).collect::<Vec<_>>(), [true, false, true, true]);
}

#[test]
fn the_second_punch_within_a_minute_is_recorded_and_not_told() {
    let mut company = company();
    assert_eq!(company.punch("user0001", at("2026-09-21 09:00:01")).expect("it punches").len(), 1);
    assert_eq!(company.punch("user0001", at("2026-09-21 09:00:59")).expect("it punches").len(), 0);
    assert_eq!(company.punch("user0001", at("2026-09-21 09:01:00")).expect("it punches").len(), 1);
    assert_eq!(company.day("user0001", DAY).expect("a day").punches.len(), 3);
}

#[test]
fn a_punch_of_a_night_shift_belongs_to_the_day_before() {
    let mut company = company();
    company.schedule("user0001", DAY, &Shift::night()).expect("it is planned");
    company.punch("user0001", at("2026-09-22 06:03")).expect("it punches");
    assert_eq!(company.day("user0001", DAY).expect("a day").punches.len(), 1);
    assert!(company.day("user0001", "2026-09-22").is_none());
    assert_eq!(results(&company, "user0001", DAY)[1].1, TimeResult::Normal);
}

#[test]
fn results_come_later_than_their_event_if_they_are_to() {
    let mut company = company();
    company.configure(|options| options.result_lag_ms = 60_000);
    company.schedule("user0001", DAY, &Shift::day()).expect("it is planned");
    let born_ms = company.punch("user0001", at("2026-09-21 09:10")).expect("it punches")[0].born_ms;
    let day = company.day("user0001", DAY).expect("a day");
    let told = |now_ms: i64| (day.results_at(now_ms)[0].time_result, day.punches_at(now_ms).count());
    assert_eq!(told(born_ms + 59_999), (TimeResult::NotSigned, 0));
    assert_eq!(told(born_ms + 60_000), (TimeResult::Late, 1));
    assert_eq!(day.results()[0].time_result, TimeResult::Late);
}

#[test]
fn an_administrators_edit_stays_and_raises_no_punch_event() {
    let mut company = company();
    let plans = company.schedule("user0001", DAY, &Shift::day()).expect("it is planned");
    let events = company.boss_edit("user0001", plans[0], TimeResult::Normal).expect("it is edited");
    assert_eq!(kinds(&events), ["attend_bossCheck_change"]);
    assert_eq!(events[0].data["workDate"], json!("2026-09-21 00:00:00"));
    company.punch("user0001", at("2026-09-21 08:30")).expect("it punches");
    assert_eq!(results(&company, "user0001", DAY)[0], (CheckType::OnDuty, TimeResult::Normal, Source::Boss));
    assert_eq!(company.boss_edit("user0002", plans[0], TimeResult::Normal), Err(Illegal::UnknownPlan(plans[0])));
}

#[test]
fn a_new_schedule_replays_the_punches_which_are_no_new_ones() {
    let mut company = company();
    company.schedule("user0001", DAY, &Shift::day()).expect("it is planned");
    company.punch("user0001", at("2026-09-21 09:20")).expect("it punches");
    let mut later = Shift::day();
    later.points[0].1 = 10 * 60;
    let events = company.reschedule("user0001", DAY, &later).expect("it is planned");
    assert_eq!(kinds(&events), ["attendance_check_record", "attend_user_daily_summary_refresh"]);
    assert_eq!(events[0].data["dataList"][0]["checkByUser"], json!(false));
    assert_eq!(results(&company, "user0001", DAY)[0].1, TimeResult::Normal);
    assert_eq!(company.day("user0001", DAY).expect("a day").punches.len(), 1);
}

#[test]
fn overtime_that_the_app_wrote_covers_the_day() {
    let mut company = company();
    let events = company.write_overtime("user0001", DAY, 2).expect("it is written");
    let item = &events[0].data["dataList"][0];
    let key = format!("{};user0001;20260921", company.corp_id());
    assert_eq!((&item["key"], &item["overtimeDayType"]), (&json!(key), &json!("restDay")));
    let day = company.day("user0001", DAY).expect("a day");
    assert_eq!(day.covers().map(|cover| cover.kind).collect::<Vec<_>>(), [CoverKind::Overtime]);
    company.set_holiday("2026-10-01");
    let events = company.write_overtime("user0001", "2026-10-01", 8).expect("it is written");
    assert_eq!(events[0].data["dataList"][0]["overtimeDayType"], json!("holiday"));
}
