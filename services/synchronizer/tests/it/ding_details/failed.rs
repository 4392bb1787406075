//! Pushes that failed are read from the platform's list, which forgets them.

use common::{EntityKind, UnixMillis, attendance::day_id};
use platform_sim::dingtalk::{
    Company, CompanyOptions, Event,
    api::{Fault, Interface, Trouble},
};
use store::{failed_pushes, gaps, record_runs};

use super::{
    company::{MONDAY, at},
    scene::{Scene, tenant},
};

/// A company whose members punch, each once a minute, and of which nothing is told.
async fn scene(punches: i64) -> (Scene, Vec<Event>) {
    let options = CompanyOptions { start_ms: at(MONDAY, "08:00"), pace_ms: 0, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    company.populate(2, 6).unwrap();
    let scene = Scene::over(company).await;
    scene.settled().await;
    let members: Vec<String> = scene.api.company().members().keys().cloned().collect();
    let events = scene.change(|company| {
        let now = company.now_ms();
        let punch = |number: i64| company.punch(&members[number as usize % 6], now + (number / 6) * 60_000);
        Ok((0..punches).map(punch).collect::<Result<Vec<_>, _>>()?.concat())
    });
    (scene, events)
}

async fn waits_for_the_list(scene: &Scene) {
    scene.jump(400);
    scene.pass(3).await;
    assert_eq!(scene.failed.waiting(), 0, "everything was read");
}

#[tokio::test]
async fn all_pages_are_read_on_schedule_and_taken_over() {
    let (scene, events) = scene(410).await;
    assert_eq!(events.len(), 410);
    events.iter().for_each(|event| scene.failed.park(event, scene.now().0));
    let reads = scene.failed.reads();
    waits_for_the_list(&scene).await;
    assert_eq!(scene.failed.reads() - reads, 3, "200 entries are a page");
    scene.pass(70).await;
    assert_eq!(scene.differences(None).await, Vec::<String>::new());
    assert_eq!(scene.metric("failed_pushes_total"), 410.0);
    assert!(scene.read(|conn| failed_pushes::oldest(conn, &tenant(), 9)).await.is_empty());
    scene.end().await;
}

#[tokio::test]
async fn a_page_that_was_kept_and_not_published_is_published_by_whoever_finds_it() {
    let (scene, events) = scene(3).await;
    let entries: Vec<_> = events.iter().map(Event::failed_entry).collect();
    let page = serde_json::json!({ "errcode": 0, "errmsg": "ok", "has_more": false, "failed_list": entries });
    let now = scene.now();
    scene.write(move |conn| failed_pushes::put(conn, &tenant(), "a", now, &page.to_string())).await;
    let scene = scene.reopen().await;
    scene.pass(90).await;
    assert_eq!(scene.differences(None).await, Vec::<String>::new());
    assert!(scene.read(|conn| failed_pushes::oldest(conn, &tenant(), 9)).await.is_empty());
    scene.end().await;
}

#[tokio::test]
async fn a_page_that_got_lost_with_the_process_is_made_up_for_by_comparing() {
    let (scene, events) = scene(12).await;
    events.iter().for_each(|event| scene.failed.park(event, scene.now().0));
    scene.jump(1200);
    let now = scene.now();
    let since = now.plus_seconds(-3600);
    scene.write(move |conn| failed_pushes::begin_read(conn, &tenant(), "dead", since, now)).await;
    assert_eq!(scene.failed.take(now.0).entries.len(), 12, "read, and never heard of again");
    let scene = scene.reopen().await;
    scene.pass(5).await;
    let gap = async |scene: &Scene| scene.read(|conn| gaps::get(conn, &tenant())).await.is_none();
    scene.until("everything was compared", gap).await;
    scene.pass(70).await;
    let member = scene.api.company().members().keys().next().unwrap().clone();
    assert!(scene.truth().keys().any(|id| id.starts_with(&day_id(&member, MONDAY))));
    assert_eq!(scene.differences(None).await, Vec::<String>::new());
    assert_eq!(scene.metric("record_differences"), 12.0);
    assert_eq!(scene.records(EntityKind::Attendance).await.len(), 12);
    scene.end().await;
}

/// When everything was last compared.
async fn compared_at(scene: &Scene) -> UnixMillis {
    scene.read(|conn| record_runs::get(conn, &tenant())).await.unwrap().started_at
}

#[tokio::test]
async fn reads_that_get_lost_one_after_the_other_are_made_up_for_once_and_once_more_when_one_succeeds() {
    let (scene, events) = scene(6).await;
    events.iter().for_each(|event| scene.failed.park(event, scene.now().0));
    let before = compared_at(&scene).await;
    scene.api.fail(Fault::new(Trouble::Status(502)).on(Interface::FailedPushes));
    let read = async || {
        scene.jump(400);
        scene.pass(3).await;
        compared_at(&scene).await
    };
    let first = read().await;
    assert!(first > before, "a page may be lost");
    assert_eq!((read().await, read().await), (first, first), "to compare costs a part of the quota");
    scene.api.heal();
    assert!(read().await > first);
    assert_eq!(scene.failed.waiting(), 0);
    scene.pass(70).await;
    assert_eq!(scene.differences(None).await, Vec::<String>::new());
    assert_eq!(scene.read(|conn| gaps::get(conn, &tenant())).await, None);
    scene.end().await;
}
