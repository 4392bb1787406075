//! One look after the other, as a simulation drives it: what is due, and how often.

use common::UnixMillis;
use platform_sim::api::Interface;
use store::{
    destinations::{self, State},
    gaps::{self, Gap},
    runs::{self, Run, RunKind, RunState, Wanted, Wish},
};
use synchronizer::Steps;

use crate::scene::{Scene, company, tenant};

/// More looks than anything here takes.
const LOOKS: usize = 200;

async fn scene() -> (Scene, Steps) {
    let mut company = company();
    company.populate(30, 4, 2);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    let steps = scene.steps();
    (scene, steps)
}

/// Looks until the mirror shows what the company is.
async fn in_step(scene: &Scene, steps: &Steps) {
    for _ in 0..LOOKS {
        look(scene, steps).await;
        if scene.differences().await.is_empty() {
            return;
        }
    }
    panic!("the mirror does not agree: {:?}", scene.differences().await);
}

async fn look(scene: &Scene, steps: &Steps) {
    steps.once().await.unwrap();
    scene.drained().await;
    scene.pass(2);
}

/// Looks until no run is at work, and some times more, and returns all runs, the newest first.
async fn runs_over(scene: &Scene, steps: &Steps) -> Vec<Run> {
    let all = async || scene.read(|conn| runs::list(conn, &tenant(), 100)).await;
    for _ in 0..LOOKS {
        look(scene, steps).await;
        if all().await.iter().all(|run| !run.state.is_at_work()) {
            for _ in 0..3 {
                look(scene, steps).await;
            }
            return all().await;
        }
    }
    panic!("a run does not end: {:?}", all().await)
}

/// How often the list of all members was begun.
fn pulls(scene: &Scene) -> u64 {
    scene.api.tally(Interface::UserListId).calls
}

async fn ask(scene: &Scene, now: UnixMillis) {
    let wish = Wish { wanted: Wanted::Apply, key: None };
    scene.write(move |conn| runs::request(conn, &tenant(), wish, now)).await.unwrap();
}

#[tokio::test]
async fn an_empty_core_is_opened_at_the_first_look() {
    let (scene, steps) = scene().await;
    let state = async || {
        let rows = scene.read(|conn| destinations::list(conn, Some(&tenant()))).await;
        rows.into_iter().map(|row| row.state).collect::<Vec<State>>()
    };
    assert_eq!(state().await, [State::Collecting]);
    look(&scene, &steps).await;
    assert_eq!(state().await, [State::Active]);
    scene.end().await;
}

#[tokio::test]
async fn a_day_has_one_pull_and_a_run_only_once_there_was_a_first_sync() {
    let (scene, steps) = scene().await;
    scene.without_destinations().await;
    in_step(&scene, &steps).await;
    let before = pulls(&scene);
    scene.pass(86_400);
    assert!(runs_over(&scene, &steps).await.is_empty(), "nobody asked for a first sync");
    assert_eq!(pulls(&scene), before + 1);

    ask(&scene, scene.now()).await;
    let runs = runs_over(&scene, &steps).await;
    assert_eq!((runs[0].kind, runs[0].state), (RunKind::First, RunState::Finished), "{:?}", runs[0].why);
    assert_eq!(pulls(&scene), before + 2);

    scene.pass(86_400);
    let runs = runs_over(&scene, &steps).await;
    assert_eq!((runs.len(), runs[0].kind, runs[0].state), (2, RunKind::Reconcile, RunState::Finished));
    assert_eq!(pulls(&scene), before + 3);
    scene.end().await;
}

#[tokio::test]
async fn callbacks_that_may_be_missing_make_the_next_run_due() {
    let (scene, steps) = scene().await;
    scene.without_destinations().await;
    in_step(&scene, &steps).await;
    ask(&scene, scene.now()).await;
    runs_over(&scene, &steps).await;
    let before = pulls(&scene);
    let gap = Gap::at(scene.now());
    scene.write(move |conn| gaps::note(conn, &tenant(), gap)).await;
    scene.pass(1);
    assert_eq!(runs_over(&scene, &steps).await.len(), 2);
    assert_eq!(pulls(&scene), before + 1);
    assert_eq!(scene.read(|conn| gaps::get(conn, &tenant())).await, None);
    scene.end().await;
}

#[tokio::test]
async fn what_a_run_found_is_told_by_all_replicas_and_by_none_once_the_tenant_moved() {
    let (scene, steps) = scene().await;
    let (replica, told) = scene.replica();
    in_step(&scene, &steps).await;
    let company = scene.api.company().snapshot();
    let member = company.members.keys().next().unwrap().clone();
    drop(scene.api.company().remove_member(&member).unwrap());
    scene.pass(3 * 86_400);
    in_step(&scene, &steps).await;
    let found = "orgbridge_directory_differences{tenant=\"acme\"} 1";
    let ours = &scene.stage.context.metrics;
    assert!(ours.render().unwrap().contains(found), "{}", ours.render().unwrap());

    scene.pass(61);
    replica.once().await.unwrap();
    assert!(told.render().unwrap().contains(found), "{}", told.render().unwrap());

    scene.moves_to("another").await;
    scene.pass(61);
    for (steps, metrics) in [(&steps, ours), (&replica, &told)] {
        steps.once().await.unwrap();
        let page = metrics.render().unwrap();
        for gauge in ["directory_differences", "platform_silent", "sync_progress_ratio"] {
            assert!(!page.contains(&format!("orgbridge_{gauge}{{tenant")), "{gauge}: {page}");
        }
    }
    scene.end().await;
}
