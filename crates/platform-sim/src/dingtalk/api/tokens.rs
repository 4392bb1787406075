//! Tokens: given for credentials, dead after a while, and sometimes before (reference dingtalk 4.2).

use std::collections::HashMap;
use std::sync::Arc;

use sha1::{Digest, Sha1};

use super::ApiOptions;
use super::limits::millis;
use super::refusal::Gate;

#[derive(Default)]
pub(super) struct Tokens {
    issued: u64,
    all: HashMap<Arc<str>, Token>,
    /// The newest of each app.
    newest: HashMap<String, Arc<str>>,
}

struct Token {
    client_id: String,
    client_secret: String,
    expires_ms: i64,
    calls: u32,
    dead: bool,
}

impl Tokens {
    /// A token, whichever API asks for it: the same one while it lives, and then it lives anew.
    pub(super) fn issue(&mut self, options: &ApiOptions, client_id: &str, secret: &str, now_ms: i64) -> Arc<str> {
        let expires_ms = now_ms.saturating_add(millis(options.token_life));
        if let Some(text) = self.newest.get(client_id)
            && let Some(token) = self.all.get_mut(text)
            && token.lives(options, now_ms)
            && token.client_secret == secret
        {
            token.expires_ms = expires_ms;
            return Arc::clone(text);
        }
        self.issued += 1;
        let text: Arc<str> = write(options.seed, self.issued).into();
        let (client_id, client_secret) = (client_id.to_owned(), secret.to_owned());
        self.newest.insert(client_id.clone(), Arc::clone(&text));
        self.all.insert(Arc::clone(&text), Token { client_id, client_secret, expires_ms, calls: 0, dead: false });
        text
    }

    /// The client id of whose token it is. Counts the call.
    pub(super) fn check(&mut self, text: &str, options: &ApiOptions, now_ms: i64) -> Result<String, Gate> {
        let token = self.all.get_mut(text).filter(|token| !token.is_dead(options)).ok_or(Gate::BadToken)?;
        if now_ms >= token.expires_ms {
            return Err(Gate::ExpiredToken);
        }
        let knows = options.app(&token.client_id).is_some_and(|app| app.client_secret == token.client_secret);
        if !knows {
            return Err(Gate::BadToken);
        }
        token.calls = token.calls.saturating_add(1);
        Ok(token.client_id.clone())
    }

    /// Lets the tokens of an app, or of all, die early.
    pub(super) fn kill(&mut self, client_id: Option<&str>) {
        for token in self.all.values_mut().filter(|token| client_id.is_none_or(|wanted| token.client_id == wanted)) {
            token.dead = true;
        }
    }

    /// How many different tokens were given out.
    pub(super) fn issued(&self) -> u64 {
        self.issued
    }
}

impl Token {
    fn lives(&self, options: &ApiOptions, now_ms: i64) -> bool {
        !self.is_dead(options) && now_ms < self.expires_ms
    }

    fn is_dead(&self, options: &ApiOptions) -> bool {
        self.dead || options.token_calls.is_some_and(|most| self.calls >= most)
    }
}

/// 32 hex digits, as real ones are.
fn write(seed: u64, number: u64) -> String {
    let digest: [u8; 20] = Sha1::digest(format!("dingtalk token {seed} {number}")).into();
    hex::encode(digest).chars().take(32).collect()
}
