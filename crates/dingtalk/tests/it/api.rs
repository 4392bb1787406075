//! The pull side, against a server of the test's own.

mod approvals;
mod attendance;
mod codes;
mod contacts;
mod pushes;
mod quota;
mod redaction;
mod server;
mod times;
mod tokens;
mod trouble;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::{Clock, Secret, UnixMillis};
use dingtalk::api::{Client, Meter, Observer, QuotaSpent, Settings, Worth};
use outbound::{Allowance, Closed, Governor, Guard, Spend, Urgency};

use self::server::{Asked, Reply, Server};

/// A Thursday, when the clock of these tests begins.
const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

const CLIENT_ID: &str = "dingclient01";
const CLIENT_SECRET: &str = "CANARY-client+secret/=&?#";

const ACCESS_TOKEN: &str = "v1.0/oauth2/accessToken";
const GETTOKEN: &str = "gettoken";
const USER_GET: &str = "topapi/v2/user/get";
const DAY: &str = "topapi/attendance/getupdatedata";

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

/// Counts calls, and lets those through that are worth as much as it is told.
#[derive(Default)]
struct Counter {
    least: Mutex<Option<Worth>>,
    asked: Mutex<Vec<(&'static str, Worth)>>,
    used: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Meter for Counter {
    async fn may(&self, api: &'static str, worth: Worth) -> Result<(), QuotaSpent> {
        self.asked.lock().unwrap().push((api, worth));
        let is_worth_it = self.least.lock().unwrap().is_none_or(|least| worth >= least);
        if is_worth_it { Ok(()) } else { Err(QuotaSpent { until: NOW.plus_seconds(42) }) }
    }

    async fn used(&self, api: &'static str) {
        self.used.lock().unwrap().push(api);
    }
}

/// A server, a client of it, and what stands around them.
struct World {
    server: Server,
    client: Client,
    clock: Arc<Stopped>,
    governor: Arc<Recorder>,
    meter: Arc<Counter>,
    ear: Arc<Ear>,
}

impl World {
    /// A server that gives tokens, and answers everything else like this.
    async fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::without_tokens(move |asked| match &*asked.api {
            ACCESS_TOKEN | GETTOKEN => token(asked, 7200),
            _ => answer(asked),
        })
        .await
    }

    /// A server that answers everything like this.
    async fn without_tokens(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_governor(Recorder::default(), answer).await
    }

    async fn with_governor(governor: Recorder, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start(answer).await;
        let clock = Arc::new(Stopped(AtomicI64::new(NOW.0)));
        let (governor, meter, ear) = (Arc::new(governor), Arc::new(Counter::default()), Arc::new(Ear::default()));
        let client = Client::new(
            settings(&server),
            http(),
            Arc::clone(&governor) as Arc<dyn Governor>,
            Arc::clone(&meter) as Arc<dyn Meter>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&ear) as Arc<dyn Observer>,
        );
        Self { server, client, clock, governor, meter, ear }
    }

    /// With which tokens an interface was called.
    fn tokens_used(&self, api: &str) -> Vec<String> {
        self.server.asked_for(api).iter().map(|asked| asked.token().to_owned()).collect()
    }

    /// How often tokens were asked for, at the newer interface and at the older one.
    fn tokens_asked(&self) -> [usize; 2] {
        [ACCESS_TOKEN, GETTOKEN].map(|api| self.server.count(api))
    }
}

fn settings(server: &Server) -> Settings {
    Settings {
        corp_id: "ding1".into(),
        client_id: CLIENT_ID.into(),
        client_secret: Secret::new(CLIENT_SECRET),
        // Both hosts of the platform are one server here, told apart by the first part of the path.
        api_base: format!("{}/new", server.base()),
        oapi_base: format!("{}/old/", server.base()),
        egress: "203.0.113.7".into(),
        approvals_per_second: 5,
    }
}

/// Nothing here takes real time, so the time limit is never met.
fn http() -> outbound::Client {
    let loopback = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    outbound::Client::new(loopback, Duration::from_secs(24 * 3600)).unwrap()
}

/// A token that tells which interface gave it and the how-manieth.
fn token(asked: &Asked, expires_in: u64) -> Reply {
    let nth = asked.nth;
    Reply::json(match &*asked.api {
        ACCESS_TOKEN => format!(r#"{{"accessToken":"CANARY-new-{nth}","expireIn":{expires_in}}}"#),
        _ => format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"CANARY-old-{nth}","expires_in":{expires_in}}}"#),
    })
}

/// A member, as short as it may be.
fn member(asked: &Asked) -> Reply {
    let id = asked.json()["userid"].as_str().unwrap().to_owned();
    Reply::result(&format!(r#"{{"userid":"{id}","name":"n"}}"#))
}

/// Ids, as arguments have them.
fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
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
