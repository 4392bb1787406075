//! Sends callbacks to a URL as WeCom does (wecom.md 1.2, 1.3, 1.7).

mod script;
mod stats;
mod verify;

#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use crate::crypto::{Moment, random16};
use crate::{AgentId, Callback, Keys, Sealed};

pub use script::{Order, Plan, Script, plan};
pub use stats::Stats;
use stats::{Answer, Tally};
pub use verify::VerifyError;

/// Where the Unix seconds for signatures come from.
pub type WallClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How often one callback is delivered at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deliveries {
    /// So many times in all; WeCom: three.
    AtMost(u32),
    /// Until a 200 comes, whatever goes wrong: for tests that kill the receiver.
    UntilSuccess,
}

/// How a dispatcher behaves.
#[derive(Clone, Debug)]
pub struct DispatcherOptions {
    /// How long WeCom waits for an answer.
    pub timeout: Duration,
    /// How often it tries.
    pub deliveries: Deliveries,
    /// Whether an answer other than 200 is followed by another try, as the older documentation says.
    pub retry_refused: bool,
    /// The pause between two tries; unknown of WeCom.
    pub pause: Duration,
    /// How the envelope shows the app.
    pub agent_id: AgentId,
    /// Random bytes, nonces and the shape of envelopes follow from it.
    pub seed: u64,
}

impl Default for DispatcherOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            deliveries: Deliveries::AtMost(3),
            retry_refused: false,
            pause: Duration::from_secs(1),
            agent_id: AgentId::Absent,
            seed: 1,
        }
    }
}

/// WeCom's pushing side for one receiver.
#[derive(Clone)]
pub struct Dispatcher {
    url: String,
    keys: Keys,
    options: DispatcherOptions,
    client: Client,
    clock: WallClock,
}

impl Dispatcher {
    /// A dispatcher to a callback URL with the keys that were saved for it.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(url: &str, keys: Keys, options: DispatcherOptions, clock: WallClock) -> Result<Self, reqwest::Error> {
        Ok(Self { url: url.to_owned(), keys, options, client: client()?, clock })
    }

    /// Sends the callbacks as the script says and waits for the last answer.
    pub async fn send(&self, callbacks: &[Callback], script: &Script) -> Stats {
        let plan = plan(callbacks, script);
        let mut tally = Tally::new(callbacks.len(), plan.duplicates, plan.lost);
        let started = Instant::now();
        let mut under_way = FuturesUnordered::new();
        for (turn, index) in plan.order.into_iter().enumerate() {
            let Some(callback) = callbacks.get(index) else { continue };
            while under_way.len() >= script.concurrency.max(1) {
                tally.count(under_way.next().await);
            }
            let mut pause = pin!(tokio::time::sleep(script.delay));
            while !script.delay.is_zero() && !pause.is_elapsed() {
                tokio::select! {
                    () = &mut pause => {}
                    answer = under_way.next(), if !under_way.is_empty() => tally.count(answer),
                }
            }
            under_way.push(async move { (index, self.deliver(callback, turn as u64).await) });
        }
        while !under_way.is_empty() {
            tally.count(under_way.next().await);
        }
        tally.finish(started.elapsed())
    }

    /// Sends one callback and waits for its answer. `turn` makes its random bytes differ from those of others.
    pub async fn send_one(&self, callback: &Callback, turn: u64) -> Stats {
        let mut tally = Tally::new(1, 0, Vec::new());
        let started = Instant::now();
        tally.count(Some((0, self.deliver(callback, turn).await)));
        tally.finish(started.elapsed())
    }

    /// Sends one callback with the usual repeats. `turn` makes its random bytes differ from those of others.
    async fn deliver(&self, callback: &Callback, turn: u64) -> Answer {
        let mut random = StdRng::seed_from_u64(self.options.seed.wrapping_mul(0x9e37_79b9) ^ turn.wrapping_add(1));
        let mut answer = Answer::default();
        let mut sealed = self.seal(callback, &mut random);
        loop {
            answer.sent += 1;
            let started = Instant::now();
            let again = match self.post(&sealed).await {
                Ok((200, body)) => {
                    answer.succeeded = true;
                    answer.said_success = body == b"success";
                    answer.micros = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
                    false
                }
                Ok((status, _body)) => {
                    answer.refused.push(status);
                    self.options.retry_refused || self.options.deliveries == Deliveries::UntilSuccess
                }
                Err(_error) => {
                    answer.broken += 1;
                    true
                }
            };
            if !again || !self.may_try_again(answer.sent) {
                return answer;
            }
            tokio::time::sleep(self.options.pause).await;
            // Whether a repeat is signed anew is unknown of WeCom; after long waiting it has to be.
            if self.options.deliveries == Deliveries::UntilSuccess || random.random_bool(0.5) {
                sealed = self.seal(callback, &mut random);
            }
        }
    }

    fn may_try_again(&self, sent: u32) -> bool {
        match self.options.deliveries {
            Deliveries::AtMost(limit) => sent < limit,
            Deliveries::UntilSuccess => true,
        }
    }

    fn seal(&self, callback: &Callback, random: &mut StdRng) -> Sealed {
        let timestamp = (self.clock)().to_string();
        let nonce = random.random_range(100_000_000..2_000_000_000_u64).to_string();
        let moment = Moment { timestamp: &timestamp, nonce: &nonce, random16: random16(random) };
        self.keys.seal(&callback.plaintext, &self.options.agent_id, &moment, random.random_range(0..6))
    }

    async fn post(&self, sealed: &Sealed) -> Result<(u16, Vec<u8>), reqwest::Error> {
        let request = self.client.post(self.with_query(&sealed.query)).timeout(self.options.timeout);
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("text/xml")).body(sealed.body.clone());
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await?.to_vec()))
    }

    fn with_query(&self, query: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.url)
    }
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("url", &self.url).field("options", &self.options).finish_non_exhaustive()
    }
}

/// A client for plain HTTP on loopback. The TLS side is set only because the client asks for a provider at once.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("Mozilla/4.0")
        .connect_timeout(Duration::from_secs(5));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match tls {
        Ok(tls) => {
            let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
            builder.tls_backend_preconfigured(tls).build()
        }
        Err(_error) => builder.build(),
    }
}
