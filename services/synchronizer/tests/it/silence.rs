//! While the platform refuses, nothing grows old and nothing is lost.

use platform_sim::api::{Fault, Interface, Trouble};

use crate::scene::{Scene, company};

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
    for _ in 0..12 {
        scene.pass(6 * 3600);
        scene.drained().await;
        tokio::task::yield_now().await;
        assert_eq!(scene.dead_letters().await, 0);
    }
    scene.bar(false);
    scene.pass(61);
    scene.silent(false).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
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
    test_kit::eventually("members are asked for singly", gets, |calls| *calls >= 5).await;
    scene.silent(false).await;
    scene.api.heal();
    let look = async || {
        scene.pass(1);
        scene.read(|conn| store::questions::count_open(conn, &crate::scene::tenant())).await
    };
    test_kit::eventually("all is answered", look, |open| *open == 0).await;
    scene.agrees().await;
    scene.end().await;
}
