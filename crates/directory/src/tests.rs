//! The rules of the core, one test each. All orders of many events are tried in `tests/order`; here the rules can be read.

use std::collections::BTreeMap;

use common::{Action, EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, What};

use crate::{Effects, Incoming, Question, Record, Seen, Session, WaitFor, Why};

mod answers;
mod records;
mod requests;

/// A tenant's tables.
#[derive(Default)]
struct Tenant {
    records: BTreeMap<EntityKey, Record>,
    /// What the last session did.
    effects: Effects,
}

impl Tenant {
    /// A tenant with its root department.
    fn new() -> Self {
        let mut tenant = Self::default();
        tenant.session(|session| session.found("Acme", UnixMillis(0)), UnixMillis(0));
        tenant
    }

    /// One session, and another for whoever it released, until nobody is. Says what was sent, a change a line.
    fn session(&mut self, fill: impl FnOnce(&mut Session), horizon: UnixMillis) -> String {
        let mut session = Session::new("acme".parse().unwrap());
        fill(&mut session);
        let mut effects = self.commit(session, horizon);
        let mut sent: Vec<String> = effects.changes.iter().map(line).collect();
        self.effects = effects.clone();
        loop {
            let is_released = |record: &Record| record.waits.iter().any(|wait| effects.released.contains(&wait.on));
            let mut session = Session::new("acme".parse().unwrap());
            self.records
                .iter()
                .filter(|(_, record)| is_released(record))
                .for_each(|(key, _)| session.look_again(key.clone()));
            effects = self.commit(session, horizon);
            if effects.changes.is_empty() {
                return sent.join("\n");
            }
            sent.extend(effects.changes.iter().map(line));
        }
    }

    fn commit(&mut self, mut session: Session, horizon: UnixMillis) -> Effects {
        loop {
            let missing = session.missing();
            if missing.is_empty() {
                break;
            }
            for key in missing {
                let record = self.records.get(&key).cloned();
                session.load(key, record);
            }
        }
        let effects = session.resolve(horizon);
        self.records.extend(effects.records.clone());
        effects
    }

    fn tell_all(&mut self, told: &[Observation]) -> String {
        let fill = |session: &mut Session| {
            for observation in told {
                let observation = observation.clone();
                session.tell(Incoming {
                    observation,
                    event: String::new(),
                    received_at: UnixMillis(0),
                    traceparent: None,
                });
            }
        };
        self.session(fill, UnixMillis(0))
    }

    fn tell(&mut self, told: Observation) -> String {
        self.tell_all(&[told])
    }

    fn waits(&self, key: &EntityKey) -> Vec<(String, WaitFor)> {
        self.records[key].waits.iter().map(|wait| (wait.on.to_string(), wait.why)).collect()
    }
}

/// `member ann "Ann" in 2,3 led by bob`, `approval 7 of ann`
fn line(change: &common::Change) -> String {
    let entity = &change.entity;
    match &change.action {
        Action::Remove => format!("{entity} gone"),
        Action::Callback(_) => format!("{entity} passed on"),
        Action::Upsert { entity: row, .. } if !change.kind().is_directory() => {
            let whose = row.fields.text(Field::Member).or(row.fields.text(Field::Applicant)).unwrap_or_default();
            let is_there = if change.refers_to.is_empty() { ", who is not there" } else { "" };
            format!("{entity} of {whose}{is_there}")
        }
        Action::Upsert { entity: row, renamed_from } => {
            let mut line = format!("{entity} {:?}", row.fields.text(Field::Name).unwrap_or_default());
            let places: Vec<&str> = change.refers_to.iter().map(|department| &*department.id).collect();
            if !places.is_empty() {
                line += &format!(" in {}", places.join(","));
            }
            if row.fields.has(Field::Leaders) {
                line += &format!(" led by [{}]", row.fields.list(Field::Leaders).join(","));
            }
            if let Some(mobile) = row.fields.text(Field::Mobile) {
                line += &format!(" mobile {mobile}");
            }
            if let Some(former) = renamed_from {
                line += &format!(" formerly {}", former.id);
            }
            line
        }
    }
}

fn seen(kind: EntityKind, id: &str, second: i64, what: What) -> Observation {
    Observation { kind, id: id.to_owned(), at: UnixMillis::from_seconds(second), what, hint: false, answer: false }
}

fn department(id: &str, second: i64, parent: &str) -> Observation {
    let fields = Fields::new().with(Field::Name, format!("D{id}")).with(Field::Parent, parent);
    seen(EntityKind::Department, id, second, What::Created { fields })
}

fn department_moved(id: &str, second: i64, parent: &str) -> Observation {
    let fields = Fields::new().with(Field::Parent, parent);
    seen(EntityKind::Department, id, second, What::Updated { fields })
}

fn department_gone(id: &str, second: i64) -> Observation {
    seen(EntityKind::Department, id, second, What::Removed)
}

fn member(id: &str, second: i64, departments: &[&str]) -> Observation {
    let fields = Fields::new().with(Field::Name, id.to_uppercase()).with(Field::Departments, departments);
    seen(EntityKind::Member, id, second, What::Created { fields })
}

fn told(id: &str, second: i64, field: Field, value: impl Into<common::Value>) -> Observation {
    seen(EntityKind::Member, id, second, What::Updated { fields: Fields::new().with(field, value) })
}

fn led_by(id: &str, second: i64, leaders: &[&str]) -> Observation {
    told(id, second, Field::Leaders, leaders)
}

fn renamed(id: &str, second: i64, to: &str) -> Observation {
    seen(EntityKind::Member, id, second, What::Renamed { to: to.to_owned(), fields: Fields::new() })
}

fn member_gone(id: &str, second: i64) -> Observation {
    seen(EntityKind::Member, id, second, What::Removed)
}

/// Each step tells something, singly, and says what is sent on account of it.
fn check(steps: &[(Observation, &str)]) -> Tenant {
    let mut tenant = Tenant::new();
    for (observation, sent) in steps {
        assert_eq!(tenant.tell(observation.clone()), *sent, "{observation:?}");
    }
    tenant
}

#[test]
fn the_root_exists_from_the_start_and_nobody_removes_it() {
    let mut tenant = Tenant::default();
    assert_eq!(tenant.session(|session| session.found("Acme", UnixMillis(0)), UnixMillis(0)), "department 1 \"Acme\"");
    assert_eq!(tenant.tell(department_gone("1", 1)), "");
    let name = What::Updated { fields: Fields::new().with(Field::Name, "Acme Ltd.") };
    assert_eq!(tenant.tell(seen(EntityKind::Department, "1", 2, name)), "department 1 \"Acme Ltd.\"");
}

#[test]
fn what_refers_to_something_unknown_is_parked_and_released_by_it() {
    let tenant = check(&[
        (member("ann", 3, &["3"]), ""),
        (department("3", 2, "2"), ""),
        (department("2", 1, "1"), "department 2 \"D2\" in 1\ndepartment 3 \"D3\" in 2\nmember ann \"ANN\" in 3"),
    ]);
    assert!(tenant.records.values().all(|record| !record.is_parked()));
}

#[test]
fn a_parked_entity_has_a_row_for_each_thing_that_it_waits_for() {
    let tenant = check(&[(member("ann", 1, &["2", "1", "3"]), "")]);
    let waits = tenant.waits(&EntityKey::member("ann"));
    let reference = |on: &str| (on.to_owned(), WaitFor::Reference);
    assert_eq!(waits, [reference("department 2"), reference("department 3")]);
    assert_eq!(tenant.effects.seen, [Seen::Parked]);
}

#[test]
fn an_update_may_come_before_the_creation() {
    check(&[
        (told("ann", 2, Field::Mobile, "139"), ""),
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1 mobile 139"),
    ]);
}

#[test]
fn the_newest_value_holds_whatever_comes_last() {
    check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (told("ann", 3, Field::Mobile, "3"), "member ann \"ANN\" in 1 mobile 3"),
        (told("ann", 2, Field::Mobile, "2"), ""),
    ]);
}

#[test]
fn a_repeat_is_a_duplicate_and_sends_nothing() {
    let tenant = check(&[(member("ann", 1, &["1"]), "member ann \"ANN\" in 1"), (member("ann", 1, &["1"]), "")]);
    assert_eq!(tenant.effects.seen, [Seen::Duplicate]);
}

#[test]
fn what_changes_nothing_is_stale() {
    let tenant =
        check(&[(member("ann", 1, &["1"]), "member ann \"ANN\" in 1"), (told("ann", 2, Field::Name, "ANN"), "")]);
    assert_eq!(tenant.effects.seen, [Seen::Stale]);
}

#[test]
fn moved_out_of_a_department_that_is_removed_with_the_creation_last() {
    check(&[
        (department("5", 1, "1"), "department 5 \"D5\" in 1"),
        (department("6", 2, "1"), "department 6 \"D6\" in 1"),
        (department_gone("5", 5), "department 5 gone"),
        (told("ann", 4, Field::Departments, ["6"].as_slice()), ""),
        (member("ann", 3, &["5"]), "member ann \"ANN\" in 6"),
    ]);
}

#[test]
fn a_removal_waits_until_the_department_is_emptied() {
    let tenant = check(&[
        (department("5", 1, "1"), "department 5 \"D5\" in 1"),
        (member("ann", 2, &["5"]), "member ann \"ANN\" in 5"),
        (department_gone("5", 4), ""),
        (told("ann", 3, Field::Departments, ["1"].as_slice()), "member ann \"ANN\" in 1\ndepartment 5 gone"),
    ]);
    assert!(!tenant.records[&EntityKey::department("5")].is_live());
}

#[test]
fn an_unreachable_parent_leaves_a_department_where_it_is_and_the_rest_goes_on() {
    let name = What::Updated { fields: Fields::new().with(Field::Name, "Sales").with(Field::Parent, "9") };
    check(&[
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (seen(EntityKind::Department, "2", 3, name), "department 2 \"Sales\" in 1"),
        (department("9", 2, "1"), "department 9 \"D9\" in 1\ndepartment 2 \"Sales\" in 9"),
    ]);
}

#[test]
fn a_cycle_of_late_moves_keeps_the_parent_last_sent_and_waits_for_the_whole_path() {
    let mut tenant = check(&[
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (department("3", 2, "2"), "department 3 \"D3\" in 2"),
        (department("4", 3, "3"), "department 4 \"D4\" in 3"),
        (department_moved("2", 5, "4"), ""),
    ]);
    let path = |on: &str| (on.to_owned(), WaitFor::Path);
    assert_eq!(tenant.waits(&EntityKey::department("2")), [path("department 3"), path("department 4")]);
    assert_eq!(tenant.tell(department_moved("3", 4, "1")), "department 3 \"D3\" in 1\ndepartment 2 \"D2\" in 4");
}

#[test]
fn a_department_does_not_move_below_a_new_one_that_hangs_below_it() {
    check(&[
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        (department("3", 2, "2"), "department 3 \"D3\" in 2"),
        (department_moved("2", 5, "4"), ""),
        (department("4", 3, "3"), "department 4 \"D4\" in 3"),
        (department_moved("3", 4, "1"), "department 3 \"D3\" in 1\ndepartment 2 \"D2\" in 4"),
    ]);
}

#[test]
fn no_life_inherits_values_from_the_one_before() {
    check(&[
        (told("ann", 2, Field::Mobile, "139"), ""),
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1 mobile 139"),
        (member("ann", 9, &["1"]), ""),
        (member_gone("ann", 5), "member ann \"ANN\" in 1"),
    ]);
}

#[test]
fn an_attribute_that_is_told_no_more_is_empty() {
    let with = |second, attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        told("ann", second, Field::Attributes, attributes.collect::<std::collections::BTreeMap<String, String>>())
    };
    let mut tenant = Tenant::new();
    tenant.tell_all(&[
        member("ann", 1, &["1"]),
        with(2, &[("number", "7"), ("floor", "2")]),
        with(3, &[("floor", "3")]),
    ]);
    let attributes = |tenant: &Tenant| {
        let sent = tenant.records[&EntityKey::member("ann")].sent.clone().unwrap();
        sent.entity.fields.map(Field::Attributes).cloned().unwrap().into_iter().collect::<Vec<_>>()
    };
    let named = |attributes: &[(&str, &str)]| {
        attributes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(attributes(&tenant), named(&[("floor", "3"), ("number", "")]));
    tenant.tell_all(&[member_gone("ann", 5), member("ann", 6, &["1"])]);
    assert_eq!(attributes(&tenant), named(&[("floor", ""), ("number", "")]), "nor of somebody else with that id");
}

#[test]
fn within_a_second_a_removal_comes_before_a_creation_and_that_before_an_update() {
    let tenant = check(&[
        (told("ann", 7, Field::Mobile, "139"), ""),
        (member("ann", 7, &["1"]), "member ann \"ANN\" in 1 mobile 139"),
        (member_gone("ann", 7), ""),
    ]);
    assert!(tenant.records[&EntityKey::member("ann")].is_live());
}

#[test]
fn leaders_are_soft() {
    check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (led_by("ann", 3, &["bob", "cai"]), "member ann \"ANN\" in 1 led by []"),
        (member("cai", 2, &["1"]), "member cai \"CAI\" in 1\nmember ann \"ANN\" in 1 led by [cai]"),
        (member("bob", 2, &["1"]), "member bob \"BOB\" in 1\nmember ann \"ANN\" in 1 led by [bob,cai]"),
        (member_gone("cai", 4), "member cai gone\nmember ann \"ANN\" in 1 led by [bob]"),
    ]);
}

#[test]
fn a_leader_is_who_bore_the_id_when_it_was_told() {
    check(&[
        (member("bob", 1, &["1"]), "member bob \"BOB\" in 1"),
        (member("ann", 2, &["1"]), "member ann \"ANN\" in 1"),
        (led_by("ann", 3, &["bob"]), "member ann \"ANN\" in 1 led by [bob]"),
        (renamed("bob", 4, "bobby"), "member bobby \"BOB\" in 1 formerly bob\nmember ann \"ANN\" in 1 led by [bobby]"),
        (member("bob", 5, &["1"]), "member bob \"BOB\" in 1"),
    ]);
}

#[test]
fn a_leader_who_is_spelled_differently_is_sent_again_everywhere() {
    check(&[
        (member("Bob", 4, &["1"]), "member bob \"BOB\" in 1"),
        (member("ann", 5, &["1"]), "member ann \"ANN\" in 1"),
        (led_by("ann", 6, &["bob"]), "member ann \"ANN\" in 1 led by [Bob]"),
        (member_gone("bOB", 2), "member bob \"BOB\" in 1\nmember ann \"ANN\" in 1 led by [bOB]"),
    ]);
}

#[test]
fn a_leader_is_spelled_as_its_row_is() {
    check(&[
        (member("bob", 3, &["1"]), "member bob \"BOB\" in 1"),
        (department("2", 1, "1"), "department 2 \"D2\" in 1"),
        // He is parked, and so is his new spelling.
        (told("bob", 4, Field::Departments, ["9"].as_slice()), ""),
        (told("BOB", 2, Field::Title, "engineer"), ""),
        (member("ann", 5, &["1"]), "member ann \"ANN\" in 1"),
        (led_by("ann", 6, &["bob"]), "member ann \"ANN\" in 1 led by [bob]"),
    ]);
}

#[test]
fn a_rename_takes_the_row_along() {
    check(&[
        (member("bob", 1, &["1"]), "member bob \"BOB\" in 1"),
        (renamed("bob", 3, "bobby"), "member bobby \"BOB\" in 1 formerly bob"),
        (told("bob", 2, Field::Mobile, "139"), "member bobby \"BOB\" in 1 mobile 139"),
    ]);
}

#[test]
fn a_rename_that_comes_late_merges_both_rows() {
    check(&[
        (member("bob", 1, &["1"]), "member bob \"BOB\" in 1"),
        (member("bobby", 4, &["1"]), "member bobby \"BOBBY\" in 1"),
        (renamed("bob", 3, "bobby"), "member bobby \"BOBBY\" in 1 formerly bob"),
    ]);
}

#[test]
fn a_new_person_with_the_old_id_is_not_the_renamed_one() {
    check(&[
        (member("bob", 1, &["1"]), "member bob \"BOB\" in 1"),
        (told("bob", 2, Field::Mobile, "139"), "member bob \"BOB\" in 1 mobile 139"),
        (member("bob", 5, &["1"]), ""),
        (renamed("bob", 4, "bobby"), "member bobby \"BOB\" in 1 mobile 139 formerly bob\nmember bob \"BOB\" in 1"),
    ]);
}

#[test]
fn the_new_person_waits_until_the_renamed_one_has_taken_the_row_along() {
    let move_to_9 = Fields::new().with(Field::Departments, ["9"].as_slice());
    let renamed = seen(EntityKind::Member, "bob", 3, What::Renamed { to: "bobby".to_owned(), fields: move_to_9 });
    let mut tenant =
        check(&[(member("bob", 1, &["1"]), "member bob \"BOB\" in 1"), (renamed, ""), (member("bob", 4, &["1"]), "")]);
    assert_eq!(tenant.waits(&EntityKey::member("bob")), [("member bobby".to_owned(), WaitFor::Successor)]);
    let sent = "department 9 \"D9\" in 1\nmember bobby \"BOB\" in 9 formerly bob\nmember bob \"BOB\" in 1";
    assert_eq!(tenant.tell(department("9", 2, "1")), sent);
}

#[test]
fn members_who_exchange_ids_do_not_wait_for_each_other() {
    let mut tenant = check(&[
        (told("ann", 2, Field::Mobile, "1"), ""),
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1 mobile 1"),
        (member("bob", 1, &["1"]), "member bob \"BOB\" in 1"),
    ]);
    let sent = tenant.tell_all(&[renamed("ann", 5, "x"), renamed("bob", 6, "ann"), renamed("x", 7, "bob")]);
    assert_eq!(sent, "member ann \"BOB\" in 1 formerly bob\nmember bob \"ANN\" in 1 mobile 1");
}

#[test]
fn different_values_within_a_second_are_undecided_and_asked_about() {
    let one = told("ann", 5, Field::Mobile, "1");
    let other = told("ann", 5, Field::Mobile, "2");
    for (first, second) in [(&one, &other), (&other, &one)] {
        let mut tenant = check(&[(member("ann", 1, &["1"]), "member ann \"ANN\" in 1")]);
        tenant.tell(first.clone());
        tenant.tell(second.clone());
        let asked = Question { about: EntityKey::member("ann"), why: Why::Undecided, at: UnixMillis::from_seconds(5) };
        assert!(tenant.effects.questions.contains(&asked));
        let row = &tenant.records[&EntityKey::member("ann")].sent.as_ref().unwrap().entity;
        assert_eq!(row.fields.text(Field::Mobile), Some("2"), "every order shows the same");
    }
}

#[test]
fn a_newer_value_decides_what_was_undecided() {
    let tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (told("ann", 5, Field::Mobile, "1"), "member ann \"ANN\" in 1 mobile 1"),
        (told("ann", 6, Field::Mobile, "3"), "member ann \"ANN\" in 1 mobile 3"),
        (told("ann", 5, Field::Mobile, "2"), ""),
    ]);
    assert!(tenant.effects.questions.is_empty());
}

#[test]
fn a_hint_asks_also_when_it_is_a_duplicate() {
    let mut tenant = Tenant::new();
    let hint = Observation { hint: true, ..told("ann", 1, Field::Departments, ["1"].as_slice()) };
    for _ in 0..2 {
        tenant.tell(hint.clone());
        let asked = Question { about: EntityKey::member("ann"), why: Why::Hint, at: UnixMillis::from_seconds(1) };
        assert!(tenant.effects.questions.contains(&asked));
    }
    assert_eq!(tenant.waits(&EntityKey::member("ann")), [("member ann".to_owned(), WaitFor::Details)]);
}

#[test]
fn a_hint_at_a_rename_asks_about_the_new_id() {
    let mut tenant = Tenant::new();
    tenant.tell(Observation { hint: true, ..renamed("bob", 1, "bobby") });
    assert_eq!(tenant.effects.questions.iter().next().unwrap().about, EntityKey::member("bobby"));
}

#[test]
fn an_entity_without_a_name_goes_out_with_its_id_when_nobody_can_tell_it() {
    let mut tenant = check(&[(told("Ann", 1, Field::Departments, ["1"].as_slice()), "")]);
    let ann = EntityKey::member("ann");
    let sent = tenant.session(|session| session.settle_for_id(ann.clone()), UnixMillis(0));
    assert_eq!(sent, "member ann \"Ann\" in 1");
    assert!(tenant.records[&ann].sent.as_ref().unwrap().entity.incomplete);
    assert_eq!(tenant.tell(told("ann", 2, Field::Name, "Ann Li")), "member ann \"Ann Li\" in 1");
    assert!(!tenant.records[&ann].sent.as_ref().unwrap().entity.incomplete);
}

#[test]
fn the_only_department_is_the_main_one_and_only_own_departments_are_led() {
    let mut tenant = check(&[(department("2", 1, "1"), "department 2 \"D2\" in 1")]);
    tenant.tell(member("ann", 2, &["2"]));
    tenant.tell(told("ann", 3, Field::Leads, ["2", "7"].as_slice()));
    let row = tenant.records[&EntityKey::member("ann")].sent.as_ref().unwrap().entity.clone();
    assert_eq!(row.fields.text(Field::MainDepartment), Some("2"));
    assert_eq!(row.fields.list(Field::Leads), ["2"]);
}

#[test]
fn an_id_is_shown_as_it_was_spelled_first() {
    let tenant = check(&[
        (member("ann", 3, &["1"]), "member ann \"ANN\" in 1"),
        (told("ANN", 2, Field::Title, "engineer"), "member ann \"ANN\" in 1"),
    ]);
    assert_eq!(tenant.records[&EntityKey::member("ann")].sent.as_ref().unwrap().entity.shown_id, "ANN");
}

#[test]
fn folding_what_is_old_changes_nothing_that_holds() {
    let mut tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (member_gone("ann", 2), "member ann gone"),
        (member("ann", 3, &["1"]), "member ann \"ANN\" in 1"),
        (told("ann", 4, Field::Mobile, "4"), "member ann \"ANN\" in 1 mobile 4"),
        (told("ann", 5, Field::Mobile, "5"), "member ann \"ANN\" in 1 mobile 5"),
    ]);
    let last = told("ann", 60, Field::Title, "engineer");
    let fill = |session: &mut Session| {
        session.tell(Incoming {
            observation: last,
            event: String::new(),
            received_at: UnixMillis(0),
            traceparent: None,
        })
    };
    let sent = tenant.session(fill, UnixMillis::from_seconds(50));
    assert_eq!(sent, "member ann \"ANN\" in 1 mobile 5");
    assert_eq!(tenant.records[&EntityKey::member("ann")].facts.len(), 4, "a removal, a creation and two values");
}

#[test]
fn folding_keeps_what_belongs_to_another_id_by_now() {
    let mut tenant = check(&[(member("bob", 1, &["1"]), "member bob \"BOB\" in 1")]);
    let horizon = UnixMillis::from_seconds(50);
    let tell = |observation| {
        |session: &mut Session| {
            session.tell(Incoming { observation, event: String::new(), received_at: UnixMillis(0), traceparent: None })
        }
    };
    tenant.session(tell(renamed("bob", 2, "bobby")), horizon);
    tenant.session(tell(member("bob", 3, &["1"])), horizon);
    let sent = tenant.session(tell(told("bobby", 60, Field::Mobile, "60")), horizon);
    assert_eq!(sent, "member bobby \"BOB\" in 1 mobile 60");
}

#[test]
fn a_live_entity_can_be_sent_again_to_one_destination() {
    let mut tenant = check(&[(member("ann", 1, &["1"]), "member ann \"ANN\" in 1")]);
    let oa: common::DestinationId = "oa".parse().unwrap();
    let again = |session: &mut Session| session.send_again(EntityKey::member("ann"), Some(oa.clone()));
    assert_eq!(tenant.session(again, UnixMillis(0)), "member ann \"ANN\" in 1");
    assert_eq!(tenant.effects.changes[0].only_for, Some(oa.clone()));
    let nobody = |session: &mut Session| session.send_again(EntityKey::member("nobody"), None);
    assert_eq!(tenant.session(nobody, UnixMillis(0)), "");
}

#[test]
fn who_is_gone_is_sent_again_as_gone_and_who_was_never_sent_is_not() {
    let mut tenant = check(&[
        (member("ann", 1, &["1"]), "member ann \"ANN\" in 1"),
        (member_gone("ann", 2), "member ann gone"),
        (member("bob", 3, &["9"]), ""),
    ]);
    let again = |id: &'static str| move |session: &mut Session| session.send_again(EntityKey::member(id), None);
    assert_eq!(tenant.session(again("ann"), UnixMillis(0)), "member ann gone");
    assert_eq!(tenant.session(again("bob"), UnixMillis(0)), "");
    tenant.tell(member("ann", 4, &["9"]));
    assert_eq!(tenant.session(again("ann"), UnixMillis(0)), "member ann gone", "who comes back is not there yet");
}

#[test]
fn a_record_survives_json() {
    let tenant = check(&[
        (member("Bob", 1, &["1"]), "member bob \"BOB\" in 1"),
        (renamed("bob", 2, "bobby"), "member bobby \"BOB\" in 1 formerly bob"),
        (led_by("ann", 3, &["bob"]), ""),
        (member_gone("bobby", 4), "member bobby gone"),
    ]);
    for record in tenant.records.values() {
        let json = serde_json::to_string(record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), *record, "{json}");
    }
}
