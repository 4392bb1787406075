//! Departments that nobody, or only half of us, is shown.

mod veil;

use std::collections::BTreeSet;

use platform_sim::{Company, ROOT, api::Scope};
use store::runs::{RunState, Wanted};

use self::veil::Veil;
use crate::scene::{AGENT, Scene, company};

const DAY: i64 = 86_400;

/// A company with a department of its own for three of its members, who are in another one as well.
fn with_a_department(seed: u64) -> (Company, String, Vec<String>) {
    let mut company = company(seed);
    company.populate(40, 6, 2);
    let (id, _) = company.create_department("密室", ROOT).unwrap();
    let snapshot = company.snapshot();
    let members: Vec<String> = snapshot.members.keys().take(3).cloned().collect();
    for member in &members {
        let first = &snapshot.members[member].departments[0];
        company.move_member(member, &[first.as_str(), id.as_str()]).unwrap();
    }
    (company, id, members)
}

/// Three reconciliations, a day apart, find nothing to do.
async fn nothing_changes(scene: &Scene) {
    let (rows, version) = (scene.core.rows(), scene.last_version().await);
    for _ in 0..3 {
        scene.pass(DAY);
        let run = scene.sync(Wanted::Apply).await;
        assert_eq!((run.state, run.is_complete), (RunState::Finished, true), "{:?}", run.why);
        assert_eq!(scene.items(&run).await.len(), 0);
        scene.settled().await;
        assert_eq!(scene.core.rows(), rows);
        assert_eq!(scene.last_version().await, version);
    }
}

/// The departments of a member by the core's rows.
fn places(scene: &Scene, member: &str) -> BTreeSet<String> {
    scene.core.rows().members[member].places.keys().cloned().collect()
}

#[tokio::test]
async fn a_department_that_the_app_does_not_see_stays_a_membership() {
    let (company, hidden, members) = with_a_department(81);
    let truth = company.snapshot();
    let mut scene = Scene::over(company).await;
    let visible: Vec<&str> =
        truth.departments.keys().map(String::as_str).filter(|id| *id != ROOT && *id != hidden).collect();
    scene.api.configure(|options| options.app_mut(AGENT).unwrap().scope = Scope::of(&visible, &[]));
    scene.start().await;
    scene.known().await;
    let rows = scene.core.rows();
    assert_eq!(rows.departments[&hidden].name, hidden, "its id stands for its name");
    for (id, member) in &truth.members {
        let told: BTreeSet<String> = member.departments.iter().cloned().collect();
        assert_eq!(places(&scene, id), told, "{id}");
    }
    nothing_changes(&scene).await;
    assert!(members.iter().all(|member| places(&scene, member).contains(&hidden)));
    scene.end().await;
}

#[tokio::test]
async fn a_department_that_nobody_is_shown_is_left_out_and_comes_back_when_it_is_shown() {
    let (company, hidden, members) = with_a_department(82);
    let truth = company.snapshot();
    let mut scene = Scene::over(company).await;
    let veil = Veil::over(&scene.api, &hidden).await;
    scene.ask_at(veil.url());
    scene.start().await;
    scene.known().await;
    for (id, member) in &truth.members {
        let shown: BTreeSet<String> =
            member.departments.iter().filter(|department| **department != hidden).cloned().collect();
        assert_eq!(places(&scene, id), shown, "{id}");
    }
    assert!(!scene.core.rows().departments.contains_key(&hidden));
    nothing_changes(&scene).await;
    veil.lift();
    scene.pass(DAY);
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!(run.state, RunState::Finished, "{:?}", run.why);
    scene.agrees().await;
    assert!(members.iter().all(|member| places(&scene, member).contains(&hidden)));
    scene.end().await;
}
