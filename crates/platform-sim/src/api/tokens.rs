//! Tokens: given for a secret, dead after a while, and sometimes before (reference wecom 3.2).

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest, Sha1};

use super::chance;
use super::limits::millis;
use super::refusal::Refusal;
use super::{ApiOptions, Identity, Renewal};

#[derive(Default)]
pub(super) struct Tokens {
    issued: u64,
    all: HashMap<Arc<str>, Token>,
    /// The newest of each identity.
    newest: HashMap<Identity, Arc<str>>,
}

struct Token {
    identity: Identity,
    secret: String,
    expires_ms: i64,
    calls: u32,
    dead: bool,
}

impl Tokens {
    /// A token and the seconds that it has to live.
    pub(super) fn issue(
        &mut self,
        identity: Identity,
        options: &ApiOptions,
        secret: &str,
        now_ms: i64,
    ) -> (Arc<str>, i64) {
        if let Some(text) = self.newest.get(&identity)
            && let Some(token) = self.all.get_mut(text)
            && token.lives(options, now_ms)
            && token.secret == secret
        {
            match options.renewal {
                Renewal::Same => return (Arc::clone(text), (token.expires_ms - now_ms) / 1000),
                Renewal::NewBeside => {}
                Renewal::NewInstead => token.dead = true,
            }
        }
        self.issued += 1;
        let text: Arc<str> = write(options.seed, self.issued).into();
        let expires_ms = now_ms.saturating_add(millis(options.token_life));
        let token = Token { identity, secret: secret.to_owned(), expires_ms, calls: 0, dead: false };
        self.all.insert(Arc::clone(&text), token);
        self.newest.insert(identity, Arc::clone(&text));
        (text, millis(options.token_life) / 1000)
    }

    /// Whose token it is. Counts the call.
    pub(super) fn check(&mut self, text: &str, options: &ApiOptions, now_ms: i64) -> Result<Identity, Refusal> {
        let token = self.all.get_mut(text).filter(|token| !token.is_dead(options)).ok_or_else(|| Refusal::of(40014))?;
        if now_ms >= token.expires_ms {
            // Both have been seen (reference wecom 3.2); a token keeps to one.
            let either = chance::hash(options.seed, text).is_multiple_of(2);
            return Err(Refusal::of(if either { 42001 } else { 40014 }));
        }
        if !options.is_secret_of(token.identity, &token.secret) {
            return Err(Refusal::of(40001));
        }
        token.calls += 1;
        Ok(token.identity)
    }

    /// Lets the tokens of an identity, or of all, die early.
    pub(super) fn kill(&mut self, identity: Option<Identity>) {
        for token in self.all.values_mut().filter(|token| identity.is_none_or(|identity| token.identity == identity)) {
            token.dead = true;
        }
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

/// As long as real ones are, with their letters.
fn write(seed: u64, number: u64) -> String {
    let part = |part: u8| -> [u8; 20] { Sha1::digest(format!("token {seed} {number} {part}")).into() };
    let bytes: Vec<u8> = (0..8).flat_map(part).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}
