//! A running resolver with one tenant, `acme`, whose core is never delivered to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use broker::{ConsumeOptions, Delivery, Failure, Handler, Lane, Outgoing};
use common::{
    Change, Clock, EntityKey, Event, EventBody, EventKeys, Hop, Observation, Platform, TenantId, UnixMillis, What,
};
use resolver::{Rules, Turn};
use store::{
    dead_letters::DeadLetter,
    form_records::{self, FormRecord},
    outbox,
    questions::OpenQuestion,
    records,
};
use test_kit::{Stage, TestClock, eventually};
use tokio::task::JoinHandle;

pub(crate) const TENANT: &str = "acme";

const FILE: &str = r#"
id = "acme"
name = "ACME 制造"
[wecom]
corp_id = "ww1"
contact_secret = "s"
callback_token = "tok"
callback_aes_key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
[[destinations]]
id = "core"
kind = "sqlite"
url = "sqlite://core.db"
role = "core"
"#;

pub(crate) struct Scene {
    stage: Stage,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let stage = Stage::open().await;
        stage.apply(FILE).await;
        Self::run_on(stage)
    }

    fn run_on(stage: Stage) -> Self {
        let run = resolver::run(service::Config::default().resolver, vec![Lane::shared()], stage.context.clone());
        Self { running: tokio::spawn(run), stage }
    }

    /// Ends the resolver in good order.
    pub(crate) async fn end(self) {
        self.stage.context.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.stage.stop().await;
    }

    /// Stops the service, commits one event's turn without what follows it, and starts anew.
    pub(crate) async fn crash_after_a_turn_with(self, event: (EntityKey, i64, What)) -> Self {
        self.stage.context.stop.cancel();
        self.turn_without_what_follows(event).await;
        self.running.await.unwrap().unwrap();
        Self::run_on(self.stage.reopen().await)
    }

    /// Commits one event's turn as a resolver would that dies at once.
    pub(crate) async fn turn_without_what_follows(&self, event: (EntityKey, i64, What)) {
        let event = self.event(event);
        let rules = Rules {
            now: self.stage.clock.now(),
            horizon: UnixMillis(0),
            tenants: self.stage.context.tenants.snapshot(),
        };
        let turn = move |conn: &mut database::Connection| Turn::events(conn, &[event], &rules);
        let turn = self.stage.context.database.write("test.turn", turn).await.unwrap();
        assert!(!turn.released.is_empty());
    }

    pub(crate) fn clock(&self) -> &TestClock {
        &self.stage.clock
    }

    pub(crate) async fn tell(&self, events: impl IntoIterator<Item = (EntityKey, i64, What)>) {
        self.tell_raw(events.into_iter().map(|event| self.event(event).to_cloud_event()).collect()).await;
    }

    pub(crate) async fn tell_raw(&self, payloads: Vec<Vec<u8>>) {
        let message = |payload: Vec<u8>| Outgoing::new(TENANT, payload);
        let messages = payloads.into_iter().map(message).collect();
        self.stage.context.broker.publish(Hop::Events, &Lane::shared(), messages).await.unwrap();
    }

    /// Tells what a platform said when it was asked.
    pub(crate) async fn answer(&self, events: impl IntoIterator<Item = (EntityKey, i64, What)>) {
        let answered = |event| self.observed(Observation { answer: true, ..observation(event) });
        self.tell_raw(events.into_iter().map(|event| answered(event).to_cloud_event()).collect()).await;
    }

    /// Tells what is to be looked at again.
    pub(crate) async fn hint(&self, event: (EntityKey, i64, What)) {
        let hint = self.observed(Observation { hint: true, ..observation(event) });
        self.tell_raw(vec![hint.to_cloud_event()]).await;
    }

    fn event(&self, event: (EntityKey, i64, What)) -> Event {
        self.observed(observation(event))
    }

    fn observed(&self, seen: Observation) -> Event {
        let content = format!("{} {:?} {}", seen.at.seconds(), seen.what, seen.answer);
        let content = EventKeys::content_hash("ww1", Some(&seen.key()), seen.at, content.as_bytes());
        Event {
            id: content.clone(),
            tenant: TENANT.parse().unwrap(),
            platform: Platform::Wecom,
            received_at: self.stage.clock.now(),
            keys: EventKeys { platform: None, content },
            traceparent: None,
            body: EventBody::Directory(seen),
        }
    }

    pub(crate) async fn drained(&self) {
        let depth = async || self.stage.context.broker.depth(Hop::Events).await.unwrap();
        eventually("the queue of events is empty", depth, |depth| *depth == 0).await;
    }

    /// All changes, once there are `count` of them.
    pub(crate) async fn changes(&self, count: usize) -> Vec<Change> {
        let look = async || {
            let all = |conn: &mut database::Connection| outbox::after(conn, &tenant(), 0, 10_000);
            self.stage.context.database.read("test.changes", all).await.unwrap()
        };
        let changes = eventually("changes in the outbox", look, |changes| changes.len() >= count).await;
        assert_eq!(changes.len(), count, "{changes:?}");
        changes
    }

    pub(crate) async fn parked(&self) -> Vec<EntityKey> {
        let parked = |conn: &mut database::Connection| records::parked(conn, &tenant(), super::everything());
        let rows = self.stage.context.database.read("test.parked", parked).await.unwrap();
        rows.into_iter().map(|(key, _)| key).collect()
    }

    pub(crate) async fn questions(&self, count: usize) -> Vec<OpenQuestion> {
        let look = async || {
            let open = |conn: &mut database::Connection| store::questions::open(conn, &tenant(), 1000);
            self.stage.context.database.read("test.questions", open).await.unwrap()
        };
        eventually("questions", look, |open| open.len() == count).await
    }

    pub(crate) async fn dead_letters(&self, count: usize) -> Vec<DeadLetter> {
        let look = async || {
            let open = |conn: &mut database::Connection| store::dead_letters::list(conn, None);
            self.stage.context.database.read("test.dead", open).await.unwrap()
        };
        eventually("dead letters", look, |dead| dead.len() == count).await
    }

    /// What became of a record of a form.
    pub(crate) async fn form_record(&self, form: &str, record: &str) -> FormRecord {
        let (form, record) = (form.to_owned(), record.to_owned());
        let look =
            move |conn: &mut database::Connection| form_records::get_many(conn, &tenant(), &form, &[record.as_str()]);
        let mut found = self.stage.context.database.read("test.form-record", look).await.unwrap();
        found.pop_first().unwrap().1
    }

    /// The platform does not answer since now, or does again.
    pub(crate) async fn platform_is_silent(&self, is_silent: bool) {
        let since = is_silent.then(|| self.stage.clock.now());
        let set = move |conn: &mut database::Connection| store::questions::set_silent(conn, &tenant(), since);
        self.stage.context.database.write("test.silent", set).await.unwrap();
    }

    pub(crate) async fn replay(&self, entity: EntityKey, destination: Option<&str>) {
        let destination = destination.map(|id| id.parse().unwrap());
        let now = self.stage.clock.now();
        let ask = move |conn: &mut database::Connection| {
            outbox::request_replay(conn, &tenant(), destination.as_ref(), &[entity], now)
        };
        self.stage.context.database.write("test.replay", ask).await.unwrap();
    }

    /// The version of the newest change that an entity's record bears; 0 where there is none.
    pub(crate) async fn version(&self, key: EntityKey) -> u64 {
        let load = move |conn: &mut database::Connection| records::load(conn, &tenant(), &[key]);
        let rows = self.stage.context.database.read("test.version", load).await.unwrap();
        rows.first().map_or(0, |(_, row)| row.version)
    }

    pub(crate) async fn add_second_core(&self) {
        let second = FILE.replace("id = \"core\"", "id = \"second\"").replace("core.db", "second.db");
        let (_, second) = second.split_once("[[destinations]]").unwrap();
        self.stage.apply(&format!("{FILE}[[destinations]]{second}")).await;
        // A sink would see that it is empty.
        let start = |conn: &mut database::Connection| store::runs::start_all(conn, &TENANT.parse().unwrap());
        self.stage.context.database.write("test.start", start).await.unwrap();
    }

    pub(crate) fn outcome(&self, outcome: &str) -> u64 {
        self.stage.context.metrics.resolver_events_total.with_label_values(&[TENANT, outcome]).get()
    }

    /// The versions that came through the queue of changes.
    pub(crate) async fn published(&self, count: usize) -> Vec<u64> {
        struct Listener(Mutex<Vec<u64>>);
        #[async_trait]
        impl Handler for Listener {
            async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
                let versions =
                    batch.iter().map(|delivery| serde_json::from_slice::<Change>(&delivery.payload).unwrap().version);
                self.0.lock().unwrap().extend(versions);
                Ok(())
            }
            async fn bury(&self, _: &Delivery) -> Result<(), Failure> {
                panic!("nothing poisons here")
            }
        }
        let listener = Arc::new(Listener(Mutex::default()));
        let (context, handler) = (self.stage.context.clone(), listener.clone());
        let listening = tokio::spawn(async move {
            let options = ConsumeOptions::default();
            context.broker.consume(Hop::Changes, &[Lane::shared()], options, handler, context.stop.clone()).await
        });
        let look = async || listener.0.lock().unwrap().clone();
        let versions = eventually("published versions", look, |versions| versions.len() >= count).await;
        listening.abort();
        versions
    }
}

fn observation((key, seconds, what): (EntityKey, i64, What)) -> Observation {
    let at = UnixMillis::from_seconds(seconds);
    Observation { kind: key.kind, id: key.id.to_string(), at, what, hint: false, answer: false }
}

fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}
