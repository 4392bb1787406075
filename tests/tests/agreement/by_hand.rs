//! Rows that somebody edited or deleted by hand, and a product that was restored from an old copy.

use platform_sim::{Callback, Company, Member, fold};
use store::runs::{RunState, Wanted};

use crate::{
    copy::{Names, copy},
    scene::{Scene, company},
};

/// A core that held all but ten under ids of its own, and is in step now.
async fn in_step(mut company: Company) -> Scene {
    company.populate(60, 8, 3);
    let truth = company.snapshot();
    let mut names = Names::own(&truth);
    for id in truth.members.keys().take(10) {
        names.members.remove(id);
    }
    let mut scene = Scene::over_filled(company, &copy(&truth, &names)).await;
    scene.start().await;
    scene.known().await;
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.counts.create), (RunState::Finished, 10), "{:?}", run.why);
    scene.agrees().await;
    scene
}

#[tokio::test]
async fn rows_that_were_edited_or_deleted_by_hand_are_mended() {
    let scene = in_step(company(51)).await;
    let rows = scene.core.rows();
    let ids: Vec<&str> = rows.members.values().map(|row| row.id.as_str()).collect();
    // Rows of both sorts: those that were there before us, and those that we made.
    let ours: Vec<&str> = ids.iter().copied().filter(|id| !id.starts_with("P-")).collect();
    let theirs: Vec<&str> = ids.iter().copied().filter(|id| id.starts_with("P-")).collect();
    assert_eq!((ours.len(), theirs.len()), (10, 50));
    for id in [ours[0], theirs[0]] {
        scene
            .core
            .execute(&format!("UPDATE members SET name = '手改', mobile = '000', title = NULL WHERE id = '{id}'"));
    }
    for id in [ours[1], theirs[1]] {
        scene.core.execute(&format!(
            "DELETE FROM member_departments WHERE member_id = '{id}'; DELETE FROM members WHERE id = '{id}'"
        ));
    }
    for id in [ours[2], theirs[2]] {
        scene.core.execute(&format!(
            "UPDATE member_departments SET department_id = 'HQ' WHERE member_id = '{id}'
            AND position = 0 AND department_id <> 'HQ'
            AND NOT EXISTS (SELECT 1 FROM member_departments AS other WHERE other.member_id = '{id}'
                AND other.department_id = 'HQ')"
        ));
    }
    let department = rows.departments.keys().rfind(|id| id.starts_with("D-")).unwrap();
    scene.core.execute(&format!(
        "UPDATE departments SET name = '手改', parent_id = 'HQ', position = 7 WHERE id = '{department}'"
    ));
    assert!(!scene.core_differs().await.is_empty());
    let (mirror, version) = (scene.mirror().await, scene.last_version().await);

    let run = scene.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.counts.create, run.counts.disable), (RunState::Finished, 2, 0), "{:?}", run.why);
    scene.agrees().await;
    assert_eq!(scene.core.rows(), rows, "rows keep their ids, deleted ones too");
    assert_eq!(scene.mirror().await, mirror);
    assert!(scene.last_version().await > version);
    scene.end().await;
}

#[tokio::test]
async fn a_core_that_was_restored_from_an_old_copy_is_made_right_by_sending_again_what_changed_since() {
    let scene = in_step(company(52)).await;
    let copy = scene.stage.directory().join("copy.db");
    scene.core.back_up(&copy);
    let (old, version) = (scene.core.rows(), scene.last_version().await);
    // Whatever was sent within the last minutes is sent again anyway.
    scene.pass(3600);
    let callbacks = scene.happens(a_day_at_work);
    scene.tell(&callbacks).await;
    scene.agrees().await;
    scene.pass(3600);

    scene.core.restore(&copy);
    assert_eq!(scene.core.rows(), old);
    assert!(!scene.core_differs().await.is_empty());
    scene.send_again_from(version + 1).await;
    scene.agrees().await;
    scene.end().await;
}

#[tokio::test]
async fn a_core_that_was_restored_from_an_old_copy_is_mended_by_a_run_too() {
    let scene = in_step(company(53)).await;
    let copy = scene.stage.directory().join("copy.db");
    scene.core.back_up(&copy);
    let callbacks = scene.happens(a_day_at_work);
    scene.tell(&callbacks).await;
    scene.agrees().await;
    scene.core.restore(&copy);
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!(run.state, RunState::Finished, "{:?}", run.why);
    scene.agrees().await;
    scene.end().await;
}

/// A department comes; members come, move and go, some of them twice.
fn a_day_at_work(company: &mut Company) -> Vec<Callback> {
    let snapshot = company.snapshot();
    let ids: Vec<&String> = snapshot.members.keys().collect();
    let (id, mut callbacks) = company.create_department("新部门", "1").unwrap();
    for number in 0..3 {
        let member = Member {
            id: format!("new.{number}"),
            name: format!("新人 {number}"),
            departments: vec![id.clone()],
            main_department: Some(id.clone()),
            mobile: format!("177{number:08}"),
            ..Member::default()
        };
        callbacks.extend(company.create_member(member).unwrap());
    }
    // Of those who had a row before, and of those who had none.
    for (number, member) in ids.iter().enumerate().filter(|(number, _)| number % 5 == 0) {
        callbacks.extend(company.move_member(member, &[id.as_str()]).unwrap());
        if number % 10 == 0 {
            callbacks.extend(company.move_member(member, &["1", id.as_str()]).unwrap());
        }
    }
    let leads = |id: &String| snapshot.members.values().any(|member| member.leaders.iter().any(|led| fold(led) == *id));
    for member in ids.iter().skip(1).step_by(5).filter(|id| !leads(id)).take(2) {
        callbacks.extend(company.remove_member(member).unwrap());
    }
    callbacks
}
