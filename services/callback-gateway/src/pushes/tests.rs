use common::{Callback, EventKeys, Fields, Observation, What};

use super::*;

/// 2026-09-30T15:59:59Z, a second before October in China.
const SEPTEMBER: UnixMillis = UnixMillis(1_790_783_999_000);

fn event(id: &str, body: EventBody) -> Event {
    Event {
        id: id.to_owned(),
        tenant: "acme".parse().unwrap(),
        platform: Platform::Dingtalk,
        received_at: SEPTEMBER,
        keys: EventKeys { platform: Some(id.to_owned()), content: "c".to_owned() },
        traceparent: None,
        body,
    }
}

fn about(id: &str, kind: EntityKind) -> Event {
    let what = What::Updated { fields: Fields::new() };
    let seen = Observation { kind, id: "x".to_owned(), at: SEPTEMBER, what, hint: true, answer: false };
    event(id, EventBody::Directory(seen))
}

fn passed_on(id: &str, name: &str) -> Event {
    let (at, content, platform) = (SEPTEMBER, String::new(), Platform::Dingtalk);
    event(id, EventBody::Callback(Callback { name: name.to_owned(), at, content, platform }))
}

fn counted(pushes: &Pushes) -> Vec<(String, u64)> {
    pushes.lock().counted.iter().map(|((_, month), count)| (month.clone(), *count)).collect()
}

#[test]
fn attendance_and_approvals_count_and_contacts_do_not() {
    let (pushes, acme) = (Pushes::default(), "acme".parse().unwrap());
    let note = |events: &[Event]| pushes.note(&acme, events, SEPTEMBER);
    note(&[]);
    note(&[about("1", EntityKind::Member), about("1/1", EntityKind::Member)]);
    note(&[about("2", EntityKind::Department)]);
    note(&[passed_on("3", "label_conf_add")]);
    assert!(counted(&pushes).is_empty());
    note(&[about("4", EntityKind::AttendanceDay), about("4/1", EntityKind::AttendanceDay)]);
    note(&[about("5", EntityKind::Approval), passed_on("5/c", "bpms_instance_change")]);
    note(&[passed_on("6", "attendance_check_record")]);
    assert_eq!(counted(&pushes), [("2026-09".to_owned(), 3)], "a push counts once, whatever it says");
}

#[test]
fn what_comes_again_does_not_count_again_and_months_are_chinas() {
    let (pushes, acme, globex) = (Pushes::default(), "acme".parse().unwrap(), "globex".parse().unwrap());
    let day = [about("1", EntityKind::AttendanceDay)];
    for at in [SEPTEMBER, SEPTEMBER.plus_seconds(10)] {
        pushes.note(&acme, &day, at);
    }
    pushes.note(&globex, &day, SEPTEMBER);
    pushes.note(&acme, &[about("2", EntityKind::Approval)], SEPTEMBER.plus_seconds(1));
    let text = |month: &str| month.to_owned();
    assert_eq!(counted(&pushes), [(text("2026-09"), 1), (text("2026-10"), 1), (text("2026-09"), 1)]);
}

#[test]
fn what_was_written_is_not_written_again() {
    let (pushes, acme) = (Pushes::default(), "acme".parse().unwrap());
    pushes.note(&acme, &[about("1", EntityKind::Approval)], SEPTEMBER);
    let written = pushes.lock().counted.clone();
    pushes.note(&acme, &[about("2", EntityKind::Approval)], SEPTEMBER);
    pushes.lock().written(&written);
    assert_eq!(counted(&pushes), [("2026-09".to_owned(), 1)]);
    let written = pushes.lock().counted.clone();
    pushes.lock().written(&written);
    assert!(counted(&pushes).is_empty());
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut seen = Seen::default();
    for push in 0..200_000 {
        assert!(seen.is_new(push));
    }
    assert!(seen.young.len() + seen.old.len() <= 2 * REMEMBERED);
    assert!(!seen.is_new(199_999) && !seen.is_new(200_000 - REMEMBERED as u64) && seen.is_new(0));
}
