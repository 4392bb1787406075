//! While the platform refuses, nothing grows old and nothing is lost.

use common::EntityKey;
use platform_sim::{
    Member, ROOT,
    api::{Fault, Interface, Outcome, Trouble},
};
use test_kit::eventually;

use crate::scene::{Scene, company, tenant};

/// How often it is looked during three days.
const LOOKS: u64 = 12;
const PAUSE_SECONDS: i64 = 6 * 3600;

#[tokio::test]
async fn after_three_days_of_refusal_nothing_is_dead_and_everything_is_answered() {
    let mut company = company();
    let callbacks = company.import(20, 4, 2);
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.bar(true);
    scene.resolve();
    scene.synchronize();
    scene.tell(&callbacks).await;
    scene.silent(true).await;
    for number in 0..LOOKS {
        // Of its department nobody tells: it is missed after a while, and asked for.
        let department = hire_into_a_new_department(&scene, number).await;
        let probes = scene.api.tally(Interface::UserListId).calls;
        scene.pass(PAUSE_SECONDS);
        // Both have looked at what time it is: who would give up, and who asks whether the platform still refuses.
        asked_for_just_now(&scene, &department).await;
        let look = async || scene.api.tally(Interface::UserListId).calls;
        eventually("the platform is tried again", look, |calls| *calls > probes).await;
        assert_eq!(scene.dead_letters().await, 0);
    }
    let calls = refused_calls(&scene);
    assert!(calls <= 3 * LOOKS, "a platform that refuses is left alone: {calls} calls in {LOOKS} looks");

    scene.bar(false);
    scene.pass(61);
    scene.silent(false).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

/// A member comes into a department of which no callback tells. Returns the department.
async fn hire_into_a_new_department(scene: &Scene, number: u64) -> EntityKey {
    let (department, callbacks) = {
        let mut company = scene.api.company();
        company.set_now_seconds(scene.now().seconds());
        let (department, _untold) = company.create_department(&format!("新部门 {number}"), ROOT).unwrap();
        let id = format!("late{number}");
        let member = Member {
            name: id.clone(),
            id,
            departments: vec![department.clone()],
            main_department: Some(department.clone()),
            ..Member::default()
        };
        (department, company.create_member(member).unwrap())
    };
    scene.tell(&callbacks).await;
    scene.drained().await;
    EntityKey::department(&department)
}

/// Waits until something is asked for that was not before this moment.
async fn asked_for_just_now(scene: &Scene, about: &EntityKey) {
    let now = scene.now();
    let look = async || {
        let open = scene.read(|conn| store::questions::open(conn, &tenant(), 1000)).await;
        open.iter().any(|question| question.about == *about && question.asked_at == now)
    };
    eventually("it is asked for", look, |is_asked| *is_asked).await;
}

/// All calls but those for tokens, each of which was refused; some with a token whose time was up.
fn refused_calls(scene: &Scene) -> u64 {
    let mut calls = scene.api.records();
    calls.retain(|call| call.interface != Interface::GetToken);
    let is_refused = |outcome| [60020, 40014, 42001].map(Outcome::Code).contains(outcome);
    let answered = calls.iter().find(|call| !is_refused(&call.outcome));
    assert_eq!(answered, None, "nobody is trusted");
    calls.len() as u64
}

#[tokio::test]
async fn one_member_that_cannot_be_asked_for_is_no_silence() {
    let mut company = company();
    let callbacks = company.import(5, 2, 1);
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.api.fail(Fault::new(Trouble::Code(45029)).on(Interface::UserGet));
    scene.api.fail(Fault::new(Trouble::Code(45029)).on(Interface::UserList));
    scene.resolve();
    scene.synchronize();
    scene.tell(&callbacks).await;
    scene.drained().await;
    let gets = async || scene.api.tally(Interface::UserGet).calls;
    eventually("members are asked for singly", gets, |calls| *calls >= 5).await;
    scene.silent(false).await;
    scene.api.heal();
    let look = async || {
        scene.pass(1);
        scene.read(|conn| store::questions::count_open(conn, &tenant())).await
    };
    eventually("all is answered", look, |open| *open == 0).await;
    scene.agrees().await;
    scene.end().await;
}
