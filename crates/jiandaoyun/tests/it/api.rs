//! The client, against a server of the test's own.

mod codes;
mod records;
mod redaction;
mod server;
mod times;
mod trouble;
mod widgets;
mod writing;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::{Clock, Secret, UnixMillis};
use jiandaoyun::{
    Form,
    api::{Client, Observer, Rate, Settings},
};
use outbound::{Allowance, Closed, Governor, Guard, Spend, Urgency};
use serde_json::{Value, json};

use self::server::{Asked, Reply, Server};

/// A Thursday, when the clock of these tests begins.
const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

const KEY: &str = "CANARY-key";
const LIST: &str = "data/list";
const GET: &str = "data/get";

/// A clock that shows what it is set to.
struct Stopped(AtomicI64);

impl Clock for Stopped {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

/// Lets everything through, or nothing, and remembers what it was asked and told.
#[derive(Debug, Default)]
struct Recorder {
    closed_until: Option<UnixMillis>,
    admitted: Mutex<Vec<(Vec<Spend>, Urgency)>>,
    refused: Mutex<Vec<(Allowance, Duration)>>,
}

#[async_trait]
impl Governor for Recorder {
    async fn admit(&self, spends: &[Spend], urgency: Urgency) -> Result<(), Closed> {
        self.admitted.lock().unwrap().push((spends.to_vec(), urgency));
        self.closed_until.map_or(Ok(()), |until| Err(Closed { until }))
    }

    async fn refused(&self, of: &Allowance, refuses_for: Duration) {
        self.refused.lock().unwrap().push((of.clone(), refuses_for));
    }

    async fn done_by(&self, _spends: &[Spend], calls: u64) -> Option<UnixMillis> {
        Some(UnixMillis(i64::try_from(calls).unwrap()))
    }
}

/// Hears of all requests.
#[derive(Default)]
struct Ear(Mutex<Vec<(&'static str, &'static str)>>);

impl Observer for Ear {
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64) {
        assert!(seconds >= 0.0);
        self.0.lock().unwrap().push((api, outcome));
    }
}

impl Ear {
    fn heard(&self) -> Vec<(&'static str, &'static str)> {
        self.0.lock().unwrap().clone()
    }
}

/// A server, a client of it, and what stands around them.
struct World {
    server: Server,
    client: Client,
    clock: Arc<Stopped>,
    governor: Arc<Recorder>,
    ear: Arc<Ear>,
}

impl World {
    /// A server that answers everything like this.
    async fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_governor(Recorder::default(), answer).await
    }

    async fn with_governor(governor: Recorder, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start(answer).await;
        let clock = Arc::new(Stopped(AtomicI64::new(NOW.0)));
        let (governor, ear) = (Arc::new(governor), Arc::new(Ear::default()));
        let client = Client::new(
            settings(&server),
            http(),
            Arc::clone(&governor) as Arc<dyn Governor>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&ear) as Arc<dyn Observer>,
        );
        Self { server, client, clock, governor, ear }
    }
}

fn settings(server: &Server) -> Settings {
    Settings { api_key: Secret::new(KEY), api_base: server.base(), rate: Rate::Gentle }
}

/// Nothing here takes real time, so the time limit is never met.
fn http() -> outbound::Client {
    let loopback = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    outbound::Client::new(loopback, Duration::from_secs(24 * 3600)).unwrap()
}

fn form() -> Form {
    Form::new("64a0c0ffee000000000000aa", "64a0c0ffee000000000000bb").unwrap()
}

/// The id of the nth record.
fn id(nth: usize) -> String {
    format!("65900000{nth:016x}")
}

/// The nth record, as short as it may be.
fn record(nth: usize) -> Value {
    json!({"_id": id(nth), "createTime": "2026-11-20T02:41:51.430Z", "updateTime": "2026-11-21T03:12:15.293Z", "flowState": 1})
}

/// Lets paused time go on in small steps while sockets are waited for: by itself it would leap to the next time limit.
/// Sleeps end at once all the same.
fn let_time_pass() {
    tokio::spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}
