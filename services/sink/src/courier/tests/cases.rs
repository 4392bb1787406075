//! Single rules.

use common::{Action, Change, EntityKey, EntityKind, UnixMillis};

use super::super::{Courier, Decision, Part, Settled, Verdict};
use super::world::{remove, upsert};

const NOW: UnixMillis = UnixMillis(1000);
const LATER: UnixMillis = UnixMillis(2000);

fn dept(id: &str) -> EntityKey {
    EntityKey::department(id)
}

fn member(id: &str) -> EntityKey {
    EntityKey::member(id)
}

fn rejected() -> Verdict {
    Verdict::Rejected { reason: "no".into() }
}

fn failed() -> Verdict {
    Verdict::Failed { next_attempt: LATER, reason: "500".into() }
}

fn renamed(version: u64, to: &str, from: &str) -> Change {
    let mut change = upsert(version, &member(to), &[dept("1")], &[], true);
    if let Action::Upsert { renamed_from, .. } = &mut change.action {
        *renamed_from = Some(member(from));
    }
    change
}

fn settle(courier: &mut Courier, change: &Change, verdict: Verdict) -> Settled {
    let steps = courier.plan(std::slice::from_ref(change), |_| true, 1);
    let step = steps.first().expect("there is something to do");
    courier.settle(step, verdict, NOW)
}

fn waits_on(courier: &Courier, key: &EntityKey) -> Vec<EntityKey> {
    let on = courier.exception(key).and_then(|exception| exception.waits_on());
    on.into_iter().flatten().cloned().collect()
}

#[test]
fn repeats_and_gaps_are_told_apart() {
    let courier = Courier::new(5, []);
    let change = |version| upsert(version, &dept("2"), &[], &[], true);
    assert_eq!(courier.decide(&change(5), true), Decision::Repeat);
    assert_eq!(courier.decide(&change(6), true), Decision::Deliver);
    assert_eq!(courier.decide(&change(6), false), Decision::Skip);
    assert_eq!(courier.decide(&change(7), true), Decision::Gap);
    let versions = |changes: &[Change]| -> Vec<u64> {
        courier.plan(changes, |_| true, 10).iter().map(|step| step.change.version).collect()
    };
    assert_eq!(versions(&[change(4), change(5), change(6), change(7), change(9)]), [6, 7]);
}

#[test]
fn only_what_refers_to_a_rejected_department_waits() {
    let mut courier = Courier::default();
    assert_eq!(settle(&mut courier, &upsert(1, &dept("2"), &[dept("1")], &[], true), rejected()), Settled::Dead);
    assert_eq!(
        settle(&mut courier, &upsert(2, &member("a"), &[dept("2")], &[], true), Verdict::Applied),
        Settled::Waiting
    );
    assert_eq!(
        settle(&mut courier, &upsert(3, &member("b"), &[dept("1")], &[], true), Verdict::Applied),
        Settled::Applied
    );
    assert_eq!(courier.position(), 3);
    assert_eq!(waits_on(&courier, &member("a")), [dept("2")]);

    let again = upsert(4, &dept("2"), &[dept("1")], &[], false);
    assert_eq!(settle(&mut courier, &again, Verdict::Applied), Settled::Applied);
    assert_eq!(courier.due(NOW, 9), [(2, member("a"))]);
    let step = courier.retry(&member("a"), upsert(2, &member("a"), &[dept("2")], &[], true)).unwrap();
    assert_eq!(courier.settle(&step, Verdict::Applied, NOW), Settled::Applied);
    assert_eq!(courier.exceptions().count(), 0);
}

#[test]
fn a_change_that_is_rejected_though_its_entity_is_there_holds_nobody_up() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &dept("2"), &[dept("1")], &[], false), rejected());
    let inside = upsert(2, &member("a"), &[dept("2")], &[], true);
    assert_eq!(settle(&mut courier, &inside, Verdict::Applied), Settled::Applied);
}

#[test]
fn a_department_is_not_removed_before_those_who_left_it() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &member("a"), &[dept("1")], &[dept("2")], false), rejected());
    assert_eq!(settle(&mut courier, &remove(2, &dept("2"), &[dept("1")]), Verdict::Applied), Settled::Waiting);
    assert_eq!(waits_on(&courier, &dept("2")), [member("a")]);
    settle(&mut courier, &upsert(3, &member("a"), &[dept("1")], &[], false), Verdict::Applied);
    assert_eq!(courier.due(NOW, 9), [(2, dept("2"))]);
}

#[test]
fn who_was_never_there_neither_leaves_nor_needs_removing() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &member("a"), &[dept("2")], &[], true), rejected());
    settle(&mut courier, &upsert(2, &member("a"), &[dept("1")], &[dept("2")], false), rejected());
    assert_eq!(courier.decide(&remove(3, &dept("2"), &[]), true), Decision::Deliver);
    settle(&mut courier, &remove(3, &dept("2"), &[]), Verdict::Applied);
    assert_eq!(settle(&mut courier, &remove(4, &member("a"), &[dept("1")]), Verdict::Applied), Settled::Skipped);
    assert_eq!(courier.exceptions().count(), 0);
}

#[test]
fn who_was_sent_without_an_answer_may_be_there_and_is_removed() {
    let gone = remove(2, &member("a"), &[dept("1")]);
    for is_heard_of_later in [false, true] {
        let mut courier = Courier::default();
        if !is_heard_of_later {
            courier.note_unheard(1);
        }
        settle(&mut courier, &upsert(1, &member("a"), &[dept("1")], &[], true), failed());
        if is_heard_of_later {
            assert_eq!(courier.decide(&gone, true), Decision::Skip);
            courier.note_unheard(1);
        }
        let known = courier.exception(&member("a")).map(|exception| (exception.absent, exception.unsure));
        assert_eq!(known, Some((true, true)));
        assert_eq!(courier.decide(&gone, true), Decision::Deliver);
        assert_eq!(settle(&mut courier, &gone, Verdict::Applied), Settled::Applied);
        assert_eq!(courier.exceptions().count(), 0);
        settle(&mut courier, &upsert(3, &member("b"), &[dept("1")], &[], true), rejected());
        assert_eq!(courier.decide(&remove(4, &member("b"), &[dept("1")]), true), Decision::Skip, "b was answered");
    }
}

#[test]
fn who_was_sent_without_an_answer_and_renamed_leaves_nothing_under_the_former_id() {
    let mut courier = Courier::default();
    courier.note_unheard(1);
    settle(&mut courier, &upsert(1, &member("a"), &[dept("1")], &[], true), failed());
    let change = renamed(2, "b", "a");
    let first = courier.plan(std::slice::from_ref(&change), |_| true, 1).remove(0);
    assert_eq!((&first.decision, first.part), (&Decision::Deliver, Part::FormerRow));
    assert_eq!((&first.send.entity, &first.send.action), (&member("a"), &Action::Remove));
    assert_eq!(courier.settle(&first, Verdict::Applied, NOW), Settled::Held);

    assert_eq!(courier.due(NOW, 9), [(2, member("b"))]);
    let second = courier.retry(&member("b"), change).unwrap();
    assert_eq!((&second.decision, second.part), (&Decision::Deliver, Part::Whole));
    assert_eq!(second.send.entity, member("b"));
    assert!(matches!(second.send.action, Action::Upsert { renamed_from: None, .. }), "there is nothing to rename");
    assert_eq!(courier.settle(&second, Verdict::Applied, NOW), Settled::Applied);
    assert_eq!(courier.exceptions().count(), 0);
}

#[test]
fn what_is_tried_again_together_with_what_it_needs_does_not_wait_for_ever() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &member("a"), &[dept("1")], &[], true), failed());
    courier.note_unheard_held();
    let mut change = renamed(2, "b", "a");
    let former_row = courier.plan(std::slice::from_ref(&change), |_| true, 1).remove(0);
    assert_eq!(courier.settle(&former_row, Verdict::Applied, NOW), Settled::Held);
    let department = upsert(3, &dept("2"), &[dept("1")], &[], true);
    settle(&mut courier, &department, failed());

    change.refers_to = vec![dept("2")];
    let steps = [courier.retry(&dept("2"), department).unwrap(), courier.retry(&member("b"), change).unwrap()];
    assert_eq!(steps[1].decision, Decision::Wait { on: [dept("2")].into() });
    assert_eq!(courier.settle(&steps[0], Verdict::Applied, NOW), Settled::Applied);
    assert_eq!(courier.settle(&steps[1], Verdict::Applied, NOW), Settled::Held);
    assert_eq!(courier.due(NOW, 9), [(2, member("b"))]);
}

#[test]
fn a_rename_that_was_rejected_is_carried_on() {
    let mut courier = Courier::default();
    settle(&mut courier, &renamed(1, "b", "a"), rejected());
    let sent_from = |courier: &Courier, change: Change| {
        let step = courier.plan(&[change], |_| true, 1).remove(0);
        match step.send.action {
            Action::Upsert { renamed_from, .. } => renamed_from,
            _ => None,
        }
    };
    let later = upsert(2, &member("b"), &[dept("1")], &[], false);
    assert_eq!(sent_from(&courier, later), Some(member("a")), "the destination still has the old id");
    assert_eq!(sent_from(&courier, renamed(2, "c", "b")), Some(member("a")));
    assert_eq!(sent_from(&courier, renamed(2, "a", "b")), None, "renamed back");
    let newcomer = upsert(2, &member("a"), &[dept("1")], &[], true);
    assert_eq!(courier.decide(&newcomer, true), Decision::Wait { on: [member("b")].into() });
    let gone = courier.plan(&[remove(2, &member("b"), &[dept("1")])], |_| true, 1).remove(0);
    assert_eq!((gone.decision, gone.send.entity), (Decision::Deliver, member("a")));
}

#[test]
fn what_depends_on_an_open_outcome_comes_later() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &dept("2"), &[dept("1")], &[], true), rejected());
    let changes = [upsert(2, &dept("2"), &[dept("1")], &[], false), upsert(3, &member("a"), &[dept("2")], &[], true)];
    assert_eq!(courier.plan(&changes, |_| true, 9).len(), 1);

    let courier = Courier::default();
    let changes = [upsert(1, &member("a"), &[dept("1")], &[dept("2")], false), remove(2, &dept("2"), &[dept("1")])];
    assert_eq!(courier.plan(&changes, |_| true, 9).len(), 1, "a may be refused and stay in 2");

    let changes = [upsert(1, &dept("2"), &[dept("1")], &[], true), upsert(2, &member("a"), &[dept("2")], &[], true)];
    assert_eq!(courier.plan(&changes, |_| true, 9).len(), 2, "parents and children share a batch");
}

#[test]
fn a_department_does_not_come_under_one_that_is_still_under_it() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &dept("b"), &[dept("1")], &[dept("a")], false), rejected());
    let swap = upsert(2, &dept("a"), &[dept("b")], &[dept("1")], false);
    assert_eq!(courier.decide(&swap, true), Decision::Wait { on: [dept("b")].into() });
    assert_eq!(courier.decide(&upsert(2, &dept("a"), &[dept("1")], &[], false), true), Decision::Deliver);
}

#[test]
fn what_was_given_up_while_waiting_comes_back_when_that_appears() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &dept("2"), &[dept("1")], &[], true), rejected());
    settle(&mut courier, &upsert(2, &member("a"), &[dept("2")], &[], true), Verdict::Applied);
    assert_eq!(courier.overdue(LATER), [member("a")]);
    courier.give_up(&member("a"));
    assert!(courier.overdue(LATER).is_empty());
    settle(&mut courier, &upsert(3, &dept("2"), &[dept("1")], &[], false), Verdict::Applied);
    assert_eq!(courier.due(NOW, 9), [(2, member("a"))]);
}

#[test]
fn a_held_change_has_a_time_and_a_newer_one_takes_its_place() {
    let mut courier = Courier::default();
    let first = upsert(1, &member("a"), &[dept("1")], &[], true);
    assert_eq!(settle(&mut courier, &first, failed()), Settled::Held);
    assert!(courier.due(NOW, 9).is_empty());
    assert_eq!(courier.next_due(), Some(LATER));
    let step = courier.retry(&member("a"), first.clone()).unwrap();
    courier.settle(&step, failed(), LATER);
    assert_eq!(courier.exception(&member("a")).map(|e| (e.attempts, e.since)), Some((2, NOW)));
    settle(&mut courier, &upsert(2, &member("a"), &[dept("1")], &[], false), Verdict::Applied);
    assert!(courier.retry(&member("a"), first).is_none());
    assert_eq!(courier.next_due(), None);
}

#[test]
fn a_missing_reference_waits_for_the_one_that_is_known_to_be_missing() {
    let mut courier = Courier::default();
    let changes = [upsert(1, &dept("2"), &[dept("1")], &[], true), upsert(2, &member("a"), &[dept("2")], &[], true)];
    let steps = courier.plan(&changes, |_| true, 9);
    courier.settle(&steps[0], rejected(), NOW);
    let missing = Verdict::Missing { next_attempt: LATER, what: None };
    assert_eq!(courier.settle(&steps[1], missing.clone(), NOW), Settled::Waiting);
    let elsewhere = upsert(3, &member("b"), &[dept("7")], &[], true);
    assert_eq!(settle(&mut courier, &elsewhere, missing), Settled::Held, "nobody knows why 7 is missing");
}

fn punch(id: &str) -> EntityKey {
    EntityKey::new(EntityKind::Attendance, id)
}

#[test]
fn attendance_waits_for_its_member_and_comes_when_that_does() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &member("a"), &[dept("1")], &[], true), rejected());
    let record = upsert(2, &punch("a/1"), &[member("a")], &[], true);
    assert_eq!(settle(&mut courier, &record, Verdict::Applied), Settled::Waiting);
    assert_eq!(settle(&mut courier, &upsert(3, &punch("b/1"), &[], &[], true), Verdict::Applied), Settled::Applied);
    settle(&mut courier, &upsert(4, &member("a"), &[dept("1")], &[], false), Verdict::Applied);
    assert_eq!(courier.due(NOW, 9), [(2, punch("a/1"))]);
    let step = courier.retry(&punch("a/1"), record).unwrap();
    assert_eq!(courier.settle(&step, Verdict::Applied, NOW), Settled::Applied);
    assert_eq!(courier.exceptions().count(), 0);
}

#[test]
fn who_is_removed_does_not_wait_for_attendance_that_did_not_arrive() {
    let mut courier = Courier::default();
    settle(&mut courier, &upsert(1, &punch("a/1"), &[member("a")], &[], false), rejected());
    settle(&mut courier, &remove(2, &punch("a/1"), &[member("a")]), rejected());
    let gone = remove(3, &member("a"), &[dept("1")]);
    assert_eq!(courier.decide(&gone, true), Decision::Deliver);
    let both = [remove(3, &punch("a/2"), &[member("a")]), remove(4, &member("a"), &[dept("1")])];
    assert_eq!(courier.plan(&both, |_| true, 9).len(), 2, "they share a batch");
}

#[test]
fn a_record_whose_member_the_destination_never_had_is_held() {
    let mut courier = Courier::default();
    // Of one who left nothing is referred to any more.
    let late = upsert(1, &punch("a/1"), &[], &[], true);
    let missing = Verdict::Missing { next_attempt: LATER, what: Some(member("a")) };
    assert_eq!(settle(&mut courier, &late, missing), Settled::Held);
    assert_eq!(courier.next_due(), Some(LATER));
}

#[test]
fn a_rejected_callback_leaves_nothing_behind() {
    let mut courier = Courier::default();
    let key = EntityKey::new(EntityKind::Callback, "abc");
    let platform = common::Platform::Wecom;
    let callback = common::Callback { name: "x".into(), at: NOW, content: String::new(), platform };
    let change = super::world::change(1, &key, Action::Callback(callback));
    assert_eq!(settle(&mut courier, &change, rejected()), Settled::Dead);
    assert_eq!((courier.position(), courier.exceptions().count()), (1, 0));
}

#[test]
fn failures_in_place_are_counted_per_change() {
    let mut courier = Courier::default();
    assert_eq!([courier.failed_in_place(1), courier.failed_in_place(1), courier.failed_in_place(1)], [1, 2, 3]);
    assert_eq!(courier.failed_in_place(2), 1);
}
