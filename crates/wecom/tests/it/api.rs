//! The pull side, against a server of the test's own.

mod codes;
mod creating;
mod reading;
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
use outbound::{Allowance, Closed, Governor, Guard, Spend, Urgency};
use wecom::api::{Client, Observer, Settings};

use self::server::{Asked, Reply, Server};

/// A Thursday, when the clock of these tests begins.
const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

const CONTACT_SECRET: &str = "CANARY-contact+secret/=";
const AGENT_SECRET: &str = "CANARY-agent&secret?#";

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
    /// A server that gives tokens, and answers everything else like this.
    async fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::without_tokens(move |asked| if asked.api == "gettoken" { token(asked, 7200) } else { answer(asked) })
            .await
    }

    /// A server that answers everything like this.
    async fn without_tokens(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_governor(Recorder::default(), answer).await
    }

    async fn with_governor(governor: Recorder, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start(answer).await;
        let clock = Arc::new(Stopped(AtomicI64::new(NOW.0)));
        let (governor, ear) = (Arc::new(governor), Arc::new(Ear::default()));
        let client = Client::new(
            settings(&server, AGENT_SECRET),
            http(),
            Arc::clone(&governor) as Arc<dyn Governor>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&ear) as Arc<dyn Observer>,
        );
        Self { server, client, clock, governor, ear }
    }
}

fn settings(server: &Server, agent_secret: &str) -> Settings {
    Settings {
        corp_id: "ww1".into(),
        contact_secret: Secret::new(CONTACT_SECRET),
        agent_secret: Secret::new(agent_secret),
        api_base: server.base(),
        egress: "203.0.113.7".into(),
    }
}

/// Nothing here takes real time, so the time limit is never met.
fn http() -> outbound::Client {
    let loopback = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    outbound::Client::new(loopback, Duration::from_secs(24 * 3600)).unwrap()
}

/// A token that tells whose it is and the how-manieth.
fn token(asked: &Asked, expires_in: u64) -> Reply {
    let whose = if asked.parameter("corpsecret") == AGENT_SECRET { "agent" } else { "contact" };
    let token = format!("CANARY-{whose}-{}", asked.nth);
    Reply::json(format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"{token}","expires_in":{expires_in}}}"#))
}

/// A member, as short as it may be.
fn member(asked: &Asked) -> Reply {
    Reply::json(format!(r#"{{"errcode":0,"errmsg":"ok","userid":"{}","name":"n"}}"#, asked.parameter("userid")))
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
