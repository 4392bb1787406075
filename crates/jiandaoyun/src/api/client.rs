//! The client of one company's key.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::{Backoff, Clock, Secret, UnixMillis, jitter_of};
use outbound::{Governor, PlatformClock, Urgency};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::sleep};

use super::{
    Answer, ApiError, Observer, Rate,
    call::Call,
    limits::PARALLEL,
    line::{Line, Received},
};
use crate::Form;

/// How often a call is tried in all.
const ATTEMPTS: u32 = 4;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(8) };

/// A limit by second is waited for here; a longer one is the caller's business.
const SHORT_BLOCK: Duration = Duration::from_secs(3);

/// Over how long those spread who wait for the same limit: all would come back at once, and other users of the company's key
/// wait for it too (reference jiandaoyun 2).
const SPREAD: Duration = Duration::from_millis(500);

/// The bytes of the key's digest that a company is known by.
const COMPANY_BYTES: usize = 8;

/// Whose forms are read, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The key of the API.
    pub api_key: Secret,
    /// Where the API is: `https://api.jiandaoyun.com`. Self-hosted editions and Jodoo have their own.
    pub api_base: String,
    /// How much is taken of what the platform allows.
    pub rate: Rate,
}

/// Calls the platform's interfaces with one key. Cheap to clone; clones share connections and the places for calls that are on
/// their way at once.
///
/// Each call waits for its turn at the governor. One that meets a limit of a second, a busy platform or a broken connection is
/// repeated a few times: none of them does anything twice. Everything else is left to the caller.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    urgency: Urgency,
}

struct Inner {
    line: Line,
    places: Semaphore,
    /// Forms whose answers lack system fields where fields are named.
    unprojected: Mutex<HashSet<Form>>,
}

impl Client {
    /// A client whose calls are [`Urgency::Live`]. Nothing is connected to. `http` says who may be connected to and how long an
    /// exchange may take; how large an answer may be depends on the call.
    pub fn new(
        settings: Settings,
        http: outbound::Client,
        governor: Arc<dyn Governor>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let Settings { api_key, api_base, rate } = settings;
        let company = company_of(&api_key);
        let platform_clock = PlatformClock::default();
        let line = Line { company, api_key, api_base, rate, http, governor, clock, observer, platform_clock };
        let inner = Inner { line, places: Semaphore::new(PARALLEL), unprojected: Mutex::default() };
        Self { inner: Arc::new(inner), urgency: Urgency::Live }
    }

    /// The same client, with calls of another urgency.
    #[must_use]
    pub fn with_urgency(&self, urgency: Urgency) -> Self {
        Self { urgency, ..self.clone() }
    }

    /// When so many more calls of an interface, such as `data/list`, will be done, if nothing comes between; `None` where nothing
    /// limits them.
    pub async fn done_by(&self, api: &'static str, calls: u64) -> Option<UnixMillis> {
        let line = &self.inner.line;
        line.governor.done_by(&line.spends(api), calls).await
    }

    /// Makes a call, a few times if need be, and looks into its answer.
    pub(crate) async fn call<T>(
        &self,
        call: &Call<'_>,
        look: impl Fn(&Received) -> Result<Answer<T>, ApiError> + Send,
    ) -> Result<Answer<T>, ApiError> {
        let mut attempt = 1;
        loop {
            let error = match self.send(call).await.and_then(|received| look(&received)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(&error, call, attempt).filter(|_| attempt < ATTEMPTS) else {
                return Err(error);
            };
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// Whether answers of a form have the system fields that are named.
    pub(crate) fn projects(&self, form: &Form) -> bool {
        !self.inner.unprojected.lock().unwrap_or_else(PoisonError::into_inner).contains(form)
    }

    /// Notes that they do not.
    pub(crate) fn stop_projecting(&self, form: &Form) {
        self.inner.unprojected.lock().unwrap_or_else(PoisonError::into_inner).insert(form.clone());
    }

    async fn send(&self, call: &Call<'_>) -> Result<Received, ApiError> {
        // The places are never closed, and whoever has none goes on all the same.
        let _place = self.inner.places.acquire().await.ok();
        self.inner.line.send(call, self.urgency).await
    }

    /// How long is waited before a call that failed is repeated; `None` where that is of no use.
    fn wait_after(&self, error: &ApiError, call: &Call<'_>, attempt: u32) -> Option<Duration> {
        let roll = jitter_of(&[&self.inner.line.company, call.api, call.subject], attempt);
        match error.passes_after() {
            Some(after) => (after <= SHORT_BLOCK).then(|| after + SPREAD.mul_f64(roll)),
            None => error.may_pass_soon().then(|| BACKOFF.wait(attempt, roll)),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("company", &self.inner.line.company)
            .field("urgency", &self.urgency)
            .finish_non_exhaustive()
    }
}

/// The name of a company for its allowance: the API tells none, so it is a digest of the key, from which the key cannot be had.
fn company_of(api_key: &Secret) -> Arc<str> {
    let digest: [u8; 32] = Sha256::digest(api_key.expose().as_bytes()).into();
    hex::encode(digest.get(..COMPANY_BYTES).unwrap_or_default()).into()
}
