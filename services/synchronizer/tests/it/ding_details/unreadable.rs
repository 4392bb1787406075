//! Answers of which a row cannot be read: nobody else waits for that.

use std::slice;

use common::attendance::day_id;
use platform_sim::dingtalk::api::Interface;
use store::questions;

use super::{
    company::{MONDAY, at, early_on_monday, members_of},
    scene::{Scene, Setting, tenant},
};

/// A company on Monday morning that is in the mirror, and those of its members who come now.
async fn scene(setting: Setting) -> (Scene, Vec<String>) {
    let mut company = early_on_monday(3, 20);
    let (day, _) = members_of(&company);
    company.configure(|options| options.result_lag_ms = 0);
    let scene = Scene::set_up(company, setting).await;
    scene.settled().await;
    scene.jump_to(at(MONDAY, "08:50"));
    (scene, day)
}

/// Of this member these interfaces tell what nobody can read.
fn cannot_be_read(scene: &Scene, member: &str, interfaces: &[Interface]) {
    scene.api.configure(|options| {
        options.illegible = interfaces.iter().map(|interface| (*interface, member.to_owned())).collect();
    });
}

async fn punch(scene: &Scene, members: &[String]) {
    let now = scene.now().0;
    scene
        .happens(|company| {
            let punches = members.iter().map(|member| company.punch(member, now));
            Ok(punches.collect::<Result<Vec<_>, _>>()?.concat())
        })
        .await;
}

/// How Monday differs for these members.
async fn differing(scene: &Scene, members: &[String]) -> Vec<String> {
    let days = members.iter().map(|member| day_id(member, MONDAY)).collect();
    scene.differences(Some(&days)).await
}

#[tokio::test]
async fn a_row_that_cannot_be_read_delays_nobody_and_is_asked_for_in_the_other_way() {
    let (scene, day) = scene(Setting::default()).await;
    cannot_be_read(&scene, &day[3], &[Interface::AttendancePunches]);
    let punches = |since| scene.calls(since, Interface::AttendancePunches).len();
    let since = scene.journal();
    punch(&scene, &day).await;
    scene.pass(90).await;
    assert_eq!(differing(&scene, &day).await, Vec::<String>::new());
    assert!((2..=11).contains(&punches(since)), "{} calls to find one of 18", punches(since));
    scene.jump_to(at(MONDAY, "18:01"));
    let since = scene.journal();
    punch(&scene, &day).await;
    scene.pass(90).await;
    assert_eq!(differing(&scene, &day).await, Vec::<String>::new());
    assert_eq!(punches(since), 1, "that day is asked about by itself from now on");
    scene.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_in_any_way_is_counted_and_asked_for_until_it_can() {
    let (scene, day) = scene(Setting::default()).await;
    let (odd, others) = day.split_first().unwrap();
    let odd = slice::from_ref(odd);
    cannot_be_read(&scene, &odd[0], &[Interface::AttendancePunches, Interface::AttendanceDay]);
    punch(&scene, &day).await;
    scene.pass(90).await;
    assert_eq!(differing(&scene, others).await, Vec::<String>::new());
    assert!(!differing(&scene, odd).await.is_empty());
    assert_ne!(scene.read(|conn| questions::count_open(conn, &tenant())).await, 0);
    let metrics = scene.stage.context.metrics.render().unwrap();
    assert!(metrics.contains(r#"orgbridge_questions_total{outcome="unreadable",tenant="acme"}"#), "{metrics}");
    scene.api.configure(|options| options.illegible.clear());
    scene.until("it is read", async |scene| differing(scene, odd).await.is_empty()).await;
    scene.end().await;
}

#[tokio::test]
async fn who_cannot_be_read_is_passed_by_when_attendance_is_compared() {
    let (scene, day) = scene(Setting { compares_every: 86_400, ..Setting::default() }).await;
    cannot_be_read(&scene, &day[0], &[Interface::AttendancePunches]);
    let now = scene.now().0;
    scene.change(|company| Ok([company.punch(&day[0], now)?, company.punch(&day[1], now)?].concat()));
    scene.jump(86_400);
    scene.pass(10).await;
    assert_eq!(differing(&scene, &day[1..]).await, Vec::<String>::new());
    assert_eq!(scene.metric("record_differences"), 1.0);
    scene.end().await;
}
