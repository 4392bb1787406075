//! How soon what a callback only hints at is there.

use platform_sim::Member;
use test_kit::eventually;

use crate::scene::{Scene, company};

/// By the injected clock.
const AT_MOST_SECONDS: i64 = 4;

#[tokio::test]
async fn what_a_callback_tells_by_ids_only_is_in_the_core_in_less_than_five_seconds() {
    let mut company = company(91);
    company.populate(50, 6, 2);
    let mut scene = Scene::over(company).await;
    scene.start().await;
    scene.known().await;
    scene.agrees().await;
    let began = scene.now();
    let callbacks = {
        let mut company = scene.api.company();
        company.set_now_seconds(began.seconds());
        let snapshot = company.snapshot();
        let department = snapshot.departments.keys().next_back().unwrap();
        let mut callbacks = company.create_member(newcomer(department)).unwrap();
        // One who moves and gets another title: ids are told, and the title has to be asked for.
        company.set_now_seconds(began.seconds());
        let mover = snapshot.members.values().find(|member| !member.departments.contains(department)).unwrap();
        callbacks.extend(
            company
                .update_member(&mover.id, |member| {
                    member.departments = vec![department.clone()];
                    member.main_department = Some(department.clone());
                    member.leads.clear();
                    "新职位".clone_into(&mut member.title);
                })
                .unwrap(),
        );
        callbacks
    };
    assert_eq!(callbacks.len(), 2);
    scene.tell(&callbacks).await;
    scene.pass(AT_MOST_SECONDS);
    // The clock stands still from now on.
    let look = async || scene.core_differs().await;
    eventually("the core has both", look, Vec::is_empty).await;
    assert_eq!(scene.now().since(began), AT_MOST_SECONDS * 1000);
    scene.end().await;
}

fn newcomer(department: &str) -> Member {
    Member {
        id: "newcomer".to_owned(),
        name: "新人".to_owned(),
        departments: vec![department.to_owned()],
        main_department: Some(department.to_owned()),
        mobile: "17700000000".to_owned(),
        ..Member::default()
    }
}
