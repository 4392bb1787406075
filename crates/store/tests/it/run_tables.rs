//! Runs: asked for once, worked on by one, decided on by people.

use std::sync::Arc;

use common::{DestinationId, EntityKey, EntityKind, UnixMillis};
use database::{Connection, Database};
use directory::plan::{Action, Counts, Item, Why, Word};
use store::{
    removals,
    runs::{self, Answer, ItemState, NewItem, Run, RunKind, RunLease, RunState, Settled, Step, Update, Wanted, Wish},
    tenants,
};

use crate::support::{on_both, tenant, write};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

const PLAN: Wish<'_> = Wish { wanted: Wanted::Plan, key: None };
const APPLY: Wish<'_> = Wish { wanted: Wanted::Apply, key: None };

fn core() -> DestinationId {
    "core".parse().unwrap()
}

async fn with_tenant(database: &Database) {
    write(database, |conn| {
        let id = tenant();
        let apply = tenants::Apply {
            id: &id,
            document: "{}",
            data_key: "k",
            lane: "shared",
            previous_callback: None,
            destinations: &[],
        };
        tenants::apply(conn, &apply, NOW).map(drop)
    })
    .await;
}

fn request(conn: &mut Connection, wish: Wish<'_>, now: UnixMillis) -> database::Result<Run> {
    Ok(runs::request(conn, &tenant(), wish, now)?.unwrap())
}

/// Takes a run on and records how far it got, as whoever works on it does.
fn bring_to(conn: &mut Connection, run: &Run, state: RunState, step: Step) -> database::Result<RunLease> {
    let now = NOW.plus_seconds(1);
    let (lease, _) = runs::claim(conn, &run.id, "one", now, now.plus_seconds(60))?.unwrap();
    assert!(runs::update(conn, &lease, &Update::new(state, step, 3), now)?);
    runs::release(conn, &lease)?;
    Ok(lease)
}

fn state(conn: &mut Connection, run: &Run) -> database::Result<RunState> {
    Ok(runs::get(conn, &run.id)?.unwrap().state)
}

async fn many_who_ask_at_once_get_one_run(database: Database) {
    with_tenant(&database).await;
    let asking: Vec<_> = (0..50)
        .map(|number| {
            let database = database.clone();
            tokio::spawn(async move {
                let key = format!("request {number}");
                let ask =
                    move |conn: &mut Connection| request(conn, Wish { wanted: Wanted::Apply, key: Some(&key) }, NOW);
                database.write("test", ask).await.unwrap()
            })
        })
        .collect();
    let mut ids = Vec::new();
    for asked in asking {
        let run = asked.await.unwrap();
        assert_eq!((run.kind, run.state, run.step), (RunKind::First, RunState::Planning, Step::Pull));
        ids.push(run.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(write(&database, |conn| runs::list(conn, &tenant(), 100)).await.len(), 1);
}

async fn a_request_that_is_repeated_is_the_same_one_for_ten_minutes(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let wish = Wish { wanted: Wanted::Apply, key: Some("k") };
        let first = request(conn, wish, NOW)?;
        bring_to(conn, &first, RunState::Finished, Step::Done)?;
        assert_eq!(request(conn, wish, NOW.plus_seconds(600))?.id, first.id);
        let second = request(conn, wish, NOW.plus_seconds(601))?;
        assert_eq!((second.kind, second.state), (RunKind::Reconcile, RunState::Planning));
        assert_eq!(runs::last_finished(conn, &tenant())?, Some(NOW.plus_seconds(1)));
        assert_eq!(runs::request(conn, &"globex".parse().unwrap(), wish, NOW)?, None);
        Ok(())
    })
    .await;
}

async fn a_plan_goes_on_when_it_is_to_be_applied_whenever_that_is_said(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let run = request(conn, PLAN, NOW)?;
        bring_to(conn, &run, RunState::Planned, Step::Ready)?;
        assert_eq!(request(conn, PLAN, NOW.plus_seconds(60))?.state, RunState::Planned);
        let applied = request(conn, APPLY, NOW.plus_seconds(60))?;
        assert_eq!((applied.id, applied.state, applied.step), (run.id.clone(), RunState::Applying, Step::Apply));
        bring_to(conn, &run, RunState::Failed, Step::Done)?;
        let early = request(conn, PLAN, NOW)?;
        assert_eq!(early.kind, RunKind::First, "the one before came to nothing");
        assert_eq!(request(conn, APPLY, NOW)?.state, RunState::Planning);
        bring_to(conn, &early, RunState::Planned, Step::Ready)?;
        assert_eq!(state(conn, &early)?, RunState::Applying, "it was wanted before the plan was made");
        Ok(())
    })
    .await;
}

async fn an_old_plan_gives_way_to_a_new_one_and_quarantine_does_not(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let forgotten = request(conn, PLAN, NOW)?;
        bring_to(conn, &forgotten, RunState::Planned, Step::Ready)?;
        runs::end_forgotten(conn, &tenant(), NOW, NOW)?;
        assert_eq!(state(conn, &forgotten)?, RunState::Planned, "it is not old enough");
        runs::end_forgotten(conn, &tenant(), NOW.plus_millis(1), NOW)?;
        assert_eq!(state(conn, &forgotten)?, RunState::Failed);
        let old = request(conn, PLAN, NOW)?;
        bring_to(conn, &old, RunState::Planned, Step::Ready)?;
        let new = request(conn, PLAN, NOW.plus_seconds(3600))?;
        assert_ne!(new.id, old.id);
        assert_eq!(state(conn, &old)?, RunState::Failed);
        bring_to(conn, &new, RunState::Quarantined, Step::Ready)?;
        assert_eq!(request(conn, APPLY, NOW.plus_seconds(90_000))?.state, RunState::Quarantined);
        let Answer::Done(allowed) = runs::allow(conn, &new.id, NOW)? else { panic!("not allowed") };
        assert_eq!((allowed.state, allowed.step), (RunState::Applying, Step::Apply));
        assert!(matches!(runs::allow(conn, &new.id, NOW)?, Answer::Refused(_)));
        assert!(matches!(runs::reject(conn, &new.id, NOW)?, Answer::Refused(_)));
        assert_eq!(runs::allow(conn, "nobody's", NOW)?, Answer::Unknown);
        Ok(())
    })
    .await;
}

async fn a_run_that_was_held_back_at_its_pull_goes_on_there_or_is_over(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let run = request(conn, APPLY, NOW)?;
        bring_to(conn, &run, RunState::Quarantined, Step::Pull)?;
        assert!(!removals::may_pass(conn, &tenant(), NOW)?);
        let Answer::Done(allowed) = runs::allow(conn, &run.id, NOW)? else { panic!("not allowed") };
        assert_eq!((allowed.state, allowed.step), (RunState::Planning, Step::Pull));
        assert!(removals::may_pass(conn, &tenant(), NOW)?, "also where another pull took its place");
        bring_to(conn, &run, RunState::Quarantined, Step::Pull)?;
        let Answer::Done(rejected) = runs::reject(conn, &run.id, NOW)? else { panic!("not rejected") };
        assert_eq!(rejected.state, RunState::Rejected);
        Ok(())
    })
    .await;
}

async fn a_rejected_run_is_over_and_the_first_sync_is_still_to_come(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let run = request(conn, APPLY, NOW)?;
        bring_to(conn, &run, RunState::Quarantined, Step::Ready)?;
        let Answer::Done(rejected) = runs::reject(conn, &run.id, NOW)? else { panic!("not rejected") };
        assert_eq!((rejected.state, rejected.finished_at), (RunState::Rejected, Some(NOW)));
        assert_eq!(request(conn, APPLY, NOW)?.kind, RunKind::First);
        Ok(())
    })
    .await;
}

async fn one_works_on_a_run_and_who_lost_it_records_nothing(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let run = request(conn, APPLY, NOW)?;
        let until = NOW.plus_seconds(60);
        let (lease, claimed) = runs::claim(conn, &run.id, "one", NOW, until)?.unwrap();
        assert_eq!(claimed.started_at, Some(NOW));
        assert_eq!(runs::claim(conn, &run.id, "two", NOW, until)?, None);
        assert!(runs::renew(conn, &lease, NOW, until)?);
        runs::release(conn, &lease)?;
        assert!(runs::claim(conn, &run.id, "two", NOW.plus_seconds(1), until)?.is_some());
        assert!(!runs::holds(conn, &lease)?);
        assert!(!runs::renew(conn, &lease, NOW, until)?);
        assert!(!runs::update(conn, &lease, &Update::new(RunState::Finished, Step::Done, 0), NOW)?);
        assert_eq!(runs::at_work(conn)?.len(), 1);
        Ok(())
    })
    .await;
}

fn item(seq: u64, action: Action) -> NewItem {
    NewItem {
        seq,
        destination: core(),
        item: Item {
            action,
            kind: EntityKind::Member,
            id: Some(Arc::from("ZhangSan")),
            core_id: Some(Arc::from(format!("P-{seq}"))),
            why: Why::from(Word::Differs),
        },
        before: Some(r#"{"name":"canary"}"#.to_owned()),
        after: None,
        state: ItemState::Pending,
    }
}

async fn items_come_as_they_were_kept_and_in_slices_of_what_is_left(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let run = request(conn, APPLY, NOW)?;
        let mut new: Vec<NewItem> = (1..=1200).map(|seq| item(seq, Action::Update)).collect();
        new.push(item(1201, Action::Delete));
        runs::insert_items(conn, &run.id, &new)?;
        let read = runs::items(conn, &run.id, 1199, 100)?;
        assert_eq!(read.iter().map(|item| item.planned.seq).collect::<Vec<_>>(), [1200, 1201]);
        assert_eq!((&read[0].planned.item, &read[0].planned.before), (&new[1199].item, &new[1199].before));
        assert!(!format!("{read:?}").contains("canary"));
        let slice = runs::pending(conn, &run.id, 256)?;
        let settled: Vec<Settled> = slice
            .iter()
            .map(|item| Settled { seq: item.planned.seq, state: ItemState::Sent, version: Some(7), note: None })
            .collect();
        runs::settle(conn, &run.id, &settled)?;
        assert_eq!(runs::pending(conn, &run.id, 1)?[0].planned.seq, 257);
        assert_eq!(runs::sent(conn, &run.id, 255, 10)?.len(), 1);
        assert_eq!(runs::deletions(conn, &run.id, 10)?.len(), 1);
        let failed =
            Settled { seq: 1, state: ItemState::Failed, version: Some(7), note: Some("not that one".to_owned()) };
        runs::settle_sent(conn, &run.id, &[failed])?;
        let tally = [(ItemState::Applied, 255), (ItemState::Failed, 1), (ItemState::Pending, 945)];
        assert_eq!(runs::tally(conn, &run.id)?, tally);
        assert_eq!(runs::removals(conn, &run.id)?, [(core(), EntityKind::Member, "P-1201".to_owned())].into());
        let changed = |conn: &mut Connection, at: &DestinationId, version| {
            runs::changed_since(conn, &tenant(), at, version).map(Vec::from_iter)
        };
        assert_eq!(changed(conn, &core(), 7)?, [EntityKey::member("zhangsan")]);
        assert!(changed(conn, &core(), 8)?.is_empty());
        assert!(changed(conn, &"other".parse().unwrap(), 7)?.is_empty());
        runs::clear_items_after(conn, &run.id, 1200)?;
        runs::clear_items_until(conn, &run.id, 1198)?;
        let left: Vec<u64> = runs::items(conn, &run.id, 0, 10)?.iter().map(|item| item.planned.seq).collect();
        assert_eq!(left, [1199, 1200]);
        runs::clear_items(conn, &run.id)?;
        assert!(runs::items(conn, &run.id, 0, 10)?.is_empty());
        Ok(())
    })
    .await;
}

async fn undoing_is_asked_for_once_and_leaves_the_destination_alone_until_it_is_resumed(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let run = request(conn, APPLY, NOW)?;
        assert!(matches!(runs::undo(conn, &run.id, NOW)?, Answer::Refused(_)));
        runs::insert_items(conn, &run.id, &[item(1, Action::Update)])?;
        bring_to(conn, &run, RunState::Finished, Step::Done)?;
        let Answer::Done(undo) = runs::undo(conn, &run.id, NOW)? else { panic!("not undone") };
        assert_eq!((undo.kind, undo.undoes.as_deref()), (RunKind::Undo, Some(run.id.as_str())));
        assert_eq!(undo.step, Step::Compare);
        assert_eq!(runs::undo(conn, &run.id, NOW)?, Answer::Done(undo.clone()));
        assert_eq!(runs::paused(conn, &tenant())?, [core()]);
        bring_to(conn, &undo, RunState::Finished, Step::Done)?;
        runs::undone(conn, &run.id)?;
        assert_eq!(state(conn, &run)?, RunState::Undone);
        assert!(matches!(runs::undo(conn, &run.id, NOW)?, Answer::Refused(_)));
        assert_eq!(request(conn, APPLY, NOW)?.kind, RunKind::Reconcile);
        assert!(runs::resume(conn, &tenant(), &core())?);
        assert!(!runs::resume(conn, &tenant(), &core())?);
        assert!(runs::paused(conn, &tenant())?.is_empty());
        Ok(())
    })
    .await;
}

async fn old_runs_are_forgotten_and_the_first_sync_is_not(database: Database) {
    with_tenant(&database).await;
    write(&database, |conn| {
        let first = request(conn, APPLY, NOW)?;
        bring_to(conn, &first, RunState::Finished, Step::Done)?;
        let second = request(conn, APPLY, NOW.plus_seconds(1))?;
        runs::insert_items(conn, &first.id, &[item(1, Action::Update)])?;
        runs::insert_items(conn, &second.id, &[item(1, Action::Update)])?;
        let (now, counts) = (NOW.plus_seconds(5), Counts { update: 1, ..Counts::default() });
        let (lease, _) = runs::claim(conn, &second.id, "one", now, now.plus_seconds(60))?.unwrap();
        let update = Update { counts: Some(counts), ..Update::new(RunState::Finished, Step::Done, 1) };
        assert!(runs::update(conn, &lease, &update, now)?);
        assert_eq!(runs::get(conn, &second.id)?.unwrap().counts, counts);
        assert_eq!(runs::prune(conn, now)?, 0);
        assert_eq!(runs::prune(conn, now.plus_millis(1))?, 1);
        assert_eq!(runs::get(conn, &second.id)?, None);
        for run in [&first, &second] {
            assert!(runs::items(conn, &run.id, 0, 10)?.is_empty());
        }
        assert_eq!(state(conn, &first)?, RunState::Finished);
        Ok(())
    })
    .await;
}

on_both! {
    many_who_ask_at_once_get_one_run
    a_request_that_is_repeated_is_the_same_one_for_ten_minutes
    a_plan_goes_on_when_it_is_to_be_applied_whenever_that_is_said
    an_old_plan_gives_way_to_a_new_one_and_quarantine_does_not
    a_run_that_was_held_back_at_its_pull_goes_on_there_or_is_over
    a_rejected_run_is_over_and_the_first_sync_is_still_to_come
    one_works_on_a_run_and_who_lost_it_records_nothing
    items_come_as_they_were_kept_and_in_slices_of_what_is_left
    undoing_is_asked_for_once_and_leaves_the_destination_alone_until_it_is_resumed
    old_runs_are_forgotten_and_the_first_sync_is_not
}
