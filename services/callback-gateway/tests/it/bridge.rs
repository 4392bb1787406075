//! A running gateway and what surrounds it.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use broker::{Broker, Embedded};
use common::{Clock, Hop, Secret, UnixMillis};
use database::{Database, Options};
use outbound::Guard;
use service::{Context, Parts, TenantFile, config::GatewayConfig, tenants};
use store::Sealer;
use tempfile::TempDir;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use wecom::CallbackKeys;

use crate::client::{self, Reply, Request};

pub(crate) const TOKEN: &str = "QDG6eK";
pub(crate) const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
pub(crate) const OTHER_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
pub(crate) const CORP: &str = "wx5823bf96d3bd56c7";
/// 2026-01-01T00:00:00Z
pub(crate) const NOW: i64 = 1_767_225_600;
pub(crate) const PATH: &str = "/callback/wecom/acme";

pub(crate) const CREATE_PARTY: &str = "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>\
    <FromUserName><![CDATA[sys]]></FromUserName><CreateTime>1767225599</CreateTime><MsgType><![CDATA[event]]></MsgType>\
    <Event><![CDATA[change_contact]]></Event><ChangeType>create_party</ChangeType><Id>2</Id>\
    <Name><![CDATA[研发部]]></Name><ParentId><![CDATA[1]]></ParentId><Order>1</Order></xml>";

/// A clock that stands until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

impl TestClock {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    pub(crate) ctx: Context,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) queue: Embedded,
    running: JoinHandle<anyhow::Result<()>>,
    directory: TempDir,
}

/// `acme` with the usual keys.
pub(crate) fn acme(token: &str, aes_key: &str) -> String {
    format!(
        "id = \"acme\"\n[wecom]\ncorp_id = \"{CORP}\"\ncontact_secret = \"s\"\ncallback_token = \"{token}\"\n\
         callback_aes_key = \"{aes_key}\"\n"
    )
}

pub(crate) fn keys(token: &str, aes_key: &str, receive_id: &str) -> CallbackKeys {
    CallbackKeys::new(&Secret::new(token), &Secret::new(aes_key), receive_id).unwrap()
}

/// The keys of `acme` as the platform has them.
pub(crate) fn acme_keys() -> CallbackKeys {
    keys(TOKEN, KEY, CORP)
}

/// A callback, sealed with these keys at that second.
pub(crate) fn callback_at(keys: &CallbackKeys, plaintext: &str, second: i64) -> Request {
    let sealed = wecom::seal(keys, None, plaintext, second, "1372623149", [7; 16]);
    Request::post(format!("{PATH}?{}", sealed.query), sealed.body).header("content-type", "text/xml")
}

pub(crate) fn callback(keys: &CallbackKeys, plaintext: &str) -> Request {
    callback_at(keys, plaintext, NOW)
}

impl Bridge {
    pub(crate) async fn start() -> Self {
        Self::start_with(GatewayConfig::default(), |queue| Arc::new(queue)).await
    }

    /// `wrap` may put something between the gateway and its queue.
    pub(crate) async fn start_with(config: GatewayConfig, wrap: impl FnOnce(Embedded) -> Arc<dyn Broker>) -> Self {
        // Nobody here asks for readiness and goes elsewhere.
        Self::start_on(GatewayConfig { drain_seconds: 0, ..config }, wrap, |database| database).await
    }

    /// The configuration as it is; `change` may do something to the database.
    pub(crate) async fn start_on(
        config: GatewayConfig,
        wrap: impl FnOnce(Embedded) -> Arc<dyn Broker>,
        change: impl FnOnce(Database) -> Database,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            Database::open(&Options::new(format!("sqlite://{}", directory.path().join(name).display()))).unwrap()
        };
        let database = open("orgbridge.db");
        database.migrate(store::migrations()).unwrap();
        let queue = Embedded::open(open("queue.db"), 4).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(NOW * 1000)));
        let parts = Parts {
            database: change(database),
            broker: wrap(queue.clone()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            sealer: Sealer::new(&Sealer::new_master_key()).unwrap(),
            stop: CancellationToken::new(),
            instance: service::new_instance(),
            // As in its own process: it goes on with the tenants that it knows.
            needs_database: false,
        };
        let ctx = Context::assemble(parts).await.unwrap();
        apply(&ctx, &acme(TOKEN, KEY)).await;
        apply(&ctx, &acme("OtherToken", OTHER_KEY).replace("acme", "globex")).await;
        apply(&ctx, "id = \"quiet\"").await;
        ctx.tenants.refresh().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let platforms = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let running = tokio::spawn(callback_gateway::run(config, platforms, listener, ctx.clone()));
        Self { address, ctx, clock, queue, running, directory }
    }

    pub(crate) async fn send(&self, request: &Request) -> Reply {
        self.send_bytes(request.bytes()).await
    }

    pub(crate) async fn send_bytes(&self, bytes: Vec<u8>) -> Reply {
        let address = self.address;
        spawn_blocking(move || client::exchange(address, &bytes)).await.unwrap()
    }

    /// The request is refused like this, and nothing was published.
    #[track_caller]
    pub(crate) fn refused(&self, request: &Request, status: u16) -> impl Future<Output = ()> {
        self.refused_bytes(request.bytes(), status, format!("{} {:.200}", request.method, request.target))
    }

    #[track_caller]
    pub(crate) fn refused_bytes(&self, bytes: Vec<u8>, status: u16, what: String) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let reply = self.send_bytes(bytes).await;
            assert_eq!(reply.status(), Some(status), "{caller}: {what}: {}", String::from_utf8_lossy(&reply.raw));
            assert_eq!(reply.body(), "", "{caller}: a refusal tells nothing: {what}");
            assert_eq!(self.depth().await, 0, "{caller}: something was published: {what}");
        }
    }

    pub(crate) async fn accepted(&self, request: &Request) {
        let reply = self.send(request).await;
        assert_eq!((reply.status(), reply.body().as_str()), (Some(200), "success"), "{request:?}");
    }

    pub(crate) async fn depth(&self) -> u64 {
        self.queue.depth(Hop::Events).await.unwrap()
    }

    /// How many requests had this outcome.
    pub(crate) fn counted(&self, outcome: &str) -> u64 {
        self.ctx.metrics.callbacks_total.with_label_values(&["wecom", outcome]).get()
    }

    pub(crate) fn data(&self) -> &Path {
        self.directory.path()
    }

    /// Stops and waits: the gateway must end well and in time.
    pub(crate) async fn stop(self) -> TempDir {
        self.ctx.stop.cancel();
        tokio::time::timeout(Duration::from_secs(15), self.running).await.expect("it stops").unwrap().unwrap();
        assert!(self.ctx.finish_tasks(Duration::from_secs(5)).await);
        self.queue.close().await;
        self.directory
    }
}

pub(crate) async fn apply(ctx: &Context, text: &str) {
    let file = TenantFile::parse(text, Path::new("")).unwrap();
    tenants::apply(&ctx.database, &ctx.sealer, &file, ctx.clock.now()).await.unwrap();
}
