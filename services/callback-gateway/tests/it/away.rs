//! The broker away, no room in the spool, the database gone.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Handler, Lane, Outgoing, SpoolOptions, Spooled};
use common::{Event, EventBody, Hop, TenantId, UnixMillis};
use database::{Fault, Faults};
use service::config::GatewayConfig;
use store::gaps::Gap;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    bridge::{Bridge, CREATE_PARTY, NOW, acme_keys, callback},
    client::Request,
};

/// Whether the broker does what it is asked for, or nothing at all.
#[derive(Default)]
pub(crate) struct Main {
    is_there: AtomicBool,
    taken: Mutex<Vec<Event>>,
}

impl Main {
    fn returns(&self) {
        self.is_there.store(true, Ordering::SeqCst);
    }

    /// The ids of the departments that were created, as they came.
    fn departments(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let department = |event: &Event| match &event.body {
            EventBody::Directory(seen) => seen.id.clone(),
            EventBody::Callback(other) => panic!("not expected: {}", other.name),
        };
        taken.iter().map(department).collect()
    }
}

#[async_trait]
impl Broker for Main {
    async fn publish(&self, _: Hop, _: &Lane, messages: Vec<Outgoing>) -> broker::Result<()> {
        if !self.is_there.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let events = messages.iter().map(|message| Event::from_cloud_event(&message.payload).unwrap());
        self.taken.lock().unwrap().extend(events);
        Ok(())
    }

    async fn consume(
        &self,
        _: Hop,
        _: &[Lane],
        _: ConsumeOptions,
        _: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> broker::Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    async fn depth(&self, _: Hop) -> broker::Result<u64> {
        Err(broker::Error::Closed)
    }
}

/// A database that can be away.
#[derive(Default)]
struct Away(AtomicBool);

impl Faults for Away {
    fn before(&self, _: &'static str) -> Fault {
        if self.0.load(Ordering::SeqCst) { Fault::Fail } else { Fault::None }
    }

    fn after(&self, _: &'static str) -> Fault {
        Fault::None
    }
}

/// A gateway with a spool, in front of a broker that is away.
struct Scene {
    bridge: Bridge,
    main: Arc<Main>,
    spooled: Arc<Spooled>,
    database: Arc<Away>,
    _directory: TempDir,
}

impl Scene {
    async fn with_spool_of(max_bytes: u64) -> Self {
        let (main, database) = (Arc::new(Main::default()), Arc::new(Away::default()));
        let directory = tempfile::tempdir().unwrap();
        let mut options = SpoolOptions::new(max_bytes);
        options.patience = Duration::from_millis(300);
        options.forwarding.handler_deadline = Duration::from_millis(300);
        let spooled = Spooled::open_in(directory.path(), Arc::clone(&main) as Arc<dyn Broker>, options).await.unwrap();
        let spooled = Arc::new(spooled);
        let broker = Arc::clone(&spooled) as Arc<dyn Broker>;
        let faults = Arc::clone(&database) as Arc<dyn Faults>;
        let config = GatewayConfig { drain_seconds: 0, ..GatewayConfig::default() };
        let bridge = Bridge::start_on(config, |_| broker, |database| database.with_faults(faults)).await;
        Self { bridge, main, spooled, database, _directory: directory }
    }

    async fn gap(&self) -> Option<Gap> {
        let acme: TenantId = "acme".parse().unwrap();
        let gap = self.bridge.ctx.database.read("test", move |conn| store::gaps::get(conn, &acme)).await;
        gap.unwrap_or_default()
    }

    async fn not_taken(&self, request: &Request) {
        let reply = self.bridge.send(request).await;
        assert_eq!(String::from_utf8_lossy(&reply.raw), "", "a status would keep WeCom from coming again");
        assert!(reply.took < Duration::from_millis(4900), "{:?}", reply.took);
    }

    fn is_ready(&self) -> bool {
        self.bridge.ctx.health.reasons().is_empty()
    }

    async fn stop(self) {
        self.bridge.stop().await;
        self.spooled.close().await;
    }
}

/// A callback that says that this department was created.
fn created(department: usize) -> Request {
    callback(&acme_keys(), &CREATE_PARTY.replace("<Id>2</Id>", &format!("<Id>{department}</Id>")))
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_callbacks_are_answered_in_time_and_follow_in_order() {
    let scene = Scene::with_spool_of(1 << 20).await;
    for department in 2..40 {
        let reply = scene.bridge.send(&created(department)).await;
        assert_eq!((reply.status(), reply.body().as_str()), (Some(200), "success"));
        assert!(reply.took < Duration::from_secs(1), "{:?}", reply.took);
    }
    assert_eq!(scene.spooled.stats().events, 38);
    assert!(scene.is_ready(), "it takes everything over");
    scene.main.returns();
    until("the spool is empty", async || scene.spooled.stats().events == 0).await;
    scene.bridge.accepted(&created(40)).await;
    let expected: Vec<String> = (2..=40).map(|department| department.to_string()).collect();
    assert_eq!(scene.main.departments(), expected);
    assert_eq!(scene.gap().await, None);
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_a_callback_is_not_answered_and_its_tenant_is_marked() {
    let scene = Scene::with_spool_of(10).await;
    scene.not_taken(&created(2)).await;
    assert_eq!(scene.bridge.counted("not_taken"), 1);
    until("it is not ready", async || scene.bridge.ctx.health.reasons().contains_key("queue")).await;
    until("the tenant is marked", async || scene.gap().await == Some(Gap::at(UnixMillis::from_seconds(NOW)))).await;
    scene.main.returns();
    until("it is ready again", async || scene.is_ready()).await;
    assert_eq!(scene.main.departments(), ["2"], "what was refused last is offered again");
    scene.bridge.accepted(&created(3)).await;
    assert_eq!(scene.main.departments(), ["2", "3"]);
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_goes_on_and_a_mark_is_written_when_that_is_back() {
    let scene = Scene::with_spool_of(10).await;
    scene.database.0.store(true, Ordering::SeqCst);
    scene.not_taken(&created(2)).await;
    scene.main.returns();
    scene.bridge.accepted(&created(3)).await;
    // A second is enough for an attempt to write it, which fails.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    scene.bridge.accepted(&created(4)).await;
    until("it is ready", async || scene.is_ready()).await;
    scene.database.0.store(false, Ordering::SeqCst);
    until("the tenant is marked", async || scene.gap().await.is_some()).await;
    scene.stop().await;
}
