//! Tokens: one for each secret, shared by all who call (reference wecom 3.2).

use std::{sync::Arc, time::Duration};

use common::Secret;
use outbound::{Granted, Token, Urgency};
use serde::Deserialize;

use super::{
    ApiError, Meaning,
    call::Call,
    code::RECHECK,
    lenient,
    line::{GETTOKEN, Line},
};

/// How long before its end a token is renewed, where it lives for long.
const EARLY: Duration = Duration::from_secs(60);

/// How long a wrong secret is not tried again. Whoever repeats it is banned for an hour (reference wecom 5.1), from
/// which the other companies of this address would suffer.
const SECRET_REFUSED: Duration = Duration::from_secs(1800);

/// The token of one secret, gotten when it is needed.
pub(crate) struct Tokens {
    corp_id: Arc<str>,
    secret: Secret,
    shared: outbound::Tokens<ApiError>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default, deserialize_with = "lenient::text")]
    expires_in: Option<String>,
}

impl Tokens {
    pub(crate) fn new(corp_id: Arc<str>, secret: Secret) -> Self {
        Self { corp_id, secret, shared: outbound::Tokens::new(EARLY, RECHECK) }
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

    async fn ask(&self, line: &Line) -> Result<Granted, ApiError> {
        let call = Call::one(GETTOKEN).with("corpid", &self.corp_id).with("corpsecret", self.secret.expose());
        // Somebody urgent may wait for what somebody patient asks for.
        let received = line.send(&call, None, Urgency::Live).await?;
        let Answer { access_token, expires_in } = received.content()?.value;
        if access_token.is_empty() {
            return Err(received.incomplete());
        }
        Ok(Granted::new(access_token, expires_in.as_deref()))
    }
}

/// How long the platform is not asked again for a token after this; `None` where the next who needs one may ask.
fn remembered_for(error: &ApiError) -> Option<Duration> {
    match error {
        ApiError::Answered { code, .. } if code.refuses_secret() => Some(SECRET_REFUSED),
        ApiError::Answered { meaning: Meaning::Wait { refuses_for }, .. } => Some(*refuses_for),
        ApiError::Answered { meaning: Meaning::Retry, .. } => None,
        ApiError::Answered { .. } | ApiError::Incomplete { .. } => Some(RECHECK),
        _ => None,
    }
}
