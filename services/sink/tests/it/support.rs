//! The sink on a stage, and what it leaves behind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker::Lane;
use common::{Action, Backoff, Change, DestinationId, Entity, EntityKey, Field, Fields, TenantId, UnixMillis};
use database::Connection;
use service::{Context, config::SinkConfig};
use sink::{Build, Sink, Timing};
use store::{dead_letters, destinations, held, outbox};
use test_kit::Stage;

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn destination(id: &str) -> DestinationId {
    id.parse().unwrap()
}

pub(crate) fn timing() -> Timing {
    let quick = |millis| Backoff { first: Duration::from_millis(millis), longest: Duration::from_millis(millis * 4) };
    Timing {
        backoff: quick(5),
        held_backoff: quick(5),
        watch_every: Duration::from_millis(20),
        clean_every: Duration::from_millis(50),
        outbox_keeps: 2,
        ..Timing::default()
    }
}

/// A sink over these destinations.
pub(crate) fn start(stage: &Stage, build: &(impl Build + Clone), timing: Timing) {
    start_with(stage, build, timing, 8);
}

/// The same with batches of this size.
pub(crate) fn start_with(stage: &Stage, build: &(impl Build + Clone), timing: Timing, batch_size: usize) {
    start_in(&stage.context, build, timing, batch_size);
}

/// The same in a context of its own.
pub(crate) fn start_in(context: &Context, build: &(impl Build + Clone), timing: Timing, batch_size: usize) {
    let config = SinkConfig { batch_size, retry_limit_seconds: 3600, ..SinkConfig::default() };
    let sink = Sink::new(config, vec![Lane::shared()], context.clone(), Arc::new(build.clone()));
    let running = sink.with_timing(timing).run();
    context.spawn("sink", async move { running.await.unwrap() });
}

pub(crate) fn upsert(key: EntityKey, refers_to: &[EntityKey], first: bool) -> Change {
    let fields = Fields::new().with(Field::Name, &*key.id);
    let entity = Entity { shown_id: key.id.to_string(), fields, incomplete: false };
    Change {
        tenant: tenant(),
        version: 0,
        entity: key,
        action: Action::Upsert { entity, renamed_from: None },
        source_time: UnixMillis(0),
        received_at: UnixMillis(0),
        traceparent: None,
        refers_to: refers_to.to_vec(),
        leaves: Vec::new(),
        first,
        only_for: None,
    }
}

pub(crate) async fn append(stage: &Stage, mut changes: Vec<Change>) -> Vec<Change> {
    let now = stage.context.clock.now();
    let write = move |conn: &mut Connection| -> database::Result<Vec<Change>> {
        let last = outbox::last_version(conn, &tenant())?;
        outbox::append(conn, &tenant(), last, &mut changes, now)?;
        Ok(changes)
    };
    stage.context.database.write("test.append", write).await.unwrap()
}

pub(crate) async fn read<T: Send + 'static>(
    stage: &Stage,
    look: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
) -> T {
    stage.context.database.read("test.read", look).await.unwrap()
}

pub(crate) async fn position(stage: &Stage, id: &str) -> u64 {
    let id = destination(id);
    read(stage, move |conn| destinations::get(conn, &tenant(), &id)).await.map_or(0, |row| row.position)
}

pub(crate) async fn held_states(stage: &Stage, id: &str) -> BTreeMap<String, &'static str> {
    let id = destination(id);
    let rows = read(stage, move |conn| held::load(conn, &tenant(), &id)).await;
    rows.into_iter().map(|row| (row.entity.to_string(), row.state.as_str())).collect()
}

pub(crate) async fn dead(stage: &Stage) -> Vec<(String, &'static str)> {
    let letters = read(stage, |conn| dead_letters::list(conn, None)).await;
    letters.into_iter().map(|dead| (dead.letter.entity, dead.letter.reason.as_str())).collect()
}
