//! Many ask for the same at once, and again a minute later.

use futures::future::join_all;
use platform_sim::api::{Fault, Interface, Trouble};
use store::runs::{RunState, Wanted};
use test_kit::eventually;

use crate::scene::{Scene, company};

#[tokio::test]
async fn fifty_who_ask_at_once_and_one_a_minute_later_get_one_run() {
    let mut company = company(21);
    company.populate(40, 6, 2);
    let mut scene = Scene::over(company).await;
    scene.start().await;
    scene.known().await;
    // The platform takes its time, so that the run is under way for as long as anybody asks.
    scene.api.fail(Fault::new(Trouble::Held).on(Interface::UserListId));
    let asked = join_all((0..50).map(|_| scene.request(Wanted::Apply))).await;
    let run = &asked[0];
    assert!(asked.iter().all(|other| other.id == run.id), "{asked:?}");
    let look = async || scene.run(run).await.started_at;
    eventually("somebody works on it", look, Option::is_some).await;
    scene.pass(60);
    assert_eq!(scene.request(Wanted::Apply).await.id, run.id);
    assert_eq!(scene.request(Wanted::Plan).await.id, run.id);
    scene.api.heal();
    scene.api.release();
    assert_eq!(scene.ended(run).await.state, RunState::Finished);
    assert_eq!(scene.runs().await.len(), 1);
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn a_request_that_is_repeated_under_its_name_gets_the_run_that_is_over() {
    let mut company = company(22);
    company.populate(20, 3, 1);
    let mut scene = Scene::over(company).await;
    scene.start().await;
    scene.known().await;
    let run = scene.request_as(Wanted::Apply, Some("double click")).await;
    assert_eq!(scene.ended(&run).await.state, RunState::Finished);
    scene.pass(60);
    assert_eq!(scene.request_as(Wanted::Apply, Some("double click")).await.id, run.id);
    assert_ne!(scene.sync(Wanted::Apply).await.id, run.id, "one without a name is another one");
    scene.end().await;
}
