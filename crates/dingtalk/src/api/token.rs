//! The app's token, shared by all who call (reference dingtalk 4.2).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use common::Secret;
use outbound::Urgency;
use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};

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

/// How long a token lives that does not say so, and the least and the most that is believed.
const USUAL_LIFE: Duration = Duration::from_secs(7200);
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long a wrong secret is not tried again: it will be wrong until somebody changes it here, which makes another
/// client.
const SECRET_REFUSED: Duration = Duration::from_secs(600);

/// The token of one app, gotten when it is needed.
pub(crate) struct Tokens {
    client_id: Arc<str>,
    client_secret: Secret,
    /// Whoever holds this asks the platform; the others wait for what it gets.
    state: Mutex<State>,
    /// Requests for a token that ended, well or not.
    rounds: AtomicU64,
}

/// A token, and which one it is: asked again while it lives, the platform may give the same text.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: Secret,
    round: u64,
}

enum State {
    /// None was asked for, or the last one died.
    None,
    Alive {
        token: Token,
        renew_at: Instant,
        dies_at: Instant,
    },
    /// Not asked again before a time.
    Refused {
        error: ApiError,
        until: Instant,
    },
    /// The last request brought nothing: an answer to those who were waiting for it, and to nobody else.
    Failed {
        error: ApiError,
    },
}

#[derive(Deserialize)]
struct Granted {
    #[serde(alias = "accessToken")]
    access_token: String,
    #[serde(default, alias = "expireIn", deserialize_with = "lenient::text")]
    expires_in: Option<String>,
}

impl Tokens {
    pub(crate) fn new(client_id: Arc<str>, client_secret: Secret) -> Self {
        Self { client_id, client_secret, state: Mutex::new(State::None), rounds: AtomicU64::new(0) }
    }

    /// The app's id and secret, for the one call that takes them instead of a token.
    pub(crate) fn credentials(&self) -> (&str, &Secret) {
        (&*self.client_id, &self.client_secret)
    }

    /// The token that lives; a new one where there is none. Of many who wait for a new one, one asks for it.
    pub(crate) async fn current(&self, line: &Line) -> Result<Token, ApiError> {
        let rounds_before = self.rounds.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let waited = self.rounds.load(Ordering::Acquire) != rounds_before;
        let now = Instant::now();
        let spare = match &*state {
            State::Alive { token, renew_at, .. } if now < *renew_at => return Ok(token.clone()),
            State::Refused { error, until } if now < *until => return Err(error.clone()),
            State::Failed { error } if waited => return Err(error.clone()),
            State::Alive { token, dies_at, .. } if now < *dies_at => Some((token.clone(), *dies_at)),
            _ => None,
        };
        let asked = self.ask(line).await;
        let round = self.rounds.fetch_add(1, Ordering::AcqRel) + 1;
        let (next, result) = match (asked, spare) {
            (Ok((text, life)), _) => {
                let token = Token { text, round };
                (State::alive(token.clone(), now, life), Ok(token))
            }
            // A token that is about to end still does for now.
            (Err(error), Some((token, dies_at))) => {
                let renew_at = now + remembered_for(&error).unwrap_or(RECHECK);
                (State::Alive { token: token.clone(), renew_at, dies_at }, Ok(token))
            }
            (Err(error), None) => {
                let next = match remembered_for(&error) {
                    Some(time) => State::Refused { error: error.clone(), until: Instant::now() + time },
                    None => State::Failed { error: error.clone() },
                };
                (next, Err(error))
            }
        };
        *state = next;
        result
    }

    /// Throws away a token that the platform says is dead, unless it was replaced already.
    pub(crate) async fn discard(&self, dead: &Token) {
        self.replace(dead, State::None).await;
    }

    /// A token was dead although it was new: something is wrong that another one would not mend at once.
    pub(crate) async fn give_up(&self, dead: &Token, error: &ApiError) {
        self.replace(dead, State::Refused { error: error.clone(), until: Instant::now() + RECHECK }).await;
    }

    async fn replace(&self, old: &Token, next: State) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Alive { token, .. } if token.round == old.round) {
            *state = next;
        }
    }

    /// Asks the newer interface, and the older one where the newer one is not there, busy or out of reach.
    async fn ask(&self, line: &Line) -> Result<(Secret, Duration), ApiError> {
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

async fn granted(line: &Line, call: &Call<'_>) -> Result<(Secret, Duration), ApiError> {
    // Somebody urgent may wait for what somebody patient asks for.
    let received = line.send(call, None, Urgency::Live).await?;
    let Granted { access_token, expires_in } = received.content()?.value;
    if access_token.is_empty() {
        return Err(received.incomplete());
    }
    let told = expires_in.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    let life = told.unwrap_or(USUAL_LIFE).clamp(SHORTEST_LIFE, LONGEST_LIFE);
    Ok((Secret::new(access_token), life))
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

impl State {
    /// It is counted from before it was asked for, and so ends for us before it ends for the platform.
    fn alive(token: Token, asked: Instant, life: Duration) -> Self {
        let early = EARLY.min(life / 10);
        Self::Alive { token, renew_at: asked + (life - early), dies_at: asked + life }
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
