//! The client of one company.

use std::{fmt, sync::Arc, time::Duration};

use common::{Backoff, Clock, Secret, UnixMillis, jitter_of};
use outbound::{Governor, PlatformClock, Urgency};
use tokio::time::sleep;

use super::{
    ApiError, Observer,
    call::Call,
    limits::Blocks,
    line::{Line, Received},
    token::Tokens,
};

/// How often a read is tried in all (reference wecom 4: at most three times for "busy").
const ATTEMPTS: u32 = 3;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) };

/// Whose directory is read, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The company's id.
    pub corp_id: Arc<str>,
    /// The contact-sync secret: lists ids, writes members.
    pub contact_secret: Secret,
    /// The secret of an app that may read names and details; empty where there is none.
    pub agent_secret: Secret,
    /// Where the interfaces are, without `/cgi-bin`: `https://qyapi.weixin.qq.com`.
    pub api_base: String,
    /// The address that the platform sees us come from, for its limits by address; empty where it is not known.
    pub egress: Arc<str>,
}

/// Calls the platform's interfaces for one company. Cheap to clone; clones share tokens and connections.
///
/// Each call waits for its turn at the governor. A read that meets a busy platform or a broken connection is repeated a
/// few times; a token that died is replaced once. Everything else is left to the caller, and so is a write, which may
/// have arrived.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    urgency: Urgency,
}

struct Inner {
    line: Line,
    contact: Tokens,
    agent: Option<Tokens>,
}

/// As whom an interface is called (reference wecom 0).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Identity {
    /// With the contact-sync secret.
    Contact,
    /// With the secret of an app.
    Agent,
}

impl Client {
    /// A client whose calls are [`Urgency::Live`]. Nothing is connected to. `http` says who may be connected to and how
    /// long an exchange may take; how large an answer may be depends on the call.
    pub fn new(
        settings: Settings,
        http: outbound::Client,
        governor: Arc<dyn Governor>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let Settings { corp_id, contact_secret, agent_secret, api_base, egress } = settings;
        let tokens = |secret| Tokens::new(Arc::clone(&corp_id), secret);
        let contact = tokens(contact_secret);
        let agent = (!agent_secret.is_empty()).then(|| tokens(agent_secret));
        let (platform_clock, blocks) = (PlatformClock::default(), Blocks::default());
        let line = Line { corp_id, api_base, egress, http, governor, clock, observer, platform_clock, blocks };
        Self { inner: Arc::new(Inner { line, contact, agent }), urgency: Urgency::Live }
    }

    /// The same client, with calls of another urgency.
    #[must_use]
    pub fn with_urgency(&self, urgency: Urgency) -> Self {
        Self { inner: Arc::clone(&self.inner), urgency }
    }

    /// Whether there is the secret of an app, without which names and details are [`ApiError::Unreadable`].
    pub fn reads_details(&self) -> bool {
        self.inner.agent.is_some()
    }

    /// When so many more calls of an interface, such as `user/get`, will be done, if nothing comes between; `None`
    /// where nothing limits them.
    pub async fn done_by(&self, api: &'static str, calls: u64) -> Option<UnixMillis> {
        let line = &self.inner.line;
        line.governor.done_by(&line.spends(api), calls).await
    }

    /// Calls an interface that changes nothing, a few times if need be.
    pub(crate) async fn read(&self, identity: Identity, call: Call<'_>) -> Result<Received, ApiError> {
        let mut attempt = 1;
        loop {
            let error = match self.call(identity, &call).await {
                Ok(received) => return Ok(received),
                Err(error) => error,
            };
            if attempt >= ATTEMPTS || !error.may_pass_soon() {
                return Err(error);
            }
            let roll = jitter_of(&[&self.inner.line.corp_id, call.api, call.subject()], attempt);
            sleep(BACKOFF.wait(attempt, roll)).await;
            attempt += 1;
        }
    }

    /// Calls an interface once, and once more where only the token was to blame: then nothing was done.
    pub(crate) async fn call(&self, identity: Identity, call: &Call<'_>) -> Result<Received, ApiError> {
        let line = &self.inner.line;
        let tokens = self.tokens(identity).ok_or(ApiError::Unreadable { api: call.api })?;
        let token = tokens.current(line).await?;
        let result = line.send(call, Some(token.text()), self.urgency).await;
        if !result.as_ref().is_err_and(ApiError::blames_token) {
            return result;
        }
        tokens.discard(&token).await;
        let token = tokens.current(line).await?;
        let result = line.send(call, Some(token.text()), self.urgency).await;
        if let Err(error) = &result
            && error.blames_token()
        {
            tokens.give_up(&token, error).await;
        }
        result
    }

    fn tokens(&self, identity: Identity) -> Option<&Tokens> {
        match identity {
            Identity::Contact => Some(&self.inner.contact),
            Identity::Agent => self.inner.agent.as_ref(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("corp_id", &self.inner.line.corp_id)
            .field("urgency", &self.urgency)
            .finish_non_exhaustive()
    }
}
