//! What the platform tells late, or amends without a word.

use common::attendance::day_id;
use platform_sim::dingtalk::{Matter, TimeResult, Verdict, api::Interface};

use super::{
    company::{MONDAY, TUESDAY, at, early_on_monday, members_of},
    scene::{Scene, Setting},
};

/// A company on Monday morning that is in the mirror, and one of its members.
async fn scene(result_lag_ms: i64) -> (Scene, String) {
    let mut company = early_on_monday(3, 20);
    let (day, _) = members_of(&company);
    company.configure(|options| options.result_lag_ms = result_lag_ms);
    let scene = Scene::over(company).await;
    scene.settled().await;
    scene.jump_to(at(MONDAY, "08:50"));
    (scene, day[0].clone())
}

/// Nothing of Monday differs.
async fn agrees(scene: &Scene, member: &str) -> bool {
    let days = [day_id(member, MONDAY)].into();
    scene.differences(Some(&days)).await.is_empty()
}

async fn punches(scene: &Scene, member: &str) {
    let now = scene.now().0;
    scene.happens(|company| company.punch(member, now)).await;
}

#[tokio::test]
async fn a_punch_that_the_platform_tells_half_a_minute_later_is_there_within_90_seconds() {
    let (scene, member) = scene(30_000).await;
    punches(&scene, &member).await;
    scene.pass(90).await;
    assert!(agrees(&scene, &member).await);
    scene.end().await;
}

#[tokio::test]
async fn what_is_five_minutes_late_is_found_after_ten() {
    let (scene, member) = scene(300_000).await;
    punches(&scene, &member).await;
    scene.pass(90).await;
    scene.jump(250);
    scene.pass(5).await;
    assert!(!agrees(&scene, &member).await, "nobody looks all the time");
    scene.jump(260);
    scene.pass(5).await;
    assert!(agrees(&scene, &member).await);
    scene.end().await;
}

#[tokio::test]
async fn leave_that_shows_late_is_looked_for_until_it_does_and_then_no_more() {
    let (scene, member) = scene(300_000).await;
    let since = scene.journal();
    let leave =
        Matter::Leave { leave_type: "事假".to_owned(), begin_ms: at(MONDAY, "14:00"), end_ms: at(MONDAY, "18:00") };
    let events = scene.change(|company| {
        let (id, mut events) = company.start_approval(&member, leave)?;
        events.extend(company.decide(&id, Verdict::Agree)?);
        Ok(events)
    });
    scene.tell(&events).await;
    scene.pass(90).await;
    let whole = || scene.calls(since, Interface::AttendanceDay).len();
    assert_eq!(whole(), 2, "at once, and once more soon");
    scene.jump(520);
    scene.pass(5).await;
    assert!(agrees(&scene, &member).await);
    assert_eq!(whole(), 3);
    scene.jump(86_400);
    scene.pass(5).await;
    assert_eq!(whole(), 3, "it was seen");
    scene.end().await;
}

#[tokio::test]
async fn a_result_that_is_amended_without_a_word_is_found_the_next_morning() {
    let (scene, member) = scene(0).await;
    punches(&scene, &member).await;
    scene.pass(90).await;
    scene.jump(600);
    scene.pass(5).await;
    let plan = scene.api.company().day(&member, MONDAY).unwrap().plans[0].id;
    let unheard = scene.change(|company| company.boss_edit(&member, plan, TimeResult::Late));
    assert_eq!(unheard.len(), 1, "the event is lost");
    scene.pass(90).await;
    assert!(!agrees(&scene, &member).await);
    scene.jump(86_400);
    scene.pass(5).await;
    assert!(agrees(&scene, &member).await);
    scene.end().await;
}

#[tokio::test]
async fn a_second_punch_within_a_minute_raises_no_event_and_is_told_with_the_first() {
    let (scene, member) = scene(0).await;
    punches(&scene, &member).await;
    scene.jump(10);
    let now = scene.now().0;
    let raised = scene.change(|company| company.punch(&member, now));
    assert!(raised.is_empty(), "{raised:?}");
    scene.pass(90).await;
    assert!(agrees(&scene, &member).await);
    scene.end().await;
}

#[tokio::test]
async fn what_was_recorded_of_who_left_stays_though_the_platform_tells_nothing_of_it_any_more() {
    let (scene, member) = scene(0).await;
    let recorded = async || {
        let of_monday = day_id(&member, MONDAY);
        let mut rows = scene.attendance().await;
        rows.retain(|id, _| id.starts_with(&of_monday));
        rows
    };
    punches(&scene, &member).await;
    scene.pass(90).await;
    let before = recorded().await;
    assert!(before.len() >= 2, "a punch and its result: {before:?}");
    scene.api.configure(|options| options.tells_of_former = false);
    scene.happens(|company| company.leave(&member)).await;
    scene.pass(5).await;
    let since = scene.journal();
    scene.jump_to(at(TUESDAY, "04:00"));
    scene.pass(5).await;
    assert_ne!(scene.calls(since, Interface::AttendanceResults).len(), 0, "it was looked at");
    assert_eq!(recorded().await, before);
    scene.end().await;
}

#[tokio::test]
async fn a_lost_punch_is_found_by_the_next_comparison_and_counted() {
    let mut company = early_on_monday(3, 20);
    let (day, _) = members_of(&company);
    let member = day[0].clone();
    company.configure(|options| options.result_lag_ms = 0);
    let scene = Scene::set_up(company, Setting { compares_every: 86_400, ..Setting::default() }).await;
    scene.settled().await;
    scene.jump_to(at(MONDAY, "08:50"));
    let now = scene.now().0;
    scene.change(|company| company.punch(&member, now));
    scene.jump(1200);
    scene.pass(5).await;
    assert!(!agrees(&scene, &member).await);
    scene.jump(86_400);
    scene.pass(10).await;
    assert!(agrees(&scene, &member).await);
    assert_eq!(scene.metric("record_differences"), 1.0);
    scene.end().await;
}
