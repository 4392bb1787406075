//! A platform's token, shared by all who call.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use common::Secret;
use tokio::{sync::Mutex, time::Instant};

/// How long a token lives that does not say so, and the least and the most that is believed.
const USUAL_LIFE: Duration = Duration::from_secs(7200);
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// The token of one secret, asked for when it is needed. `E` is why there is none.
pub struct Tokens<E> {
    early: Duration,
    recheck: Duration,
    /// Whoever holds this asks the platform; the others wait for what it gets.
    state: Mutex<State<E>>,
    /// Requests for a token that ended, well or not.
    rounds: AtomicU64,
}

/// A token, and which one it is: asked again while it lives, a platform may give the same text.
#[derive(Clone)]
pub struct Token {
    text: Secret,
    round: u64,
}

/// What a platform gave.
pub struct Granted {
    text: Secret,
    life: Duration,
}

enum State<E> {
    /// None was asked for, or the last one died.
    None,
    Alive {
        token: Token,
        renew_at: Instant,
        dies_at: Instant,
    },
    /// Not asked again before a time.
    Refused {
        error: E,
        until: Instant,
    },
    /// The last request brought nothing: an answer to those who were waiting for it, and to nobody else.
    Failed {
        error: E,
    },
}

impl Granted {
    /// A token that lives for so many seconds by the platform's word, which may be missing.
    pub fn new(text: impl Into<String>, told_seconds: Option<&str>) -> Self {
        let told = told_seconds.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
        Self { text: Secret::new(text), life: told.unwrap_or(USUAL_LIFE).clamp(SHORTEST_LIFE, LONGEST_LIFE) }
    }
}

impl Token {
    /// What is sent.
    pub fn text(&self) -> &Secret {
        &self.text
    }
}

impl<E: Clone> Tokens<E> {
    /// Renewed so `early` before its end, where it lives for long. After a failure of which nobody knows how long it lasts the platform is
    /// asked again after `recheck`.
    pub fn new(early: Duration, recheck: Duration) -> Self {
        Self { early, recheck, state: Mutex::new(State::None), rounds: AtomicU64::new(0) }
    }

    /// The token that lives; where there is none, what `ask` gets. Of many who wait for a new one, one asks for it. After a failure nobody
    /// asks again for as long as `remembered_for` says; `None` where the next who needs one may.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn current(
        &self,
        ask: impl Future<Output = Result<Granted, E>>,
        remembered_for: impl Fn(&E) -> Option<Duration>,
    ) -> Result<Token, E> {
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
        let asked = ask.await;
        let round = self.rounds.fetch_add(1, Ordering::AcqRel) + 1;
        let (next, result) = match (asked, spare) {
            (Ok(Granted { text, life }), _) => {
                let token = Token { text, round };
                (self.alive(token.clone(), now, life), Ok(token))
            }
            // A token that is about to end still does for now.
            (Err(error), Some((token, dies_at))) => {
                let renew_at = now + remembered_for(&error).unwrap_or(self.recheck);
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
    pub async fn discard(&self, dead: &Token) {
        self.replace(dead, State::None).await;
    }

    /// A token was dead although it was new: something is wrong that another one would not mend at once.
    pub async fn give_up(&self, dead: &Token, error: &E) {
        self.replace(dead, State::Refused { error: error.clone(), until: Instant::now() + self.recheck }).await;
    }

    async fn replace(&self, old: &Token, next: State<E>) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Alive { token, .. } if token.round == old.round) {
            *state = next;
        }
    }

    /// It is counted from before it was asked for, and so ends for us before it ends for the platform.
    fn alive(&self, token: Token, asked: Instant, life: Duration) -> State<E> {
        let early = self.early.min(life / 10);
        State::Alive { token, renew_at: asked + (life - early), dies_at: asked + life }
    }
}
