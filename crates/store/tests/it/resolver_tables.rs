//! Keys, records, waiting rows, releases, the outbox.

#[cfg(test)]
mod questions;

use std::collections::{BTreeMap, BTreeSet};

use common::{Action, Change, EntityKey, EntityKind, UnixMillis};
use database::{Connection, Database, Result};
use directory::{Wait, WaitChange, WaitFor};
use store::{keys, outbox, records, removals, snapshots, tenants, waiting};

use crate::support::{is_file, pass, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn waits(waiter: &str, on: &str) -> WaitChange {
    let wait = Wait { on: EntityKey::department(on), why: WaitFor::Reference };
    WaitChange { waiter: EntityKey::member(waiter), wait, add: true }
}

fn removal(id: &str) -> Change {
    Change {
        tenant: tenant(),
        version: 0,
        entity: EntityKey::member(id),
        action: Action::Remove,
        source_time: NOW,
        received_at: NOW,
        traceparent: None,
        refers_to: Vec::new(),
        leaves: Vec::new(),
        first: false,
        only_for: None,
    }
}

async fn with_tenant(database: Database) -> Database {
    write(&database, |conn| {
        let id = tenant();
        let new = tenants::Apply {
            id: &id,
            document: "{}",
            data_key: "k",
            lane: "shared",
            previous_callback: None,
            destinations: &[],
        };
        tenants::apply(conn, &new, NOW)
    })
    .await;
    database
}

async fn a_key_is_remembered_with_its_first_event_until_it_is_forgotten(database: Database) {
    let key = |event: &str| keys::EventKey { key: "k".into(), event: event.into() };
    write(&database, move |conn| keys::remember(conn, &tenant(), &[key("first")], NOW)).await;
    write(&database, move |conn| keys::remember(conn, &tenant(), &[key("second")], NOW)).await;
    let found = write(&database, |conn| keys::remembered(conn, &tenant(), &["k", "other"])).await;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("k".to_owned(), "first".to_owned())]);
    let other = write(&database, |conn| keys::remembered(conn, &"globex".parse().unwrap(), &["k"])).await;
    assert!(other.is_empty(), "keys belong to a tenant");
    assert_eq!(write(&database, |conn| keys::forget(conn, NOW)).await, 0);
    assert_eq!(write(&database, |conn| keys::forget(conn, NOW.plus_millis(1))).await, 1);
}

async fn keys_are_found_whether_they_are_asked_for_twice_or_are_not_there(database: Database) {
    let key = keys::EventKey { key: "k".into(), event: "first".into() };
    write(&database, move |conn| {
        keys::remember(conn, &tenant(), &[key], NOW)?;
        let found = keys::remembered(conn, &tenant(), &["k", "other", "k"])?;
        assert_eq!(found, [("k".to_owned(), "first".to_owned())].into());
        assert!(keys::remembered(conn, &tenant(), &["other", "other"])?.is_empty());
        assert!(keys::remembered(conn, &tenant(), &[])?.is_empty());
        Ok(())
    })
    .await;
}

async fn records_are_found_whether_they_are_asked_for_twice_or_are_not_there(database: Database) {
    write(&database, |conn| {
        let (member, department) = (EntityKey::member("2"), EntityKey::department("2"));
        let row = records::Row { parked_since: Some(NOW), asked: true, version: 7, ..records::Row::default() };
        records::save(conn, &tenant(), &[(member.clone(), row.clone())])?;
        let keys = [member.clone(), department.clone(), member.clone()];
        let found: BTreeMap<EntityKey, records::Row> = records::load(conn, &tenant(), &keys)?.into_iter().collect();
        assert_eq!(found, [(member.clone(), row.clone())].into());
        assert_eq!(records::all_after(conn, &tenant(), None, 9)?, [(member.clone(), row)]);
        assert!(records::all_after(conn, &tenant(), Some(&member), 9)?.is_empty());
        assert!(records::live_after(conn, &tenant(), None, 9)?.is_empty());
        assert_eq!(records::count(conn, &tenant())?, 1);
        assert!(records::load(conn, &tenant(), &[department.clone(), department])?.is_empty());
        assert!(records::load(conn, &tenant(), &[])?.is_empty());
        Ok(())
    })
    .await;
}

async fn who_was_asked_for_is_not_found_among_those_who_were_not(database: Database) {
    write(&database, |conn| {
        let row = |since: i64| records::Row { parked_since: Some(NOW.plus_millis(since)), ..records::Row::default() };
        let keys = [EntityKey::member("1"), EntityKey::department("1"), EntityKey::member("2")];
        let rows: Vec<_> = keys.iter().cloned().zip((0..).map(row)).collect();
        records::save(conn, &tenant(), &rows)?;
        records::mark_asked(conn, &tenant(), &keys[..2])?;
        records::mark_asked(conn, &tenant(), &[])?;
        let found = |conn: &mut Connection, asked| -> Result<Vec<EntityKey>> {
            let filter = records::ParkedFilter { since_at_most: NOW.plus_millis(9), asked, given_up: None, limit: 9 };
            Ok(records::parked(conn, &tenant(), filter)?.into_iter().map(|(key, _)| key).collect())
        };
        assert_eq!(found(conn, Some(false))?, keys[2..]);
        assert_eq!(found(conn, Some(true))?, keys[..2]);
        assert_eq!(found(conn, None)?, keys);
        Ok(())
    })
    .await;
}

async fn a_release_is_taken_slice_by_slice_and_each_waiter_once(database: Database) {
    let database = with_tenant(database).await;
    let rows: Vec<WaitChange> = (0..10).map(|number| waits(&format!("m{number}"), "2")).collect();
    write(&database, move |conn| waiting::change(conn, &tenant(), &rows)).await;
    let released = BTreeSet::from([EntityKey::department("2"), EntityKey::department("3")]);
    assert!(write(&database, move |conn| waiting::release(conn, &tenant(), &released)).await);
    assert_eq!(write(&database, waiting::first_releases).await.len(), 1);
    let mut taken = Vec::new();
    loop {
        let slice = write(&database, |conn| waiting::take_released(conn, &tenant(), 4)).await;
        assert!(slice.waiters.len() <= 4);
        assert_eq!(slice.is_more, slice.waiters.len() == 4);
        taken.extend(slice.waiters);
        if !slice.is_more {
            break;
        }
    }
    assert_eq!(taken.len(), 10);
    assert!(taken.iter().all(|(_, released)| *released == EntityKey::department("2")));
    let again = BTreeSet::from([EntityKey::department("2")]);
    assert!(!write(&database, move |conn| waiting::release(conn, &tenant(), &again)).await, "their rows went along");
    assert!(write(&database, waiting::first_releases).await.is_empty());
}

async fn nobody_waits_no_release(database: Database) {
    let released = BTreeSet::from([EntityKey::department("2")]);
    assert!(!write(&database, move |conn| waiting::release(conn, &tenant(), &released)).await);
}

async fn waiting_rows_go_one_by_one(database: Database) {
    let rows = [waits("a", "2"), waits("b", "2")];
    write(&database, move |conn| waiting::change(conn, &tenant(), &rows)).await;
    let gone = WaitChange { add: false, ..waits("a", "2") };
    write(&database, move |conn| waiting::change(conn, &tenant(), &[gone])).await;
    let released = BTreeSet::from([EntityKey::department("2")]);
    write(&database, move |conn| waiting::release(conn, &tenant(), &released)).await;
    let taken = write(&database, |conn| waiting::take_released(conn, &tenant(), 10)).await;
    assert_eq!(taken.waiters, [(EntityKey::member("b"), EntityKey::department("2"))]);
}

async fn versions_are_dense_over_appends(database: Database) {
    let database = with_tenant(database).await;
    for ids in [vec!["a", "b"], vec!["c"]] {
        write(&database, move |conn| {
            let last = outbox::lock_tenants(conn, [&tenant()])?[&tenant()];
            let mut changes: Vec<Change> = ids.into_iter().map(removal).collect();
            outbox::append(conn, &tenant(), last, &mut changes, NOW)
        })
        .await;
    }
    let versions = write(&database, |conn| outbox::after(conn, &tenant(), 1, 10)).await;
    assert_eq!(versions.iter().map(|change| change.version).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(write(&database, |conn| outbox::last_version(conn, &tenant())).await, 3);
    assert_eq!(write(&database, |conn| outbox::prune(conn, &tenant(), 2)).await, 2);
}

async fn one_holds_the_outbox_lease_until_it_ends(database: Database) {
    let database = with_tenant(database).await;
    let lease = |owner: &'static str, now: UnixMillis| {
        move |conn: &mut database::Connection| outbox::lease(conn, &tenant(), owner, now, now.plus_seconds(30))
    };
    assert_eq!(write(&database, lease("a", NOW)).await, Some(0));
    assert_eq!(write(&database, lease("b", NOW)).await, None);
    pass(&database, 20).await;
    assert_eq!(write(&database, lease("a", NOW.plus_seconds(20))).await, Some(0));
    pass(&database, 20).await;
    assert_eq!(write(&database, lease("b", NOW.plus_seconds(40))).await, None);
    pass(&database, 11).await;
    write(&database, |conn| outbox::published(conn, &tenant(), "a", 7)).await;
    assert_eq!(write(&database, lease("b", NOW.plus_seconds(51))).await, Some(7));
    write(&database, |conn| outbox::published(conn, &tenant(), "a", 9)).await;
    assert_eq!(write(&database, lease("b", NOW.plus_seconds(51))).await, Some(7), "who lost the lease notes nothing");
    write(&database, |conn| outbox::give_back(conn, "a", &[tenant()])).await;
    assert_eq!(write(&database, lease("c", NOW.plus_seconds(51))).await, None, "who lost it gives nothing back");
    write(&database, |conn| outbox::give_back(conn, "b", &[tenant()])).await;
    assert_eq!(write(&database, lease("c", NOW.plus_seconds(51))).await, Some(7));
    let (_, is_file) = (write(&database, outbox::free_leases).await, is_file(&database).await);
    let next = write(&database, lease("d", NOW.plus_seconds(51))).await;
    assert_eq!(next, is_file.then_some(7), "a file has one process");
}

async fn a_wish_is_taken_once(database: Database) {
    let keys = [EntityKey::member("a"), EntityKey::department("2")];
    write(&database, move |conn| outbox::request_replay(conn, &tenant(), None, &keys, NOW)).await;
    assert!(write(&database, outbox::any_replays).await);
    assert_eq!(write(&database, |conn| outbox::take_replays(conn, 10)).await.len(), 2);
    assert!(write(&database, |conn| outbox::take_replays(conn, 10)).await.is_empty());
}

async fn what_is_in_a_department_is_found_by_its_whole_id(database: Database) {
    let row = |department: &str| {
        let mut row = records::Row::default();
        row.record.sent = Some(directory::Sent {
            entity: common::Entity { shown_id: "x".into(), fields: common::Fields::new(), incomplete: false },
            at: NOW,
            refers_to: vec![EntityKey::department(department)],
        });
        row
    };
    let rows = [(EntityKey::member("a"), row("2")), (EntityKey::member("b"), row("12"))];
    write(&database, move |conn| records::save(conn, &tenant(), &rows)).await;
    let inside = write(&database, |conn| records::inside_of(conn, &tenant(), "2", 10)).await;
    assert_eq!(inside, [EntityKey::member("a")]);
}

async fn attendance_and_approvals_are_no_part_of_the_directory(database: Database) {
    let sent = |refers_to: EntityKey| {
        let mut row = records::Row::default();
        row.record.sent = Some(directory::Sent {
            entity: common::Entity { shown_id: "x".into(), fields: common::Fields::new(), incomplete: false },
            at: NOW,
            refers_to: vec![refers_to],
        });
        row
    };
    let attendance = |id: &str| EntityKey::new(EntityKind::Attendance, &format!("2/2026-11-29/punch/{id}"));
    let approval = EntityKey::new(EntityKind::Approval, "Proc-1");
    // The ids of the member and of the department are the same.
    let (member, department) = (EntityKey::member("2"), EntityKey::department("2"));
    let rows = [
        (attendance("b"), sent(member.clone())),
        (attendance("a"), sent(member.clone())),
        (approval.clone(), sent(member.clone())),
        (EntityKey::new(EntityKind::AttendanceDay, "2/2026-11-29"), records::Row::default()),
        // It is in no department, though it names one.
        (EntityKey::new(EntityKind::Onboarding, "64a0aa/64a0bb/59e9cc"), sent(department.clone())),
        (member.clone(), sent(department.clone())),
        (department.clone(), sent(EntityKey::department("1"))),
    ];
    write(&database, move |conn| {
        records::save(conn, &tenant(), &rows)?;
        let keys = |rows: Vec<(EntityKey, records::Row)>| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        let of = |conn: &mut Connection, kind, after: Option<&str>| {
            Ok::<_, database::Error>(keys(records::of_kind_after(conn, &tenant(), kind, after, 9)?))
        };
        assert_eq!(keys(records::live_after(conn, &tenant(), None, 9)?), [department.clone(), member.clone()]);
        assert_eq!(keys(records::all_after(conn, &tenant(), None, 1)?), std::slice::from_ref(&department));
        assert_eq!(keys(records::all_after(conn, &tenant(), Some(&department), 9)?), std::slice::from_ref(&member));
        let mirror = snapshots::mirror_after(conn, &tenant(), None, 9)?;
        assert_eq!(mirror.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [department.clone(), member.clone()]);
        assert_eq!(snapshots::missing_after(conn, &tenant(), None, 9)?, [department.clone(), member.clone()]);
        let both = removals::Numbers { departments: 1, members: 1 };
        assert_eq!((snapshots::count_missing(conn, &tenant())?, removals::live(conn, &tenant())?), (both, both));
        assert_eq!(records::inside_of(conn, &tenant(), "2", 9)?, [member]);

        assert_eq!(of(conn, EntityKind::Attendance, None)?, [attendance("a"), attendance("b")]);
        assert_eq!(of(conn, EntityKind::Attendance, Some(&attendance("a").id))?, [attendance("b")]);
        assert_eq!(of(conn, EntityKind::Approval, None)?, std::slice::from_ref(&approval));
        let found = records::load(conn, &tenant(), &[approval.clone(), attendance("a"), department])?;
        assert_eq!(found.len(), 3);
        assert_eq!(records::count(conn, &tenant())?, 2);
        Ok(())
    })
    .await;
}

async fn who_waits_for_a_member_is_released_whatever_it_is(database: Database) {
    let database = with_tenant(database).await;
    let waiter = EntityKey::new(EntityKind::Attendance, "ann/2026-11-29/punch/1");
    let wait = Wait { on: EntityKey::member("ann"), why: WaitFor::Reference };
    let rows = [WaitChange { waiter: waiter.clone(), wait, add: true }];
    write(&database, move |conn| waiting::change(conn, &tenant(), &rows)).await;
    let released = BTreeSet::from([EntityKey::member("ann")]);
    assert!(write(&database, move |conn| waiting::release(conn, &tenant(), &released)).await);
    let taken = write(&database, |conn| waiting::take_released(conn, &tenant(), 10)).await;
    assert_eq!(taken.waiters, [(waiter, EntityKey::member("ann"))]);
}

async fn while_a_platform_is_silent_the_clocks_of_what_is_parked_stand_still(database: Database) {
    let database = with_tenant(database).await;
    let parked = |id: &str, since: Option<i64>| {
        let parked_since = since.map(|seconds| NOW.plus_seconds(seconds));
        (EntityKey::member(id), records::Row { parked_since, ..records::Row::default() })
    };
    let rows = [
        parked("before", Some(-50)),
        parked("then", Some(0)),
        parked("meanwhile", Some(30)),
        parked("after", Some(100)),
        parked("live", None),
    ];
    write(&database, move |conn| records::save(conn, &tenant(), &rows)).await;
    write(&database, |conn| records::shift_parked(conn, &tenant(), NOW, 60_000)).await;
    let keys = ["before", "then", "meanwhile", "after", "live"].map(EntityKey::member);
    let found: BTreeMap<EntityKey, records::Row> =
        write(&database, move |conn| records::load(conn, &tenant(), &keys)).await.into_iter().collect();
    let seconds = |id: &str| found[&EntityKey::member(id)].parked_since.map(|since| since.since(NOW) / 1000);
    assert_eq!(seconds("before"), Some(10));
    assert_eq!(seconds("then"), Some(60));
    assert_eq!(seconds("meanwhile"), Some(60), "its time begins when the silence ends");
    assert_eq!(seconds("after"), Some(100));
    assert_eq!(seconds("live"), None);
}

crate::support::on_both! {
    a_key_is_remembered_with_its_first_event_until_it_is_forgotten
    keys_are_found_whether_they_are_asked_for_twice_or_are_not_there
    records_are_found_whether_they_are_asked_for_twice_or_are_not_there
    who_was_asked_for_is_not_found_among_those_who_were_not
    a_release_is_taken_slice_by_slice_and_each_waiter_once
    nobody_waits_no_release
    waiting_rows_go_one_by_one
    versions_are_dense_over_appends
    one_holds_the_outbox_lease_until_it_ends
    a_wish_is_taken_once
    what_is_in_a_department_is_found_by_its_whole_id
    attendance_and_approvals_are_no_part_of_the_directory
    who_waits_for_a_member_is_released_whatever_it_is
    while_a_platform_is_silent_the_clocks_of_what_is_parked_stand_still
}
