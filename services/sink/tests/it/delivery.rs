//! What arrives, in which order, after which troubles.

use std::{collections::BTreeMap, time::Duration};

use broker::{Lane, Outgoing};
use common::{Action, Change, EntityKey, Field, Hop};
use database::Connection;
use sink::Timing;
use store::{
    destinations::{self, State},
    outbox,
};
use test_kit::{Stage, eventually};

use crate::{
    fakes::Fakes,
    support::{append, dead, destination, held_states, position, read, start, tenant, timing, upsert},
};

fn tenant_file(destinations: &[&str]) -> String {
    let mut text = String::from("id = \"acme\"\n");
    for id in destinations {
        let kind = if id.starts_with("core") {
            "kind = \"sqlite\"\nurl = \"sqlite://core.db\"".to_owned()
        } else {
            let key = "a".repeat(42) + "A";
            format!(
                "kind = \"wecom-callback\"\nurl = \"https://oa.example/{id}\"\ntoken = \"t\"\naes_key = \"{key}\"\nreceive_id = \"ww1\""
            )
        };
        text.push_str(&format!("[[destinations]]\nid = \"{id}\"\n{kind}\n"));
    }
    text
}

async fn begin(destinations: &[&str]) -> (Stage, Fakes) {
    let stage = Stage::open().await;
    stage.apply(&tenant_file(destinations)).await;
    let fakes = Fakes::default();
    start(&stage, &fakes, timing());
    (stage, fakes)
}

fn department(id: &str) -> Change {
    upsert(EntityKey::department(id), &[EntityKey::department("1")], true)
}

fn member(id: &str, of: &str) -> Change {
    upsert(EntityKey::member(id), &[EntityKey::department(of)], true)
}

#[tokio::test]
async fn changes_arrive_everywhere_in_order_and_the_outbox_is_emptied() {
    let (stage, fakes) = begin(&["core", "oa"]).await;
    let mut changes = vec![department("2")];
    changes.extend((0..40).map(|n| member(&format!("m{n}"), "2")));
    append(&stage, changes).await;
    for id in ["core", "oa"] {
        let fake = fakes.get(id);
        eventually("all is taken", async || fake.taken().len(), |count| *count == 41).await;
        assert_eq!(fake.taken(), (1..=41).collect::<Vec<u64>>());
        eventually("the position", async || position(&stage, id).await, |position| *position == 41).await;
    }
    let left = async || read(&stage, |conn| outbox::after(conn, &tenant(), 0, 100)).await.len();
    eventually("the outbox is cleaned up", left, |left| *left == 2).await;
    let attempts = read(&stage, |conn| store::deliveries::list(conn, &tenant(), Some(&destination("core")), 100)).await;
    assert_eq!(attempts.iter().map(|listed| listed.attempt.changes).sum::<u32>(), 41);
    stage.stop().await;
}

#[tokio::test]
async fn a_message_of_the_queue_is_enough_and_a_gap_is_read_from_the_outbox() {
    let stage = Stage::open().await;
    stage.apply(&tenant_file(&["oa"])).await;
    let fakes = Fakes::default();
    start(&stage, &fakes, Timing { watch_every: Duration::from_secs(3600), ..timing() });
    let oa = fakes.get("oa");
    eventually("the handshake", async || oa.script().probes, |probes| *probes > 0).await;
    let changes = append(&stage, vec![department("2"), department("3"), department("4")]).await;
    let last = changes.into_iter().map(|change| Outgoing::new("acme", change.to_json())).next_back().unwrap();
    stage.context.broker.publish(Hop::Changes, &Lane::shared(), vec![last]).await.unwrap();
    eventually("all is taken", async || oa.taken(), |taken| *taken == [1, 2, 3]).await;
    stage.stop().await;
}

#[tokio::test]
async fn a_destination_that_is_away_holds_up_nobody_and_gets_everything_later() {
    let (stage, fakes) = begin(&["core", "oa"]).await;
    let (core, oa) = (fakes.get("core"), fakes.get("oa"));
    eventually("the handshake", async || oa.script().probes, |probes| *probes > 0).await;
    oa.script().is_down = true;
    append(&stage, vec![department("2"), member("a", "2")]).await;
    eventually("the core has it", async || core.taken(), |taken| *taken == [1, 2]).await;
    let failing = async || {
        let row = read(&stage, |conn| destinations::get(conn, &tenant(), &destination("oa"))).await.unwrap();
        row.last_error.is_some()
    };
    eventually("the failure is noted", failing, |failing| *failing).await;
    assert_eq!(position(&stage, "oa").await, 0);
    assert!(dead(&stage).await.is_empty());
    stage.clock.advance_seconds(7 * 86_400);
    oa.script().is_down = false;
    eventually("the OA has it", async || oa.taken(), |taken| *taken == [1, 2]).await;
    let mut bodies = oa.script().bodies.clone();
    bodies.dedup();
    assert_eq!(bodies.len(), 2, "every repeat was the same, byte for byte");
    eventually("the failure is over", failing, |failing| !*failing).await;
    stage.stop().await;
}

#[tokio::test]
async fn only_what_refers_to_a_rejected_change_waits_and_a_replay_brings_all_of_it() {
    for id in ["core", "oa"] {
        let (stage, fakes) = begin(&[id]).await;
        let fake = fakes.get(id);
        fake.script().rejects.insert(EntityKey::department("2"));
        append(&stage, vec![department("2"), member("a", "2"), department("3"), member("b", "3")]).await;
        eventually("the rest is taken", async || fake.taken(), |taken| *taken == [3, 4]).await;
        eventually("the position passed it", async || position(&stage, id).await, |position| *position == 4).await;
        assert_eq!(dead(&stage).await, [("2".to_owned(), "rejected_by_destination")]);
        let expected = BTreeMap::from([("department 2".to_owned(), "dead"), ("member a".to_owned(), "waiting")]);
        assert_eq!(held_states(&stage, id).await, expected);

        fake.script().rejects.clear();
        append(&stage, vec![upsert(EntityKey::department("2"), &[EntityKey::department("1")], false)]).await;
        eventually("all is taken", async || fake.taken(), |taken| *taken == [3, 4, 5, 2]).await;
        eventually("nothing is held", async || held_states(&stage, id).await, BTreeMap::is_empty).await;
        assert!(dead(&stage).await.is_empty());
        stage.stop().await;
    }
}

#[tokio::test]
async fn a_change_that_fails_thrice_is_held_and_the_rest_goes_on() {
    for id in ["core", "oa"] {
        let (stage, fakes) = begin(&[id]).await;
        let fake = fakes.get(id);
        fake.script().fails.insert(EntityKey::member("a"));
        append(&stage, vec![department("2"), member("a", "2"), member("b", "2")]).await;
        eventually("the rest is taken", async || fake.taken(), |taken| taken.ends_with(&[3])).await;
        eventually("it is held", async || held_states(&stage, id).await, |held| held.get("member a") == Some(&"held"))
            .await;
        assert!(dead(&stage).await.is_empty());
        stage.clock.advance_seconds(1);
        fake.script().fails.clear();
        // Held ones go by the clock, which the test moves.
        eventually(
            "it is tried again",
            async || {
                stage.clock.advance_seconds(1);
                fake.taken()
            },
            |taken| taken.ends_with(&[2]),
        )
        .await;
        eventually("nothing is held", async || held_states(&stage, id).await, BTreeMap::is_empty).await;
        stage.stop().await;
    }
}

#[tokio::test]
async fn what_waits_before_one_that_is_not_answered_is_known_after_a_restart() {
    let (stage, fakes) = begin(&["oa"]).await;
    let oa = fakes.get("oa");
    oa.script().fails.insert(EntityKey::department("2"));
    oa.script().unanswered.insert(EntityKey::member("c"));
    append(&stage, vec![department("2"), member("a", "2"), member("b", "2"), member("c", "1")]).await;
    let is_passed = |held: &BTreeMap<String, &str>| held.contains_key("member c");
    eventually("the last one is held", async || held_states(&stage, "oa").await, is_passed).await;
    let stage = stage.reopen().await;
    let expected = [("department 2", "held"), ("member a", "waiting"), ("member b", "waiting"), ("member c", "held")];
    let expected: BTreeMap<String, &str> = expected.map(|(entity, state)| (entity.to_owned(), state)).into();
    assert_eq!(held_states(&stage, "oa").await, expected);
    assert!(oa.taken().is_empty());

    oa.script().fails.clear();
    oa.script().unanswered.clear();
    start(&stage, &fakes, timing());
    let taken = async || {
        stage.clock.advance_seconds(1);
        oa.taken()
    };
    let mut taken = eventually("all is taken", taken, |taken| taken.len() == 4).await;
    taken.sort_unstable();
    assert_eq!(taken, [1, 2, 3, 4]);
    eventually("nothing is held", async || held_states(&stage, "oa").await, BTreeMap::is_empty).await;
    stage.stop().await;
}

#[tokio::test]
async fn what_nobody_answered_is_in_doubt_when_something_else_takes_its_place() {
    let (stage, fakes) = begin(&["oa"]).await;
    let oa = fakes.get("oa");
    let titled = |title: &str, first| {
        let mut change = upsert(EntityKey::member("a"), &[EntityKey::department("1")], first);
        if let Action::Upsert { entity, .. } = &mut change.action {
            entity.fields.set(Field::Title, title);
        }
        change
    };
    append(&stage, vec![titled("old", true)]).await;
    eventually("it is taken", async || oa.taken(), |taken| *taken == [1]).await;
    oa.script().unanswered.insert(EntityKey::member("a"));
    append(&stage, vec![titled("new", false)]).await;
    let is_held = |held: &BTreeMap<String, &str>| held.get("member a") == Some(&"held");
    eventually("it is held", async || held_states(&stage, "oa").await, is_held).await;
    // It took it all the same, and nothing differs between the first and the third.
    oa.script().unanswered.clear();
    append(&stage, vec![titled("old", false)]).await;
    eventually("the newest is taken", async || oa.taken(), |taken| taken.ends_with(&[3])).await;
    let told: serde_json::Value = serde_json::from_str(oa.script().bodies.last().unwrap()).unwrap();
    assert_eq!(told["doubt"], serde_json::json!({"title": "new"}));
    eventually("nothing is held", async || held_states(&stage, "oa").await, BTreeMap::is_empty).await;
    append(&stage, vec![titled("newer", false)]).await;
    eventually("the next is taken", async || oa.taken(), |taken| taken.ends_with(&[4])).await;
    let told: serde_json::Value = serde_json::from_str(oa.script().bodies.last().unwrap()).unwrap();
    assert_eq!(told["doubt"], serde_json::json!({}), "what was answered leaves no doubt");
    stage.stop().await;
}

#[tokio::test]
async fn what_is_held_for_too_long_becomes_a_dead_letter() {
    let (stage, fakes) = begin(&["oa"]).await;
    let oa = fakes.get("oa");
    oa.script().fails.insert(EntityKey::department("2"));
    append(&stage, vec![department("2"), member("a", "2")]).await;
    eventually("both are passed", async || position(&stage, "oa").await, |position| *position == 2).await;
    stage.clock.advance_seconds(3000);
    eventually("it is tried", async || oa.script().bodies.len(), |sent| *sent > 3).await;
    assert!(dead(&stage).await.is_empty());
    stage.clock.advance_seconds(700);
    let expected = [("2".to_owned(), "retries_exhausted"), ("a".to_owned(), "dependency_missing")];
    let mut seen = eventually("both are dead", async || dead(&stage).await, |dead| dead.len() == 2).await;
    seen.sort();
    assert_eq!(seen, expected);
    // What was missing comes, and with it the one that was given up on.
    oa.script().fails.clear();
    append(&stage, vec![upsert(EntityKey::department("2"), &[EntityKey::department("1")], false)]).await;
    eventually("both are taken", async || oa.taken(), |taken| *taken == [3, 2]).await;
    eventually("nobody is dead", async || dead(&stage).await, Vec::is_empty).await;
    stage.stop().await;
}

#[tokio::test]
async fn a_removal_that_is_asked_for_again_is_told_only_to_a_receiver_that_has_the_entity() {
    let (stage, fakes) = begin(&["oa"]).await;
    let oa = fakes.get("oa");
    let removal = |id: &str| Change { action: Action::Remove, refers_to: Vec::new(), ..member(id, "2") };
    let again = |id: &str| Change { only_for: Some(destination("oa")), first: false, ..removal(id) };
    append(&stage, vec![department("2"), member("a", "2"), again("b"), again("a"), again("a")]).await;
    eventually("all is passed", async || position(&stage, "oa").await, |position| *position == 5).await;
    assert_eq!(oa.taken(), [1, 2, 4]);
    // What was refused may be there, though it was never taken.
    oa.script().rejects.insert(EntityKey::member("c"));
    append(&stage, vec![Change { first: false, ..removal("c") }]).await;
    eventually("it is given up on", async || dead(&stage).await.len(), |dead| *dead == 1).await;
    oa.script().rejects.clear();
    append(&stage, vec![again("c")]).await;
    eventually("it is taken", async || oa.taken(), |taken| *taken == [1, 2, 4, 7]).await;
    stage.stop().await;
}

#[tokio::test]
async fn a_paused_destination_only_collects() {
    let (stage, fakes) = begin(&["oa"]).await;
    let oa = fakes.get("oa");
    let set = async |state| {
        let write = move |conn: &mut Connection| destinations::set_state(conn, &tenant(), &destination("oa"), state);
        assert!(stage.context.database.write("test.state", write).await.unwrap());
    };
    set(State::Paused).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    append(&stage, vec![department("2")]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(oa.taken().is_empty());
    set(State::Active).await;
    eventually("it is taken", async || oa.taken(), |taken| *taken == [1]).await;
    stage.stop().await;
}

#[tokio::test]
async fn nothing_is_sent_before_the_handshake_which_repeats_until_it_works() {
    let stage = Stage::open().await;
    stage.apply(&tenant_file(&["oa"])).await;
    let fakes = Fakes::default();
    let oa = fakes.get("oa");
    oa.script().is_down = true;
    start(&stage, &fakes, timing());
    append(&stage, vec![department("2")]).await;
    eventually("it is asked again and again", async || oa.script().probes, |probes| *probes > 3).await;
    assert!(oa.script().bodies.is_empty());
    oa.script().is_down = false;
    eventually("it is taken", async || oa.taken(), |taken| *taken == [1]).await;
    stage.stop().await;
}

#[tokio::test]
async fn who_lost_the_lease_records_nothing_until_it_is_free_again() {
    let (stage, fakes) = begin(&["core"]).await;
    let core = fakes.get("core");
    append(&stage, vec![department("2")]).await;
    eventually("the position", async || position(&stage, "core").await, |position| *position == 1).await;
    stage.clock.advance_seconds(120);
    let (now, until) = (stage.context.clock.now(), stage.context.clock.now().plus_seconds(60));
    let steal = move |conn: &mut Connection| {
        destinations::acquire(conn, &tenant(), &destination("core"), "another", now, until)
    };
    assert!(stage.context.database.write("test.steal", steal).await.unwrap().is_some());
    append(&stage, vec![department("3")]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(position(&stage, "core").await, 1);
    stage.clock.advance_seconds(61);
    eventually("the position", async || position(&stage, "core").await, |position| *position == 2).await;
    stage.stop().await;
    assert!(core.taken().ends_with(&[2]));
}

#[tokio::test]
async fn destinations_come_and_go_while_it_runs() {
    let (stage, fakes) = begin(&["oa"]).await;
    append(&stage, vec![department("2")]).await;
    eventually("it is taken", async || fakes.get("oa").taken(), |taken| *taken == [1]).await;
    stage.apply(&tenant_file(&["oa", "core", "later"])).await;
    append(&stage, vec![department("3")]).await;
    let later = fakes.get("later");
    eventually("it gets what comes from now on", async || later.taken(), |taken| *taken == [2]).await;
    stage.apply(&tenant_file(&["core"])).await;
    eventually("it is gone", async || position(&stage, "oa").await, |position| *position == 0).await;
    append(&stage, vec![department("4")]).await;
    eventually("it goes on", async || fakes.get("core").taken(), |taken| *taken == [2, 3]).await;
    assert_eq!(fakes.get("oa").taken(), [1, 2]);
    stage.stop().await;
}

#[test]
fn after_a_crash_the_message_in_hand_is_sent_again_byte_for_byte() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let fakes = Fakes::default();
    let oa = fakes.get("oa");
    let (first, second) = (runtime(), runtime());
    let stage = first.block_on(async {
        let stage = Stage::open().await;
        stage.apply(&tenant_file(&["oa"])).await;
        start(&stage, &fakes, timing());
        eventually("the handshake", async || oa.script().probes, |probes| *probes > 0).await;
        oa.script().is_mute = true;
        append(&stage, vec![department("2"), member("a", "2"), member("b", "2")]).await;
        eventually("one is sent", async || oa.script().bodies.len(), |sent| *sent == 1).await;
        stage
    });
    first.shutdown_background();
    second.block_on(async {
        let stage = stage.reopen().await;
        oa.script().is_mute = false;
        start(&stage, &fakes, timing());
        eventually("all is taken", async || oa.taken(), |taken| *taken == [1, 2, 3]).await;
        stage.stop().await;
    });
    let bodies = oa.script().bodies.clone();
    assert_eq!(bodies.len(), 4);
    assert_eq!(bodies.first(), bodies.get(1), "the one in hand was repeated as it was");
}
