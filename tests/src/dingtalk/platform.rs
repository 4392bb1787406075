//! The platform on a socket: Stream gateway, pushes, list of failed pushes and API over one company, by the real time.

use std::{
    net::TcpListener,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use platform_sim::{
    Keys,
    dingtalk::{
        Channels, Clock, Company, CompanyOptions, Event, FailedList, FailedOptions, Push, PushMeter, PushOptions,
        Server, ServerParts, Stream, StreamOptions,
        api::{Api, ApiOptions},
    },
};
use serde_json::json;
use tokio::time::timeout;

use crate::tenant::{DING_AES_KEY, DING_CLIENT_ID, DING_CLIENT_SECRET, DING_CORP_ID, DING_TOKEN};

/// How long it may take until applications are connected.
const CONNECTING: Duration = Duration::from_secs(120);
/// How long it may take until what was sent over Stream is acknowledged or given up on.
const SETTLING: Duration = Duration::from_secs(300);

/// The seed of events that no company raises.
const LABELS: u64 = 1_000_003;

/// The tenant's company, with nobody in it. All that happens to it at one call of [`Platform::happens`] happens in one
/// millisecond.
pub fn company() -> Company {
    let options = CompanyOptions {
        corp_id: DING_CORP_ID.to_owned(),
        start_ms: now_millis(),
        pace_ms: 0,
        ..CompanyOptions::default()
    };
    Company::new(options)
}

/// The platform. It stops when dropped.
pub struct Platform {
    /// Its Stream gateway.
    pub stream: Stream,
    /// Its list of failed pushes, in which they appear at once.
    pub failed: FailedList,
    /// Its API.
    pub api: Api,
    meter: PushMeter,
    clock: Clock,
    server: Server,
}

impl Platform {
    /// One with this company; `change` says what is unusual about its Stream gateway.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(company: Company, change: impl FnOnce(&mut StreamOptions)) -> Self {
        let mut options = StreamOptions::of_app(DING_CLIENT_ID, DING_CLIENT_SECRET);
        change(&mut options);
        let clock = Clock::following(Arc::new(now_millis));
        let failed = FailedList::new(FailedOptions { delay: Duration::ZERO, ..FailedOptions::default() });
        let meter = PushMeter::new(None);
        let stream = Stream::new(options, clock.clone(), failed.clone(), meter.clone()).expect("a Stream gateway");
        let of_api = ApiOptions::new(DING_CLIENT_ID, DING_CLIENT_SECRET);
        let api = Api::new(Arc::new(Mutex::new(company)), failed.clone(), of_api, clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let parts = ServerParts { streams: vec![stream.clone()], api: Some(Arc::new(api.clone())) };
        let server = Server::start(listener, parts).expect("a server");
        Self { stream, failed, api, meter, clock, server }
    }

    /// Where all of its hosts are.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What applications call themselves there: client id and secret.
    pub const fn credentials() -> (&'static str, &'static str) {
        (DING_CLIENT_ID, DING_CLIENT_SECRET)
    }

    /// Something happens in the company, now.
    pub fn happens<T>(&self, what: impl FnOnce(&mut Company) -> T) -> T {
        let mut company = self.api.company();
        company.set_now_ms(now_millis());
        what(&mut company)
    }

    /// What is so in the company.
    pub fn look<T>(&self, at: impl FnOnce(&Company) -> T) -> T {
        at(&self.api.company())
    }

    /// Events that are neither of contacts nor of attendance nor of approvals, so that they are passed on and nothing else. Equal
    /// numbers are equal events, and none of them is one that the company raises itself.
    pub fn labels(&self, numbers: Range<u64>) -> Vec<Event> {
        let (corp_id, born_ms) = self.look(|company| (company.corp_id().to_owned(), company.now_ms()));
        let data = |number: u64| json!({"userIdList": ["user0001"], "labelIdList": [number], "action": "add"});
        numbers.map(|number| Event::new(LABELS, number, &corp_id, "label_user_change", born_ms, data(number))).collect()
    }

    /// Waits until so many Stream connections get events.
    ///
    /// # Panics
    /// When there are not so many.
    pub async fn connected(&self, connections: usize) {
        let waited = timeout(CONNECTING, self.stream.until(|stream| stream.live().len() == connections)).await;
        assert!(waited.is_ok(), "not {connections} connections: {:?}", self.stream.connections());
    }

    /// Waits until whatever was sent over Stream is acknowledged or given up on.
    ///
    /// # Panics
    /// When it is not.
    pub async fn settled(&self) {
        let waited = timeout(SETTLING, self.stream.settled()).await;
        assert!(waited.is_ok(), "{} events are under way: {:?}", self.stream.under_way(), self.stream.tally());
    }

    /// Its pushing side for an address, which is verified. A push that fails is repeated after these pauses.
    ///
    /// # Panics
    /// When the address does not verify.
    pub async fn push_to(&self, url: &str, retries: &[Duration]) -> Push {
        let keys = Keys::new(DING_TOKEN, DING_AES_KEY, DING_CLIENT_ID).expect("good keys");
        let options = PushOptions { retries: retries.to_vec(), ..PushOptions::default() };
        let (clock, failed, meter) = (self.clock.clone(), self.failed.clone(), self.meter.clone());
        let push = Push::new(url, keys, options, clock, failed, meter).expect("an HTTP client");
        push.check_url().await.expect("the address is verified");
        push
    }

    /// All ways out of it.
    pub fn channels(&self, push: Option<Push>) -> Channels {
        let (failed, clock) = (self.failed.clone(), self.clock.clone());
        Channels { stream: Some(self.stream.clone()), push, failed, clock }
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes go by the real time")]
pub(super) fn now_millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis().try_into().unwrap_or(i64::MAX))
}
