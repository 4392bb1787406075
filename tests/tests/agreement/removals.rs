//! Who is not seen is not gone, and who is gone by the dozen waits for a person.

use std::collections::{BTreeMap, BTreeSet};

use platform_sim::{
    Company, Snapshot,
    api::{About, Fault, Interface, Scope, Trouble},
};
use store::runs::{Run, RunState, Wanted};

use crate::{
    copy::{Names, copy},
    product::{MemberRow, Place, Rows},
    scene::{AGENT, Scene, company},
};

const HOUR: i64 = 3600;

/// A company, and an empty core that is in step with it by now.
async fn in_step(mut company: Company) -> Scene {
    company.populate(120, 12, 3);
    let mut scene = Scene::over(company).await;
    scene.start().await;
    scene.known().await;
    scene.agrees().await;
    scene
}

/// A member goes, and nobody is told.
fn lose(scene: &Scene, members: usize) -> BTreeSet<String> {
    let ids: BTreeSet<String> = scene.api.company().snapshot().members.keys().take(members).cloned().collect();
    scene.happens(|company| ids.iter().for_each(|id| drop(company.remove_member(id).unwrap())));
    ids
}

fn live(rows: &Rows) -> BTreeSet<String> {
    rows.members.iter().filter(|(_, row)| row.deleted_at.is_none()).map(|(id, _)| id.clone()).collect()
}

/// Who is in which department.
fn memberships(rows: &Rows) -> BTreeMap<String, BTreeMap<String, Place>> {
    rows.members.iter().map(|(id, row)| (id.clone(), row.places.clone())).collect()
}

/// So many rows of the list of ids are a page that ends in the middle of a member's departments.
fn page_that_splits_a_member(company: &Snapshot) -> usize {
    let mut rows = 0;
    for member in company.members.values() {
        if rows >= 50 && member.departments.len() > 1 {
            return rows + 1;
        }
        rows += member.departments.len();
    }
    panic!("nobody is in two departments");
}

/// While something does not answer, a run removes nobody, from a department neither; as soon as it does, the one who is gone goes, and
/// nobody else.
async fn nobody_is_removed_by_a_run_with_a_hole(seed: u64, fault: Fault) {
    let scene = in_step(company(seed)).await;
    let before = live(&scene.core.rows());
    let places = memberships(&scene.core.rows());
    let gone = lose(&scene, 1);
    let page_rows = page_that_splits_a_member(&scene.api.company().snapshot());
    scene.api.configure(|options| options.page_rows = page_rows);
    scene.api.fail(fault);
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.is_complete), (RunState::Finished, false), "{:?}", run.why);
    for _ in 0..3 {
        scene.pass(HOUR);
        scene.settled().await;
        assert_eq!(live(&scene.core.rows()), before);
        assert_eq!(memberships(&scene.core.rows()), places);
    }
    scene.api.heal();
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.is_complete), (RunState::Finished, true), "{:?}", run.why);
    scene.agrees().await;
    assert_eq!(&before - &live(&scene.core.rows()), gone);
    scene.end().await;
}

#[tokio::test]
async fn a_page_that_fails_removes_nobody() {
    let fault = Fault::new(Trouble::Code(-1)).on(Interface::UserListId).about(About::Page(2));
    nobody_is_removed_by_a_run_with_a_hole(61, fault).await;
}

#[tokio::test]
async fn a_department_that_does_not_answer_removes_nobody() {
    let fault = Fault::new(Trouble::Code(-1)).on(Interface::UserList).about(About::department("3"));
    nobody_is_removed_by_a_run_with_a_hole(62, fault).await;
}

#[tokio::test]
async fn a_scope_that_was_narrowed_until_a_third_is_invisible_removes_nobody() {
    let scene = in_step(company(63)).await;
    let before = without_leaders(scene.core.rows());
    let visible = two_thirds(&scene.api.company().snapshot());
    let visible: Vec<&str> = visible.iter().map(String::as_str).collect();
    scene.api.configure(|options| options.app_mut(AGENT).unwrap().scope = Scope::of(&visible, &[]));
    let mut versions = BTreeSet::new();
    for _ in 0..3 {
        scene.pass(24 * HOUR);
        let run = scene.sync(Wanted::Apply).await;
        assert_eq!((run.state, run.is_complete), (RunState::Finished, true), "what an app does not see is no hole");
        scene.settled().await;
        assert_eq!(without_leaders(scene.core.rows()), before);
        versions.insert(scene.last_version().await);
    }
    assert_eq!(versions.len(), 1, "it was seen at once, and nothing changed after that");
    scene.end().await;
}

/// An app is shown the leaders that it sees, as if they were all (reference wecom 3.7).
fn without_leaders(mut rows: Rows) -> Rows {
    rows.departments.values_mut().for_each(|row| row.leaders.clear());
    rows.members.values_mut().for_each(|row| row.manager = None);
    rows
}

/// Departments that at most two thirds of the members are in, and at least a third.
fn two_thirds(company: &Snapshot) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::new();
    let inside = |chosen: &[String]| {
        let is_in = |id: &String| {
            let mut current = Some(id);
            while let Some(id) = current.filter(|id| !chosen.contains(id)) {
                current = company.departments[id].parent.as_ref();
            }
            current.is_some()
        };
        company.members.values().filter(|member| member.departments.iter().any(is_in)).count()
    };
    for id in company.departments.keys().rev() {
        chosen.push(id.clone());
        if inside(&chosen) * 3 > company.members.len() * 2 {
            chosen.pop();
        }
    }
    assert!(inside(&chosen) * 3 >= company.members.len(), "too few are left");
    chosen
}

#[tokio::test]
async fn a_third_that_is_really_gone_waits_for_a_person() {
    let scene = in_step(company(64)).await;
    let before = scene.core.rows();
    let mirror = scene.mirror().await;
    let gone = lose(&scene, 40);
    let run = scene.sync(Wanted::Apply).await;
    is_held_back(&scene, &run, &before).await;
    assert_eq!(scene.metric("brakes_total"), 1, "one warning");
    assert_eq!(scene.mirror().await, mirror);
    // Rejected, it is over, and nothing came of it.
    assert_eq!(scene.reject(&run).await.state, RunState::Rejected);
    scene.pass(2 * HOUR);
    scene.settled().await;
    assert_eq!(live(&scene.core.rows()), live(&before));
    assert_eq!(scene.mirror().await, mirror);
    // Nobody said so for good: the next run asks again, and goes on once a person allows it.
    let run = scene.sync(Wanted::Apply).await;
    is_held_back(&scene, &run, &before).await;
    assert_eq!(scene.metric("brakes_total"), 2);
    scene.allow(&run).await;
    assert_eq!(scene.ended(&run).await.state, RunState::Finished);
    scene.agrees().await;
    assert_eq!(&live(&before) - &live(&scene.core.rows()), gone);
    scene.end().await;
}

/// A run is in quarantine, and the core is as it was; however much time passes.
async fn is_held_back(scene: &Scene, run: &Run, before: &Rows) {
    assert_eq!(run.state, RunState::Quarantined, "{:?}", run.why);
    assert!(run.why.is_some());
    for _ in 0..3 {
        scene.pass(HOUR);
        scene.settled().await;
        assert_eq!(live(&scene.core.rows()), live(before));
    }
    assert_eq!(scene.run(run).await.state, RunState::Quarantined);
}

#[tokio::test]
async fn rows_by_the_dozen_that_are_nobodys_wait_for_a_person_and_come_back_when_it_is_undone() {
    let mut company = company(65);
    company.populate(40, 6, 2);
    let truth = company.snapshot();
    let mut before = copy(&truth, &Names::own(&truth));
    for number in 0..20 {
        let id = format!("g-{number}");
        let mut row =
            MemberRow { mobile: Some(format!("199{number:08}")), ..before.members.values().next().unwrap().clone() };
        (row.id, row.name, row.email) = (id.clone(), format!("某人 {number}"), None);
        row.employee_number = None;
        row.attributes.clear();
        before.members.insert(id, row);
    }
    let mut scene = Scene::over_filled(company, &before).await;
    scene.start().await;
    scene.known().await;
    let run = scene.sync(Wanted::Apply).await;
    is_held_back(&scene, &run, &before).await;
    assert_eq!(scene.reject(&run).await.state, RunState::Rejected);
    assert_eq!(scene.core.rows(), before, "rejected means untouched");

    let run = scene.sync(Wanted::Apply).await;
    is_held_back(&scene, &run, &before).await;
    assert_eq!(scene.core.rows(), before);
    scene.allow(&run).await;
    assert_eq!(scene.ended(&run).await.state, RunState::Finished);
    scene.agrees().await;
    assert_eq!(live(&scene.core.rows()).len(), 40);

    let mirror = scene.mirror().await;
    let undone = scene.undo(&run).await;
    assert_eq!(undone.state, RunState::Finished, "{:?}", undone.why);
    scene.settled().await;
    assert_eq!(scene.core.rows(), before, "undone means as it was");
    assert_eq!(scene.run(&run).await.state, RunState::Undone);
    assert_eq!(scene.mirror().await, mirror, "the mirror is the platform's");
    // It stays like this until a person wants it otherwise.
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, scene.items(&run).await.len()), (RunState::Finished, 0));
    assert_eq!(scene.core.rows(), before);
    scene.resume().await;
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!(run.state, RunState::Quarantined);
    scene.allow(&run).await;
    assert_eq!(scene.ended(&run).await.state, RunState::Finished);
    scene.agrees().await;
    scene.end().await;
}
