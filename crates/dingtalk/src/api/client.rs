//! The client of one company's app.

use std::{fmt, sync::Arc, time::Duration};

use common::{Backoff, Clock, Secret, UnixMillis, jitter_of};
use outbound::{Governor, PlatformClock, Token, Urgency};
use tokio::time::sleep;

use super::{
    ApiError, Meter, Observer, QuotaSpent, Worth,
    call::{Bases, Call},
    line::{Line, Received},
    token::Tokens,
};

/// How often a read is tried in all (reference dingtalk 5.4: at most three times for "busy").
const ATTEMPTS: u32 = 3;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) };

/// A limit by second is waited for here; a longer one is the caller's business.
const SHORT_BLOCK: Duration = Duration::from_secs(3);

/// Whose directory and attendance are read, and as which app.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The company's id; empty where it is not known.
    pub corp_id: Arc<str>,
    /// The app's id: Client ID, formerly AppKey.
    pub client_id: Arc<str>,
    /// The app's secret.
    pub client_secret: Secret,
    /// Where the newer interfaces are, without `/v1.0`: `https://api.dingtalk.com`.
    pub api_base: String,
    /// Where the older interfaces are: `https://oapi.dingtalk.com`.
    pub oapi_base: String,
    /// The address that the platform sees us come from, for its limits by address; empty where it is not known.
    pub egress: Arc<str>,
    /// How many approvals are asked for in a second, at most.
    pub approvals_per_second: u32,
}

/// Calls the platform's interfaces for one company. Cheap to clone; clones share the token and connections.
///
/// Each call waits for its turn at the governor, and one that is counted asks the meter first. A read that meets a busy
/// platform, a limit of a second or a broken connection is repeated a few times; a token that died is replaced once.
/// Everything else is left to the caller.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    urgency: Urgency,
    worth: Worth,
}

struct Inner {
    line: Line,
    tokens: Tokens,
    meter: Arc<dyn Meter>,
}

impl Client {
    /// A client whose calls are [`Urgency::Live`] and [`Worth::Essential`]. Nothing is connected to. `http` says who may
    /// be connected to and how long an exchange may take; how large an answer may be depends on the call.
    pub fn new(
        settings: Settings,
        http: outbound::Client,
        governor: Arc<dyn Governor>,
        meter: Arc<dyn Meter>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let Settings { corp_id, client_id, client_secret, api_base, oapi_base, egress, approvals_per_second } =
            settings;
        // Calls are counted by app; one whose company is not named shares its allowances with nobody.
        let corp_id = if corp_id.is_empty() { Arc::clone(&client_id) } else { corp_id };
        let tokens = Tokens::new(client_id, client_secret);
        let bases = Bases { old: oapi_base, new: api_base };
        let platform_clock = PlatformClock::default();
        let line =
            Line { corp_id, bases, egress, approvals_per_second, http, governor, clock, observer, platform_clock };
        Self { inner: Arc::new(Inner { line, tokens, meter }), urgency: Urgency::Live, worth: Worth::Essential }
    }

    /// The same client, with calls of another urgency.
    #[must_use]
    pub fn with_urgency(&self, urgency: Urgency) -> Self {
        Self { urgency, ..self.clone() }
    }

    /// The same client, with calls of another worth.
    #[must_use]
    pub fn with_worth(&self, worth: Worth) -> Self {
        Self { worth, ..self.clone() }
    }

    /// When so many more calls of an interface, such as `topapi/v2/user/get`, will be done, if nothing comes between;
    /// `None` where nothing limits them.
    pub async fn done_by(&self, api: &'static str, calls: u64) -> Option<UnixMillis> {
        let line = &self.inner.line;
        line.governor.done_by(&line.spends(api), calls).await
    }

    /// Calls an interface that changes nothing, a few times if need be.
    pub(crate) async fn read(&self, call: Call<'_>) -> Result<Received, ApiError> {
        let mut attempt = 1;
        loop {
            let error = match self.call(&call).await {
                Ok(received) => return Ok(received),
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(&error, &call, attempt).filter(|_| attempt < ATTEMPTS) else {
                return Err(error);
            };
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// How long is waited before a call that failed is repeated; `None` where that is of no use.
    fn wait_after(&self, error: &ApiError, call: &Call<'_>, attempt: u32) -> Option<Duration> {
        let roll = jitter_of(&[&self.inner.line.corp_id, call.api, call.subject()], attempt);
        if error.may_pass_soon() {
            return Some(BACKOFF.wait(attempt, roll));
        }
        // All who wait for the same limit would come back at once.
        let after = error.passes_after().filter(|after| *after <= SHORT_BLOCK)?;
        Some(after + Duration::from_millis(200).mul_f64(roll))
    }

    /// Calls an interface once, and once more where only the token was to blame: then nothing was done.
    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<Received, ApiError> {
        let Inner { line, tokens, .. } = &*self.inner;
        let token = tokens.current(line).await?;
        let result = self.send(call, &token).await;
        if !result.as_ref().is_err_and(ApiError::blames_token) {
            return result;
        }
        tokens.discard(&token).await;
        let token = tokens.current(line).await?;
        let result = self.send(call, &token).await;
        if let Err(error) = &result
            && error.blames_token()
        {
            tokens.give_up(&token, error).await;
        }
        result
    }

    /// Sends a call once, if it is worth it.
    async fn send(&self, call: &Call<'_>, token: &Token) -> Result<Received, ApiError> {
        let Inner { line, meter, .. } = &*self.inner;
        if call.is_counted {
            let spent = |spent: QuotaSpent| ApiError::QuotaSpent { api: call.api, after: line.until(spent.until) };
            meter.may(call.api, self.worth).await.map_err(spent)?;
        }
        let result = line.send(call, Some(token.text()), self.urgency).await;
        if call.is_counted && result.as_ref().err().is_none_or(ApiError::was_counted) {
            meter.used(call.api).await;
        }
        result
    }

    /// Sends a call once that takes the app's secret instead of a token.
    pub(crate) async fn send_with_secret(&self, call: &Call<'_>) -> Result<Received, ApiError> {
        self.inner.line.send(call, None, self.urgency).await
    }

    /// The app's id and secret.
    pub(crate) fn credentials(&self) -> (&str, &Secret) {
        self.inner.tokens.credentials()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("corp_id", &self.inner.line.corp_id)
            .field("urgency", &self.urgency)
            .field("worth", &self.worth)
            .finish_non_exhaustive()
    }
}
