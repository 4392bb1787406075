//! Parked entities and dead letters, as commands show and replay them.

use common::{
    EntityKind, Event, EventBody, EventKeys, Field, Fields, Observation, Platform, Reason, TenantId, UnixMillis, What,
};
use database::{Database, Options};
use serde_json::json;
use store::{
    dead_letters::{self, NewDeadLetter, Stage},
    outbox, records,
};

use crate::bench::{Bench, TENANT};

pub(crate) struct Letters {
    pub(crate) bench: Bench,
    pub(crate) database: Database,
}

pub(crate) fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn letter(stage: Stage, kind: &str, entity: &str, reason: Reason, content: &str) -> NewDeadLetter {
    NewDeadLetter {
        tenant: acme(),
        stage,
        kind: kind.into(),
        entity: entity.into(),
        reason,
        detail: String::new(),
        content: content.into(),
        destination: (stage == Stage::Sink).then(|| "core".parse().unwrap()),
        version: None,
        since: UnixMillis(1_767_225_600_000),
    }
}

/// A dead letter with the event that such an entity was created.
fn event(kind: EntityKind, id: &str, fields: Fields) -> NewDeadLetter {
    happened(kind, id, 0, What::Created { fields })
}

/// A dead letter with what happened to an entity, so many seconds after the beginning.
pub(crate) fn happened(kind: EntityKind, id: &str, seconds: i64, what: What) -> NewDeadLetter {
    let at = UnixMillis(1_767_225_600_000).plus_seconds(seconds);
    let seen = Observation { kind, id: id.into(), at, what, hint: false, answer: false };
    let event = Event {
        id: if seconds == 0 { format!("event-{id}") } else { format!("event-{id}-{seconds}") },
        tenant: acme(),
        platform: Platform::Wecom,
        received_at: at.plus_seconds(1),
        keys: EventKeys { platform: None, content: format!("key-{}-{id}-{seconds}", kind.as_str()) },
        traceparent: None,
        body: EventBody::Directory(seen),
    };
    let content = String::from_utf8(event.to_cloud_event()).unwrap();
    letter(Stage::Resolver, "event", &event.id, Reason::ProcessingFailed, &content)
}

impl Letters {
    pub(crate) fn new() -> Self {
        Self::of(Bench::new(), TENANT)
    }

    /// With this file of the tenant acme.
    pub(crate) fn of(bench: Bench, tenant: &str) -> Self {
        bench.write("acme.toml", tenant);
        assert_eq!(bench.run(&["tenant", "apply", "acme.toml"]).code, 0);
        let url = format!("sqlite://{}", bench.path().join("data/orgbridge.db").display());
        Self { database: Database::open(&Options::new(url)).unwrap(), bench }
    }

    pub(crate) async fn insert(&self, letter: NewDeadLetter) -> String {
        let insert = move |conn: &mut database::Connection| dead_letters::insert(conn, &[letter]);
        self.database.write("test.insert", insert).await.unwrap().remove(0)
    }

    /// Lets this have happened to an entity: its event is a dead letter that is replayed.
    pub(crate) async fn let_happen(&self, kind: EntityKind, id: &str, fields: Fields) {
        let letter = self.insert(event(kind, id, fields)).await;
        let ended = self.bench.run(&["dead", "replay", &letter]);
        assert_eq!(ended.code, 0, "{}", ended.err);
    }

    pub(crate) async fn last_version(&self) -> u64 {
        self.database.read("test.version", |conn| outbox::last_version(conn, &acme())).await.unwrap()
    }

    pub(crate) async fn wishes(&self) -> Vec<outbox::Replay> {
        self.database.write("test.wishes", |conn| outbox::take_replays(conn, 10)).await.unwrap()
    }

    fn dead(&self) -> usize {
        self.bench.run(&["dead", "list", "--json"]).json().as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_dead_letter_is_listed_shown_and_discarded() {
    let letters = Letters::new();
    let id =
        letters.insert(letter(Stage::Sink, "member", "zhangsan", Reason::RejectedByDestination, "{\"a\":1}")).await;
    let listed = letters.bench.run(&["dead", "list", "--json"]).json();
    let expected = json!([{
        "id": id, "tenant": "acme", "stage": "sink", "kind": "member", "entity": "zhangsan",
        "reason": "rejected_by_destination", "since": "2026-01-01T00:00:00Z", "destination": "core",
    }]);
    assert_eq!(listed, expected);
    assert_eq!(letters.bench.run(&["dead", "show", &id, "--json"]).json()["content"], json!({"a": 1}));
    assert_eq!(letters.bench.run(&["dead", "discard", &id]).code, 0);
    assert_eq!(letters.dead(), 0);
    assert!(letters.bench.run(&["dead", "discard", &id]).refusal(1).contains("discarded"));
    assert_eq!(letters.bench.run(&["dead", "show", &id, "--json"]).json()["resolution"], "discarded");
}

#[tokio::test]
async fn an_event_takes_its_turn_and_what_waits_is_shown_until_it_is_released() {
    let letters = Letters::new();
    let member = Fields::new().with(Field::Name, "张三").with(Field::Departments, ["7"].as_slice());
    let id = letters.insert(event(EntityKind::Member, "ZhangSan", member)).await;
    assert_eq!(letters.bench.run(&["dead", "replay", &id, "--json"]).json(), json!({"replayed": 1, "kept": 0}));
    assert_eq!(letters.dead(), 0);

    let parked = letters.bench.run(&["parked", "list", "--tenant", "acme", "--json"]).json();
    let since = parked[0]["since"].clone();
    assert!(since.is_string());
    let expected = json!([{
        "tenant": "acme", "kind": "member", "id": "ZhangSan",
        "waits_for": [{"kind": "department", "id": "7"}], "since": since, "last_event": "event-ZhangSan",
    }]);
    assert_eq!(parked, expected);
    let shown = letters.bench.run(&["parked", "show", "--tenant", "acme", "member", "zhangsan", "--json"]).json();
    assert_eq!(shown["waits_for"][0]["why"], "reference");

    let before = letters.last_version().await;
    let department = Fields::new().with(Field::Name, "研发").with(Field::Parent, "1");
    letters.insert(event(EntityKind::Department, "7", department)).await;
    let ended =
        letters.bench.run(&["dead", "replay", "--all", "--tenant", "acme", "--reason", "processing_failed", "--json"]);
    assert_eq!(ended.json()["replayed"], 1);
    assert_eq!(letters.last_version().await, before + 2, "the department, and the member that waited for it");
    assert_eq!(letters.bench.run(&["parked", "list", "--json"]).json(), json!([]));
}

#[tokio::test]
async fn a_change_that_was_not_taken_is_wished_for_again() {
    let letters = Letters::new();
    let id = letters.insert(letter(Stage::Sink, "member", "zhangsan", Reason::RetriesExhausted, "{}")).await;
    assert_eq!(letters.bench.run(&["dead", "replay", &id]).code, 0);
    let wishes = letters.wishes().await;
    assert_eq!(wishes.len(), 1);
    assert_eq!(wishes[0].destination.as_ref().map(|id| id.as_str()), Some("core"));
    assert!(letters.bench.run(&["dead", "replay", &id]).refusal(1).contains("replayed"));
}

#[tokio::test]
async fn a_missing_dependency_is_waited_for_anew() {
    let letters = Letters::new();
    let member = Fields::new().with(Field::Name, "李四").with(Field::Departments, ["8"].as_slice());
    let id = letters.insert(event(EntityKind::Member, "lisi", member)).await;
    letters.bench.run(&["dead", "replay", &id]);
    let give_up = |conn: &mut database::Connection| -> database::Result<()> {
        let mut rows = records::load(conn, &acme(), &[common::EntityKey::member("lisi")])?;
        for (_, row) in &mut rows {
            (row.given_up, row.asked, row.parked_since) = (true, true, Some(UnixMillis(1)));
        }
        records::save(conn, &acme(), &rows)
    };
    letters.database.write("test.give-up", give_up).await.unwrap();
    letters.insert(letter(Stage::Resolver, "member", "lisi", Reason::DependencyMissing, "{}")).await;
    let since = ["dead", "replay", "--all", "--tenant", "acme", "--since", "2025-12-31T00:00:00Z", "--json"];
    assert_eq!(letters.bench.run(&since).json()["replayed"], 1);
    let shown = letters.bench.run(&["parked", "show", "--tenant", "acme", "member", "lisi", "--json"]).json();
    assert_eq!((&shown["given_up"], &shown["asked"]), (&json!(false), &json!(false)));
    assert_ne!(shown["since"], "1970-01-01T00:00:00.001Z");
}

#[tokio::test]
async fn what_cannot_be_read_stays_and_does_not_keep_the_others() {
    let letters = Letters::new();
    let bad = letters.insert(letter(Stage::Resolver, "event", "", Reason::UndecodableEvent, "bm8gZXZlbnQ=")).await;
    let good = Fields::new().with(Field::Name, "研发").with(Field::Parent, "1");
    let good = letters.insert(event(EntityKind::Department, "7", good)).await;
    let ended = letters.bench.run(&["dead", "replay", &bad, &good]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains(&bad) && ended.err.contains("dead discard"), "{}", ended.err);
    assert_eq!(letters.dead(), 1);
}

#[tokio::test]
async fn deliveries_are_repeated_parents_first() {
    let letters = Letters::new();
    for (id, parent) in [("10", "1"), ("9", "10")] {
        let fields = Fields::new().with(Field::Name, id).with(Field::Parent, parent);
        letters.insert(event(EntityKind::Department, id, fields)).await;
    }
    let member = Fields::new().with(Field::Name, "张三").with(Field::Departments, ["9"].as_slice());
    letters.insert(event(EntityKind::Member, "a", member)).await;
    assert_eq!(letters.bench.run(&["dead", "replay", "--all", "--tenant", "acme"]).code, 0);
    let replay = ["deliveries", "replay", "--tenant", "acme", "--destination", "core", "--json"];
    assert_eq!(letters.bench.run(&replay).json(), json!({"requested": 4}));
    let wishes = letters.wishes().await;
    let ids: Vec<&str> = wishes.iter().map(|wish| &*wish.entity.id).collect();
    assert_eq!(ids, ["1", "10", "9", "a"]);
    let later = [&replay[..], &["--since", "1h"]].concat();
    letters.bench.run(&later);
    let nothing = [&replay[..], &["--from", "1000"]].concat();
    assert_eq!(letters.bench.run(&nothing).json(), json!({"requested": 0}));
}
