//! Questions are answered, with few calls.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, Field, Fields, Observation, What};
use platform_sim::api::{About, Interface};
use synchronizer::{
    Timing,
    questions::{Wanted, coalesce},
};

use crate::scene::{AGENT, Scene, company};

#[tokio::test]
async fn reduced_events_end_in_full_members() {
    let mut company = company();
    let callbacks = company.import(60, 9, 3);
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    // Leaves first: members before departments, and those before their parents.
    let backwards: Vec<_> = callbacks.into_iter().rev().collect();
    scene.tell(&backwards).await;
    scene.agrees().await;
    scene.questions(0).await;
    scene.end().await;
}

#[tokio::test]
async fn ten_thousand_hints_about_two_thousand_members_cost_a_call_for_each_department_and_round() {
    let mut company = company();
    company.populate(2000, 50, 4);
    let told = everything_told(&company);
    let allowed = calls_by_the_rule(&company);
    assert_eq!(told.iter().filter(|told| told.hint).count(), 10_000);
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.observe(told).await;
    scene.drained().await;
    scene.questions(2000).await;
    scene.pass(10);
    scene.synchronize();
    scene.questions(0).await;
    // Of two rounds of a thousand none asks twice about members of one department, and each asks no more than was planned.
    let calls = details_asked_for(&scene);
    assert!(calls.values().all(|times| *times <= 2), "{calls:?}");
    let made: usize = calls.values().sum();
    assert!(made <= allowed && allowed <= 2 * 50, "{made} calls where {allowed} are allowed");
    scene.agrees().await;
    assert_eq!(details_asked_for(&scene), calls, "nobody is asked about once more");
    for interface in Interface::ALL {
        let is_needed = matches!(interface, Interface::GetToken | Interface::UserGet | Interface::UserList);
        assert!(is_needed || scene.api.tally(interface).calls == 0, "{interface} was not needed");
    }
    scene.end().await;
}

/// How often somebody was asked for the details of a member, or of those of a department.
fn details_asked_for(scene: &Scene) -> BTreeMap<About, usize> {
    let mut calls = BTreeMap::new();
    for call in scene.api.records() {
        if matches!(call.interface, Interface::UserGet | Interface::UserList) {
            *calls.entry(call.about.expect("somebody")).or_default() += 1;
        }
    }
    calls
}

/// How many calls tell all members, if in each round those are put that answer most: rounds take members in the order of their ids.
fn calls_by_the_rule(company: &platform_sim::Company) -> usize {
    let members = company.snapshot().members;
    let wanted: Vec<Wanted> = members
        .values()
        .map(|member| Wanted {
            about: EntityKey::member(&member.id),
            departments: member.departments.clone(),
            places: false,
        })
        .collect();
    let round = usize::try_from(Timing::default().round).unwrap();
    wanted.chunks(round).map(|round| coalesce(round, true, &BTreeSet::new()).details.len()).sum()
}

/// Departments in full, and five hints about each member.
fn everything_told(company: &platform_sim::Company) -> Vec<Observation> {
    let snapshot = company.snapshot();
    let at = common::UnixMillis::from_seconds(company.now_seconds());
    let mut told = Vec::new();
    for (id, department) in &snapshot.departments {
        let mut fields = Fields::new().with(Field::Name, department.name.clone());
        if let Some(parent) = &department.parent {
            fields.set(Field::Parent, parent.clone());
        }
        let what = What::Created { fields };
        told.push(Observation { kind: EntityKind::Department, id: id.clone(), at, what, hint: false, answer: false });
    }
    for time in 0..5 {
        for member in snapshot.members.values() {
            let what = What::Updated { fields: Fields::new().with(Field::Departments, member.departments.clone()) };
            let at = at.plus_seconds(time);
            let id = member.id.clone();
            told.push(Observation { kind: EntityKind::Member, id, at, what, hint: true, answer: false });
        }
    }
    told
}

#[tokio::test]
async fn who_the_app_does_not_see_goes_out_by_id() {
    let mut company = company();
    let callbacks = company.import(20, 4, 1);
    let mut scene = Scene::over(company).await;
    scene.api.configure(|options| {
        options.app_mut(AGENT).unwrap().scope = platform_sim::api::Scope::of(&["2"], &[]);
    });
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&callbacks).await;
    let outside = {
        let snapshot = scene.api.company().snapshot();
        let outside = snapshot.members.iter().find(|(_, member)| member.departments.iter().all(|id| id != "2"));
        EntityKey::member(outside.expect("somebody outside of the scope").0)
    };
    let look = async || {
        scene.pass(1);
        scene.live().await.get(&outside).map(|fields| fields.text(Field::Name).map(str::to_owned))
    };
    let name = test_kit::eventually("it goes out", look, Option::is_some).await;
    let name = name.flatten().expect("a name");
    assert_eq!(name.to_lowercase(), &*outside.id, "its id stands for its name");
    scene.end().await;
}

#[tokio::test]
async fn who_is_gone_is_removed_by_the_second_list_and_not_by_the_first() {
    let mut company = company();
    let callbacks = company.import(30, 4, 2);
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&callbacks).await;
    scene.agrees().await;
    scene.questions(0).await;
    // Nobody hears of the removal; a later hint about the member asks.
    let id = scene.api.company().snapshot().members.keys().next().unwrap().clone();
    scene.api.company().remove_member(&id).unwrap();
    let key = EntityKey::member(&id);
    let what = What::Updated { fields: Fields::new() };
    let hint =
        Observation { kind: EntityKind::Member, id: id.clone(), at: scene.now(), what, hint: true, answer: false };
    scene.observe(vec![hint]).await;
    // Soon after the hint no list is believed.
    scene.pass(10);
    scene.questions(1).await;
    let lists = || scene.api.tally(Interface::UserListId).calls;
    let before = lists();
    scene.pass(65);
    let look = async || lists();
    test_kit::eventually("a first list", look, |lists| *lists > before).await;
    assert!(scene.live().await.contains_key(&key), "one list is not believed");
    scene.pass(31);
    let look = async || scene.live().await.contains_key(&key);
    test_kit::eventually("it is removed", look, |is_live| {
        scene.pass(1);
        !*is_live
    })
    .await;
    scene.end().await;
}
