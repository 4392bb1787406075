//! Questions are answered, with few calls.

use common::{EntityKey, Field};
use platform_sim::dingtalk::{
    Event, NewMember, ROOT,
    api::{About, Interface},
};
use test_kit::eventually;

use super::scene::{Scene, company, populated};

/// An answer to a hint is asked for after so long at the latest; less than what waits is left alone for.
const SOON_SECONDS: i64 = 6;

#[tokio::test]
async fn events_with_ids_only_end_in_full_members_and_no_list_is_asked_for() {
    let (departments, members) = (12, 60);
    let mut company = company();
    let events = company.populate(departments, members).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    // Leaves first: members before departments, and those before their parents.
    let backwards: Vec<Event> = events.into_iter().rev().collect();
    scene.tell(&backwards).await;
    scene.agrees().await;
    scene.questions(0).await;
    let members = members as u64;
    let calls = [Interface::UserGet, Interface::DepartmentListParentByUser].map(|interface| scene.calls(interface));
    assert_eq!(calls, [members, members], "each member is asked for once");
    for interface in [Interface::UserList, Interface::UserListId, Interface::DepartmentListSub] {
        assert_eq!(scene.calls(interface), 0, "{interface} was not needed");
    }
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn the_departments_above_a_missing_one_are_told_with_it_in_one_call() {
    let mut company = company();
    let mut parent = ROOT;
    let mut events = Vec::new();
    for level in 1..=6 {
        (parent, events) = company.create_department(&format!("{level} 级"), parent).unwrap();
    }
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    // Of the others nobody tells.
    scene.tell(&events).await;
    scene.asks(5).await;
    scene.pass(SOON_SECONDS);
    scene.agrees_now().await;
    assert_eq!(scene.calls(Interface::DepartmentListParentByDept), 1);
    assert_eq!(scene.calls(Interface::DepartmentGet), 6);
    scene.end().await;
}

#[tokio::test]
async fn the_departments_of_a_new_member_and_those_above_them_are_told_with_it() {
    let mut company = company();
    let (upper, _untold) = company.create_department("事业部", ROOT).unwrap();
    let (lower, _untold) = company.create_department("车间", upper).unwrap();
    let (_id, events) = company.hire(NewMember::in_departments(&[lower])).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.asks(2).await;
    scene.pass(SOON_SECONDS);
    scene.agrees_now().await;
    assert_eq!(scene.calls(Interface::DepartmentListParentByDept), 0);
    scene.end().await;
}

#[tokio::test]
async fn who_stayed_where_he_was_costs_one_call_and_who_moved_costs_two() {
    let mut company = company();
    let events = company.populate(4, 10).unwrap();
    let id = company.members().keys().next().unwrap().clone();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.agrees().await;
    scene.questions(0).await;
    let calls = || [Interface::UserGet, Interface::DepartmentListParentByUser].map(|interface| scene.calls(interface));
    let [gets, lookups] = calls();

    let renamed = scene.change(|company| company.update_member(&id, |member| member.name = "改名".to_owned()));
    scene.tell(&renamed).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(calls(), [gets + 1, lookups]);

    let moved = scene.change(|company| company.move_member(&id, &[ROOT]));
    scene.tell(&moved).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(calls(), [gets + 2, lookups + 1]);
    scene.end().await;
}

#[tokio::test]
async fn a_member_is_asked_for_as_the_platform_spells_the_id() {
    let mut company = company();
    let new = NewMember { userid: Some("ZhangSan".to_owned()), ..NewMember::in_departments(&[ROOT]) };
    let (_id, events) = company.hire(new).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn who_cannot_be_read_yet_is_asked_for_again() {
    let mut company = company();
    company.configure(|options| options.entity_lag_ms = 140_000);
    let (_id, events) = company.hire(NewMember::in_departments(&[ROOT])).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.agrees().await;
    scene.questions(0).await;
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn who_left_is_removed_by_the_second_look_at_all_lists_and_not_by_the_first() {
    let mut company = company();
    let events = company.populate(4, 30).unwrap();
    let mut scene = Scene::over(company).await;
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    scene.agrees().await;
    scene.questions(0).await;
    // Nobody hears that a member left; a later event about the member asks.
    let id = scene.api.company().members().keys().nth(5).unwrap().clone();
    scene.change(|company| company.leave(&id));
    let key = EntityKey::member(&id);
    scene.hint(&key, &id).await;
    scene.drained().await;
    let looks = || scene.asked(Interface::UserListId, &About::Department(ROOT));
    assert_eq!(looks(), 0);
    scene.pass(65);
    let look = async || {
        scene.pass(1);
        looks()
    };
    eventually("all lists are looked at", look, |looks| *looks > 0).await;
    assert!(scene.is_live(&key).await, "one look is not believed");
    let look = async || {
        scene.pass(1);
        scene.is_live(&key).await
    };
    eventually("it is removed", look, |is_live| !*is_live).await;
    assert!(looks() >= 2);
    scene.end().await;
}

#[tokio::test]
async fn a_department_that_went_unnoticed_is_removed_without_a_look_at_all_lists() {
    let company = populated(5, 0);
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.questions(0).await;
    let id = *scene.api.company().departments().keys().next_back().unwrap();
    scene.change(|company| company.remove_department(id));
    let key = EntityKey::department(&id.to_string());
    let before = scene.calls(Interface::UserListId);
    scene.hint(&key, &key.id).await;
    let look = async || {
        scene.pass(1);
        scene.is_live(&key).await
    };
    eventually("it is removed", look, |is_live| !*is_live).await;
    assert_eq!(scene.calls(Interface::UserListId), before);
    scene.end().await;
}

#[tokio::test]
async fn without_the_permission_to_read_members_they_go_out_by_id() {
    let mut company = company();
    let events = company.populate(2, 6).unwrap();
    let mut scene = Scene::over(company).await;
    scene.api.configure(|options| {
        options.app_mut(super::scene::CLIENT).unwrap().lacks.insert(Interface::UserGet);
    });
    scene.without_pulls().await;
    scene.resolve();
    scene.synchronize();
    scene.tell(&events).await;
    let id = scene.api.company().members().keys().next().unwrap().clone();
    let key = EntityKey::member(&id);
    let look = async || {
        scene.pass(1);
        scene.live().await.get(&key).and_then(|fields| fields.text(Field::Name).map(str::to_owned))
    };
    let name = eventually("it goes out", look, Option::is_some).await;
    assert_eq!(name.as_deref(), Some(id.as_str()), "its id stands for its name");
    scene.end().await;
}
