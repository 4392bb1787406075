//! The first sync of a company that a core product knows already, under ids of its own.

mod old_copy;

use std::{collections::BTreeSet, env};

use common::UnixMillis;
use database::Connection;
use platform_sim::{Callback, Company, Member, ROOT, compare, fold};
use store::{
    links::{self, DecidedBy, Link},
    runs::{ItemState, PlanItem, RunKind, RunState, Wanted},
};
use tests::as_core_sees;

use self::old_copy::{Decision, OldCopy};
use crate::{
    copy::{Names, copy},
    naive,
    scene::{Scene, company, core_id, nothing_of, tenant},
};

/// How many members the company has, if not [`MEMBERS`].
const MEMBERS_VARIABLE: &str = "ORGBRIDGE_FIRST_SYNC_MEMBERS";
const MEMBERS: usize = 5000;
/// Members of a department.
const PER_DEPARTMENT: usize = 20;

/// What the plan has something of; else it would be found right for want of cases.
const CASES: [&str; 20] = [
    ": root",
    ": name",
    ": same_id",
    ": mobile",
    ": email",
    ": employee_number",
    "create department ",
    "create member ",
    "update department ",
    "differs: name",
    "returned: ",
    "disable member ",
    "disable department ",
    ": expired",
    ": not_empty",
    "ambiguous: name (",
    "ambiguous: mobile, email (",
    "disabled: mobile",
    "same_name: name",
    "blocked by department ",
];

/// `update member Bob u1: differs: name`
fn line(kept: &PlanItem) -> String {
    let item = &kept.planned.item;
    let (id, core_id) = (item.id.as_deref().unwrap_or("-"), item.core_id.as_deref().unwrap_or("-"));
    format!("{} {} {id} {core_id}: {}", item.action.as_str(), item.kind.as_str(), item.why)
}

/// Entities and rows that nothing is done about: those that a person must decide on, and rows that these may be or that they are in.
fn undecided(items: &[PlanItem]) -> BTreeSet<String> {
    let is_left_alone = |kept: &&PlanItem| matches!(kept.planned.item.action.as_str(), "unsure" | "impossible");
    let ids = items.iter().filter(is_left_alone).flat_map(|kept| {
        let item = &kept.planned.item;
        item.id.iter().chain(&item.core_id).chain(&item.why.candidates)
    });
    ids.map(|id| fold(id)).collect()
}

#[tokio::test]
async fn a_plan_says_what_a_naive_comparison_finds_and_leaves_nothing_when_it_is_applied() {
    let mut company = company(41);
    let told = env::var_os(MEMBERS_VARIABLE).and_then(|told| told.into_string().ok()?.parse().ok());
    let members = told.unwrap_or(MEMBERS);
    company.populate(members, members / PER_DEPARTMENT, 6);
    let truth = company.snapshot();
    let OldCopy { rows, decisions } = OldCopy::of(&truth, UnixMillis::from_seconds(company.now_seconds()));
    let mut scene = Scene::over_filled(company, &rows).await;
    scene.start().await;
    scene.known().await;

    let run = scene.sync(Wanted::Plan).await;
    assert_eq!((run.kind, run.state, run.why.as_deref()), (RunKind::First, RunState::Planned, None));
    assert!(run.is_complete);
    let items = scene.items(&run).await;
    let planned: BTreeSet<String> = items.iter().map(line).collect();
    let expected: BTreeSet<String> = naive::lines(&truth, &rows, scene.now()).into_iter().collect();
    let lacking: Vec<&String> = expected.difference(&planned).take(5).collect();
    let too_much: Vec<&String> = planned.difference(&expected).take(5).collect();
    assert!(lacking.is_empty() && too_much.is_empty(), "lacking {lacking:?}, too much {too_much:?}");
    assert_eq!(items.len(), expected.len());
    for case in CASES {
        assert!(planned.iter().any(|line| line.contains(case)), "nothing is {case:?}");
    }
    assert_eq!(scene.core.rows(), rows, "a plan changes nothing");

    let applied = scene.sync(Wanted::Apply).await;
    assert_eq!((&applied.id, applied.state), (&run.id, RunState::Finished), "{:?}", applied.why);
    scene.settled().await;
    assert!(scene.items(&run).await.iter().all(|item| item.planned.state != ItemState::Failed));
    nothing_of(&scene.diff().await);
    let undecided = undecided(&items);
    let directory = scene.core.rows().directory(&scene.links().await);
    let mut found = compare(&as_core_sees(&truth), &directory);
    assert!(!found.is_empty(), "a person has something to decide");
    found.retain(|difference| !undecided.contains(&fold(&difference.id)));
    nothing_of(&found);

    decide(&scene, decisions).await;
    // A large company is not pulled twice within the minute that the platform counts.
    scene.pass(61);
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.kind, run.state, run.counts.unsure), (RunKind::Reconcile, RunState::Finished, 0));
    scene.agrees().await;
    nothing_of(&scene.diff().await);
    scene.end().await;
}

/// A person decides on everybody who is in doubt.
async fn decide(scene: &Scene, decisions: Vec<Decision>) {
    let now = scene.now();
    let write = move |conn: &mut Connection| {
        decisions.into_iter().try_for_each(|Decision { entity, row, is_same }| {
            if is_same {
                let link = Link { entity, core_id: row, decided_by: DecidedBy::Person, since: now };
                return links::set(conn, &tenant(), &core_id(), &[link]);
            }
            links::reject(conn, &tenant(), &core_id(), &entity, &row, now)
        })
    };
    scene.write(write).await;
}

#[tokio::test]
async fn live_events_before_the_first_sync_make_nobody_twice() {
    let mut company = company(42);
    company.populate(60, 8, 3);
    let truth = company.snapshot();
    let rows = copy(&truth, &Names::own(&truth));
    let mut scene = Scene::over_filled(company, &rows).await;
    scene.start().await;
    scene.known().await;
    let callbacks = scene.happens(ordinary_life);
    scene.tell(&callbacks).await;
    scene.settled().await;
    assert!(scene.is_collecting().await);
    assert_eq!(scene.core.rows(), rows, "nothing is delivered before a person asks for it");
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.counts.create, run.counts.disable), (RunState::Finished, 3, 2), "{:?}", run.why);
    scene.agrees().await;
    // Who was there has the row that it had.
    let now = scene.core.rows();
    assert!(rows.members.keys().all(|id| now.members.contains_key(id)));
    assert_eq!(now.members.len(), rows.members.len() + 3);
    // What is live goes there by itself from now on.
    let callbacks = scene.happens(|company| company.move_member("new.1", &[ROOT]).unwrap());
    scene.tell(&callbacks).await;
    scene.agrees().await;
    scene.end().await;
}

/// Three come, two go, two get another id, some move and some get another title, of which nobody is told.
fn ordinary_life(company: &mut Company) -> Vec<Callback> {
    let snapshot = company.snapshot();
    let ids: Vec<&String> = snapshot.members.keys().collect();
    let departments: Vec<&String> = snapshot.departments.keys().collect();
    let mut callbacks = Vec::new();
    for (number, department) in departments.iter().copied().take(3).enumerate() {
        let member = Member {
            id: format!("new.{number}"),
            name: format!("新人 {number}"),
            departments: vec![department.clone()],
            main_department: Some(department.clone()),
            mobile: format!("177{number:08}"),
            ..Member::default()
        };
        callbacks.extend(company.create_member(member).unwrap());
    }
    for id in &ids[..2] {
        callbacks.extend(company.remove_member(id).unwrap());
    }
    for id in &ids[2..4] {
        callbacks.extend(company.rename_member(id, &format!("{id}.neu")).unwrap());
    }
    for (id, department) in ids[4..10].iter().zip(departments.iter().cycle().skip(3)) {
        callbacks.extend(company.move_member(id, &[department.as_str()]).unwrap());
    }
    for id in &ids[8..14] {
        callbacks.extend(company.update_member(id, |member| "新职位".clone_into(&mut member.title)).unwrap());
    }
    callbacks
}
