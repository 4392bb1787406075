//! Several resolvers that take the same events at the same moment, as they do when a partition changes hands: each works on its
//! own turns, and only the tenant's row keeps them apart.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

use common::{Change, EntityKey, Event, EventBody, EventKeys, Observation, Platform, TenantId, UnixMillis, What};
use database::{Connection, Database, Options, on_backend};
use diesel::{RunQueryDsl, sql_query};
use resolver::{Rules, Turn};
use store::{outbox, tenants, waiting};

use crate::{department, member, removed};

const RESOLVERS: usize = 4;

#[expect(clippy::disallowed_methods, reason = "where the server is, is told to tests by their environment")]
fn address() -> String {
    std::env::var("ORGBRIDGE_TEST_POSTGRES").expect("a server: ./scripts/test starts one")
}

/// A schema of its own on the server that `scripts/test` starts, with the tenant in it.
async fn server() -> Database {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let server = address();
    let schema = format!("overlap_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let make = {
        let schema = schema.clone();
        move |conn: &mut Connection| -> database::Result<()> {
            on_backend!(conn, c => sql_query(format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).execute(c))?;
            on_backend!(conn, c => sql_query(format!("CREATE SCHEMA {schema}")).execute(c))?;
            Ok(())
        }
    };
    Database::open(&Options::new(&server)).unwrap().write("test", make).await.unwrap();
    let database = Database::open(&Options {
        pool_size: 2 * RESOLVERS as u32,
        ..Options::new(format!("{server}?options=-csearch_path%3D{schema}"))
    })
    .unwrap();
    let migrating = database.clone();
    tokio::task::spawn_blocking(move || migrating.migrate(store::migrations()).unwrap()).await.unwrap();
    let apply = |conn: &mut Connection| {
        let id = tenant();
        let new = tenants::Apply {
            id: &id,
            document: "{}",
            data_key: "k",
            lane: "shared",
            previous_callback: None,
            destinations: &[],
        };
        tenants::apply(conn, &new, UnixMillis(0))
    };
    database.write("test", apply).await.unwrap();
    database
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn event((key, seconds, what): (EntityKey, i64, What)) -> Event {
    let at = UnixMillis::from_seconds(seconds);
    let content = EventKeys::content_hash("ww1", Some(&key), at, format!("{key} {seconds} {what:?}").as_bytes());
    Event {
        id: content.clone(),
        tenant: tenant(),
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

/// Takes all events in batches of its own size, beginning at its own place, and works off what it released.
async fn resolve(database: Database, events: Vec<Event>, number: usize) {
    let rules = || Rules { now: UnixMillis(0), horizon: UnixMillis(0), tenants: Default::default() };
    let mut events = events;
    let start = number * events.len() / RESOLVERS;
    events.rotate_left(start);
    for batch in events.chunks(3 + number) {
        let (batch, rules) = (batch.to_vec(), rules());
        let turn = move |conn: &mut Connection| Turn::events(conn, &batch, &rules);
        database.write("test.turn", turn).await.unwrap();
    }
    loop {
        let rules = rules();
        let slice = move |conn: &mut Connection| Turn::released(conn, &tenant(), 7, &rules);
        database.write("test.release", slice).await.unwrap();
        if database.read("test.left", waiting::first_releases).await.unwrap().is_empty() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_effect_happens_once_and_in_order() {
    let database = server().await;
    let mut events = Vec::new();
    for number in 2..40 {
        events.push(event(department(&number.to_string(), &(number / 2).to_string(), number)));
    }
    for number in 0..120 {
        events.push(event(member(&format!("m{number}"), &[&(2 + number % 38).to_string()], 100 + number)));
    }
    for number in (0..120).step_by(5) {
        events.push(event(removed(EntityKey::member(&format!("m{number}")), 1000 + number)));
    }
    events.reverse();
    let resolvers: Vec<_> =
        (0..RESOLVERS).map(|number| tokio::spawn(resolve(database.clone(), events.clone(), number))).collect();
    for resolver in resolvers {
        resolver.await.unwrap();
    }
    let all = |conn: &mut Connection| outbox::after(conn, &tenant(), 0, 10_000);
    let changes = database.read("test.changes", all).await.unwrap();
    let versions: Vec<u64> = changes.iter().map(|change| change.version).collect();
    assert_eq!(versions, (1..=changes.len() as u64).collect::<Vec<_>>(), "dense, in commit order");
    let live = applied(&changes);
    let expected: BTreeSet<EntityKey> = (1..40)
        .map(|number| EntityKey::department(&number.to_string()))
        .chain((0..120).filter(|number| number % 5 != 0).map(|number| EntityKey::member(&format!("m{number}"))))
        .collect();
    assert_eq!(live, expected);
}

/// What is there after all changes; each must be news, and come after what it refers to.
fn applied(changes: &[Change]) -> BTreeSet<EntityKey> {
    let mut live = BTreeSet::new();
    for change in changes {
        let key = &change.entity;
        match change.action {
            common::Action::Remove => assert!(live.remove(key), "{key} is removed twice"),
            _ => {
                assert!(change.refers_to.iter().all(|on| live.contains(on)), "{key} comes too early");
                assert!(live.insert(key.clone()), "{key} is sent twice");
            }
        }
    }
    live
}
