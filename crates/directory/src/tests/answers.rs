//! What a platform says when it is asked: that something is not there, that it has no name for somebody, which of two values holds.

use super::*;

fn answer(told: Observation) -> Observation {
    Observation { answer: true, ..told }
}

fn absent(department: &str, second: i64) -> Observation {
    answer(seen(EntityKind::Department, department, second, What::Absent))
}

fn nameless(member: &str, second: i64) -> Observation {
    answer(seen(EntityKind::Member, member, second, What::Nameless))
}

/// As a reduced event tells of a member: ids only (reference wecom 2.2).
fn reduced(id: &str, second: i64, departments: &[&str]) -> Observation {
    let fields = Fields::new().with(Field::Departments, departments);
    Observation { hint: true, ..seen(EntityKind::Member, id, second, What::Created { fields }) }
}

/// Somebody is called something now.
fn named(id: &str, second: i64) -> Observation {
    answer(told(id, second, Field::Name, "Ann Li"))
}

fn question(about: EntityKey, why: Why, second: i64) -> Question {
    Question { about, why, at: UnixMillis::from_seconds(second) }
}

#[test]
fn a_member_goes_out_with_those_of_its_departments_that_are_there() {
    let tenant = check(&[
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (member("ann", 2, &["2", "9"]), ""),
        (absent("9", 10), "member ann \"ANN\" in 2"),
    ]);
    assert_eq!(tenant.waits(&EntityKey::member("ann")), [("department 9".to_owned(), WaitFor::Absent)]);
    assert!(!tenant.records[&EntityKey::member("ann")].is_parked());
}

#[test]
fn a_member_without_any_department_left_is_in_the_root() {
    check(&[(member("ann", 2, &["9"]), ""), (absent("9", 10), "member ann \"ANN\" in 1")]);
    check(&[(absent("9", 10), ""), (member("ann", 2, &["9", "9"]), "member ann \"ANN\" in 1")]);
}

#[test]
fn a_department_without_its_parent_is_below_the_root() {
    check(&[(department("3", 2, "9"), ""), (absent("9", 10), "department 3 \"D3\" in 1")]);
}

#[test]
fn the_root_is_never_absent() {
    check(&[(absent("1", 10), ""), (member("ann", 2, &["1"]), "member ann \"ANN\" in 1")]);
}

#[test]
fn what_was_absent_is_given_back_when_it_appears() {
    for created_at in [5, 20] {
        check(&[
            (department("2", 1, "1"), "department 2 \"D2\" in 1"),
            (member("ann", 2, &["2", "9"]), ""),
            (department("3", 3, "9"), ""),
            (absent("9", 10), "department 3 \"D3\" in 1\nmember ann \"ANN\" in 2"),
            (
                department("9", created_at, "2"),
                "department 9 \"D9\" in 2\ndepartment 3 \"D3\" in 9\nmember ann \"ANN\" in 2,9",
            ),
        ]);
    }
}

#[test]
fn an_absence_takes_nothing_away_that_exists() {
    check(&[
        (department("9", 1, "1"), "department 9 \"D9\" in 1"),
        (member("ann", 2, &["9"]), "member ann \"ANN\" in 9"),
        (absent("9", 10), ""),
        (member("bob", 3, &["9"]), "member bob \"BOB\" in 9"),
    ]);
}

#[test]
fn what_was_told_and_is_parked_is_waited_for_whatever_was_answered() {
    let tenant = check(&[(member("ann", 2, &["9"]), ""), (department("9", 1, "8"), ""), (absent("9", 10), "")]);
    assert_eq!(tenant.waits(&EntityKey::member("ann")), [("department 9".to_owned(), WaitFor::Reference)]);
}

#[test]
fn what_was_parked_and_is_answered_as_gone_is_waited_for_no_more() {
    let gone = || answer(department_gone("9", 10));
    for answers in [[absent("9", 10), gone()], [gone(), absent("9", 10)]] {
        let mut tenant = check(&[(member("ann", 2, &["9"]), ""), (department("9", 1, "8"), "")]);
        assert_eq!(tenant.tell_all(&answers), "member ann \"ANN\" in 1");
        assert!(tenant.waits(&EntityKey::department("9")).is_empty());
    }
    let mut tenant = check(&[(reduced("ann", 2, &["1"]), "")]);
    assert!(tenant.records[&EntityKey::member("ann")].is_parked());
    let absent = answer(seen(EntityKind::Member, "ann", 10, What::Absent));
    assert_eq!(tenant.tell_all(&[absent, answer(member_gone("ann", 10))]), "");
    assert!(tenant.waits(&EntityKey::member("ann")).is_empty());
}

#[test]
fn what_was_removed_and_is_absent_is_gone_without() {
    check(&[
        (department("9", 1, "1"), "department 9 \"D9\" in 1"),
        (department_gone("9", 3), "department 9 gone"),
        (member("ann", 2, &["9"]), ""),
        (absent("9", 10), "member ann \"ANN\" in 1"),
    ]);
}

#[test]
fn an_absence_older_than_the_reference_is_asked_about_again() {
    for second in [10, 12] {
        let mut tenant = check(&[(absent("9", 10), ""), (member("ann", second, &["9"]), "")]);
        assert!(tenant.effects.questions.contains(&question(EntityKey::department("9"), Why::Missing, second)));
        assert_eq!(tenant.tell(absent("9", 20)), "member ann \"ANN\" in 1");
    }
}

#[test]
fn an_absence_older_than_a_creation_says_nothing() {
    let tenant = check(&[(absent("9", 10), ""), (department("9", 11, "8"), ""), (department_gone("9", 12), "")]);
    assert_eq!(tenant.records[&EntityKey::department("9")].absent_at(), None);
    let tenant = check(&[(department("9", 11, "8"), ""), (department_gone("9", 12), ""), (absent("9", 10), "")]);
    assert_eq!(tenant.records[&EntityKey::department("9")].absent_at(), None);
}

#[test]
fn of_several_absences_the_newest_counts_and_old_ones_are_duplicates() {
    let tenant = check(&[(absent("9", 10), ""), (absent("9", 12), ""), (absent("9", 11), "")]);
    assert_eq!(tenant.records[&EntityKey::department("9")].absent_at(), Some(UnixMillis::from_seconds(12)));
    assert_eq!(tenant.records[&EntityKey::department("9")].facts.len(), 1);
    assert_eq!(tenant.effects.seen, [Seen::Duplicate]);
}

#[test]
fn who_was_never_there_is_not_sent_again_as_gone() {
    let mut tenant = check(&[(absent("9", 10), "")]);
    assert_eq!(tenant.session(|session| session.send_again(EntityKey::department("9"), None), UnixMillis(0)), "");
}

#[test]
fn an_absence_does_not_disturb_a_trail_of_renames() {
    check(&[
        (member("bob", 1, &["1"]), "member bob \"BOB\" in 1"),
        (renamed("bob", 2, "bobby"), "member bobby \"BOB\" in 1 formerly bob"),
        (member_gone("bobby", 3), "member bobby gone"),
        (answer(seen(EntityKind::Member, "bobby", 9, What::Absent)), ""),
        (answer(seen(EntityKind::Member, "bob", 9, What::Absent)), ""),
        (member("bob", 4, &["1"]), "member bob \"BOB\" in 1"),
    ]);
}

#[test]
fn folding_keeps_an_absence() {
    let mut tenant = Tenant::new();
    let fill = |told: Vec<Observation>| {
        |session: &mut Session| {
            for observation in told {
                session.tell(Incoming {
                    observation,
                    event: String::new(),
                    received_at: UnixMillis(0),
                    traceparent: None,
                });
            }
        }
    };
    let horizon = UnixMillis::from_seconds(50);
    let old = vec![department("9", 1, "1"), department_gone("9", 2), absent("9", 3), member("ann", 2, &["9"])];
    assert_eq!(tenant.session(fill(old), horizon), "member ann \"ANN\" in 1");
    let again = vec![department_gone("9", 40), told("ann", 60, Field::Mobile, "1")];
    assert_eq!(tenant.session(fill(again), horizon), "member ann \"ANN\" in 1 mobile 1");
}

#[test]
fn who_came_by_a_reduced_event_waits_for_details_and_is_asked_about() {
    let mut tenant = check(&[(reduced("ann", 5, &["1"]), "")]);
    assert!(tenant.effects.questions.contains(&question(EntityKey::member("ann"), Why::Hint, 5)));
    assert_eq!(tenant.waits(&EntityKey::member("ann")), [("member ann".to_owned(), WaitFor::Details)]);
    assert_eq!(tenant.tell(named("ann", 9)), "member ann \"Ann Li\" in 1");
}

#[test]
fn an_id_does_for_a_name_that_nobody_can_tell_until_one_is_told() {
    let ann = EntityKey::member("ann");
    for told in [
        [reduced("Ann", 5, &["1"]), nameless("ann", 9)],
        // The answer overtook what it is about.
        [nameless("ann", 9), reduced("Ann", 5, &["1"])],
    ] {
        let mut tenant = Tenant::new();
        let sent: Vec<String> = told.into_iter().map(|told| tenant.tell(told)).collect();
        assert_eq!(sent.concat(), "member ann \"Ann\" in 1");
        assert!(tenant.records[&ann].sent.as_ref().unwrap().entity.incomplete);
        tenant.tell(nameless("ann", 12));
        assert_eq!(tenant.effects.seen, [Seen::Duplicate]);
        assert_eq!(tenant.tell(named("ann", 10)), "member ann \"Ann Li\" in 1");
        assert!(!tenant.records[&ann].sent.as_ref().unwrap().entity.incomplete);
    }
}

#[test]
fn a_member_of_whom_nothing_can_be_told_goes_out_all_the_same() {
    check(&[
        (reduced("ann", 5, &["9"]), ""),
        (absent("9", 20), ""),
        (nameless("ann", 21), "member ann \"ann\" in 1"),
        (department("9", 30, "1"), "department 9 \"D9\" in 1\nmember ann \"ann\" in 9"),
    ]);
}

#[test]
fn an_answer_later_than_both_decides_between_two_values() {
    let mut tenant = check(&[(member("ann", 1, &["1"]), "member ann \"ANN\" in 1")]);
    tenant.tell(told("ann", 5, Field::Mobile, "1"));
    tenant.tell(told("ann", 5, Field::Mobile, "2"));
    assert!(tenant.effects.questions.contains(&question(EntityKey::member("ann"), Why::Undecided, 5)));
    assert_eq!(tenant.tell(answer(told("ann", 8, Field::Mobile, "1"))), "member ann \"ANN\" in 1 mobile 1");
    assert!(tenant.effects.questions.is_empty());
}

#[test]
fn an_answer_later_than_both_decides_between_a_removal_and_a_creation() {
    let mut tenant = check(&[(member("ann", 5, &["1"]), "member ann \"ANN\" in 1"), (member_gone("ann", 5), "")]);
    assert!(tenant.effects.questions.contains(&question(EntityKey::member("ann"), Why::Undecided, 5)));
    assert_eq!(tenant.tell(answer(told("ann", 8, Field::Mobile, "1"))), "member ann \"ANN\" in 1 mobile 1");
    assert!(tenant.effects.questions.is_empty());
}

#[test]
fn records_with_answers_survive_json() {
    let tenant = check(&[
        (absent("9", 10), ""),
        (member("ann", 2, &["9"]), "member ann \"ANN\" in 1"),
        (nameless("bob", 3), ""),
    ]);
    for record in tenant.records.values() {
        let json = serde_json::to_string(record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), *record, "{json}");
    }
}

#[test]
fn all_orders_of_answers_and_events_give_the_same_end() {
    let mut told = [
        department("2", 1, "1"),
        reduced("ann", 2, &["2", "9"]),
        absent("9", 4),
        department("9", 6, "2"),
        answer(told("ann", 7, Field::Departments, ["9", "8"].as_slice())),
        nameless("ann", 8),
        absent("8", 9),
    ];
    let mut ends = Vec::new();
    for_each_order(&mut told, 0, &mut |order| {
        let mut tenant = Tenant::new();
        order.iter().for_each(|told| drop(tenant.tell(told.clone())));
        let shown = |(key, record): (&EntityKey, &Record)| {
            let sent = record.sent.as_ref().map(|sent| (sent.entity.clone(), sent.refers_to.clone()));
            (key.clone(), record.facts.clone(), sent, record.waits.clone(), record.children, record.members)
        };
        ends.push(tenant.records.iter().map(shown).collect::<Vec<_>>());
    });
    assert_eq!(ends.len(), 5040);
    assert!(ends.iter().all(|end| *end == ends[0]));
}

pub(super) fn for_each_order(told: &mut [Observation], place: usize, visit: &mut impl FnMut(&[Observation])) {
    if place == told.len() {
        return visit(told);
    }
    for other in place..told.len() {
        told.swap(place, other);
        for_each_order(told, place + 1, visit);
        told.swap(place, other);
    }
}
