//! Tenants and the destinations that come with them.

use std::collections::BTreeSet;

use common::{DestinationId, EntityKey, UnixMillis};
use database::Database;
use store::{
    destinations::{self, Backfill, Declared, State},
    outbox, questions,
    removals::{self, Numbers},
    runs::{self, Wanted, Wish},
    snapshots,
    tenants::{self, Apply},
};

use crate::support::{tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn declared(id: &str, kind: &str, backfill: bool) -> Declared {
    Declared { id: id.parse().unwrap(), kind: kind.into(), backfill, compared: false }
}

/// A core product whose rows are compared.
fn core(id: &str) -> Declared {
    Declared { compared: true, ..declared(id, "sqlite", true) }
}

async fn apply(database: &Database, document: &'static str, destinations: Vec<Declared>) -> i64 {
    write(database, move |conn| {
        let id = tenant();
        let previous_callback = (document != "first").then_some(("sealed", NOW));
        let new =
            Apply { id: &id, document, data_key: "k", lane: "shared", previous_callback, destinations: &destinations };
        tenants::apply(conn, &new, NOW)
    })
    .await
}

async fn positions(database: &Database) -> Vec<(String, u64, Option<Backfill>)> {
    let rows = write(database, |conn| destinations::list(conn, Some(&tenant()))).await;
    rows.into_iter().map(|row| (row.id.to_string(), row.position, row.backfill)).collect()
}

async fn every_apply_and_removal_is_a_new_revision(database: Database) {
    assert_eq!(write(&database, tenants::revision).await, 0);
    assert_eq!(apply(&database, "first", vec![declared("oa", "wecom-callback", false)]).await, 1);
    assert_eq!(apply(&database, "second", Vec::new()).await, 2);
    let row = write(&database, |conn| tenants::get(conn, &tenant())).await.unwrap();
    assert_eq!((row.document.as_str(), row.previous_until), ("second", Some(NOW)));
    assert!(positions(&database).await.is_empty(), "what is named no more is forgotten");
    assert!(write(&database, |conn| tenants::remove(conn, &tenant(), NOW)).await);
    assert!(!write(&database, |conn| tenants::remove(conn, &tenant(), NOW)).await);
    assert!(write(&database, tenants::list).await.is_empty());
    let changed = write(&database, |conn| tenants::changed_since(conn, 2)).await;
    assert_eq!(changed.iter().map(|row| (row.revision, row.removed_at)).collect::<Vec<_>>(), [(3, Some(NOW))]);
    assert_eq!(apply(&database, "third", Vec::new()).await, 4);
    assert_eq!(write(&database, tenants::list).await.len(), 1);
}

async fn a_destination_starts_where_the_tenant_is_when_it_is_declared(database: Database) {
    apply(&database, "first", vec![declared("core", "sqlite", true)]).await;
    assert_eq!(positions(&database).await, [("core".to_owned(), 0, None)], "a new tenant has nothing to fill back");
    write(&database, |conn| {
        let mut changes = super::sink_tables::changes(5);
        outbox::append(conn, &tenant(), 0, &mut changes, NOW)
    })
    .await;
    let all = || vec![declared("core", "sqlite", true), declared("crm", "sqlite", true), declared("oa", "http", false)];
    apply(&database, "second", all()).await;
    let expected = [("core", 0, None), ("crm", 5, Some(Backfill::Wanted)), ("oa", 5, None)];
    assert_eq!(positions(&database).await, expected.map(|(id, at, fill)| (id.to_owned(), at, fill)));
    assert_eq!(write(&database, destinations::backfills_wanted).await, [(tenant(), "crm".parse().unwrap())]);

    write(&database, |conn| destinations::backfilled(conn, &tenant(), &"crm".parse().unwrap(), 5)).await;
    assert!(write(&database, destinations::backfills_wanted).await.is_empty());
    apply(&database, "third", vec![declared("core", "postgres", false)]).await;
    assert_eq!(positions(&database).await, [("core".to_owned(), 5, None)], "another kind is another destination");
}

async fn the_slowest_destination_decides_what_the_outbox_keeps(database: Database) {
    apply(&database, "first", vec![declared("core", "sqlite", false), declared("hook", "webhook", false)]).await;
    let lowest = |idle: Vec<&'static str>| {
        let idle = idle.into_iter().map(|id| (tenant(), id.parse().unwrap())).collect();
        write(&database, move |conn| destinations::lowest_positions(conn, &idle))
    };
    write(&database, |conn| {
        let (now, until) = (NOW, NOW.plus_seconds(60));
        let lease = destinations::acquire(conn, &tenant(), &"core".parse().unwrap(), "me", now, until)?.unwrap();
        let progress = destinations::Progress { position: 7, last_second: None, delivered_at: Some(NOW) };
        destinations::advance(conn, &lease, &progress)
    })
    .await;
    assert_eq!(lowest(Vec::new()).await, [(tenant(), 0)]);
    assert_eq!(lowest(vec!["hook"]).await, [(tenant(), 7)]);
}

async fn states(database: &Database) -> Vec<(String, State, Option<Backfill>)> {
    let rows = write(database, |conn| destinations::list(conn, Some(&tenant()))).await;
    rows.into_iter().map(|row| (row.id.to_string(), row.state, row.backfill)).collect()
}

async fn with_a_core_all_that_is_new_collects_until_it_is_known_to_be_empty(database: Database) {
    use State::{Active, Collecting};
    let state = |id: &str, state, backfill| (id.to_owned(), state, backfill);
    let oa = || declared("oa", "wecom-callback", false);
    apply(&database, "first", vec![core("core"), oa()]).await;
    assert_eq!(states(&database).await, [state("core", Collecting, None), state("oa", Collecting, None)]);
    let collecting = write(&database, runs::collecting).await;
    assert_eq!(collecting, ["core", "oa"].map(|id| (tenant(), id.parse().unwrap())).into());
    apply(&database, "second", vec![core("core"), oa(), declared("hook", "webhook", false)]).await;
    assert_eq!(states(&database).await[1], state("hook", Collecting, None), "while the core waits, so does who comes");

    write(&database, |conn| {
        let id = "oa".parse().unwrap();
        assert!(destinations::set_state(conn, &tenant(), &id, State::Active)?);
        assert!(!destinations::set_state(conn, &tenant(), &"nowhere".parse().unwrap(), State::Active)?);
        Ok(())
    })
    .await;
    assert_eq!(states(&database).await[2], state("oa", Collecting, None), "only a sync ends it");

    write(&database, |conn| runs::start_all(conn, &tenant())).await;
    assert!(write(&database, runs::collecting).await.is_empty());
    write(&database, |conn| {
        let mut changes = super::sink_tables::changes(5);
        outbox::append(conn, &tenant(), 0, &mut changes, NOW)
    })
    .await;
    apply(&database, "third", vec![core("core"), oa(), core("crm")]).await;
    let crm = state("crm", Collecting, Some(Backfill::Wanted));
    assert_eq!(states(&database).await, [state("core", Active, None), crm, state("oa", Active, None)]);
    assert!(write(&database, destinations::backfills_wanted).await.is_empty(), "nobody knows yet what it lacks");
    let crm: DestinationId = "crm".parse().unwrap();
    assert!(write(&database, move |conn| runs::is_collecting(conn, &tenant(), &[crm])).await);
    let lowest = write(&database, |conn| destinations::lowest_positions(conn, &BTreeSet::new())).await;
    assert_eq!(lowest, [(tenant(), 0)]);
    write(&database, |conn| runs::start_all(conn, &tenant())).await;
    assert_eq!(write(&database, destinations::backfills_wanted).await.len(), 1);

    // What members are to be made of is in no plan: none of it is passed over.
    let hires = declared("hires", "wecom-members", false);
    apply(&database, "fourth", vec![core("core"), oa(), core("crm"), core("erp"), hires]).await;
    write(&database, |conn| {
        let mut changes = super::sink_tables::changes(2);
        outbox::append(conn, &tenant(), 5, &mut changes, NOW)?;
        runs::start_as_collected(conn, &tenant(), &["hires".parse().unwrap()])?;
        runs::start_others(conn, &tenant(), 7, &[], &[])
    })
    .await;
    let rows = write(&database, |conn| destinations::list(conn, Some(&tenant()))).await;
    let started: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.state, row.position)).collect();
    assert_eq!(started[2..4], [("erp", Active, 7), ("hires", Active, 5)]);
}

async fn a_tenant_that_is_removed_leaves_no_run_and_no_pull(database: Database) {
    apply(&database, "first", vec![core("core")]).await;
    let left = write(&database, |conn| {
        let (tenant, until) = (tenant(), NOW.plus_seconds(60));
        let wish = Wish { wanted: Wanted::Apply, key: None };
        let run = runs::request(conn, &tenant, wish, NOW)?.unwrap();
        runs::pause(conn, &tenant, &"core".parse().unwrap(), &run.id, NOW)?;
        snapshots::announce(conn, &tenant, NOW)?;
        snapshots::put(conn, &tenant, snapshots::Half::Place, &[(EntityKey::member("a"), "{}".to_owned())])?;
        removals::note(conn, &tenant, &[EntityKey::member("a")], NOW, UnixMillis(0))?;
        removals::let_pass(conn, &tenant, until)?;
        questions::set_silent(conn, &tenant, Some(NOW))?;
        assert!(tenants::remove(conn, &tenant, NOW)?);
        Ok((
            runs::get(conn, &run.id)?,
            runs::paused(conn, &tenant)?,
            snapshots::get(conn, &tenant)?,
            snapshots::page(conn, &tenant, None, 10)?,
            removals::since(conn, &tenant, UnixMillis(0))?,
            removals::may_pass(conn, &tenant, NOW)?,
            questions::silent_since(conn, &tenant)?,
        ))
    })
    .await;
    assert_eq!(left, (None, vec![], None, vec![], Numbers::default(), false, None));
}

crate::support::on_both! {
    with_a_core_all_that_is_new_collects_until_it_is_known_to_be_empty
    a_tenant_that_is_removed_leaves_no_run_and_no_pull
    every_apply_and_removal_is_a_new_revision
    a_destination_starts_where_the_tenant_is_when_it_is_declared
    the_slowest_destination_decides_what_the_outbox_keeps
}
