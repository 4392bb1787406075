//! HTTP callbacks to one URL (reference dingtalk 2).

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::clock::Clock;
use super::crypto::{self, BadReply};
use super::events::{Dialect, Event};
use super::failed::FailedList;
use super::meter::PushMeter;
use crate::crypto::{Moment, random16};
use crate::dispatcher::client;
use crate::{Keys, Sealed};

/// How callbacks are sent.
#[derive(Clone, Debug)]
pub struct PushOptions {
    /// How long a reply may take; pages name 2500 ms and 1500 ms.
    pub deadline: Duration,
    /// The pauses before a callback is sent again; when they are used up it is parked.
    pub retries: Vec<Duration>,
    /// How bodies are written.
    pub dialect: Dialect,
    /// The ticked event types; without it all.
    pub subscribed: Option<BTreeSet<String>>,
    /// Random bytes and nonces follow from it.
    pub seed: u64,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(2500),
            retries: vec![Duration::from_secs(10), Duration::from_secs(30)],
            dialect: Dialect::Current,
            subscribed: None,
            seed: 1,
        }
    }
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushFate {
    /// The encrypted `success`, in time.
    Success,
    /// 200 with anything else.
    BadReply(BadReply),
    /// Another status.
    Status(u16),
    /// No reply in time.
    Late,
    /// The connection broke, or there was none.
    Broken,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The event; empty for `check_url`.
    pub event_id: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// When it was sent, Unix ms.
    pub sent_ms: i64,
    /// How long the reply took, real time.
    pub took: Duration,
    /// What came of it.
    pub fate: PushFate,
}

/// What came of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// Taken in.
    Delivered,
    /// All tries failed; it is in the list of failed pushes.
    Parked,
    /// Not sent: no URL was saved, the event type is not ticked, or the quota is used up.
    Withheld,
}

/// DingTalk's pushing side for one URL. Clones are the same.
#[derive(Clone)]
pub struct Push {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    keys: Keys,
    client: Client,
    clock: Clock,
    failed: FailedList,
    meter: PushMeter,
    state: Mutex<State>,
}

struct State {
    options: PushOptions,
    random: StdRng,
    enabled: bool,
    reports: Vec<Report>,
}

impl Push {
    /// The pushing side for a URL that is not saved yet. The owner in the keys is the app's Client ID, or the corp id.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(
        url: &str,
        keys: Keys,
        options: PushOptions,
        clock: Clock,
        failed: FailedList,
        meter: PushMeter,
    ) -> Result<Self, reqwest::Error> {
        let random = StdRng::seed_from_u64(options.seed);
        let state = Mutex::new(State { options, random, enabled: false, reports: Vec::new() });
        let shared = Shared { url: url.to_owned(), keys, client: client()?, clock, failed, meter, state };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Changes options from now on.
    pub fn configure(&self, change: impl FnOnce(&mut PushOptions)) {
        change(&mut self.state().options);
    }

    /// Saves the URL as the console does: only if the reply to `check_url` is right.
    ///
    /// # Errors
    /// What else came of it.
    pub async fn check_url(&self) -> Result<(), PushFate> {
        let fate = self.request("", r#"{"EventType":"check_url"}"#, 1).await;
        let good = fate == PushFate::Success;
        self.state().enabled = good;
        if good { Ok(()) } else { Err(fate) }
    }

    /// Sends an event, with the usual retries, and waits for its end.
    pub async fn send(&self, event: &Event) -> PushOutcome {
        let PushOptions { retries, dialect, subscribed, .. } = self.state().options.clone();
        let ticked = subscribed.is_none_or(|kinds| kinds.contains(&event.kind));
        let enabled = self.state().enabled;
        if !ticked || !enabled {
            return PushOutcome::Withheld;
        }
        let text = event.http_text(dialect);
        let pauses = std::iter::once(Duration::ZERO).chain(retries);
        for (attempt, pause) in (1_u32..).zip(pauses) {
            if !pause.is_zero() {
                self.shared.clock.sleep(pause).await;
            }
            if !self.shared.meter.admit(event, self.shared.clock.now_ms()) {
                return PushOutcome::Withheld;
            }
            if self.request(&event.id, &text, attempt).await == PushFate::Success {
                return PushOutcome::Delivered;
            }
        }
        self.shared.failed.park(event, self.shared.clock.now_ms());
        PushOutcome::Parked
    }

    /// All requests so far, in the order of their ends.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.state().reports.clone()
    }

    /// One request: encrypted and signed anew each time.
    async fn request(&self, event_id: &str, text: &str, attempt: u32) -> PushFate {
        let sent_ms = self.shared.clock.now_ms();
        let sealed = self.seal(text, sent_ms);
        let deadline = self.state().options.deadline;
        let started = Instant::now();
        let fate = match self.post(sealed, deadline).await {
            Ok((200, body)) => match crypto::check_reply(&self.shared.keys, &body) {
                Ok(()) => PushFate::Success,
                Err(bad) => PushFate::BadReply(bad),
            },
            Ok((status, _body)) => PushFate::Status(status),
            Err(error) if error.is_timeout() => PushFate::Late,
            Err(_error) => PushFate::Broken,
        };
        let took = started.elapsed();
        let report = Report { event_id: event_id.to_owned(), attempt, sent_ms, took, fate: fate.clone() };
        self.state().reports.push(report);
        fate
    }

    fn seal(&self, text: &str, now_ms: i64) -> Sealed {
        let (nonce, random16) = {
            let random = &mut self.state().random;
            (random.random_range(100_000_000..2_000_000_000_u64).to_string(), random16(random))
        };
        let timestamp = now_ms.to_string();
        crypto::seal(&self.shared.keys, text, &Moment { timestamp: &timestamp, nonce: &nonce, random16 })
    }

    async fn post(&self, sealed: Sealed, deadline: Duration) -> Result<(u16, Vec<u8>), reqwest::Error> {
        let separator = if self.shared.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}{}", self.shared.url, sealed.query);
        let request = self.shared.client.post(url).timeout(deadline);
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(sealed.body);
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await?.to_vec()))
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
