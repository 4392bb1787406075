//! Destinations at the command line, with the database alone: nobody delivers here.

use common::{EntityKind, Field, Fields, What};
use database::Connection;
use serde_json::json;
use store::{
    destinations::{self, State},
    runs,
};

use crate::letters::{Letters, acme, happened};

const PLACE: [&str; 4] = ["--tenant", "acme", "--destination", "core"];

impl Letters {
    async fn state(&self) -> State {
        let read = |conn: &mut Connection| destinations::get(conn, &acme(), &"core".parse().unwrap());
        self.database.read("test.state", read).await.unwrap().unwrap().state
    }

    /// Such things happen, and are told in some order.
    async fn happen(&self, told: Vec<(EntityKind, &str, i64, What)>) {
        for (kind, id, seconds, what) in told {
            self.insert(happened(kind, id, seconds, what)).await;
        }
        assert_eq!(self.bench.run(&["dead", "replay", "--all", "--tenant", "acme"]).code, 0);
    }

    /// How many entities a command says that it asked for, and which ones.
    async fn asked(&self, command: &[&str]) -> (serde_json::Value, Vec<String>) {
        let told = self.bench.run(&[command, &PLACE, &["--json"]].concat()).json();
        let wishes = self.wishes().await;
        assert!(wishes.iter().all(|wish| wish.destination.as_ref().is_some_and(|id| id.as_str() == "core")));
        (told, wishes.iter().map(|wish| wish.entity.id.to_string()).collect())
    }
}

fn department(id: &'static str, parent: &str) -> (EntityKind, &'static str, i64, What) {
    let fields = Fields::new().with(Field::Name, id).with(Field::Parent, parent);
    (EntityKind::Department, id, 0, What::Created { fields })
}

fn member(id: &'static str, department: &str, leaders: &[&str]) -> (EntityKind, &'static str, i64, What) {
    let fields = Fields::new().with(Field::Name, id).with(Field::Departments, [department].as_slice());
    (EntityKind::Member, id, 0, What::Created { fields: fields.with(Field::Leaders, leaders) })
}

#[tokio::test]
async fn a_destination_is_paused_and_resumed_but_not_before_its_first_sync() {
    let letters = Letters::new();
    for verb in ["pause", "resume"] {
        let refused = letters.bench.run(&[&["destination", verb][..], &PLACE].concat());
        assert!(refused.refusal(1).contains("`orgbridge sync apply acme`"), "{}", refused.err);
        assert_eq!(letters.state().await, State::Collecting);
    }
    letters.database.write("test.start", |conn| runs::start_all(conn, &acme())).await.unwrap();
    for (verb, state) in [("pause", State::Paused), ("pause", State::Paused), ("resume", State::Active)] {
        let ended = letters.bench.run(&[&["destination", verb][..], &PLACE].concat());
        assert_eq!((ended.code, letters.state().await), (0, state), "{}", ended.err);
    }
}

#[tokio::test]
async fn a_reset_asks_for_what_changed_since_a_version_and_for_what_is_gone_in_an_order_that_can_be_applied() {
    let letters = Letters::new();
    letters
        .happen(vec![
            department("10", "1"),
            department("9", "10"),
            member("a", "9", &[]),
            member("boss", "10", &[]),
            member("follower", "10", &["boss"]),
            member("other", "10", &[]),
        ])
        .await;
    let copied = letters.last_version().await;
    let moved = Fields::new().with(Field::Departments, ["10"].as_slice());
    letters
        .happen(vec![
            (EntityKind::Department, "9", 9, What::Removed),
            (EntityKind::Member, "a", 8, What::Updated { fields: moved }),
            (EntityKind::Member, "boss", 7, What::Removed),
        ])
        .await;
    let from = (copied + 1).to_string();
    let since_then = ["boss", "a", "follower", "9"].map(str::to_owned);
    for command in ["destination reset", "deliveries replay"] {
        let command: Vec<&str> = command.split(' ').chain(["--from", &from]).collect();
        assert_eq!(letters.asked(&command).await, (json!({ "requested": 4 }), since_then.to_vec()), "{command:?}");
    }
    let (told, all) = letters.asked(&["destination", "reset"]).await;
    assert_eq!(told, json!({ "requested": 7 }));
    assert_eq!(all, ["boss", "1", "10", "a", "follower", "other", "9"]);
    let beyond = (letters.last_version().await + 1).to_string();
    assert_eq!(letters.asked(&["destination", "reset", "--from", &beyond]).await, (json!({ "requested": 0 }), vec![]));
}

#[tokio::test]
async fn who_was_never_sent_is_not_asked_for() {
    let letters = Letters::new();
    letters
        .happen(vec![
            member("waits", "9", &[]),
            member("left", "9", &[]),
            (EntityKind::Member, "left", 5, What::Removed),
        ])
        .await;
    assert_eq!(letters.asked(&["destination", "reset"]).await, (json!({ "requested": 1 }), vec!["1".to_owned()]));
}
