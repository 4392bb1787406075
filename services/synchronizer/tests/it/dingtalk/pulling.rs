//! The whole directory is pulled and compared.

use std::time::Duration;

use common::{EntityKey, Field};
use platform_sim::dingtalk::{
    Illegal, NewMember, ROOT,
    api::{About, Fault, Interface, Trouble},
};
use store::snapshots::Stage;
use test_kit::eventually;

use super::scene::{Scene, company, populated};

const DAY_SECONDS: i64 = 86_400;

#[tokio::test]
async fn a_directory_that_was_there_before_is_pulled_whole() {
    let mut company = populated(12, 100);
    // More than a page of them.
    for _ in 0..250 {
        company.hire(NewMember::in_departments(&[ROOT])).unwrap();
    }
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at.0 > 0).await;
    assert!(at.is_whole);
    scene.drained().await;
    // Who leads whom is told of single members only.
    scene.pass(10);
    scene.agrees_now().await;
    scene.questions(0).await;
    assert_eq!(scene.dead_letters().await, 0);
    let calls = [Interface::DepartmentListSub, Interface::UserListId].map(|interface| scene.calls(interface));
    assert_eq!(calls, [13, 13], "each department is asked about once");
    scene.end().await;
}

#[tokio::test]
async fn what_no_event_told_is_found() {
    let mut scene = Scene::over(populated(8, 60)).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    scene.change(|company| {
        let ids: Vec<i64> = company.departments().keys().copied().filter(|id| *id != ROOT).collect();
        let members: Vec<String> = company.members().keys().cloned().collect();
        let (new, _untold) = company.create_department("新车间", ids[0])?;
        company.hire(NewMember::in_departments(&[new, ids[1]]))?;
        company.move_department(ids[7], new)?;
        company.rename_department(ids[2], "改名车间")?;
        company.move_member(&members[3], &[ids[3], new])?;
        company.update_member(&members[4], |member| member.title = "组长".to_owned())?;
        company.leave(&members[5])?;
        Ok::<(), Illegal>(())
    });
    scene.pass(DAY_SECONDS);
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn a_second_pull_that_finds_nothing_tells_nothing() {
    let mut scene = Scene::over(populated(8, 40)).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    let began = scene.now();
    scene.pass(DAY_SECONDS);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert_eq!((at.is_whole, at.told, at.differences), (true, 0, 0));
    scene.end().await;
}

#[tokio::test]
async fn a_page_that_does_not_come_makes_the_pull_incomplete_and_nobody_is_removed() {
    for (interface, what) in [(Interface::UserList, "details"), (Interface::UserListId, "ids")] {
        let mut scene = Scene::over(populated(8, 60)).await;
        scene.resolve();
        scene.synchronize();
        scene.agrees().await;
        scene.pulled(|at| at.stage == Stage::Idle).await;
        scene.questions(0).await;
        let before = scene.live().await.len();
        let gone = scene.api.company().members().keys().nth(5).unwrap().clone();
        scene.change(|company| company.leave(&gone));
        let department = *scene.api.company().departments().keys().nth(3).unwrap();
        // A code that nobody knows.
        scene.api.fail(Fault::new(Trouble::Code(77_777)).on(interface).about(About::Department(department)));
        let began = scene.now();
        scene.pass(DAY_SECONDS);
        let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
        assert!(!at.is_whole, "{what}");
        scene.drained().await;
        scene.questions(0).await;
        assert_eq!(scene.live().await.len(), before, "{what}");
        scene.end().await;
    }
}

#[tokio::test]
async fn a_pull_without_all_ids_takes_nobody_out_of_a_department() {
    let mut company = company();
    let (shown, _untold) = company.create_department("车间", ROOT).unwrap();
    let (both, _untold) = company.hire(NewMember::in_departments(&[shown])).unwrap();
    let mut scene = Scene::over(company).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    // Somebody is in a department, too, of which only that somebody tells.
    scene.change(|company| {
        let (hidden, _untold) = company.create_department("薪酬组", shown)?;
        company.change_department(hidden, |department| department.in_scope = false)?;
        company.move_member(&both, &[shown, hidden])
    });
    // A code that nobody knows.
    scene.api.fail(Fault::new(Trouble::Code(77_777)).on(Interface::UserListId).about(About::Department(ROOT)));
    let began = scene.now();
    scene.pass(DAY_SECONDS);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert!(!at.is_whole);
    scene.drained().await;
    let within = scene.live().await[&EntityKey::member(&both)].list(Field::Departments).to_vec();
    assert!(within.contains(&shown.to_string()), "{within:?}");
    scene.end().await;
}

#[tokio::test]
async fn who_is_missing_in_a_pull_is_looked_for_again_half_a_minute_later() {
    let mut scene = Scene::over(populated(4, 30)).await;
    scene.resolve();
    scene.synchronize();
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    let (gone, other) = {
        let company = scene.api.company();
        let mut ids = company.members().keys().cloned();
        (ids.nth(5).unwrap(), ids.next().unwrap())
    };
    scene.change(|company| company.leave(&gone));
    let [gone_before, other_before] = [&gone, &other].map(|id| scene.asked(Interface::UserGet, &About::member(id)));
    let began = scene.now();
    scene.pass(DAY_SECONDS);
    let at = scene.pulled(|at| at.stage == Stage::Idle && at.started_at > began).await;
    assert_eq!((at.is_whole, at.differences), (true, 1));
    scene.hint(&EntityKey::member(&other), &other).await;
    scene.drained().await;
    scene.pass(20);
    let asked = async || scene.asked(Interface::UserGet, &About::member(&other));
    eventually("the other one is asked for", asked, |asked| *asked > other_before).await;
    assert_eq!(scene.asked(Interface::UserGet, &About::member(&gone)), gone_before, "the pull was the first look");
    let look = async || {
        scene.pass(1);
        scene.is_live(&EntityKey::member(&gone)).await
    };
    eventually("it is removed", look, |is_live| !*is_live).await;
    scene.end().await;
}

#[tokio::test]
async fn a_pull_that_was_cut_off_goes_on_where_it_was() {
    for (interface, stage) in
        [(Interface::DepartmentListSub, Stage::DepartmentIds), (Interface::UserListId, Stage::MemberIds)]
    {
        let company = populated(40, 60);
        let last = *company.departments().keys().next_back().unwrap();
        let mut scene = Scene::over(company).await;
        // The address is trusted no more, when nearly all was asked for.
        scene.api.fail(Fault::new(Trouble::Code(60_020)).on(interface).about(About::Department(last)));
        scene.resolve();
        scene.synchronize();
        scene.silent(true).await;
        let cut_off = scene.pulled(|at| at.stage == stage && at.place.is_some()).await;
        let mut scene = scene.reopen().await;
        scene.api.heal();
        scene.resolve();
        scene.synchronize();
        let look = async || {
            scene.pass(1);
            scene.read(|conn| store::snapshots::get(conn, &super::scene::tenant())).await.unwrap()
        };
        let at = eventually("the pull", look, |at| at.stage == Stage::Idle).await;
        assert_eq!((at.run, at.is_whole), (cut_off.run, true));
        assert_eq!(scene.asked(interface, &About::Department(ROOT)), 1, "what was pulled is not pulled again");
        scene.agrees().await;
        scene.end().await;
    }
}

#[tokio::test]
async fn the_walk_finds_what_no_event_tells_who_leads_a_member_too() {
    let mut scene = Scene::over(populated(5, 30)).await;
    scene.resolve();
    scene.synchronize_and_walk(Duration::from_millis(20));
    scene.agrees().await;
    scene.pulled(|at| at.stage == Stage::Idle).await;
    scene.questions(0).await;
    let pulls = scene.asked(Interface::UserListId, &About::Department(ROOT));
    let (first, second) = {
        let company = scene.api.company();
        let mut ids = company.members().keys().cloned();
        (ids.next().unwrap(), ids.nth(9).unwrap())
    };
    scene.change(|company| {
        company.update_member(&second, |member| {
            member.manager.clone_from(&first);
            member.title = "师傅".to_owned();
            member.posts[0].leader = true;
        })
    });
    scene.agrees().await;
    assert_eq!(scene.asked(Interface::UserListId, &About::Department(ROOT)), pulls, "nothing was pulled");
    let live = scene.live().await;
    assert_eq!(live[&EntityKey::member(&second)].list(Field::Leaders), [first]);
    scene.end().await;
}
