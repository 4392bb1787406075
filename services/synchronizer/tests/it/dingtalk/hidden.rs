//! What the app does not see stays where it is.

use std::{collections::BTreeMap, time::Duration};

use common::{EntityKey, Field, Fields};
use platform_sim::dingtalk::{
    Company, NewMember, ROOT,
    api::{About, Interface},
};
use store::snapshots::Stage;

use super::scene::{CLIENT, Scene, company, populated};

const DAY_SECONDS: i64 = 86_400;

/// A company with a department below the root, and one below the other that the app does not see. One member is in both, one in the
/// hidden one only, and one is hidden. Returns the hidden department.
fn with_hidden_ones() -> (Company, i64, [String; 3]) {
    let mut company = company();
    let (shown, _untold) = company.create_department("车间", ROOT).unwrap();
    let (hidden, _untold) = company.create_department("薪酬组", shown).unwrap();
    let hire =
        |company: &mut Company, departments: &[i64]| company.hire(NewMember::in_departments(departments)).unwrap().0;
    let both = hire(&mut company, &[shown, hidden]);
    let inside = hire(&mut company, &[hidden]);
    let unseen = hire(&mut company, &[shown]);
    company.change_department(hidden, |department| department.in_scope = false).unwrap();
    company.update_member(&inside, |member| member.in_scope = false).unwrap();
    company.update_member(&unseen, |member| member.in_scope = false).unwrap();
    (company, hidden, [both, inside, unseen])
}

#[tokio::test]
async fn a_department_that_the_app_does_not_see_is_found_through_who_is_in_it() {
    let (company, hidden, [both, ..]) = with_hidden_ones();
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    let live = scene.live().await;
    let hidden = hidden.to_string();
    let department = &live[&EntityKey::department(&hidden)];
    assert_eq!(department.text(Field::Name), Some(hidden.as_str()), "its id stands for its name");
    assert!(live[&EntityKey::member(&both)].list(Field::Departments).contains(&hidden));
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

#[tokio::test]
async fn memberships_in_what_is_hidden_do_not_come_and_go() {
    let (company, _hidden, members) = with_hidden_ones();
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    let before = scene.live().await;
    // A pull, and events about all of them.
    let began = scene.now();
    scene.pass(DAY_SECONDS);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert_eq!((at.is_whole, at.told), (true, 0));
    for id in &members {
        scene.hint(&EntityKey::member(id), id).await;
    }
    scene.drained().await;
    scene.questions(0).await;
    scene.drained().await;
    assert_eq!(scene.live().await, before);
    scene.end().await;
}

#[tokio::test]
async fn who_moved_where_nobody_shows_it_is_not_taken_for_gone_without_the_permission_to_read_members_either() {
    let (company, hidden, [both, ..]) = with_hidden_ones();
    let mut scene = Scene::over(company).await;
    scene.api.configure(|options| {
        options.app_mut(CLIENT).unwrap().lacks.insert(Interface::UserGet);
    });
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    scene.change(|company| {
        let (new, _untold) = company.create_department("新组", hidden)?;
        company.change_department(new, |department| department.in_scope = false)?;
        company.move_member(&both, &[new])?;
        company.update_member(&both, |member| member.in_scope = false)
    });
    let key = EntityKey::member(&both);
    scene.hint(&key, &both).await;
    scene.drained().await;
    scene.questions(0).await;
    scene.drained().await;
    assert!(scene.is_live(&key).await);
    scene.end().await;
}

#[tokio::test]
async fn a_scope_that_was_narrowed_removes_nobody() {
    let mut scene = Scene::over(populated(8, 60)).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    let before = names(scene.live().await);
    scene.change(|company| {
        let departments: Vec<i64> = company.departments().keys().copied().skip(2).collect();
        let members: Vec<String> = company.members().keys().skip(20).cloned().collect();
        for id in departments {
            company.change_department(id, |department| department.in_scope = false)?;
        }
        for id in members {
            company.update_member(&id, |member| member.in_scope = false)?;
        }
        Ok(())
    });
    let began = scene.now();
    scene.pass(DAY_SECONDS);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert!(at.is_whole, "what the app does not see is no hole");
    scene.drained().await;
    scene.questions(0).await;
    assert_eq!(names(scene.live().await), before);
    scene.end().await;
}

/// Everybody with the name that was sent.
fn names(live: BTreeMap<EntityKey, Fields>) -> Vec<(EntityKey, Option<String>)> {
    live.into_iter().map(|(key, fields)| (key, fields.text(Field::Name).map(str::to_owned))).collect()
}

#[tokio::test]
async fn an_app_that_does_not_see_the_root_finds_nothing_new_and_removes_nobody() {
    let mut scene = Scene::over(populated(4, 20)).await;
    // A call with a token that died over the day would be made again, and counted twice.
    scene.api.configure(|options| options.token_life = Duration::from_secs(7 * 86_400));
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    let before = names(scene.live().await);
    scene.change(|company| company.change_department(ROOT, |department| department.in_scope = false));
    let began = scene.now();
    scene.pass(DAY_SECONDS);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert!(!at.is_whole);
    assert_eq!(scene.asked(Interface::DepartmentListSub, &About::Department(ROOT)), 2, "once by each pull");
    scene.drained().await;
    scene.questions(0).await;
    assert_eq!(names(scene.live().await), before);
    scene.end().await;
}
