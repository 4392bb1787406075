//! The app's token, shared by all who call (reference dingtalk 4.2).

use std::{sync::Arc, time::Duration};

use common::Secret;
use outbound::{Granted, Token, Urgency};
use serde::Deserialize;
use serde_json::json;

use super::{
    ApiError, Meaning,
    call::{Call, Style},
    code::RECHECK,
    lenient,
    line::Line,
};

/// The newer interface that gives tokens, and the older one. A token of either does everywhere.
const ACCESS_TOKEN: &str = "v1.0/oauth2/accessToken";
const GETTOKEN: &str = "gettoken";

/// How long before its end a token is renewed, where it lives for long.
const EARLY: Duration = Duration::from_secs(300);

/// How long a wrong secret is not tried again: it will be wrong until somebody changes it here, which makes another
/// client.
const SECRET_REFUSED: Duration = Duration::from_secs(600);

/// The token of one app, gotten when it is needed.
pub(crate) struct Tokens {
    client_id: Arc<str>,
    client_secret: Secret,
    shared: outbound::Tokens<ApiError>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "accessToken")]
    access_token: String,
    #[serde(default, alias = "expireIn", deserialize_with = "lenient::text")]
    expires_in: Option<String>,
}

impl Tokens {
    pub(crate) fn new(client_id: Arc<str>, client_secret: Secret) -> Self {
        Self { client_id, client_secret, shared: outbound::Tokens::new(EARLY, RECHECK) }
    }

    /// The app's id and secret, for the one call that takes them instead of a token.
    pub(crate) fn credentials(&self) -> (&str, &Secret) {
        (&*self.client_id, &self.client_secret)
    }

    /// The token that lives; a new one where there is none.
    pub(crate) async fn current(&self, line: &Line) -> Result<Token, ApiError> {
        self.shared.current(self.ask(line), remembered_for).await
    }

    /// See [`outbound::Tokens::discard`].
    pub(crate) async fn discard(&self, dead: &Token) {
        self.shared.discard(dead).await;
    }

    /// See [`outbound::Tokens::give_up`].
    pub(crate) async fn give_up(&self, dead: &Token, error: &ApiError) {
        self.shared.give_up(dead, error).await;
    }

    /// Asks the newer interface, and the older one where the newer one is not there, busy or out of reach.
    async fn ask(&self, line: &Line) -> Result<Granted, ApiError> {
        let (id, secret) = (&*self.client_id, self.client_secret.expose());
        let newer = Call::post(ACCESS_TOKEN, id, &json!({ "appKey": id, "appSecret": secret }));
        let error = match granted(line, &newer).await {
            Err(error) if may_be_had_elsewhere(&error) => error,
            result => return result,
        };
        let older = Call::get(GETTOKEN, Style::Old).with("appkey", id).with("appsecret", secret);
        match granted(line, &older).await {
            Err(other) if may_be_had_elsewhere(&other) => Err(error),
            result => result,
        }
    }
}

/// Whether an interface gives tokens.
pub(crate) fn gives_tokens(api: &str) -> bool {
    [ACCESS_TOKEN, GETTOKEN].contains(&api)
}

async fn granted(line: &Line, call: &Call<'_>) -> Result<Granted, ApiError> {
    // Somebody urgent may wait for what somebody patient asks for.
    let received = line.send(call, None, Urgency::Live).await?;
    let Answer { access_token, expires_in } = received.content()?.value;
    if access_token.is_empty() {
        return Err(received.incomplete());
    }
    Ok(Granted::new(access_token, expires_in.as_deref()))
}

/// Whether the failure says nothing about the app, its secret or its address.
fn may_be_had_elsewhere(error: &ApiError) -> bool {
    match error {
        ApiError::Answered { code, meaning: Meaning::Outage, .. } => !code.refuses_address(),
        ApiError::Answered { meaning, .. } => *meaning == Meaning::Retry,
        ApiError::Transport { .. }
        | ApiError::Status { .. }
        | ApiError::Foreign { .. }
        | ApiError::Incomplete { .. } => true,
        ApiError::TooLarge { .. } | ApiError::Closed { .. } | ApiError::QuotaSpent { .. } => false,
    }
}

/// How long the platform is not asked again for a token after this; `None` where the next who needs one may ask.
fn remembered_for(error: &ApiError) -> Option<Duration> {
    match error {
        ApiError::Answered { meaning: Meaning::Credentials, .. } => Some(SECRET_REFUSED),
        ApiError::Answered { meaning: Meaning::Retry, .. } => None,
        ApiError::Answered { meaning, .. } => Some(meaning.refuses_for().unwrap_or(RECHECK)),
        ApiError::Incomplete { .. } => Some(RECHECK),
        _ => None,
    }
}
