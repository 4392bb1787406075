//! Runs against a real product's tables: what is planned, applied, held back and undone, whatever is cut off on the way.

mod cut;
mod world;

use common::EntityKey;
use serde_json::Value;
use store::runs::{self, Answer, ItemState, RunKind, RunState, Wanted};

use self::world::{World, tenant};

#[tokio::test]
async fn a_company_that_the_product_knows_by_its_own_ids_is_linked_and_brought_in_step() {
    let world = World::open(100).await;
    world.product_knows(80, 5, 3).await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((run.kind, run.state, run.why.as_deref()), (RunKind::First, RunState::Finished, None));
    let counts = run.counts;
    // Eighty members, three departments and the root were there; every member is in a department of another id by now.
    assert_eq!((counts.link, counts.disable, counts.unsure, counts.impossible), (84, 3, 0, 0), "{counts:?}");
    assert_eq!(counts.create, 20);
    assert_eq!(world.differences().await, Vec::<String>::new());
    let rows = world.members().await;
    assert_eq!(rows.iter().filter(|row| row.ends_with("|left")).count(), 3);
    assert_eq!(rows.iter().filter(|row| row.starts_with("P-")).count(), 80, "rows keep their ids");
    assert!(rows.contains(&"P-0|Name 0|13900000000|active".to_owned()), "{rows:?}");
    assert!(rows.contains(&"m90|Name 90|13900000090|active".to_owned()), "{rows:?}");
    assert_eq!(rows.len(), 103);
    let again = world.sync(Wanted::Apply).await;
    assert_eq!((again.kind, again.state), (RunKind::Reconcile, RunState::Finished));
    assert_eq!(world.items(&again).await.len(), 0, "a second run finds nothing");
}

#[tokio::test]
async fn what_was_recorded_of_members_before_the_first_sync_comes_behind_it() {
    let world = World::open(4).await;
    // One of whom the product knows, and one who is new to it.
    world.punch(0).await;
    world.punch(3).await;
    world.product_knows(2, 0, 0).await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((run.kind, run.state, run.why.as_deref()), (RunKind::First, RunState::Finished, None));
    assert_eq!((world.attendance().await.len(), world.carry_out_wishes().await), (0, 2));
    world.deliver().await;
    assert_eq!(world.attendance().await, ["m0/2026-11-29/punch/1|P-0", "m3/2026-11-29/punch/1|m3"]);
    let again = world.sync(Wanted::Apply).await;
    assert_eq!((again.kind, again.state), (RunKind::Reconcile, RunState::Finished));
    assert_eq!(world.carry_out_wishes().await, 0, "once");
}

#[tokio::test]
async fn what_a_person_must_decide_is_left_alone_until_a_link_says_so() {
    let world = World::open(20).await;
    world.product_knows(10, 0, 0).await;
    // Two rows of one number: which of them is member 15?
    world
        .execute(
            "INSERT INTO members (tenant_id, id, name, mobile, gender, status, version, source_time) VALUES
        ('acme', 'X-1', 'One', '13900000015', 'unknown', 'active', 0, 0),
        ('acme', 'X-2', 'Two', '13900000015', 'unknown', 'active', 0, 0)",
        )
        .await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.counts.unsure, run.counts.disable), (RunState::Finished, 1, 0));
    let rows = world.members().await;
    assert!(rows.contains(&"X-1|One|13900000015|active".to_owned()), "{rows:?}");
    assert!(!rows.iter().any(|row| row.starts_with("m15|")), "{rows:?}");
    world.link(&EntityKey::member("m15"), "X-2").await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((run.counts.unsure, run.counts.disable), (0, 1));
    let rows = world.members().await;
    assert!(rows.contains(&"X-2|Name 15|13900000015|active".to_owned()), "{rows:?}");
    assert!(rows.contains(&"X-1|One|13900000015|left".to_owned()), "{rows:?}");
}

#[tokio::test]
async fn a_plan_changes_nothing_and_shows_rows_as_they_are_and_as_they_are_to_be() {
    let world = World::open(10).await;
    world.product_knows(10, 2, 0).await;
    let before = world.members().await;
    let run = world.sync(Wanted::Plan).await;
    assert_eq!((run.state, run.is_complete), (RunState::Planned, true));
    assert_eq!(world.members().await, before);
    let items = world.items(&run).await;
    let renamed = items.iter().find(|item| {
        item.planned.item.core_id.as_deref() == Some("P-0") && item.planned.item.action.as_str() == "update"
    });
    let planned = &renamed.unwrap().planned;
    let name = |text: &Option<String>| -> Value {
        let row: Value = serde_json::from_str(text.as_deref().unwrap()).unwrap();
        row["name"].clone()
    };
    assert_eq!((name(&planned.before), name(&planned.after)), ("Former 0".into(), "Name 0".into()));
    let applied = world.sync(Wanted::Apply).await;
    assert_eq!((applied.id, applied.state), (run.id, RunState::Finished), "the plan that was shown is applied");
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn too_many_removals_wait_for_a_person_who_allows_or_rejects_them() {
    let world = World::open(20).await;
    world.product_knows(20, 0, 12).await;
    let before = world.members().await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!(run.state, RunState::Quarantined);
    assert!(run.why.as_deref().unwrap().contains("12 of 32 members"), "{:?}", run.why);
    assert_eq!(world.members().await, before);
    let rejected = world
        .write({
            let id = run.id.clone();
            move |conn| runs::reject(conn, &id, world::NOW)
        })
        .await;
    assert!(matches!(rejected, Answer::Done(_)));
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((run.kind, run.state), (RunKind::First, RunState::Quarantined));
    world
        .write({
            let id = run.id.clone();
            move |conn| runs::allow(conn, &id, world::NOW)
        })
        .await;
    let run = world.finish(&run).await;
    assert_eq!(run.state, RunState::Finished);
    assert_eq!(world.members().await.iter().filter(|row| row.ends_with("|left")).count(), 12);
}

#[tokio::test]
async fn undoing_brings_rows_back_and_leaves_them_alone_until_a_person_resumes() {
    let world = World::open(20).await;
    world.product_knows(15, 3, 2).await;
    let before = world.members().await;
    let run = world.sync(Wanted::Apply).await;
    assert_ne!(world.members().await, before);
    let undo = world
        .write({
            let id = run.id.clone();
            move |conn| runs::undo(conn, &id, world::NOW)
        })
        .await;
    let Answer::Done(undo) = undo else { panic!("{undo:?}") };
    let undo = world.finish(&undo).await;
    assert_eq!(undo.state, RunState::Finished, "{:?}", undo.why);
    let is_new = |row: &String| row.starts_with('m');
    let after = world.members().await;
    let known: Vec<String> = after.iter().filter(|row| !is_new(row)).cloned().collect();
    assert_eq!(known, before);
    assert!(after.iter().filter(|row| is_new(row)).all(|row| row.ends_with("|left")), "{after:?}");
    let undone = world
        .read({
            let id = run.id.clone();
            move |conn| runs::get(conn, &id)
        })
        .await
        .unwrap();
    assert_eq!(undone.state, RunState::Undone);
    assert_eq!(world.sync(Wanted::Apply).await.counts, directory::plan::Counts::default(), "it is left alone");
    assert_eq!(world.members().await, after);
    assert!(world.write(|conn| runs::resume(conn, &tenant(), &world::core())).await);
    world.sync(Wanted::Apply).await;
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_callback_brings_meanwhile_is_neither_lost_nor_overwritten() {
    let world = World::open(20).await;
    world.product_knows(20, 4, 0).await;
    let planned = world.sync(Wanted::Plan).await;
    // After the plan: one who is to be renamed is renamed once more, and somebody new comes.
    world.tell(1, "Newest 1", 1).await;
    world.tell(20, "Name 20", 1).await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((&run.id, run.state), (&planned.id, RunState::Finished));
    let rows = world.members().await;
    assert!(rows.contains(&"P-1|Newest 1|13900000001|active".to_owned()), "{rows:?}");
    assert!(rows.contains(&"m20|Name 20|13900000020|active".to_owned()), "{rows:?}");
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_row_that_somebody_edited_after_the_plan_is_left_to_the_next_run() {
    let world = World::open(10).await;
    world.product_knows(10, 1, 1).await;
    world.sync(Wanted::Plan).await;
    world.execute("UPDATE members SET title = 'edited' WHERE id IN ('P-0', 'G-0')").await;
    let run = world.sync(Wanted::Apply).await;
    let skipped: Vec<String> = world
        .items(&run)
        .await
        .into_iter()
        .filter(|item| item.planned.state == ItemState::Skipped)
        .filter_map(|item| item.planned.item.core_id.map(|id| id.to_string()))
        .collect();
    assert_eq!(skipped, ["P-0", "G-0"]);
    world.sync(Wanted::Apply).await;
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn who_comes_between_plan_and_apply_is_found_among_the_rows() {
    let world = World::open(20).await;
    // The product knows one more than the directory, who therefore would go.
    world.product_knows(21, 0, 0).await;
    let planned = world.sync(Wanted::Plan).await;
    assert_eq!((planned.counts.link, planned.counts.disable), (24, 1));
    world.tell(20, "Name 20", 2).await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((&run.id, run.state), (&planned.id, RunState::Finished), "{:?}", run.why);
    assert_eq!((run.counts.link, run.counts.disable), (25, 0), "the plan was looked at again");
    let rows = world.members().await;
    assert!(rows.contains(&"P-20|Name 20|13900000020|active".to_owned()), "{rows:?}");
    assert!(!rows.iter().any(|row| row.starts_with("m20|")), "{rows:?}");
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_person_saw_is_the_most_that_is_removed() {
    let world = World::open(20).await;
    world.product_knows(20, 0, 1).await;
    world.sync(Wanted::Plan).await;
    // Somebody whom the directory does not have, and something new there: the plan is looked at again.
    world
        .execute(
            "INSERT INTO members (tenant_id, id, name, mobile, gender, status, version, source_time)
             VALUES ('acme', 'G-9', 'Gone 9', '13800000009', 'unknown', 'active', 0, 0)",
        )
        .await;
    world.tell(1, "Newest 1", 1).await;
    let run = world.sync(Wanted::Apply).await;
    assert_eq!((run.state, run.counts.disable), (RunState::Finished, 1));
    let rows = world.members().await;
    assert!(rows.contains(&"P-1|Newest 1|13900000001|active".to_owned()), "{rows:?}");
    assert!(rows.contains(&"G-0|Gone 0|13800000000|left".to_owned()), "{rows:?}");
    assert!(rows.contains(&"G-9|Gone 9|13800000009|active".to_owned()), "{rows:?}");
    assert_eq!(world.sync(Wanted::Apply).await.counts.disable, 1);
}
