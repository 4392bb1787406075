//! The whole directory is pulled and compared.

use std::{collections::BTreeMap, time::Duration};

use common::{EntityKey, EntityKind, Field, Fields};
use platform_sim::api::{About, Fault, Identity, Interface, Scope, Trouble};
use store::snapshots::Stage;

use crate::scene::{AGENT, Scene, company};

#[tokio::test]
async fn a_directory_that_was_there_before_is_pulled_whole() {
    let mut company = company();
    company.populate(300, 12, 4);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at.0 > 0).await;
    assert!(at.is_whole);
    scene.agrees().await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn what_no_callback_told_is_found() {
    let mut company = company();
    company.populate(100, 8, 3);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    let until = scene.now().seconds();
    {
        let mut company = scene.api.company();
        company.set_now_seconds(until);
        company.drift(40);
    }
    scene.pass(86_400);
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn a_department_that_does_not_answer_makes_the_pull_incomplete_and_nobody_is_removed() {
    let mut company = company();
    company.populate(100, 8, 3);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    let before = scene.live().await.len();
    let gone = scene.api.company().snapshot().members.keys().next().unwrap().clone();
    scene.api.company().remove_member(&gone).unwrap();
    scene.api.fail(Fault::new(Trouble::Code(-1)).on(Interface::UserList).about(About::department("3")));
    let began = scene.now();
    scene.pass(86_400);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert!(!at.is_whole);
    scene.drained().await;
    scene.pass(120);
    scene.questions(0).await;
    assert_eq!(scene.live().await.len(), before);
    scene.end().await;
}

#[tokio::test]
async fn a_scope_that_was_narrowed_removes_nobody() {
    let mut company = company();
    company.populate(90, 7, 3);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    let before = names(&scene).await;
    scene.api.configure(|options| options.app_mut(AGENT).unwrap().scope = Scope::of(&["2"], &[]));
    let began = scene.now();
    scene.pass(86_400);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert!(at.is_whole, "what the app does not see is no hole");
    scene.drained().await;
    assert_eq!(names(&scene).await, before);
    scene.end().await;
}

/// Everybody with the name that was sent.
async fn names(scene: &Scene) -> Vec<(EntityKey, Option<String>)> {
    let live = scene.live().await;
    live.into_iter().map(|(key, fields)| (key, fields.text(Field::Name).map(str::to_owned))).collect()
}

#[tokio::test]
async fn a_pull_that_was_cut_off_goes_on_where_it_was() {
    let mut company = company();
    company.populate(100, 4, 2);
    let mut scene = Scene::over(company).await;
    scene.api.configure(|options| options.page_rows = 20);
    scene.api.fail(Fault::new(Trouble::Code(60020)).on(Interface::UserListId).about(About::Page(3)));
    scene.resolve();
    scene.synchronize();
    scene.silent(true).await;
    let cut_off = scene.pulled(|at| at.stage == Stage::MemberIds && at.place.is_some()).await;
    let mut scene = scene.reopen().await;
    scene.api.heal();
    scene.resolve();
    scene.synchronize();
    let at = scene.pulled(|at| at.stage == Stage::Idle).await;
    assert_eq!((at.run, at.is_whole), (cut_off.run, true));
    assert_eq!(scene.asked(&About::Page(2), Identity::Contact), 1, "what was pulled is not pulled again");
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn too_many_who_are_gone_wait_for_a_person() {
    let mut company = company();
    company.populate(40, 4, 2);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    let ids: Vec<String> = scene.api.company().snapshot().members.keys().take(10).cloned().collect();
    for id in &ids {
        scene.api.company().remove_member(id).unwrap();
    }
    scene.pass(86_400);
    let at = scene.pulled(|at| at.stage == Stage::Quarantined).await;
    let members = |live: &BTreeMap<EntityKey, Fields>| live.keys().filter(|key| key.kind == EntityKind::Member).count();
    assert_eq!(members(&scene.live().await), 40);
    let until = scene.now().plus_seconds(3600);
    let allow = move |conn: &mut database::Connection| {
        store::snapshots::decide(conn, &crate::scene::tenant(), &at.run, Some(until))
    };
    assert!(scene.write(allow).await);
    let look = async || {
        scene.pass(1);
        members(&scene.live().await)
    };
    test_kit::eventually("those who are gone are removed", look, |members| *members == 30).await;
    scene.end().await;
}

#[tokio::test]
async fn the_walk_finds_what_no_callback_tells() {
    let mut company = company();
    company.populate(60, 5, 2);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize_and_walk(Duration::from_millis(20));
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    let pulls = scene.api.tally(Interface::UserListId).calls;
    {
        let until = scene.now().seconds();
        let mut company = scene.api.company();
        company.set_now_seconds(until);
        company.drift(20);
    }
    scene.agrees().await;
    assert_eq!(scene.api.tally(Interface::UserListId).calls, pulls, "nothing was pulled");
    scene.end().await;
}
