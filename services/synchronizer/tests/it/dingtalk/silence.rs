//! While the platform refuses, nothing grows old and nothing is lost.

use std::{collections::BTreeSet, time::Duration};

use platform_sim::dingtalk::{
    NewMember, ROOT,
    api::{Fault, Interface, Trouble},
};
use store::snapshots::Stage;
use test_kit::eventually;

use super::scene::{CLIENT, Scene, company, populated, tenant};

#[tokio::test]
async fn a_token_that_dies_early_is_replaced_and_nobody_notices() {
    let mut company = company();
    let events = company.populate(3, 20).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(scene.api.tokens_issued(), 1);
    scene.api.kill_tokens(None);
    let hired = scene.change(|company| company.hire(NewMember::in_departments(&[ROOT]))).1;
    scene.tell(&hired).await;
    scene.agrees().await;
    scene.silent(false).await;
    assert_eq!(scene.api.tokens_issued(), 2);
    scene.end().await;
}

#[tokio::test]
async fn a_secret_that_was_wrong_is_noticed_and_the_right_one_answers_everything() {
    let mut company = company();
    let events = company.populate(3, 10).unwrap();
    let mut scene = Scene::over(company).await;
    scene.api.configure(|options| options.app_mut(CLIENT).unwrap().client_secret = "another".to_owned());
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.silent(true).await;
    scene.enter_secret("another").await;
    let look = async || {
        scene.pass(10);
        scene.read(|conn| store::questions::silent_since(conn, &tenant())).await
    };
    eventually("it answers", look, Option::is_none).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn after_three_days_of_refusal_nothing_is_dead_and_everything_is_answered() {
    let mut company = company();
    let events = company.populate(4, 20).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    // No address is among the trusted ones.
    scene.api.configure(|options| options.app_mut(CLIENT).unwrap().trusted = Some(BTreeSet::new()));
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.silent(true).await;
    scene.drained().await;
    for _ in 0..12 {
        let calls = scene.api.records().len();
        scene.pass(6 * 3600);
        // The refusal before may only now be written, with its pause counted from now on.
        let look = async || {
            scene.pass(10);
            scene.api.records().len()
        };
        eventually("the platform is tried again", look, |now| *now > calls).await;
        assert_eq!(scene.dead_letters().await, 0);
    }
    scene.api.configure(|options| options.app_mut(CLIENT).unwrap().trusted = None);
    let look = async || {
        scene.pass(10);
        scene.read(|conn| store::questions::silent_since(conn, &tenant())).await
    };
    eventually("it answers again", look, Option::is_none).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn a_pull_that_is_throttled_goes_on_when_the_platform_says_so() {
    let mut scene = Scene::over(populated(30, 40)).await;
    let crowd = Trouble::Crowd(Duration::from_secs(90));
    scene.api.fail(Fault::new(crowd).on(Interface::UserListId).after(20).times(1));
    scene.resolve();
    scene.synchronize();
    scene.silent(true).await;
    let calls = scene.calls(Interface::UserListId);
    // It is left alone until then, and not forgotten after that.
    scene.pass(60);
    scene.silent(true).await;
    assert_eq!(scene.calls(Interface::UserListId), calls);
    let look = async || {
        scene.pass(5);
        scene.read(|conn| store::snapshots::get(conn, &tenant())).await
    };
    let is_over = |at: &Option<store::snapshots::Snapshot>| at.as_ref().is_some_and(|at| at.stage == Stage::Idle);
    let at = eventually("the pull is over", look, is_over).await.unwrap();
    assert!(at.is_whole);
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn members_that_cannot_be_asked_for_are_no_silence() {
    let mut company = company();
    let events = company.populate(2, 5).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    // A code that nobody knows.
    scene.api.fail(Fault::new(Trouble::Code(77_777)).on(Interface::UserGet));
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.drained().await;
    let gets = async || scene.calls(Interface::UserGet);
    eventually("members are asked for", gets, |calls| *calls >= 5).await;
    scene.silent(false).await;
    scene.api.heal();
    scene.questions(0).await;
    scene.agrees().await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}
