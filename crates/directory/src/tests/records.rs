//! Attendance records, approvals and days at work.

use super::*;

const PUNCH: &str = "ann/2026-11-29/punch/1";

fn fields(fields: &[(Field, &str)]) -> Fields {
    fields.iter().map(|(field, text)| (*field, common::Value::from(*text))).collect()
}

/// A punch as the platform answers it.
fn punch(id: &str, second: i64, member: &str, outcome: &str) -> Observation {
    let told = [
        (Field::Member, member),
        (Field::WorkDate, "2026-11-29"),
        (Field::RecordKind, "punch"),
        (Field::Outcome, outcome),
    ];
    seen(EntityKind::Attendance, id, second, What::Updated { fields: fields(&told) })
}

fn approval(second: i64, told: &[(Field, &str)]) -> Observation {
    seen(EntityKind::Approval, "Proc-1", second, What::Updated { fields: fields(told) })
}

/// As the platform answers it.
fn answered(second: i64, applicant: &str) -> Observation {
    let told = [(Field::Applicant, applicant), (Field::Details, "{}"), (Field::Status, "completed")];
    Observation { answer: true, ..approval(second, &told) }
}

/// As a callback tells of it.
fn hinted(second: i64, applicant: &str) -> Observation {
    let told = [(Field::Applicant, applicant), (Field::Template, "PROC-LEAVE")];
    Observation { hint: true, ..approval(second, &told) }
}

fn absent(member: &str, second: i64) -> Observation {
    Observation { answer: true, ..seen(EntityKind::Member, member, second, What::Absent) }
}

fn day_hinted(second: i64) -> Observation {
    let what = What::Updated { fields: Fields::new() };
    Observation { hint: true, ..seen(EntityKind::AttendanceDay, "ann/2026-11-29", second, what) }
}

fn day_answered(second: i64) -> Observation {
    let what = What::Updated { fields: Fields::new().with(Field::Records, [PUNCH].as_slice()) };
    Observation { answer: true, ..seen(EntityKind::AttendanceDay, "ann/2026-11-29", second, what) }
}

fn attendance_key(id: &str) -> EntityKey {
    EntityKey::new(EntityKind::Attendance, id)
}

fn approval_key() -> EntityKey {
    EntityKey::new(EntityKind::Approval, "Proc-1")
}

fn day_key() -> EntityKey {
    EntityKey::new(EntityKind::AttendanceDay, "ann/2026-11-29")
}

fn sent_text(tenant: &Tenant, key: &EntityKey, field: Field) -> Option<String> {
    tenant.records[key].sent.as_ref().unwrap().entity.fields.text(field).map(str::to_owned)
}

#[test]
fn attendance_waits_for_its_member_and_comes_behind_it() {
    let mut tenant = check(&[(punch(PUNCH, 5, "ann", "Normal"), "")]);
    assert_eq!(tenant.waits(&attendance_key(PUNCH)), [("member ann".to_owned(), WaitFor::Reference)]);
    let both = "member ann \"ANN\" in 1\nattendance ann/2026-11-29/punch/1 of ann";
    assert_eq!(tenant.tell(member("ann", 1, &["1"])), both);
    assert!(tenant.records.values().all(|record| !record.is_parked()));

    let mut together = Tenant::new();
    assert_eq!(together.tell_all(&[punch(PUNCH, 5, "ann", "Normal"), member("ann", 1, &["1"])]), both);
}

#[test]
fn attendance_that_is_told_again_is_sent_again_only_if_it_is_amended() {
    let tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of ann"),
        (punch(PUNCH, 50, "ann", "Normal"), ""),
        (punch(PUNCH, 60, "ann", "Late"), "attendance ann/2026-11-29/punch/1 of ann"),
        (punch(PUNCH, 40, "ann", "Absent"), ""),
    ]);
    let record = &tenant.records[&attendance_key(PUNCH)];
    assert_eq!(record.facts.len(), 1, "only what holds is kept");
    assert!(!record.sent.as_ref().unwrap().entity.incomplete, "it needs no name");
}

#[test]
fn attendance_is_shown_with_its_member_as_that_is_spelled() {
    let tenant = check(&[
        (member("Ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of Ann"),
    ]);
    assert_eq!(tenant.effects.changes[0].refers_to, [EntityKey::member("ann")]);
}

#[test]
fn who_left_satisfies_the_attendance_that_comes_late() {
    let late = "attendance ann/2026-11-29/punch/1 of ann, who is not there";
    check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (member_gone("ann", 3), "member ann gone"),
        (punch(PUNCH, 9, "ann", "Normal"), late),
    ]);
    check(&[(punch(PUNCH, 5, "ann", "Normal"), ""), (member_gone("ann", 7), late)]);
}

#[test]
fn who_left_and_comes_back_is_another_life_than_that_of_the_attendance() {
    check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (member_gone("ann", 7), "member ann gone"),
        (member("ann", 8, &["9"]), ""),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of ann, who is not there"),
        (punch("ann/2026-11-30/punch/2", 9, "ann", "Normal"), ""),
        (
            department("9", 2, "1"),
            "department 9 \"D9\" in 1\nmember ann \"ANN\" in 9\nattendance ann/2026-11-30/punch/2 of ann",
        ),
    ]);
}

#[test]
fn the_removal_of_a_member_waits_for_no_attendance_and_that_of_attendance_for_nobody() {
    let gone = |id| seen(EntityKind::Attendance, id, 8, What::Removed);
    let mut tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of ann"),
    ]);
    let root = &tenant.records[&EntityKey::department("1")];
    let ann = &tenant.records[&EntityKey::member("ann")];
    assert_eq!((root.children, root.members, ann.children, ann.members), (0, 1, 0, 0), "attendance is in nothing");
    assert_eq!(tenant.tell(member_gone("ann", 7)), "member ann gone");
    assert_eq!(tenant.tell(gone(PUNCH)), "attendance ann/2026-11-29/punch/1 gone");
    assert!(tenant.effects.changes[0].leaves.is_empty());
    assert!(!tenant.effects.released.contains(&attendance_key(PUNCH)), "nobody waits for it");
    assert_eq!(tenant.tell(gone("ann/2026-11-29/punch/2")), "", "it was never sent");
}

#[test]
fn attendance_of_who_is_absent_waits_and_comes_behind_its_member_when_that_appears() {
    let mut tenant = check(&[(punch(PUNCH, 5, "ann", "Normal"), ""), (absent("ann", 10), "")]);
    let waits = [("member ann".to_owned(), WaitFor::Reference)];
    assert_eq!(tenant.waits(&attendance_key(PUNCH)), waits);
    assert_eq!(tenant.session(|session| session.look_again(attendance_key(PUNCH)), UnixMillis(0)), "");
    assert!(tenant.effects.questions.is_empty(), "it was asked for already");
    assert_eq!(tenant.tell(absent("ann", 40)), "", "however often that is said");
    assert_eq!(tenant.waits(&attendance_key(PUNCH)), waits);
    let both = "member ann \"ANN\" in 1\nattendance ann/2026-11-29/punch/1 of ann";
    assert_eq!(tenant.tell(member("ann", 50, &["1"])), both);
    assert!(tenant.waits(&attendance_key(PUNCH)).is_empty());
}

#[test]
fn an_absence_from_before_the_attendance_is_asked_about_again() {
    let tenant = check(&[(absent("ann", 10), ""), (punch(PUNCH, 12, "ann", "Normal"), "")]);
    let asked = Question { about: EntityKey::member("ann"), why: Why::Missing, at: UnixMillis::from_seconds(12) };
    assert!(tenant.effects.questions.contains(&asked));
    assert!(tenant.records[&attendance_key(PUNCH)].is_parked());
}

#[test]
fn attendance_of_somebody_who_is_not_matched_waits_under_a_name_that_says_so() {
    let mut tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch("m7/2026-11-29/punch/1", 5, "dingtalk:M7", "Normal"), ""),
    ]);
    let key = attendance_key("m7/2026-11-29/punch/1");
    assert_eq!(tenant.waits(&key), [("member dingtalk:m7".to_owned(), WaitFor::Reference)]);
    assert!(tenant.effects.questions.is_empty(), "no platform knows who that is");
    let matched = punch("m7/2026-11-29/punch/1", 9, "ann", "Normal");
    assert_eq!(tenant.tell(matched), "attendance m7/2026-11-29/punch/1 of ann");
    assert!(tenant.waits(&key).is_empty());
}

#[test]
fn a_renamed_member_is_followed() {
    check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of ann"),
        (renamed("ann", 7, "anna"), "member anna \"ANN\" in 1 formerly ann"),
        (punch(PUNCH, 6, "ann", "Late"), "attendance ann/2026-11-29/punch/1 of anna"),
        (member("ann", 8, &["1"]), "member ann \"ANN\" in 1"),
        (punch("ann/2026-11-30/punch/2", 9, "ann", "Late"), "attendance ann/2026-11-30/punch/2 of ann"),
    ]);
}

#[test]
fn who_was_renamed_while_attendance_waits_is_waited_for_under_the_new_id() {
    let mut tenant = check(&[(punch(PUNCH, 5, "ann", "Normal"), ""), (renamed("ann", 7, "anna"), "")]);
    let waits = [("member ann".to_owned(), WaitFor::Leader), ("member anna".to_owned(), WaitFor::Reference)];
    assert_eq!(tenant.waits(&attendance_key(PUNCH)), waits);
    let both = "member anna \"ANN\" in 1\nattendance ann/2026-11-29/punch/1 of anna";
    assert_eq!(tenant.tell(member("ann", 1, &["1"])), both);
}

#[test]
fn attendance_that_was_told_in_part_waits_for_its_day() {
    let part = seen(EntityKind::Attendance, PUNCH, 5, What::Updated { fields: fields(&[(Field::Outcome, "Late")]) });
    let tenant = check(&[(part, "")]);
    let waits = [("attendance_day ann/2026-11-29".to_owned(), WaitFor::Details)];
    assert_eq!(tenant.waits(&attendance_key(PUNCH)), waits);
}

#[test]
fn a_day_is_asked_about_and_neither_sent_nor_parked() {
    let mut tenant = check(&[(day_hinted(5), "")]);
    let question = |second| Question { about: day_key(), why: Why::Hint, at: UnixMillis::from_seconds(second) };
    assert!(tenant.effects.questions.contains(&question(5)));
    assert!(!tenant.records[&day_key()].is_parked());
    assert_eq!(tenant.tell(day_answered(9)), "");
    for (second, is_asked) in [(5, false), (7, false), (8, true)] {
        tenant.tell(day_hinted(second));
        let asked = tenant.effects.questions.contains(&question(second));
        assert_eq!(asked, is_asked, "an answer of second 9 to a hint of second {second}");
    }
    assert_eq!(tenant.records[&day_key()].facts.len(), 1, "hints say nothing that is to be kept");
}

#[test]
fn what_only_all_of_a_day_shows_is_not_answered_by_a_look_at_a_part_of_it() {
    let told = |second, status, hint| {
        let told = if hint { Fields::new() } else { Fields::new().with(Field::Records, [PUNCH].as_slice()) };
        let what = What::Updated { fields: told.with(Field::Status, status) };
        Observation { hint, answer: !hint, ..seen(EntityKind::AttendanceDay, "ann/2026-11-29", second, what) }
    };
    let mut tenant = check(&[(day_answered(9), "")]);
    let mut asks = |told: Observation| {
        let question = Question { about: day_key(), why: Why::Hint, at: told.at };
        tenant.tell(told);
        tenant.effects.questions.contains(&question)
    };
    assert!(!asks(day_hinted(5)));
    assert!(asks(told(5, "amended", true)));
    assert!(!asks(told(12, "whole", false)));
    for (second, is_asked) in [(5, false), (10, false), (11, true)] {
        assert_eq!(asks(told(second, "refreshed", true)), is_asked, "{second}");
    }
}

#[test]
fn a_look_at_a_part_of_a_day_leaves_open_what_was_told_of_all_of_it_meanwhile() {
    let amended = |second| {
        let what = What::Updated { fields: Fields::new().with(Field::Status, "amended") };
        Observation { hint: true, ..seen(EntityKind::AttendanceDay, "ann/2026-11-29", second, what) }
    };
    let looked = |second, with: Fields| {
        let what = What::Updated { fields: with.with(Field::Records, [PUNCH].as_slice()) };
        Observation { answer: true, ..seen(EntityKind::AttendanceDay, "ann/2026-11-29", second, what) }
    };
    let behind = || Fields::new().with(Field::Outcome, "behind");
    let mut tenant = check(&[(day_hinted(3), ""), (amended(5), "")]);
    let mut left_open = |told: Observation| {
        tenant.tell(told);
        !tenant.effects.left_open.is_empty()
    };
    assert!(left_open(looked(9, Fields::new())) && left_open(looked(10, behind())));
    assert!(!left_open(looked(11, Fields::new().with(Field::Outcome, "awaited"))), "all of it was looked at");
    assert!(left_open(looked(12, Fields::new())), "nothing of it was seen yet");
    assert!(!left_open(looked(13, Fields::new().with(Field::Status, "whole"))));
    assert!(!left_open(looked(14, behind())));
}

#[test]
fn a_callback_about_an_approval_asks_for_its_details_and_only_those_are_sent() {
    let mut tenant = check(&[(member("bob", 1, &["1"]), "member bob \"BOB\" in 1"), (hinted(5, "bob"), "")]);
    let question = |second| Question { about: approval_key(), why: Why::Hint, at: UnixMillis::from_seconds(second) };
    assert!(tenant.effects.questions.contains(&question(5)));
    assert_eq!(tenant.waits(&approval_key()), [("approval Proc-1".to_owned(), WaitFor::Details)]);
    assert_eq!(tenant.tell(answered(9, "bob")), "approval Proc-1 of bob");
    assert_eq!(sent_text(&tenant, &approval_key(), Field::Template).as_deref(), Some("PROC-LEAVE"));
    for repeat in [hinted(5, "bob"), answered(9, "bob")] {
        assert_eq!(tenant.tell(repeat), "");
        assert!(tenant.effects.questions.is_empty(), "it is asked for once");
    }
    tenant.tell(hinted(12, "bob"));
    assert!(tenant.effects.questions.contains(&question(12)));
}

#[test]
fn that_an_approval_ended_is_told_when_its_details_say_how() {
    let running = [(Field::Applicant, ""), (Field::Details, "{}"), (Field::Status, "running")];
    let line = "approval Proc-1 of , who is not there";
    let mut tenant = check(&[(approval(5, &running), line)]);
    let what = What::Updated { fields: Fields::new().with(Field::FinishedAt, 7_000_i64) };
    let hint = Observation { hint: true, ..seen(EntityKind::Approval, "Proc-1", 7, what) };
    assert_eq!(tenant.tell(hint), "");
    assert_eq!(tenant.tell(approval(12, &[(Field::Status, "completed")])), line);
    let sent = tenant.records[&approval_key()].sent.as_ref().unwrap();
    assert_eq!(sent.entity.fields.number(Field::FinishedAt), Some(7_000));
}

#[test]
fn that_nobody_can_tell_a_name_does_not_stand_in_for_the_details_of_an_approval() {
    let mut tenant = check(&[(hinted(5, ""), "")]);
    assert_eq!(tenant.session(|session| session.settle_for_id(approval_key()), UnixMillis(0)), "");
    assert!(tenant.records[&approval_key()].is_parked());
    assert_eq!(tenant.tell(answered(9, "")), "approval Proc-1 of , who is not there");
}

#[test]
fn an_approval_goes_out_without_an_applicant_who_is_absent_and_gets_it_back() {
    let mut tenant = check(&[
        (answered(5, "bob"), ""),
        (absent("bob", 10), "approval Proc-1 of , who is not there"),
        (member("bob", 12, &["1"]), "member bob \"BOB\" in 1\napproval Proc-1 of bob"),
        (member_gone("bob", 13), "member bob gone"),
    ]);
    assert_eq!(sent_text(&tenant, &approval_key(), Field::Applicant).as_deref(), Some("bob"), "his row is kept");
    assert_eq!(tenant.tell(seen(EntityKind::Approval, "Proc-1", 20, What::Removed)), "approval Proc-1 gone");
}

#[test]
fn an_approval_that_is_gone_waits_for_nothing() {
    let gone = || seen(EntityKind::Approval, "Proc-1", 9, What::Removed);
    let tenant = check(&[(hinted(5, "bob"), ""), (gone(), ""), (answered(8, "bob"), "")]);
    assert!(tenant.waits(&approval_key()).is_empty());
    check(&[(gone(), ""), (hinted(5, "bob"), "")]);
}

#[test]
fn records_can_be_sent_again_as_they_are_now() {
    let mut tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of ann"),
        (renamed("ann", 7, "anna"), "member anna \"ANN\" in 1 formerly ann"),
    ]);
    let crm: common::DestinationId = "crm".parse().unwrap();
    let again = |session: &mut Session| session.send_again(attendance_key(PUNCH), Some(crm.clone()));
    let line = "attendance ann/2026-11-29/punch/1 of anna";
    // Everybody hears of the new id, and then this one once more.
    assert_eq!(tenant.session(again, UnixMillis(0)), [line, line].join("\n"));
    assert_eq!(tenant.effects.changes[1].only_for, Some(crm.clone()));
}

#[test]
fn who_was_only_hinted_at_stays_known_however_old_that_is() {
    let hint = |second| {
        let what = What::Updated { fields: Fields::new() };
        Observation { hint: true, ..seen(EntityKind::Member, "ann", second, what) }
    };
    let mut tenant = Tenant::new();
    tenant.tell_all(&[hint(1), hint(2)]);
    let again = Incoming { observation: hint(3), event: String::new(), received_at: UnixMillis(0), traceparent: None };
    tenant.session(|session| session.tell(again), UnixMillis::from_seconds(50));
    let ann = &tenant.records[&EntityKey::member("ann")];
    assert_eq!((ann.facts.len(), ann.exists(), ann.is_parked()), (1, true, true));
    assert_eq!(ann.facts[0].at, UnixMillis::from_seconds(3));
}

#[test]
fn records_of_attendance_and_approvals_survive_json() {
    let tenant = check(&[
        (member("Ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (punch(PUNCH, 5, "ann", "Normal"), "attendance ann/2026-11-29/punch/1 of Ann"),
        (punch("cai/2026-11-29/punch/1", 5, "cai", "Normal"), ""),
        (member_gone("cai", 7), "attendance cai/2026-11-29/punch/1 of cai, who is not there"),
        (hinted(3, "bob"), ""),
        (answered(5, "bob"), ""),
        (absent("bob", 10), "approval Proc-1 of , who is not there"),
        (day_hinted(5), ""),
        (day_answered(9), ""),
    ]);
    for record in tenant.records.values() {
        let json = serde_json::to_string(record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), *record, "{json}");
    }
}

#[test]
fn all_orders_of_attendance_approvals_and_their_members_give_the_same_end() {
    let mut told = [
        member("ann", 1, &["1"]),
        punch(PUNCH, 5, "ann", "Normal"),
        punch(PUNCH, 9, "ann", "Late"),
        member_gone("ann", 20),
        hinted(3, "bob"),
        answered(8, "bob"),
        absent("bob", 10),
    ];
    let mut ends = Vec::new();
    answers::for_each_order(&mut told, 0, &mut |order| {
        let mut tenant = Tenant::new();
        order.iter().for_each(|told| drop(tenant.tell(told.clone())));
        let shown = |(key, record): (&EntityKey, &Record)| {
            let sent = record.sent.as_ref().map(|sent| sent.entity.clone());
            (key.clone(), record.facts.clone(), sent, record.waits.clone(), record.children, record.members)
        };
        ends.push(tenant.records.iter().map(shown).collect::<Vec<_>>());
    });
    assert_eq!(ends.len(), 5040);
    assert!(ends.iter().all(|end| *end == ends[0]));
    let live: Vec<String> = ends[0].iter().filter(|end| end.2.is_some()).map(|(key, ..)| key.to_string()).collect();
    assert_eq!(live, ["department 1", "attendance ann/2026-11-29/punch/1", "approval Proc-1"]);
}
