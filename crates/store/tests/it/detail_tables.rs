//! What attendance, approvals and failed pushes need kept besides: which days approvals apply to, comparisons, reads that were cut off, kinds of
//! which nothing is told, and who people were told to be.

use common::{EntityKey, EntityKind, Platform, UnixMillis};
use database::{Connection, Database, Result};
use directory::{Question, Record, Why};
use store::{
    approvals::{self, Day},
    failed_pushes,
    gaps::{self, Gap},
    kind_silences,
    links::DecidedBy,
    people::{self, Person},
    questions,
    record_runs::{self, Run},
    records::{self, ParkedFilter, Row},
    snapshots::Hold,
    tenants::{self, Apply},
};

use crate::support::{on_both, pass, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const DINGTALK: Platform = Platform::Dingtalk;

fn apply(conn: &mut Connection) -> Result<i64> {
    let id = tenant();
    let new =
        Apply { id: &id, document: "{}", data_key: "k", lane: "shared", previous_callback: None, destinations: &[] };
    tenants::apply(conn, &new, NOW)
}

fn day(date: &str) -> Day {
    Day { id: format!("ann/{date}"), member: "Ann".to_owned() }
}

async fn the_days_of_an_approval_are_those_of_whatever_corrects_it_too(database: Database) {
    write(&database, |conn| {
        approvals::note_days(conn, &tenant(), "main", "main", &[day("2026-09-21"), day("2026-09-22")], NOW)?;
        approvals::note_days(conn, &tenant(), "later", "main", &[day("2026-09-22"), day("2026-09-23")], NOW)?;
        approvals::note_days(conn, &tenant(), "later", "main", &[day("2026-09-23")], NOW.plus_seconds(5))?;
        approvals::note_days(conn, &tenant(), "other", "other", &[day("2026-09-30")], NOW)?;
        let all = [day("2026-09-21"), day("2026-09-22"), day("2026-09-23")];
        assert_eq!(approvals::days_beside(conn, &tenant(), "main")?, all);
        assert_eq!(approvals::days_beside(conn, &tenant(), "later")?, all);
        assert!(approvals::days_beside(conn, &tenant(), "nobody")?.is_empty());
        assert_eq!(approvals::prune(conn, NOW)?, 0);
        assert_eq!(approvals::prune(conn, NOW.plus_seconds(1))?, 5);
        assert!(approvals::days_beside(conn, &tenant(), "main")?.is_empty());
        Ok(())
    })
    .await;
}

async fn forms_are_listed_that_were_seen_lately(database: Database) {
    write(&database, |conn| {
        approvals::note_templates(conn, &tenant(), &[], NOW)?;
        approvals::note_templates(conn, &tenant(), &["b", "a"], NOW)?;
        approvals::note_templates(conn, &tenant(), &["c", "a"], NOW.plus_seconds(9))?;
        let list = |conn: &mut Connection, seconds, after| {
            approvals::templates(conn, &tenant(), NOW.plus_seconds(seconds), after, 2)
        };
        assert_eq!(list(conn, 0, None)?, ["a", "b"]);
        assert_eq!(list(conn, 0, Some("b"))?, ["c"]);
        assert_eq!(list(conn, 1, None)?, ["a", "c"]);
        Ok(())
    })
    .await;
}

fn hold(owner: &str, seconds: i64) -> Hold<'_> {
    Hold { owner, now: NOW.plus_seconds(seconds), until: NOW.plus_seconds(seconds + 60) }
}

async fn a_comparison_is_one_process_s_at_a_time_and_goes_on_where_it_was(database: Database) {
    write(&database, |conn| {
        assert!(!record_runs::take(conn, &tenant(), &hold("a", 0))?, "nobody announced it");
        record_runs::announce(conn, &tenant(), NOW)?;
        record_runs::announce(conn, &tenant(), NOW.plus_seconds(99))?;
        assert!(record_runs::take(conn, &tenant(), &hold("a", 0))?);
        assert!(!record_runs::take(conn, &tenant(), &hold("b", 1))?);
        let next = NOW.plus_seconds(1000);
        let begun = record_runs::begin(conn, &tenant(), ("attendance/", NOW, next), &hold("a", 2))?;
        let begun = begun.expect("it is held");
        let place = Some("attendance/".to_owned());
        let started_at = NOW.plus_seconds(2);
        let expected = Run { place, since: NOW, started_at, due_at: next, back_to: None, differences: 0 };
        assert_eq!(begun, expected);
        assert_eq!(record_runs::begin(conn, &tenant(), ("x/", NOW, next), &hold("b", 2))?, None);
        let on = Run { place: Some("attendance/ann".to_owned()), differences: 3, ..begun };
        assert!(record_runs::advance(conn, &tenant(), &on, &hold("a", 3))?);
        assert!(!record_runs::advance(conn, &tenant(), &on, &hold("b", 3))?);
        record_runs::give_back(conn, &tenant(), "b")?;
        record_runs::give_back(conn, &tenant(), "a")?;
        assert_eq!(record_runs::get(conn, &tenant())?, Some(on));
        assert!(record_runs::take(conn, &tenant(), &hold("b", 4))?);
        Ok(())
    })
    .await;
    pass(&database, 3600).await;
    write(&database, |conn| {
        assert!(record_runs::take(conn, &tenant(), &hold("c", 3600))?, "what nobody gave back runs out");
        Ok(())
    })
    .await;
}

async fn what_callbacks_missed_makes_the_next_comparison_due_and_look_back_so_far(database: Database) {
    write(&database, |conn| {
        record_runs::want(conn, &tenant(), NOW)?;
        assert_eq!(record_runs::get(conn, &tenant())?, None, "a tenant without records is not compared");
        record_runs::announce(conn, &tenant(), NOW.plus_seconds(1000))?;
        record_runs::want_for_gap(conn, &tenant())?;
        let due = |conn: &mut Connection| -> Result<(i64, Option<UnixMillis>)> {
            let run = record_runs::get(conn, &tenant())?.expect("a row");
            Ok((run.due_at.0, run.back_to))
        };
        assert_eq!(due(conn)?, (NOW.plus_seconds(1000).0, None), "nothing is missing");
        gaps::note(conn, &tenant(), Gap { since: NOW.plus_seconds(-500), until: NOW })?;
        record_runs::want_for_gap(conn, &tenant())?;
        record_runs::want(conn, &tenant(), NOW.plus_seconds(-100))?;
        assert_eq!(due(conn)?, (0, Some(NOW.plus_seconds(-500))));
        assert!(record_runs::take(conn, &tenant(), &hold("a", 0))?);
        let since = NOW.plus_seconds(-50);
        let run = record_runs::begin(conn, &tenant(), ("attendance/", since, NOW), &hold("a", 0))?.expect("held");
        assert_eq!((run.since, run.back_to), (NOW.plus_seconds(-500), None));
        record_runs::want_for_gap(conn, &tenant())?;
        assert_eq!(due(conn)?, (NOW.0, None), "the one that began since covers it");
        Ok(())
    })
    .await;
}

async fn a_read_of_failed_pushes_that_never_ended_is_found_once(database: Database) {
    write(&database, |conn| {
        let begin = |conn: &mut Connection, owner, since, at| {
            failed_pushes::begin_read(conn, &tenant(), owner, NOW.plus_seconds(since), NOW.plus_seconds(at))
        };
        assert_eq!(begin(conn, "a", -90, 0)?, None);
        let own = Gap { since: NOW.plus_seconds(-90), until: NOW };
        assert_eq!(begin(conn, "a", -80, 5)?, Some(own), "what it brought could not be kept");
        begin(conn, "b", -300, 2)?;
        begin(conn, "c", -10, 50)?;
        begin(conn, "d", -10, 1)?;
        failed_pushes::end_read(conn, &tenant(), "d")?;
        let torn = |conn: &mut Connection, owner, before| {
            failed_pushes::take_torn_reads(conn, &tenant(), owner, NOW.plus_seconds(before))
        };
        assert_eq!(torn(conn, "x", 2)?, None);
        let gap = Gap { since: NOW.plus_seconds(-300), until: NOW.plus_seconds(5) };
        assert_eq!(torn(conn, "c", 40)?, Some(gap));
        assert_eq!(torn(conn, "c", 1000)?, None, "its own is under way, and the others were taken");
        Ok(())
    })
    .await;
}

fn parked(kind: EntityKind, id: &str, since: UnixMillis) -> (EntityKey, Row) {
    (EntityKey::new(kind, id), Row { record: Record::default(), parked_since: Some(since), ..Row::default() })
}

async fn clocks_of_a_kind_of_which_nothing_is_told_can_stand_still_alone(database: Database) {
    write(&database, |conn| {
        apply(conn)?;
        kind_silences::set(conn, &tenant(), EntityKind::Approval, Some(NOW))?;
        kind_silences::set(conn, &tenant(), EntityKind::Approval, Some(NOW.plus_seconds(9)))?;
        assert_eq!(kind_silences::since(conn, &tenant(), EntityKind::Approval)?, Some(NOW), "silence begins once");
        assert_eq!(kind_silences::kinds(conn, &tenant())?, [EntityKind::Approval]);
        let rows = [parked(EntityKind::Approval, "p", NOW), parked(EntityKind::Member, "ann", NOW)];
        records::save(conn, &tenant(), &rows)?;
        let filter = ParkedFilter { since_at_most: NOW, asked: None, given_up: None, limit: 9 };
        let of = |rows: Vec<(EntityKey, Row)>| rows.into_iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>();
        let without = records::parked_but(conn, &tenant(), filter, &[EntityKind::Approval])?;
        assert_eq!(of(without), ["member ann"]);
        records::shift_parked_of(conn, &tenant(), &[EntityKind::Approval], NOW, 1000)?;
        assert_eq!(of(records::parked(conn, &tenant(), filter)?), ["member ann"], "the other one is younger now");
        kind_silences::set(conn, &tenant(), EntityKind::Approval, None)?;
        assert!(kind_silences::kinds(conn, &tenant())?.is_empty());
        Ok(())
    })
    .await;
}

async fn a_look_is_withdrawn_and_what_was_told_meanwhile_is_asked_at_once(database: Database) {
    write(&database, |conn| {
        apply(conn)?;
        let about = |id: &str| EntityKey::new(EntityKind::AttendanceDay, id);
        let ask = |conn: &mut Connection, id, at| {
            let question = Question { about: about(id), why: Why::Hint, at };
            questions::ask(conn, &tenant(), &[question].into(), NOW)
        };
        let claim = |conn: &mut Connection, now: UnixMillis| -> Result<Vec<String>> {
            let until = now.plus_seconds(300);
            let claimed = questions::claim(conn, &tenant(), &[EntityKind::AttendanceDay], now, until, 9)?;
            Ok(claimed.into_iter().map(|claimed| claimed.about.id.to_string()).collect())
        };
        for id in ["ann/2026-09-21", "bob/2026-09-21"] {
            ask(conn, id, UnixMillis(0))?;
        }
        assert_eq!(claim(conn, NOW)?, ["ann/2026-09-21", "bob/2026-09-21"]);
        ask(conn, "bob/2026-09-21", NOW)?;
        assert!(claim(conn, NOW.plus_seconds(1))?.is_empty(), "it is being asked about");
        let both = [about("ann/2026-09-21"), about("bob/2026-09-21")];
        questions::withdraw(conn, &tenant(), &both, NOW.plus_seconds(2))?;
        assert_eq!(claim(conn, NOW.plus_seconds(2))?, ["bob/2026-09-21"]);
        assert_eq!(questions::count_open(conn, &tenant())?, 1);
        Ok(())
    })
    .await;
}

fn person(foreign_id: &str, member: Option<&str>) -> Person {
    let decided_by = Some(DecidedBy::Person);
    let (foreign_id, member) = (foreign_id.to_owned(), member.map(str::to_owned));
    Person { foreign_id, member, decided_by, mobile_digest: None, updated_at: NOW }
}

async fn those_who_are_somebody_else_than_they_were_told_to_be_are_listed(database: Database) {
    write(&database, |conn| {
        apply(conn)?;
        let changed = |conn: &mut Connection| -> Result<Vec<String>> {
            let people = people::changed(conn, &tenant(), DINGTALK, 9)?;
            Ok(people.into_iter().map(|person| person.foreign_id).collect())
        };
        people::set(conn, &tenant(), DINGTALK, &[person("m1", Some("ann")), person("m2", None)])?;
        assert_eq!(changed(conn)?, ["m1"], "nobody is as nobody was told to be");
        people::note_told(conn, &tenant(), DINGTALK, "m1", Some("ann"))?;
        assert!(changed(conn)?.is_empty());
        people::set(conn, &tenant(), DINGTALK, &[person("m1", Some("bob")), person("m2", Some("cai"))])?;
        assert_eq!(changed(conn)?, ["m1", "m2"]);
        people::note_told(conn, &tenant(), DINGTALK, "m1", Some("bob"))?;
        people::set(conn, &tenant(), DINGTALK, &[person("m1", None)])?;
        people::note_told(conn, &tenant(), DINGTALK, "m2", Some("cai"))?;
        assert_eq!(changed(conn)?, ["m1"], "that he is nobody is to be told, too");
        people::note_told(conn, &tenant(), DINGTALK, "m1", None)?;
        assert!(changed(conn)?.is_empty());
        Ok(())
    })
    .await;
}

async fn a_tenant_that_is_removed_leaves_none_of_this(database: Database) {
    write(&database, |conn| {
        apply(conn)?;
        approvals::note_days(conn, &tenant(), "p", "p", &[day("2026-09-21")], NOW)?;
        record_runs::announce(conn, &tenant(), NOW)?;
        kind_silences::set(conn, &tenant(), EntityKind::Approval, Some(NOW))?;
        failed_pushes::begin_read(conn, &tenant(), "a", NOW, NOW)?;
        assert!(tenants::remove(conn, &tenant(), NOW)?);
        assert!(approvals::days_beside(conn, &tenant(), "p")?.is_empty());
        assert_eq!(record_runs::get(conn, &tenant())?, None);
        assert!(kind_silences::kinds(conn, &tenant())?.is_empty());
        let torn = failed_pushes::take_torn_reads(conn, &tenant(), "x", NOW.plus_seconds(9))?;
        assert_eq!(torn, None);
        Ok(())
    })
    .await;
}

on_both! {
    the_days_of_an_approval_are_those_of_whatever_corrects_it_too
    forms_are_listed_that_were_seen_lately
    a_comparison_is_one_process_s_at_a_time_and_goes_on_where_it_was
    what_callbacks_missed_makes_the_next_comparison_due_and_look_back_so_far
    a_read_of_failed_pushes_that_never_ended_is_found_once
    clocks_of_a_kind_of_which_nothing_is_told_can_stand_still_alone
    a_look_is_withdrawn_and_what_was_told_meanwhile_is_asked_at_once
    those_who_are_somebody_else_than_they_were_told_to_be_are_listed
    a_tenant_that_is_removed_leaves_none_of_this
}
