//! Data pushes to one URL (reference jiandaoyun 11).

mod script;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use sha1::{Digest, Sha1};

use super::{Clock, Event, ids};
use crate::dispatcher::client;

pub use script::{Script, Step, plan};

/// The secret of somebody who has none.
const FORGED_SECRET: &str = "not the secret";

/// How pushes are sent.
#[derive(Clone, Debug)]
pub struct PushOptions {
    /// How long an answer may take.
    pub deadline: Duration,
    /// The pauses before a push is sent again; the platform has five and does not tell how long they are.
    pub retries: Vec<Duration>,
    /// After so many failed requests in a row nothing is sent any more.
    pub off_after: u32,
    /// Ids and nonces follow from it.
    pub seed: u64,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            retries: [1, 5, 10, 30, 60].map(Duration::from_secs).into(),
            off_after: 100,
            seed: 1,
        }
    }
}

/// What came of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushFate {
    /// 2xx, in time.
    Success,
    /// Another status.
    Status(u16),
    /// No answer in time.
    Late,
    /// The connection broke, or there was none.
    Broken,
}

/// What came of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// Taken in.
    Delivered,
    /// All tries failed.
    Lost,
    /// Not sent, or not again: pushes are switched off.
    Off,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `X-JDY-DeliverId`, the same one for all tries.
    pub deliver_id: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// When it was sent, Unix ms.
    pub sent_ms: i64,
    /// How long the answer took, real time.
    pub took: Duration,
    /// What came of it.
    pub fate: PushFate,
}

/// What came of a push that a script sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its place among the events.
    pub event: usize,
    /// Whether it was signed with a wrong secret.
    pub forged: bool,
    /// What came of it.
    pub outcome: PushOutcome,
}

/// The pushing side for the URL of one form. Clones are the same.
#[derive(Clone)]
pub struct Push {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    secret: String,
    client: Client,
    clock: Clock,
    options: PushOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    deliveries: u64,
    requests: u64,
    failed_in_a_row: u32,
    off: bool,
    reports: Vec<Report>,
}

impl Push {
    /// The pushing side for a URL with the secret that was saved for it.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(url: &str, secret: &str, options: PushOptions, clock: Clock) -> Result<Self, reqwest::Error> {
        let (url, secret, state) = (url.to_owned(), secret.to_owned(), Mutex::default());
        Ok(Self { shared: Arc::new(Shared { url, secret, client: client()?, clock, options, state }) })
    }

    /// The connection test of the page where the URL is saved. What the real one sends is not known; here it is an
    /// operation that nobody has heard of.
    pub async fn test(&self) -> PushFate {
        let deliver_id = self.next_deliver_id();
        self.request(&deliver_id, r#"{"op":"connection_test","data":{}}"#, 1, &self.shared.secret).await
    }

    /// Sends a push, with the usual retries, and waits for its end.
    pub async fn send(&self, event: &Event) -> PushOutcome {
        let (deliver_id, body) = (self.next_deliver_id(), event.body());
        let pauses = std::iter::once(Duration::ZERO).chain(self.shared.options.retries.iter().copied());
        for (attempt, pause) in (1_u32..).zip(pauses) {
            if !pause.is_zero() {
                self.shared.clock.sleep(pause).await;
            }
            if !self.is_on() {
                return PushOutcome::Off;
            }
            let fate = self.request(&deliver_id, &body, attempt, &self.shared.secret).await;
            self.count(fate);
            if fate == PushFate::Success {
                return PushOutcome::Delivered;
            }
        }
        PushOutcome::Lost
    }

    /// Sends pushes as a script says and waits for the last one's end.
    pub async fn send_all(&self, events: &[Event], script: &Script) -> Vec<Sent> {
        let (mut sent, mut under_way) = (Vec::new(), FuturesUnordered::new());
        let (late, prompt): (Vec<Step>, Vec<Step>) = plan(events.len(), script).into_iter().partition(|step| step.late);
        for (pause, steps) in [(Duration::ZERO, prompt), (script.late, late)] {
            if !pause.is_zero() && !steps.is_empty() {
                self.shared.clock.sleep(pause).await;
            }
            for step in steps {
                let Some(event) = events.get(step.event) else { continue };
                while under_way.len() >= script.together.max(1) {
                    sent.extend(under_way.next().await);
                }
                under_way.push(self.take(step, event));
            }
            while let Some(done) = under_way.next().await {
                sent.push(done);
            }
        }
        sent
    }

    /// Whether pushes are sent.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.state().off
    }

    /// Somebody switches pushes on again.
    pub fn turn_on(&self) {
        let mut state = self.state();
        state.off = false;
        state.failed_in_a_row = 0;
    }

    /// All requests so far, in the order of their ends.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.state().reports.clone()
    }

    async fn take(&self, step: Step, event: &Event) -> Sent {
        let Step { event: place, forged, .. } = step;
        let outcome = if forged {
            // Whoever forges it is not the platform: nobody tries again, and nobody counts.
            let deliver_id = self.next_deliver_id();
            match self.request(&deliver_id, &event.body(), 1, FORGED_SECRET).await {
                PushFate::Success => PushOutcome::Delivered,
                _ => PushOutcome::Lost,
            }
        } else {
            self.send(event).await
        };
        Sent { event: place, forged, outcome }
    }

    /// One request: signed anew each time.
    async fn request(&self, deliver_id: &str, body: &str, attempt: u32, secret: &str) -> PushFate {
        let sent_ms = self.shared.clock.now_ms();
        let started = Instant::now();
        let fate = match self.post(deliver_id, body, secret, sent_ms).await {
            Ok(status) if (200..300).contains(&status) => PushFate::Success,
            Ok(status) => PushFate::Status(status),
            Err(error) if error.is_timeout() => PushFate::Late,
            Err(_error) => PushFate::Broken,
        };
        let report = Report { deliver_id: deliver_id.to_owned(), attempt, sent_ms, took: started.elapsed(), fate };
        self.state().reports.push(report);
        fate
    }

    async fn post(&self, deliver_id: &str, body: &str, secret: &str, now_ms: i64) -> Result<u16, reqwest::Error> {
        let timestamp = now_ms.div_euclid(1000).to_string();
        let nonce = self.next_nonce();
        let separator = if self.shared.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}timestamp={timestamp}&nonce={nonce}", self.shared.url);
        let request = self.shared.client.post(url).timeout(self.shared.options.deadline);
        let request = request
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("X-JDY-DeliverId", deliver_id)
            .header("X-JDY-Signature", signature(&nonce, body.as_bytes(), secret, &timestamp));
        let response = request.body(body.to_owned()).send().await?;
        let status = response.status().as_u16();
        // Only an answer that has come as a whole is one.
        response.bytes().await?;
        Ok(status)
    }

    fn count(&self, fate: PushFate) {
        let mut state = self.state();
        if fate == PushFate::Success {
            state.failed_in_a_row = 0;
            return;
        }
        state.failed_in_a_row += 1;
        if state.failed_in_a_row >= self.shared.options.off_after {
            state.off = true;
        }
    }

    fn next_deliver_id(&self) -> String {
        let mut state = self.state();
        state.deliveries += 1;
        ids::uuid(&format!("{} delivery {}", self.shared.options.seed, state.deliveries))
    }

    fn next_nonce(&self) -> String {
        let mut state = self.state();
        state.requests += 1;
        let mut nonce = ids::hex(&format!("{} nonce {}", self.shared.options.seed, state.requests));
        nonce.truncate(6);
        nonce
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").finish_non_exhaustive()
    }
}

/// The signature of a push: 40 lower-case hexadecimal digits.
#[must_use]
pub fn signature(nonce: &str, body: &[u8], secret: &str, timestamp: &str) -> String {
    let mut digest = Sha1::new();
    for part in [nonce.as_bytes(), b":", body, b":", secret.as_bytes(), b":", timestamp.as_bytes()] {
        digest.update(part);
    }
    hex::encode(digest.finalize())
}
