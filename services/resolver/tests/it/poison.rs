//! Events that can never be processed, few among many.

use std::{
    collections::BTreeMap,
    fs::{self, DirEntry},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{Action, Change, EntityKey, Event, EventBody, EventKeys, Hop, Observation, Platform, UnixMillis, What};
use database::{Connection, on_backend};
use diesel::{RunQueryDsl, sql_query};
use resolver::{Rules, Turn};
use store::{dead_letters, outbox};
use test_kit::{Stage, eventually};
use tokio::runtime::Builder;

use crate::{department, member};

const EVENTS: usize = 10_000;
/// Processor time with poison, by that without.
const MOST: f64 = 1.3;
/// What the runtime's threads are called. Other tests run in the same process meanwhile.
const THREADS: &str = "poison-test";

/// A row of the mirror that nobody can read, and a row that the database never takes. Both can only be found out by trying.
const OBSTACLES: [&str; 2] = [
    "INSERT INTO records (tenant, kind, id, body, asked, given_up)
     SELECT 'acme', 'member', 'damaged' || value, '{', FALSE, FALSE FROM json_each('[5, 6, 7]')",
    "CREATE TRIGGER refuses BEFORE INSERT ON records WHEN NEW.id LIKE 'refused%'
     BEGIN SELECT RAISE(ABORT, 'datatype mismatch'); END",
];

#[test]
fn ten_poison_events_among_ten_thousand_are_dead_letters_alone_and_cost_little() {
    let mut shares = Vec::new();
    while shares.len() < 3 {
        let poison = poison();
        assert_eq!(poison.len(), 10);
        let (without, with) = (run(&[]), run(&poison));
        let share = with.as_secs_f64() / without.as_secs_f64();
        if share <= MOST {
            return;
        }
        shares.push(share);
    }
    panic!("with poison it takes so many times the processor time: {shares:?}");
}

/// Messages, and the reason of the dead letter that each becomes.
fn poison() -> Vec<(String, &'static str)> {
    let message = |id: &str| String::from_utf8(event(member(id, &["2"], 0)).to_cloud_event()).unwrap();
    let changed = |from: &str, to: &str| {
        let text = message("odd");
        assert!(text.contains(from), "{text}");
        text.replace(from, to)
    };
    let undecodable = [
        "[1]".to_owned(),
        "{\"id\":\"odd\",\"tenant\":\"acme\"}".to_owned(),
        changed("\"specversion\":\"1.0\"", "\"specversion\":\"2.0\""),
        changed("\"/wecom/acme\"", "\"/feishu/acme\""),
        changed("成员odd", "成员\\u0000"),
    ];
    let failing = ["damaged5", "damaged6", "damaged7", "refused8", "refused9"];
    let undecodable = undecodable.into_iter().map(|text| (text, "undecodable_event"));
    undecodable.chain(failing.map(|id| (message(id), "processing_failed"))).collect()
}

/// Has a resolver take 10,000 events with these among them, and returns the processor time that it took.
fn run(poison: &[(String, &'static str)]) -> Duration {
    let mut runtime = Builder::new_multi_thread();
    // Threads that end take their times with them.
    runtime.worker_threads(2).thread_name(THREADS).thread_keep_alive(Duration::from_secs(3600)).enable_all();
    runtime.build().unwrap().block_on(async {
        let stage = Stage::open().await;
        stage.apply("id = \"acme\"\nname = \"ACME\"").await;
        let first = prepare(&stage).await;
        let (messages, expected) = mixed(poison);
        stage.context.broker.publish(Hop::Events, &Lane::shared(), messages).await.unwrap();

        let before = processor_time();
        let config = service::Config::default().resolver;
        let resolver = tokio::spawn(resolver::run(config, vec![Lane::shared()], stage.context.clone()));
        let depth = async || stage.context.broker.depth(Hop::Events).await.unwrap();
        eventually("the queue of events is empty", depth, |depth| *depth == 0).await;
        stage.context.stop.cancel();
        resolver.await.unwrap().unwrap();
        let took = processor_time() - before;

        let mut poison = poison.to_vec();
        poison.sort();
        assert_eq!(dead(&stage).await, poison);
        let applied = applied(&stage, first).await;
        assert!(applied == expected, "{} changes instead of {}", applied.len(), expected.len());
        stage.stop().await;
        took
    })
}

/// Departments, and what makes some of the events fail. Returns the last version.
async fn prepare(stage: &Stage) -> u64 {
    let departments: Vec<Event> = (2..22).map(|id| event(department(&id.to_string(), "1", id))).collect();
    let rules = Rules { now: UnixMillis(0), horizon: UnixMillis(0), tenants: stage.context.tenants.snapshot() };
    let work = move |conn: &mut Connection| -> database::Result<u64> {
        Turn::events(conn, &departments, &rules)?;
        for statement in OBSTACLES {
            on_backend!(conn, c => sql_query(statement).execute(c))?;
        }
        outbox::last_version(conn, &"acme".parse().unwrap())
    };
    stage.context.database.write("test.prepare", work).await.unwrap()
}

/// The messages, with the poison at random places, and the members that are to be applied.
fn mixed(poison: &[(String, &'static str)]) -> (Vec<Outgoing>, Vec<EntityKey>) {
    let mut poisoned: BTreeMap<usize, &str> = BTreeMap::new();
    let mut dice: u64 = 20_260_101;
    for (text, _) in poison {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        poisoned.insert((dice >> 33) as usize % EVENTS, text);
    }
    assert_eq!(poisoned.len(), poison.len(), "each has a place of its own");
    let mut messages = Vec::with_capacity(EVENTS);
    let mut expected = Vec::with_capacity(EVENTS);
    for place in 0..EVENTS {
        if let Some(text) = poisoned.get(&place) {
            messages.push(Outgoing::new("acme", text.as_bytes().to_vec()));
            continue;
        }
        let joined = member(&format!("m{place}"), &[&(2 + place % 20).to_string()], place as i64);
        expected.push(joined.0.clone());
        messages.push(Outgoing::new("acme", event(joined).to_cloud_event()));
    }
    expected.sort();
    (messages, expected)
}

/// The contents and reasons of all dead letters.
async fn dead(stage: &Stage) -> Vec<(String, &'static str)> {
    let all = |conn: &mut Connection| dead_letters::list(conn, None);
    let letters = stage.context.database.read("test.dead", all).await.unwrap();
    let mut dead: Vec<_> = letters.into_iter().map(|dead| (dead.letter.content, dead.letter.reason.as_str())).collect();
    dead.sort();
    dead
}

/// Whom the changes behind a version are about.
async fn applied(stage: &Stage, version: u64) -> Vec<EntityKey> {
    let behind = move |conn: &mut Connection| outbox::after(conn, &"acme".parse().unwrap(), version, 2 * EVENTS);
    let changes: Vec<Change> = stage.context.database.read("test.changes", behind).await.unwrap();
    assert!(changes.iter().all(|change| matches!(change.action, Action::Upsert { .. })));
    let mut applied: Vec<EntityKey> = changes.into_iter().map(|change| change.entity).collect();
    applied.sort();
    applied
}

fn event((key, seconds, what): (EntityKey, i64, What)) -> Event {
    let at = UnixMillis::from_seconds(seconds);
    let content = EventKeys::content_hash("ww1", Some(&key), at, format!("{key} {seconds} {what:?}").as_bytes());
    Event {
        id: content.clone(),
        tenant: "acme".parse().unwrap(),
        platform: Platform::Wecom,
        received_at: UnixMillis(0),
        keys: EventKeys { platform: None, content },
        traceparent: None,
        body: EventBody::Directory(Observation {
            kind: key.kind,
            id: key.id.to_string(),
            at,
            what,
            hint: false,
            answer: false,
        }),
    }
}

/// What the runtime's threads took so far.
fn processor_time() -> Duration {
    let of = |task: DirEntry| {
        // A thread of another test may end meanwhile.
        let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let is_ours = read("comm").trim_end() == THREADS;
        is_ours.then(|| read("schedstat").split(' ').next().unwrap().parse::<u64>().unwrap())
    };
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    Duration::from_nanos(tasks.filter_map(|task| of(task.unwrap())).sum())
}
