//! Callbacks that never came.

use std::collections::BTreeSet;

use platform_sim::{Callback, Company, Difference, Member, Subject, fold};
use store::runs::{RunState, Wanted};

use crate::scene::{Scene, company, nothing_of};

#[tokio::test]
async fn what_lost_callbacks_left_is_counted_and_mended_by_one_run_and_the_next_one_writes_nothing() {
    let mut company = company(31);
    company.populate(5000, 250, 6);
    let mut scene = Scene::over(company).await;
    scene.start().await;
    scene.known().await;
    scene.agrees().await;
    let callbacks = scene.happens(six_hundred_changes);
    let (lost, told): (Vec<_>, Vec<_>) = callbacks.into_iter().enumerate().partition(|(number, _)| number % 20 == 7);
    let told: Vec<Callback> = told.into_iter().map(|(_, callback)| callback).collect();
    scene.tell(&told).await;
    scene.settled().await;

    // What else was told asked for some of it. What is left differs because of the others, and of nothing else.
    let differing: BTreeSet<(String, String)> = scene.core_differs().await.iter().filter_map(should_be_told).collect();
    let named: BTreeSet<(String, String)> = lost.iter().flat_map(|(_, callback)| about(callback)).collect();
    assert!(differing.is_subset(&named), "{:?}", differing.difference(&named).collect::<Vec<_>>());
    assert!(differing.len() >= 15, "{} differ, {} were lost", differing.len(), lost.len());

    let run = scene.sync(Wanted::Apply).await;
    assert_eq!(run.state, RunState::Finished, "{:?}", run.why);
    assert_eq!(scene.metric("directory_differences"), differing.len() as u64);
    scene.agrees().await;
    nothing_of(&scene.diff().await);

    let before = scene.last_version().await;
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, scene.items(&run).await.len()), (RunState::Finished, 0));
    scene.settled().await;
    assert_eq!(scene.last_version().await, before);
    assert_eq!(scene.metric("directory_differences"), 0);
    scene.end().await;
}

/// The entity, if what differs of it is something that callbacks tell: that it is there, and where.
fn should_be_told(difference: &Difference) -> Option<(String, String)> {
    let is_told = matches!(difference.field.as_str(), "exists" | "departments" | "parent");
    is_told.then(|| (difference.kind.clone(), fold(&difference.id)))
}

/// Whom a callback names; of a new id too.
fn about(callback: &Callback) -> Vec<(String, String)> {
    match &callback.subject {
        Subject::Department(id) => vec![("department".to_owned(), id.clone())],
        Subject::Member(id) => [fold(id), fold(&renamed(id))].map(|id| ("member".to_owned(), id)).into_iter().collect(),
        Subject::Other => Vec::new(),
    }
}

fn renamed(id: &str) -> String {
    format!("{id}.neu")
}

/// Members come, move, go and get other ids; departments come and move; and other things change of which nobody is told.
fn six_hundred_changes(company: &mut Company) -> Vec<Callback> {
    let snapshot = company.snapshot();
    let ids: Vec<&String> = snapshot.members.keys().collect();
    let departments: Vec<&String> = snapshot.departments.keys().collect();
    let mut callbacks = Vec::new();
    for number in 0..20 {
        let (id, created) = company.create_department(&format!("新部门 {number}"), departments[number * 7]).unwrap();
        callbacks.extend(created);
        callbacks.extend(company.create_member(hired(1000 + number, &id)).unwrap());
    }
    for (number, id) in ids.iter().enumerate() {
        let elsewhere = departments[number * 13 % departments.len()];
        callbacks.extend(match number % 50 {
            0..4 => company.move_member(id, &[elsewhere.as_str()]).unwrap(),
            10 => company.remove_member(id).unwrap(),
            20 if number % 100 == 20 => company.rename_member(id, &renamed(&snapshot.members[*id].id)).unwrap(),
            _ => Vec::new(),
        });
    }
    for number in 0..120 {
        callbacks.extend(company.create_member(hired(number, departments[number % departments.len()])).unwrap());
    }
    let leaves = departments
        .iter()
        .filter(|id| snapshot.departments.values().all(|department| department.parent.as_ref() != Some(**id)));
    for (id, above) in leaves.step_by(10).zip(&departments) {
        // One may be there already, or have a sibling of the same name: then it stays.
        callbacks.extend(company.move_department(id, above).unwrap_or_default());
    }
    callbacks.extend(company.drift(150));
    callbacks
}

fn hired(number: usize, department: &str) -> Member {
    Member {
        id: format!("hired.{number}"),
        name: format!("新人 {number}"),
        departments: vec![department.to_owned()],
        main_department: Some(department.to_owned()),
        mobile: format!("177{number:08}"),
        ..Member::default()
    }
}
