//! Onboarding requests.

use common::onboarding;

use super::*;

const ID: &str = "64a0aa/64a0bb/59e9cc";
const FORM: &str = "64a0aa/64a0bb";
const REFUSAL: &str = r#"[{"field":"mobile","reason":"is no mobile number"}]"#;

fn key() -> EntityKey {
    EntityKey::new(EntityKind::Onboarding, ID)
}

fn mapped(second: i64, request: &str, departments: &[&str]) -> Observation {
    let departments = departments.iter().map(|&id| id.to_owned()).collect();
    let fields = onboarding::mapped(FORM, request, departments);
    seen(EntityKind::Onboarding, ID, second, What::Updated { fields })
}

/// Somebody knows that nothing came of what was sent.
fn begun_anew(second: i64, request: &str) -> Observation {
    let fields = onboarding::mapped(FORM, request, vec!["1".to_owned()]);
    seen(EntityKind::Onboarding, ID, second, What::Created { fields })
}

fn refused(second: i64) -> Observation {
    seen(EntityKind::Onboarding, ID, second, What::Updated { fields: onboarding::refused(FORM, REFUSAL) })
}

fn absent(department: &str, second: i64) -> Observation {
    Observation { answer: true, ..seen(EntityKind::Department, department, second, What::Absent) }
}

fn sent(tenant: &Tenant) -> Option<String> {
    let sent = tenant.records[&key()].sent.clone()?;
    sent.entity.fields.text(Field::Request).map(str::to_owned)
}

/// As a request is told of in a line.
const SENT: &str = "onboarding 64a0aa/64a0bb/59e9cc of ";

#[test]
fn a_request_waits_for_every_department_that_it_names() {
    let tenant = check(&[
        (mapped(5, "{}", &["3", "2", "3", "1"]), ""),
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (department("3", 1, "1"), format!("department 3 \"D3\" in 1\n{SENT}").as_str()),
    ]);
    let record = &tenant.records[&key()];
    let refers_to = &record.sent.as_ref().unwrap().refers_to;
    assert_eq!(*refers_to, ["3", "2", "1"].map(EntityKey::department));
    assert!(!record.is_parked());
    let inside = &tenant.records[&EntityKey::department("3")];
    assert_eq!((inside.children, inside.members), (0, 0), "nobody is in it yet");
}

#[test]
fn a_request_is_never_sent_without_a_department_that_is_absent() {
    let mut tenant = check(&[(mapped(5, "{}", &["9"]), ""), (absent("9", 60), "")]);
    assert_eq!(tenant.waits(&key()), [("department 9".to_owned(), WaitFor::Reference)]);
    assert_eq!(tenant.session(|session| session.look_again(key()), UnixMillis(0)), "");
    assert!(tenant.effects.questions.is_empty(), "it was asked for already");
    assert_eq!(tenant.tell(department("9", 70, "1")), format!("department 9 \"D9\" in 1\n{SENT}"));
}

#[test]
fn an_absence_from_before_the_request_is_asked_about_again() {
    let tenant = check(&[(absent("9", 60), ""), (mapped(65, "{}", &["9"]), "")]);
    let asked = Question { about: EntityKey::department("9"), why: Why::Missing, at: UnixMillis::from_seconds(65) };
    assert!(tenant.effects.questions.contains(&asked));
}

#[test]
fn a_department_that_was_removed_is_waited_for() {
    check(&[
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (department_gone("2", 3), "department 2 gone"),
        (mapped(5, "{}", &["2"]), ""),
        (department("2", 8, "1"), format!("department 2 \"D2\" in 1\n{SENT}").as_str()),
    ]);
}

#[test]
fn who_waits_is_sent_as_the_record_is_by_then() {
    let tenant = check(&[
        (mapped(5, "{\"a\":1}", &["2"]), ""),
        (mapped(7, "{\"a\":2}", &["2"]), ""),
        (mapped(6, "{\"a\":3}", &["9"]), ""),
        (department("2", 1, "1"), format!("department 2 \"D2\" in 1\n{SENT}").as_str()),
    ]);
    assert_eq!(sent(&tenant).as_deref(), Some("{\"a\":2}"));
}

#[test]
fn a_record_that_changes_after_it_was_sent_is_not_sent_again_and_waits_for_nothing() {
    let mut tenant = check(&[
        (mapped(5, "{\"a\":1}", &["1"]), SENT),
        (mapped(7, "{\"a\":2}", &["1"]), ""),
        (mapped(8, "{\"a\":2}", &["9"]), ""),
        (refused(9), ""),
    ]);
    assert_eq!(sent(&tenant).as_deref(), Some("{\"a\":1}"));
    assert!(tenant.waits(&key()).is_empty());
    assert!(tenant.effects.refused.is_empty(), "nothing more comes of it");
    assert_eq!(tenant.effects.seen, [Seen::Stale]);
    let gone = seen(EntityKind::Onboarding, ID, 10, What::Removed);
    assert_eq!(tenant.tell(gone), "", "the record may go: the member stays");
    assert_eq!(tenant.tell(mapped(12, "{\"a\":1}", &["1"])), "", "and it may come back");
}

#[test]
fn what_nothing_came_of_is_sent_again_when_the_record_changes() {
    let mut tenant = check(&[(mapped(5, "{\"a\":1}", &["1"]), SENT), (begun_anew(6, "{\"a\":1}"), "")]);
    assert_eq!(tenant.tell(begun_anew(7, "{\"a\":2}")), SENT);
    assert!(!tenant.effects.changes[0].first, "there was one before it");
    assert_eq!(tenant.tell(mapped(8, "{\"a\":3}", &["1"])), "");
    assert_eq!(tenant.tell(begun_anew(7, "{\"a\":4}")), "", "of what was sent before that");
    tenant.tell(seen(EntityKind::Onboarding, ID, 9, What::Created { fields: onboarding::refused(FORM, REFUSAL) }));
    assert_eq!(tenant.effects.refused.len(), 1, "somebody waits for it");
}

#[test]
fn a_refused_record_is_told_of_once_and_is_due_when_it_is_mapped_well() {
    let mut tenant = check(&[(refused(5), "")]);
    let told = crate::RefusedRecord { entity: key(), refusal: REFUSAL.to_owned() };
    assert_eq!(tenant.effects.refused, [told]);
    assert!(tenant.waits(&key()).is_empty(), "it is not parked");
    assert_eq!(tenant.tell(refused(5)), "");
    assert!(tenant.effects.refused.is_empty());
    assert_eq!(tenant.tell(mapped(7, "{}", &["1"])), SENT);
    assert_eq!((tenant.effects.refused.len(), tenant.effects.accepted.clone()), (0, vec![key()]));
    assert!(!tenant.records[&key()].sent.as_ref().unwrap().entity.fields.has(Field::Refused));
}

#[test]
fn what_was_mapped_and_waits_is_not_sent_once_its_record_is_refused() {
    let mut tenant = check(&[
        (mapped(5, "{}", &["2"]), ""),
        (refused(7), ""),
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
    ]);
    assert!(tenant.waits(&key()).is_empty());
    let gone = seen(EntityKind::Onboarding, ID, 9, What::Removed);
    assert_eq!(tenant.tell(gone), "");
    assert_eq!(tenant.effects.accepted, [key()], "nobody has to look at it any more");
}

#[test]
fn a_hint_asks_for_the_record_and_sends_nothing() {
    let hint = |second| {
        let what = What::Updated { fields: Fields::new() };
        Observation { hint: true, ..seen(EntityKind::Onboarding, ID, second, what) }
    };
    let mut tenant = check(&[(hint(5), "")]);
    let asked = Question { about: key(), why: Why::Hint, at: UnixMillis::from_seconds(5) };
    assert!(tenant.effects.questions.contains(&asked));
    assert!(!tenant.records[&key()].is_parked());
    tenant.tell_all(&[refused(6)]);
    assert_eq!(tenant.tell(hint(7)), "");
    assert!(tenant.effects.refused.is_empty() && tenant.effects.accepted.is_empty(), "it says nothing of the record");
}

#[test]
fn a_replay_sends_a_request_as_its_record_is_now() {
    let mut tenant = check(&[(mapped(5, "{\"a\":1}", &["1"]), SENT), (mapped(7, "{\"a\":2}", &["1"]), "")]);
    let again = |session: &mut Session| session.send_again(key(), Some("hires".parse().unwrap()));
    assert_eq!(tenant.session(again, UnixMillis(0)), SENT);
    assert_eq!(sent(&tenant).as_deref(), Some("{\"a\":2}"));
    assert!(!tenant.effects.changes[0].first);
    tenant.tell(refused(9));
    assert_eq!(tenant.session(again, UnixMillis(0)), "", "it asks for nothing any more");
}

#[test]
fn a_replay_waits_for_a_department_that_is_gone() {
    let mut tenant = check(&[
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (mapped(5, "{}", &["2"]), SENT),
        (department_gone("2", 6), "department 2 gone"),
    ]);
    assert!(tenant.waits(&key()).is_empty());
    let again = |session: &mut Session| session.send_again(key(), Some("hires".parse().unwrap()));
    assert_eq!(tenant.session(again, UnixMillis(0)), "");
    assert_eq!(tenant.waits(&key()), [("department 2".to_owned(), WaitFor::Reference)]);
    assert_eq!(tenant.tell(department("2", 8, "1")), format!("department 2 \"D2\" in 1\n{SENT}"));
}

#[test]
fn records_of_requests_survive_json() {
    let tenant =
        check(&[(mapped(5, "{\"a\":1}", &["1", "1"]), SENT), (mapped(7, "{\"a\":2}", &["9"]), ""), (refused(8), "")]);
    let record = &tenant.records[&key()];
    let json = serde_json::to_string(record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), *record, "{json}");
}

#[test]
fn all_orders_of_a_record_and_its_departments_give_the_same_end() {
    let mut told = [
        department("2", 1, "1"),
        mapped(5, "{\"a\":1}", &["2", "3"]),
        refused(6),
        mapped(7, "{\"a\":2}", &["2"]),
        refused(7),
        department_gone("3", 8),
    ];
    let mut ends = Vec::new();
    answers::for_each_order(&mut told, 0, &mut |order| {
        let mut tenant = Tenant::new();
        order.iter().for_each(|told| drop(tenant.tell(told.clone())));
        let record = &tenant.records[&key()];
        ends.push((sent(&tenant), record.waits.clone()));
    });
    assert_eq!(ends.len(), 720);
    assert!(ends.iter().all(|end| end.0.as_deref() == Some("{\"a\":2}") && end.1.is_empty()));
}
