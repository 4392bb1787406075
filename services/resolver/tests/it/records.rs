//! Attendance records, approvals and onboarding requests.

use std::slice;

use common::{EntityKey, EntityKind, Field, Fields, Platform, Reason, What, onboarding};
use store::{dead_letters::Stage, form_records::State};

use super::{T, member, order, removed, scene::Scene};

fn attendance(id: &str, of: &str, at: i64) -> (EntityKey, i64, What) {
    let fields = Fields::new().with(Field::Member, of).with(Field::WorkDate, "2026-11-29");
    let fields = fields.with(Field::RecordKind, "punch");
    (EntityKey::new(EntityKind::Attendance, id), T + at, What::Updated { fields })
}

#[tokio::test]
async fn attendance_comes_behind_its_member_and_is_released_by_it() {
    let scene = Scene::start().await;
    scene.tell([attendance("m/2026-11-29/punch/1", "m", 5), attendance("m/2026-11-29/punch/2", "m", 6)]).await;
    scene.drained().await;
    assert_eq!(scene.parked().await.len(), 2);
    scene.tell([member("m", &["1"], 1)]).await;
    let changes = scene.changes(4).await;
    assert_eq!(order(&changes), ["1", "m", "m/2026-11-29/punch/1", "m/2026-11-29/punch/2"]);
    assert!(changes[2..].iter().all(|change| change.refers_to == [EntityKey::member("m")]));
    assert!(scene.parked().await.is_empty());
    scene.end().await;
}

#[tokio::test]
async fn attendance_of_who_is_not_shown_waits_visibly_until_a_person_is_asked_and_comes_when_that_appears() {
    let scene = Scene::start().await;
    let key = EntityKey::new(EntityKind::Attendance, "m/2026-11-29/punch/1");
    scene.tell([attendance(&key.id, "m", 5)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    assert_eq!(scene.questions(1).await[0].about, EntityKey::member("m"));
    scene.answer([(EntityKey::member("m"), T + 40, What::Absent)]).await;
    scene.questions(0).await;
    scene.drained().await;
    assert_eq!(order(&scene.changes(1).await), ["1"], "no destination has a row that it could refer to");
    assert_eq!(scene.parked().await, slice::from_ref(&key));
    scene.clock().advance_seconds(86_400);
    let dead = scene.dead_letters(1).await;
    assert_eq!((dead[0].letter.reason, &*dead[0].letter.entity), (Reason::DependencyMissing, &*key.id));
    scene.questions(0).await;
    scene.tell([member("m", &["1"], 90)]).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "m", "m/2026-11-29/punch/1"]);
    scene.dead_letters(0).await;
    scene.end().await;
}

#[tokio::test]
async fn nobody_is_asked_who_somebody_of_another_platform_is_and_a_match_brings_what_waits() {
    let scene = Scene::start().await;
    let foreign = EntityKey::foreign_member(Platform::Dingtalk, "m7");
    scene.tell([attendance("m7/2026-11-29/punch/1", &foreign.id, 5), member("waits", &["9"], 1)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    let asked = scene.questions(1).await;
    assert_eq!(asked[0].about, EntityKey::department("9"));
    assert_eq!(scene.parked().await.len(), 2);
    scene.tell([member("ann", &["1"], 2), attendance("m7/2026-11-29/punch/1", "ann", 9)]).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "ann", "m7/2026-11-29/punch/1"]);
    scene.end().await;
}

#[tokio::test]
async fn an_approval_is_asked_for_and_waits_for_its_details() {
    let scene = Scene::start().await;
    let key = EntityKey::new(EntityKind::Approval, "Proc-1");
    let told = |field, text: &str| What::Updated { fields: Fields::new().with(field, text) };
    scene.hint((key.clone(), T + 1, told(Field::Template, "PROC-LEAVE"))).await;
    assert_eq!(scene.questions(1).await[0].about, key);
    let placed = What::Created { fields: Fields::new().with(Field::Departments, ["1"].as_slice()) };
    scene.tell([(EntityKey::member("nameless"), T + 1, placed)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    // For a name an id does where nobody can be asked; for the details of an approval nothing does.
    assert_eq!(order(&scene.changes(2).await), ["1", "nameless"]);
    assert_eq!(scene.parked().await, slice::from_ref(&key));
    scene.answer([(key.clone(), T + 4, told(Field::Details, "{}"))]).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "nameless", "Proc-1"]);
    assert_eq!(scene.questions(1).await[0].about, EntityKey::member("nameless"));
    scene.end().await;
}

#[tokio::test]
async fn a_core_that_is_added_later_gets_attendance_behind_members_but_not_that_of_who_left() {
    let scene = Scene::start().await;
    let records = [attendance("m/2026-11-29/punch/1", "m", 5), attendance("n/2026-11-29/punch/2", "n", 5)];
    scene.tell([member("m", &["1"], 1), member("n", &["1"], 2)].into_iter().chain(records)).await;
    scene.changes(5).await;
    scene.tell([removed(EntityKey::member("n"), 8)]).await;
    scene.changes(6).await;
    scene.add_second_core().await;
    let changes = scene.changes(9).await;
    assert_eq!(order(&changes[6..]), ["1", "m", "m/2026-11-29/punch/1"]);
    assert!(changes[6..].iter().all(|change| change.only_for.as_ref().is_some_and(|id| id.as_str() == "second")));
    scene.end().await;
}

fn request(at: i64, fields: Fields) -> (EntityKey, i64, What) {
    (EntityKey::new(EntityKind::Onboarding, "64a0aa/64a0bb/59e9cc"), T + at, What::Updated { fields })
}

#[tokio::test]
async fn a_record_that_cannot_be_mapped_is_a_dead_letter_until_it_can() {
    let scene = Scene::start().await;
    let form = "64a0aa/64a0bb";
    let refusal = |reason| onboarding::Complaint::list(&[onboarding::Complaint::new("mobile", reason)]);
    scene.tell([request(1, onboarding::refused(form, refusal("is missing")))]).await;
    scene.dead_letters(1).await;
    scene.tell([request(2, onboarding::refused(form, refusal("is no mobile number")))]).await;
    scene.drained().await;
    let dead = scene.dead_letters(1).await.remove(0).letter;
    assert_eq!((dead.stage, dead.reason), (Stage::Mapping, Reason::InvalidRecord));
    assert_eq!((dead.kind.as_str(), dead.entity.as_str()), ("onboarding", "64a0aa/64a0bb/59e9cc"));
    assert_eq!(dead.detail, "mobile: is no mobile number");
    let content: serde_json::Value = serde_json::from_str(&dead.content).unwrap();
    assert_eq!(content["record"], "59e9cc");
    assert_eq!(content["fields"][0]["field"], "mobile");
    assert!(scene.parked().await.is_empty());
    scene.tell([request(3, onboarding::mapped(form, "{}", vec!["2".to_owned()]))]).await;
    scene.dead_letters(0).await;
    assert_eq!(scene.parked().await.len(), 1);
    scene.tell([super::department("2", "1", 1)]).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "2", "64a0aa/64a0bb/59e9cc"]);
    scene.end().await;
}

#[tokio::test]
async fn whoever_asked_for_a_member_is_told_that_it_waited_too_long_until_it_is_corrected_or_its_department_comes() {
    let scene = Scene::start().await;
    let (form, record) = ("64a0aa/64a0bb", "59e9cc");
    let naming = |department: &str| onboarding::mapped(form, "{}", vec![department.to_owned()]);
    scene.tell([request(1, naming("9"))]).await;
    scene.drained().await;
    scene.clock().advance_seconds(86_401);
    assert_eq!(scene.dead_letters(1).await[0].letter.reason, Reason::DependencyMissing);
    let row = scene.form_record(form, record).await;
    assert_eq!((row.state, row.untold), (State::Failed, true));
    assert_eq!(onboarding::complaints(&row.reasons.unwrap())[0].field, "department");
    scene.tell([request(2, naming("8"))]).await;
    scene.dead_letters(0).await;
    assert_eq!(scene.parked().await.len(), 1, "it waits anew");
    scene.clock().advance_seconds(86_401);
    scene.dead_letters(1).await;
    scene.tell([super::department("8", "1", 1)]).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "8", "64a0aa/64a0bb/59e9cc"]);
    scene.dead_letters(0).await;
    let row = scene.form_record(form, record).await;
    assert_eq!((row.state, row.untold, row.reasons), (State::Sent, false, None), "something may come of it");
    scene.end().await;
}
