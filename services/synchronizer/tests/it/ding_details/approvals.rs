//! Approvals that come late, are corrected, deleted, lost, or not there.

use common::{EntityKey, EntityKind};
use platform_sim::dingtalk::{Company, CompanyOptions, Event, Illegal, Matter, Verdict, api::Interface};
use store::questions;

use super::{
    company::{MONDAY, at},
    scene::{Scene, Setting, tenant},
};

async fn scene(entity_lag_ms: i64) -> (Scene, String) {
    scene_that(entity_lag_ms, Setting::default()).await
}

async fn scene_that(entity_lag_ms: i64, setting: Setting) -> (Scene, String) {
    let options = CompanyOptions { start_ms: at(MONDAY, "08:00"), pace_ms: 0, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    company.populate(2, 6).unwrap();
    let scene = Scene::set_up(company, setting).await;
    scene.settled().await;
    let member = {
        let mut company = scene.api.company();
        company.configure(|options| options.entity_lag_ms = entity_lag_ms);
        company.members().keys().next().unwrap().clone()
    };
    (scene, member)
}

fn outing(begin: &str, end: &str) -> Matter {
    Matter::Outing { begin_ms: at(MONDAY, begin), end_ms: at(MONDAY, end) }
}

fn agreed(company: &mut Company, who: &str, matter: Matter) -> Result<(String, Vec<Event>), Illegal> {
    let (id, mut events) = company.start_approval(who, matter)?;
    events.extend(company.decide(&id, Verdict::Agree)?);
    Ok((id, events))
}

async fn is_right(scene: &Scene) -> bool {
    scene.approval_differences().await.is_empty() && scene.differences(None).await.is_empty()
}

#[tokio::test]
async fn an_approval_that_cannot_be_read_yet_is_asked_for_again_until_it_can() {
    let (scene, member) = scene(20_000).await;
    let (_, events) = scene.change(|company| agreed(company, &member, outing("10:00", "11:00")));
    scene.tell(&events).await;
    scene.pass(90).await;
    assert!(is_right(&scene).await, "{:?}", scene.differences(None).await);
    scene.end().await;
}

#[tokio::test]
async fn one_that_is_changed_afterwards_moves_the_days_of_the_one_before() {
    let (scene, member) = scene(0).await;
    let (id, events) = scene.change(|company| agreed(company, &member, outing("10:00", "11:00")));
    scene.tell(&events).await;
    scene.pass(60).await;
    assert!(is_right(&scene).await);
    let events = scene.change(|company| {
        let (attached, mut events) = company.modify(&id, outing("15:00", "16:00"))?;
        events.extend(company.decide(&attached, Verdict::Agree)?);
        Ok(events)
    });
    scene.tell(&events).await;
    scene.pass(60).await;
    assert!(is_right(&scene).await, "{:?}", scene.differences(None).await);
    let attached = scene.api.company().instance(&id).unwrap().attached.clone();
    let rows = scene.records(EntityKind::Approval).await;
    let main = rows.iter().find(|(key, _)| *key.id == *id).unwrap();
    let details = main.1.record.sent.as_ref().unwrap().entity.fields.text(common::Field::Details).unwrap();
    assert!(details.contains(&attached[0]), "the one that was corrected says so");
    scene.end().await;
}

#[tokio::test]
async fn one_that_is_deleted_takes_what_it_brought_about_with_it() {
    let (scene, member) = scene(0).await;
    let (id, events) = scene.change(|company| agreed(company, &member, outing("10:00", "11:00")));
    scene.tell(&events).await;
    scene.pass(60).await;
    assert!(is_right(&scene).await);
    scene.happens(|company| company.delete(&id)).await;
    scene.pass(60).await;
    assert!(is_right(&scene).await, "{:?}", scene.differences(None).await);
    assert_eq!(scene.read(|conn| questions::count_open(conn, &tenant())).await, 0);
    scene.end().await;
}

#[tokio::test]
async fn one_that_nobody_has_is_believed_not_to_be_there_the_second_time() {
    let (scene, _) = scene(0).await;
    let hint = {
        let corp_id = scene.api.company().corp_id().to_owned();
        Event::new(
            7,
            1,
            &corp_id,
            "bpms_task_change",
            scene.now().0,
            serde_json::json!({
                "processInstanceId": "Proc-0", "processCode": "PROC-OTHER-0001", "taskId": 1, "type": "start",
            }),
        )
    };
    scene.tell(&[hint]).await;
    let since = scene.journal();
    scene.pass(60).await;
    let key = EntityKey::new(EntityKind::Approval, "Proc-0");
    let is_there = async || {
        scene.records(EntityKind::Approval).await.iter().any(|(about, row)| *about == key && row.record.exists())
    };
    assert!(is_there().await, "it may be readable soon");
    scene.pass(180).await;
    assert!(!is_there().await);
    assert_eq!(scene.read(|conn| questions::count_open(conn, &tenant())).await, 0);
    let asked = scene.calls(since, Interface::Approval).len();
    assert!(asked <= 8, "{asked} times");
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn a_lost_one_is_found_by_its_form_and_changes_its_days() {
    let (scene, member) = scene_that(0, Setting { compares_every: 86_400, ..Setting::default() }).await;
    let (_, events) = scene.change(|company| agreed(company, &member, outing("10:00", "11:00")));
    scene.tell(&events).await;
    scene.pass(60).await;
    scene.change(|company| agreed(company, &member, outing("15:00", "16:00")));
    scene.jump(86_400);
    scene.pass(60).await;
    // The finer times of one that was only pulled are not known.
    let of_days = scene.differences(None).await;
    assert!(of_days.is_empty(), "{of_days:?}");
    assert_eq!(scene.records(EntityKind::Approval).await.len(), 2);
    assert_eq!(scene.metric("record_differences"), 1.0);
    scene.end().await;
}
