//! A tenant of DingTalk's, the platform that pushes to it, and a queue that can be away.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Embedded, Handler, Lane, Outgoing};
use common::{Clock as _, Hop, Secret, TenantId};
use dingtalk::CallbackKeys;
use platform_sim::{
    Keys,
    dingtalk::{
        Clock, Event, FailedList, FailedOptions, Push, PushMeter, PushOptions, Server, ServerParts, Stream,
        StreamOptions,
    },
};
use serde_json::{Value, json};
use service::config::GatewayConfig;
use store::gaps::Gap;
use tokio_util::sync::CancellationToken;

use crate::{
    bridge::{Bridge, NOW, TestClock, apply},
    client::Request,
};

pub(crate) const CORP: &str = "ding0000test0000corp";
pub(crate) const CLIENT: &str = "dingclient0001";
pub(crate) const SECRET: &str = "secret-of-the-app";
pub(crate) const TOKEN: &str = "DingToken01";
/// Its last character has bits that no key has.
pub(crate) const KEY: &str = "1234567890123456789012345678901234567890123";
pub(crate) const OTHER_KEY: &str = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";
pub(crate) const PATH: &str = "/callback/dingtalk/ding";

/// The tenant `ding` with these callback keys.
pub(crate) fn ding(mode: &str, api_base: &str, (token, aes_key): (&str, &str)) -> String {
    format!(
        "id = \"ding\"\n[dingtalk]\ncorp_id = \"{CORP}\"\nclient_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\n\
         mode = \"{mode}\"\ncallback_token = \"{token}\"\ncallback_aes_key = \"{aes_key}\"\napi_base = \"{api_base}\"\n\
         oapi_base = \"{api_base}\"\n"
    )
}

/// The tenant `ding`, which is called and calls nobody.
pub(crate) fn called(token: &str, aes_key: &str) -> String {
    ding("http", "http://127.0.0.1:9", (token, aes_key))
}

pub(crate) fn keys(token: &str, aes_key: &str, owner: &str) -> CallbackKeys {
    CallbackKeys::new(&Secret::new(token), &Secret::new(aes_key), &[owner]).unwrap()
}

/// A callback as the platform posts it at that moment.
pub(crate) fn posted_at(keys: &CallbackKeys, text: &str, millis: i64) -> Request {
    let encrypt = keys.encrypt(text.as_bytes(), keys.owner(), [7; 16]);
    signed(keys, &encrypt, &json!({ "encrypt": encrypt }).to_string(), millis)
}

/// A request whose signature is good for this ciphertext.
pub(crate) fn signed(keys: &CallbackKeys, encrypt: &str, body: &str, millis: i64) -> Request {
    let signature = keys.sign(&millis.to_string(), "Nonce01", encrypt);
    let query = format!("signature={signature}&msg_signature={signature}&timestamp={millis}&nonce=Nonce01");
    Request::post(format!("{PATH}?{query}"), body).header("content-type", "application/json")
}

pub(crate) fn posted(keys: &CallbackKeys, text: &str) -> Request {
    posted_at(keys, text, NOW * 1000)
}

/// An event of the simulated company.
pub(crate) fn event(number: u64, kind: &str, data: Value) -> Event {
    Event::new(1, number, CORP, kind, NOW * 1000 + i64::try_from(number).unwrap(), data)
}

/// A member of that number changed.
pub(crate) fn modified(number: u64) -> Event {
    let data = json!({ "timeStamp": (NOW * 1000).to_string(), "userId": [format!("user{number:04}")] });
    event(number, "user_modify_org", data)
}

/// A member of that number punched.
pub(crate) fn punched(number: u64) -> Event {
    let punch = json!({
        "checkTime": NOW * 1000, "corpId": CORP, "userId": format!("user{number:04}"), "bizId": format!("biz{number}"),
        "locationResult": "Normal", "locationMethod": "MAP", "checkByUser": true, "groupId": 1, "address": "x"
    });
    event(number, "attendance_check_record", json!({ "dataList": [punch] }))
}

/// The platform's clock, which is the gateway's.
pub(crate) fn clock_of(bridge: &Bridge) -> Clock {
    let clock: Arc<TestClock> = Arc::clone(&bridge.clock);
    Clock::following(Arc::new(move || clock.now().0))
}

/// The platform's pushing side for our address, in the name of an owner.
pub(crate) fn pushes(bridge: &Bridge, owner: &str, options: PushOptions) -> Push {
    let url = format!("http://{}{PATH}", bridge.address);
    let keys = Keys::new(TOKEN, KEY, owner).unwrap();
    let failed = FailedList::new(FailedOptions::default());
    Push::new(&url, keys, options, clock_of(bridge), failed, PushMeter::new(None)).unwrap()
}

/// How many requests and pushes of DingTalk's had this outcome.
pub(crate) fn counted(bridge: &Bridge, outcome: &str) -> u64 {
    bridge.ctx.metrics.callbacks_total.with_label_values(&["dingtalk", outcome]).get()
}

/// Connections of the tenant in this state.
pub(crate) fn standing(bridge: &Bridge, state: &str) -> i64 {
    bridge.ctx.metrics.stream_connections.with_label_values(&["ding", state]).get()
}

pub(crate) async fn gap(bridge: &Bridge) -> Option<Gap> {
    let id: TenantId = "ding".parse().unwrap();
    bridge.ctx.database.read("test", move |conn| store::gaps::get(conn, &id)).await.unwrap()
}

pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Applies a tenant, and waits until it is known: within 2 s, as promised.
pub(crate) async fn applied(bridge: &Bridge, text: &str, good: &CallbackKeys) {
    apply(&bridge.ctx, text).await;
    let began = Instant::now();
    let now = bridge.clock.now().0;
    loop {
        let reply = bridge.send(&posted_at(good, r#"{"EventType":"check_url"}"#, now)).await;
        if reply.status() == Some(200) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(2), "still {:?}", reply.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A queue that takes nothing and says nothing while it is away.
pub(crate) struct Queue {
    queue: Embedded,
    is_away: Arc<AtomicBool>,
}

#[async_trait]
impl Broker for Queue {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> broker::Result<()> {
        if self.is_away.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.queue.publish(hop, lane, messages).await
    }

    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> broker::Result<()> {
        self.queue.consume(hop, lanes, options, handler, stop).await
    }

    async fn depth(&self, hop: Hop) -> broker::Result<u64> {
        self.queue.depth(hop).await
    }
}

/// A gateway whose queue is away as long as this says so.
pub(crate) async fn with_queue(is_away: &Arc<AtomicBool>) -> Bridge {
    let is_away = Arc::clone(is_away);
    Bridge::start_with(GatewayConfig::default(), |queue| Arc::new(Queue { queue, is_away })).await
}

/// A Stream gateway of the platform.
pub(crate) struct Platform {
    pub(crate) stream: Stream,
    pub(crate) meter: PushMeter,
    server: Server,
}

impl Platform {
    /// One whose clock is the gateway's; `change` says what is unusual.
    pub(crate) fn start(bridge: &Bridge, change: impl FnOnce(&mut StreamOptions)) -> Self {
        let mut options = StreamOptions::of_app(CLIENT, SECRET);
        change(&mut options);
        let (failed, meter) = (FailedList::new(FailedOptions::default()), PushMeter::new(None));
        let stream = Stream::new(options, clock_of(bridge), failed, meter.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start(listener, ServerParts { streams: vec![stream.clone()], api: None }).unwrap();
        Self { stream, meter, server }
    }

    /// The tenant that gets its events from here over Stream.
    pub(crate) fn tenant(&self) -> String {
        ding("stream", &self.server.url(), (TOKEN, KEY))
    }

    /// Lets a gateway connect, so often.
    pub(crate) async fn connect(&self, bridge: &Bridge, connections: usize) {
        apply(&bridge.ctx, &self.tenant()).await;
        self.connected(connections).await;
    }

    /// Waits until so many connections get events.
    pub(crate) async fn connected(&self, connections: usize) {
        until("connected", async || self.stream.live().len() == connections).await;
    }

    /// Waits until everything was acknowledged or given up on.
    pub(crate) async fn settled(&self) {
        tokio::time::timeout(Duration::from_secs(60), self.stream.settled()).await.expect("it settles");
    }
}
