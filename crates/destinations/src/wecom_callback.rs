//! An OA that speaks WeCom's callback protocol: it is sent what WeCom would have sent (reference wecom 6.2).

use std::time::Duration;

use async_trait::async_trait;
use common::{Action, Change, Platform, Secret, Told, UnixMillis};
use outbound::{Client, Error, Request, Response};
use wecom::{CallbackKeys, echo_request, render::contact_change, seal};

use crate::{
    BuildError, Message, Messages, Outcome, Rendered, Unavailable,
    relay::{Fresh, address, answer},
};

/// As long as WeCom itself waits (reference wecom 1.7).
const TIMEOUT: Duration = Duration::from_secs(5);
const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// How a relay is set up.
#[derive(Clone, Copy)]
pub struct RelaySettings<'a> {
    /// The OA's callback address; it may have a query of its own.
    pub url: &'a str,
    /// The token that the OA checks signatures with.
    pub token: &'a Secret,
    /// The key that the OA decrypts with, 43 characters.
    pub aes_key: &'a Secret,
    /// Who messages are for, as the OA expects it.
    pub receive_id: &'a str,
    /// The `AgentID` that the OA expects; none is sent when absent.
    pub agent_id: Option<&'a str>,
    /// The least time between two messages; 0 for none.
    pub spacing_millis: u64,
    /// No two messages carry the same `CreateTime`.
    pub distinct_seconds: bool,
}

/// The relay to one OA.
pub struct Relay {
    http: Client,
    /// The address up to where the signed query goes, with the `?` or `&` before it.
    address: String,
    keys: CallbackKeys,
    agent_id: Option<String>,
    spacing: Option<Duration>,
    distinct_seconds: bool,
}

impl Relay {
    /// Takes the settings. Nothing is connected to.
    ///
    /// # Errors
    /// The address may not be spoken to, or the keys cannot be used.
    pub fn new(settings: &RelaySettings<'_>, http: &Client) -> Result<Self, BuildError> {
        let keys = CallbackKeys::new(settings.token, settings.aes_key, settings.receive_id)
            .map_err(|error| BuildError::Keys(error.to_string()))?;
        Ok(Self {
            http: http.with_timeout(TIMEOUT),
            address: address(http.guard().check(settings.url)?),
            keys,
            agent_id: settings.agent_id.map(str::to_owned),
            spacing: (settings.spacing_millis > 0).then(|| Duration::from_millis(settings.spacing_millis)),
            distinct_seconds: settings.distinct_seconds,
        })
    }

    /// The second that the receiver will see. A callback is passed on verbatim, so its time cannot be chosen.
    fn second(&self, change: &Change, last_sent_second: Option<i64>) -> i64 {
        match &change.action {
            Action::Callback(callback) => callback.at.seconds().max(last_sent_second.unwrap_or(i64::MIN)),
            _ => {
                let itself = change.source_time.seconds();
                let earliest = last_sent_second.filter(|_| self.distinct_seconds).map(|last| last.saturating_add(1));
                earliest.map_or(itself, |earliest| earliest.max(itself))
            }
        }
    }
}

#[async_trait]
impl Messages for Relay {
    fn takes(&self, change: &Change) -> bool {
        match &change.action {
            Action::Callback(callback) => callback.platform == Platform::Wecom,
            Action::Upsert { .. } | Action::Remove => change.kind().is_directory(),
        }
    }

    fn render(
        &self,
        change: &Change,
        previous: Option<&Told>,
        now: UnixMillis,
        last_sent_second: Option<i64>,
    ) -> Rendered {
        let second = self.second(change, last_sent_second);
        let Some(plaintext) = contact_change(self.keys.receive_id(), second, change, previous) else {
            return Rendered::Nothing;
        };
        let Fresh { random16, nonce } = Fresh::new();
        let sealed = seal(&self.keys, self.agent_id.as_deref(), &plaintext, now.seconds(), &nonce, random16);
        Rendered::Send(Message {
            url: format!("{}{}", self.address, sealed.query),
            content_type: CONTENT_TYPE.to_owned(),
            body: sealed.body,
            second,
        })
    }

    async fn send(&self, message: &Message) -> Result<Outcome, Unavailable> {
        let request = Request::post(&message.url, &message.content_type, message.body.clone());
        match self.http.send(request).await {
            Ok(Response { status, headers, .. }) => Ok(answer::outcome(status, answer::retry_after(&headers))),
            // What it says beside the status means nothing here.
            Err(Error::TooLarge { status, .. }) => Ok(answer::outcome(status, None)),
            Err(error) => Err(Unavailable::new(error.to_string())),
        }
    }

    async fn probe(&self, now: UnixMillis) -> Result<(), Unavailable> {
        let Fresh { random16, nonce } = Fresh::new();
        let (query, expected) = echo_request(&self.keys, now.seconds(), &nonce, random16);
        let sent = self.http.send(Request::get(format!("{}{query}", self.address))).await;
        let answer = sent.map_err(|error| Unavailable::new(error.to_string()))?;
        if !(200..300).contains(&answer.status) {
            let after = answer::retry_after(&answer.headers);
            return Err(Unavailable {
                reason: format!("the handshake was answered with HTTP {}", answer.status),
                after,
            });
        }
        if answer.body != expected.as_bytes() {
            return Err(Unavailable::new("the handshake was answered with something else than the decrypted text"));
        }
        Ok(())
    }

    fn spacing(&self) -> Option<Duration> {
        self.spacing
    }
}
