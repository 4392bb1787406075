//! Pulled directories: who is at a run, what it has learned, and what the mirror has beside it; removals for the brake.

use std::collections::BTreeMap;

use common::{Entity, EntityKey, EntityKind, Fields, UnixMillis};
use database::{Connection, Database, Result};
use directory::{Record, Sent};
use store::{
    gaps::{self, Gap},
    records::{self, Row},
    removals::{self, Numbers},
    snapshots::{self, Half, Hold, Snapshot, Stage, Texts},
};

use crate::support::{on_both, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn hold(owner: &str) -> Hold<'_> {
    Hold { owner, now: NOW, until: NOW.plus_seconds(600) }
}

fn keys(of: &[(EntityKey, Texts)]) -> Vec<String> {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    of.iter().map(|(key, texts)| format!("{key} {} {}", shown(&texts.place), shown(&texts.details))).collect()
}

fn live() -> Row {
    let entity = Entity { shown_id: String::new(), fields: Fields::new(), incomplete: false };
    let sent = Sent { entity, at: NOW, refers_to: Vec::new() };
    Row { record: Record { sent: Some(sent), ..Record::default() }, ..Row::default() }
}

async fn one_at_a_time_works_on_a_run(database: Database) {
    write(&database, |conn| {
        assert!(!snapshots::take(conn, &tenant(), &hold("a"))?, "there is no row");
        snapshots::announce(conn, &tenant(), NOW)?;
        snapshots::announce(conn, &tenant(), NOW.plus_seconds(1))?;
        assert!(snapshots::take(conn, &tenant(), &hold("a"))?);
        assert!(!snapshots::take(conn, &tenant(), &hold("b"))?);
        assert!(!snapshots::take(conn, &tenant(), &hold("a"))?, "not twice in one process");
        let at = Snapshot::beginning("run".to_owned(), NOW, NOW.plus_seconds(5));
        assert!(!snapshots::advance(conn, &tenant(), &at, &hold("b"))?);
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert_eq!(snapshots::get(conn, &tenant())?, Some(at));
        snapshots::give_back(conn, &tenant(), "b")?;
        assert!(!snapshots::take(conn, &tenant(), &hold("b"))?, "only who has it gives it back");
        snapshots::give_back(conn, &tenant(), "a")?;
        assert!(snapshots::take(conn, &tenant(), &hold("b"))?);
        Ok(())
    })
    .await;
}

async fn what_is_told_of_a_run_is_kept(database: Database) {
    write(&database, |conn| {
        snapshots::announce(conn, &tenant(), NOW)?;
        assert!(snapshots::take(conn, &tenant(), &hold("a"))?);
        let at = Snapshot {
            run: "r".to_owned(),
            stage: Stage::MemberDetails,
            place: Some("17".to_owned()),
            started_at: NOW,
            asked_at: NOW.plus_seconds(-1),
            is_whole: false,
            done_by: Some(NOW.plus_seconds(9)),
            differences: 3,
            told: 41,
            due_at: NOW.plus_seconds(99),
        };
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert_eq!(snapshots::get(conn, &tenant())?, Some(at));
        assert_eq!(snapshots::get(conn, &"globex".parse().unwrap())?, None);
        Ok(())
    })
    .await;
}

async fn only_a_run_in_quarantine_is_decided_on(database: Database) {
    write(&database, |conn| {
        snapshots::announce(conn, &tenant(), NOW)?;
        assert!(snapshots::take(conn, &tenant(), &hold("a"))?);
        let mut at = Snapshot::beginning("r".to_owned(), NOW, NOW);
        let until = NOW.plus_seconds(10);
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert!(!snapshots::decide(conn, &tenant(), "r", Some(until))?);
        assert!(!removals::may_pass(conn, &tenant(), NOW)?);
        at.stage = Stage::Quarantined;
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert!(!snapshots::decide(conn, &tenant(), "another", Some(until))?);
        assert!(snapshots::decide(conn, &tenant(), "r", Some(until))?);
        assert_eq!(snapshots::get(conn, &tenant())?.map(|at| at.stage), Some(Stage::Allowed));
        assert!(removals::may_pass(conn, &tenant(), NOW)?);
        assert!(!removals::may_pass(conn, &tenant(), until)?);
        assert!(!snapshots::allow(conn, "r", until)?, "it is decided");
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert!(!snapshots::reject(conn, "another")?);
        assert!(snapshots::reject(conn, "r")?);
        assert_eq!(snapshots::get(conn, &tenant())?.map(|at| at.stage), Some(Stage::Idle));
        Ok(())
    })
    .await;
}

async fn quiet_is_who_is_neither_due_nor_under_way_nor_missed_anything(database: Database) {
    write(&database, |conn| {
        let quiet = |conn: &mut Connection, now: UnixMillis| -> Result<bool> {
            Ok(snapshots::quiet(conn, now)?.contains(&tenant()))
        };
        assert!(!quiet(conn, NOW)?, "nothing was ever pulled");
        snapshots::announce(conn, &tenant(), NOW)?;
        assert!(!quiet(conn, NOW)?, "the first one is due");
        assert!(snapshots::take(conn, &tenant(), &hold("a"))?);
        let mut at = Snapshot::beginning("r".to_owned(), NOW, NOW.plus_seconds(60));
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert!(!quiet(conn, NOW)?, "one is under way");
        at.stage = Stage::Idle;
        assert!(snapshots::advance(conn, &tenant(), &at, &hold("a"))?);
        assert!(quiet(conn, NOW)?);
        assert!(!quiet(conn, NOW.plus_seconds(60))?, "the next one is due");
        gaps::note(conn, &tenant(), Gap::at(NOW.plus_millis(-1)))?;
        assert!(quiet(conn, NOW)?, "the last one found what came of that");
        gaps::note(conn, &tenant(), Gap::at(NOW))?;
        assert!(!quiet(conn, NOW)?);
        Ok(())
    })
    .await;
}

async fn rows_come_in_pages_departments_first(database: Database) {
    write(&database, |conn| {
        let mut rows: Vec<(EntityKey, String)> =
            (0..1200).map(|number| (EntityKey::member(&format!("m{number:04}")), "a".to_owned())).collect();
        rows.push((EntityKey::department("17"), "b".to_owned()));
        snapshots::put(conn, &tenant(), Half::Place, &rows)?;
        snapshots::put(conn, &tenant(), Half::Place, &[(EntityKey::member("m0001"), "c".to_owned())])?;
        let first = snapshots::page(conn, &tenant(), None, 3)?;
        assert_eq!(keys(&first), ["department 17 b -", "member m0000 a -", "member m0001 c -"]);
        let next = snapshots::page(conn, &tenant(), Some(&EntityKey::member("m1197")), 10)?;
        assert_eq!(keys(&next), ["member m1198 a -", "member m1199 a -"]);
        let wanted = [EntityKey::member("m0001"), EntityKey::member("nobody"), EntityKey::department("17")];
        let places: BTreeMap<EntityKey, String> = snapshots::places(conn, &tenant(), &wanted)?.into_iter().collect();
        assert_eq!(places.len(), 2);
        snapshots::clear(conn, &tenant(), Some(EntityKind::Member))?;
        assert_eq!(keys(&snapshots::page(conn, &tenant(), None, 10)?), ["department 17 b -"]);
        snapshots::clear(conn, &tenant(), None)?;
        assert!(snapshots::page(conn, &tenant(), None, 10)?.is_empty());
        Ok(())
    })
    .await;
}

async fn each_half_of_a_row_is_written_without_the_other(database: Database) {
    write(&database, |conn| {
        let put = |conn: &mut _, half, id: &str, text: &str| {
            snapshots::put(conn, &tenant(), half, &[(EntityKey::member(id), text.to_owned())])
        };
        put(conn, Half::Place, "listed", "here")?;
        put(conn, Half::Details, "told", "ann")?;
        for text in ["bea", "cleo"] {
            put(conn, Half::Details, "listed", text)?;
        }
        let found = snapshots::page(conn, &tenant(), None, 10)?;
        assert_eq!(keys(&found), ["member listed here cleo", "member told - ann"]);
        put(conn, Half::Place, "told", "there")?;
        put(conn, Half::Place, "listed", "elsewhere")?;
        let found = snapshots::page(conn, &tenant(), None, 10)?;
        assert_eq!(keys(&found), ["member listed elsewhere cleo", "member told there ann"]);
        Ok(())
    })
    .await;
}

async fn who_is_live_and_was_not_pulled_is_missing(database: Database) {
    write(&database, |conn| {
        let [pulled, gone, parked] = ["a", "b", "c"].map(EntityKey::member);
        let department = EntityKey::department("5");
        let rows = [
            (pulled.clone(), live()),
            (gone.clone(), live()),
            (parked.clone(), Row::default()),
            (department.clone(), live()),
        ];
        records::save(conn, &tenant(), &rows)?;
        snapshots::put(conn, &tenant(), Half::Place, &[(pulled, String::new())])?;
        assert_eq!(snapshots::count_missing(conn, &tenant())?, Numbers { departments: 1, members: 1 });
        assert_eq!(snapshots::missing_after(conn, &tenant(), None, 10)?, [department.clone(), gone.clone()]);
        assert_eq!(snapshots::missing_after(conn, &tenant(), Some(&department), 10)?, [gone]);
        assert_eq!(snapshots::mirror_after(conn, &tenant(), Some(&department), 10)?.len(), 3);
        assert_eq!(removals::live(conn, &tenant())?, Numbers { departments: 1, members: 2 });
        Ok(())
    })
    .await;
}

async fn removals_are_counted_once_and_forgotten(database: Database) {
    write(&database, |conn| {
        let (one, two) = (EntityKey::member("a"), EntityKey::department("5"));
        removals::note(conn, &tenant(), &[one.clone(), two], NOW, NOW.plus_seconds(-3600))?;
        removals::note(conn, &tenant(), &[one], NOW.plus_seconds(1), NOW.plus_seconds(-3600))?;
        assert_eq!(removals::since(conn, &tenant(), NOW)?, Numbers { departments: 1, members: 1 });
        assert_eq!(removals::since(conn, &tenant(), NOW.plus_seconds(1))?, Numbers { departments: 0, members: 1 });
        removals::note(conn, &tenant(), &[], NOW, NOW.plus_seconds(1))?;
        assert_eq!(removals::since(conn, &tenant(), NOW)?, Numbers { departments: 0, members: 1 });
        Ok(())
    })
    .await;
}

async fn a_walk_goes_round_and_round_over_live_departments(database: Database) {
    write(&database, |conn| {
        assert_eq!(snapshots::walk_on(conn, &tenant())?, None);
        let rows =
            ["1", "2", "3"].map(|id| (EntityKey::department(id), if id == "2" { Row::default() } else { live() }));
        records::save(conn, &tenant(), &rows)?;
        for expected in [Some("1"), Some("3"), None, Some("1")] {
            assert_eq!(snapshots::walk_on(conn, &tenant())?.as_deref(), expected);
        }
        Ok(())
    })
    .await;
}

on_both! {
    a_walk_goes_round_and_round_over_live_departments
    one_at_a_time_works_on_a_run
    what_is_told_of_a_run_is_kept
    only_a_run_in_quarantine_is_decided_on
    quiet_is_who_is_neither_due_nor_under_way_nor_missed_anything
    rows_come_in_pages_departments_first
    each_half_of_a_row_is_written_without_the_other
    who_is_live_and_was_not_pulled_is_missing
    removals_are_counted_once_and_forgotten
}
