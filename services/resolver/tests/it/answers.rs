//! Questions and what a platform answers.

use common::{Action, EntityKey, Field, Fields, What};

use crate::{T, department, member, order, scene::Scene};

/// As a reduced event tells of a member: ids only (reference wecom 2.2).
fn reduced(id: &str, departments: &[&str], at: i64) -> (EntityKey, i64, What) {
    let fields = Fields::new().with(Field::Departments, departments);
    (EntityKey::member(id), T + at, What::Created { fields })
}

fn named(id: &str, at: i64) -> (EntityKey, i64, What) {
    let fields = Fields::new().with(Field::Name, format!("成员{id}"));
    (EntityKey::member(id), T + at, What::Updated { fields })
}

#[tokio::test]
async fn a_hint_is_asked_about_and_closed_by_an_answer_that_is_late_enough() {
    let scene = Scene::start().await;
    scene.hint(reduced("ann", &["1"], 10)).await;
    let asked = scene.questions(1).await;
    assert_eq!((asked[0].about.clone(), asked[0].why.as_str()), (EntityKey::member("ann"), "hint"));
    scene.answer([named("ann", 11)]).await;
    // It is believed, and yet may be older than what the hint was about.
    assert_eq!(order(&scene.changes(2).await), ["1", "ann"]);
    scene.questions(1).await;
    scene.answer([named("ann", 12)]).await;
    scene.questions(0).await;
    scene.end().await;
}

#[tokio::test]
async fn an_answer_that_is_known_already_still_answers() {
    let scene = Scene::start().await;
    scene.answer([named("ann", 20)]).await;
    scene.drained().await;
    scene.hint(reduced("ann", &["1"], 10)).await;
    scene.questions(1).await;
    scene.answer([named("ann", 20)]).await;
    scene.questions(0).await;
    scene.drained().await;
    assert_eq!(scene.outcome("duplicate"), 1);
    scene.end().await;
}

#[tokio::test]
async fn an_answer_closes_its_question_also_when_it_comes_along_with_the_hint() {
    let scene = Scene::start().await;
    scene.answer([named("ann", 20), (EntityKey::member("bob"), T + 20, What::Nameless)]).await;
    scene.hint(reduced("ann", &["1"], 10)).await;
    scene.hint(reduced("bob", &["1"], 10)).await;
    scene.answer([named("ann", 21), (EntityKey::member("bob"), T + 21, What::Nameless)]).await;
    scene.drained().await;
    scene.questions(0).await;
    let changes = scene.changes(3).await;
    let Action::Upsert { entity, .. } = &changes[2].action else { panic!("{changes:?}") };
    assert_eq!((entity.fields.text(Field::Name), entity.incomplete), (Some("bob"), true));
    scene.end().await;
}

#[tokio::test]
async fn what_is_missing_and_absent_is_gone_without_and_comes_back() {
    let scene = Scene::start().await;
    scene.tell([member("ann", &["2"], 1)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    let asked = scene.questions(1).await;
    assert_eq!((asked[0].about.clone(), asked[0].why.as_str()), (EntityKey::department("2"), "missing"));
    scene.answer([(EntityKey::department("2"), T + 40, What::Absent)]).await;
    let changes = scene.changes(2).await;
    assert_eq!(changes[1].refers_to, [EntityKey::department("1")], "a member needs a department");
    scene.questions(0).await;
    assert!(scene.parked().await.is_empty());
    scene.answer([department("2", "1", 50)]).await;
    let changes = scene.changes(4).await;
    assert_eq!(order(&changes), ["1", "ann", "2", "ann"]);
    assert_eq!(changes[3].refers_to, [EntityKey::department("2")]);
    scene.end().await;
}

#[tokio::test]
async fn an_absence_older_than_the_reference_is_asked_about_at_once() {
    let scene = Scene::start().await;
    scene.answer([(EntityKey::department("2"), T, What::Absent)]).await;
    scene.tell([member("ann", &["2"], 5)]).await;
    scene.questions(1).await;
    scene.answer([(EntityKey::department("2"), T + 6, What::Absent)]).await;
    scene.changes(2).await;
    scene.questions(1).await;
    scene.answer([(EntityKey::department("2"), T + 7, What::Absent)]).await;
    scene.questions(0).await;
    scene.end().await;
}

#[tokio::test]
async fn nothing_is_given_up_on_while_the_platform_does_not_answer() {
    let scene = Scene::start().await;
    scene.platform_is_silent(true).await;
    scene.tell([member("ann", &["2"], 1)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(2 * 86_400);
    scene.questions(1).await;
    // Whoever asks this has been through with what was given up on before.
    scene.tell([member("bob", &["3"], 2)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    scene.questions(2).await;
    scene.dead_letters(0).await;
    scene.platform_is_silent(false).await;
    scene.dead_letters(1).await;
    scene.end().await;
}
