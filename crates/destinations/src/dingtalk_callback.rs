//! An OA that speaks DingTalk's callback protocol: it is sent what DingTalk would have sent (reference dingtalk 2 and 3).

use std::time::Duration;

use async_trait::async_trait;
use common::{Action, Change, Platform, Secret, Told, UnixMillis};
use dingtalk::{CallbackKeys, Sealed, check_url, is_success, render::callback_of, seal};
use outbound::{Client, Error, Request, Response};

use crate::{
    BuildError, Message, Messages, Outcome, Rendered, Unavailable,
    relay::{Fresh, address, answer},
};

/// Twice as long as DingTalk itself waits (reference dingtalk 2.6): it would ask a slow OA again, which is of no use to anybody.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONTENT_TYPE: &str = "application/json";

/// How a relay is set up.
#[derive(Clone, Copy)]
pub struct RelaySettings<'a> {
    /// The OA's callback address; it may have a query of its own.
    pub url: &'a str,
    /// The token that the OA checks signatures with.
    pub token: &'a Secret,
    /// The key that the OA decrypts with, 43 characters.
    pub aes_key: &'a Secret,
    /// In whose name messages come, as the OA expects it: an AppKey or corp id (reference dingtalk 2.3).
    pub receive_id: &'a str,
    /// The `CorpId` of what is told of departments and members.
    pub corp_id: &'a str,
    /// The least time between two messages; 0 for none.
    pub spacing_millis: u64,
}

/// The relay to one OA.
pub struct Relay {
    http: Client,
    /// The address up to where the signed query goes, with the `?` or `&` before it.
    address: String,
    keys: CallbackKeys,
    corp_id: String,
    spacing: Option<Duration>,
}

impl Relay {
    /// Takes the settings. Nothing is connected to.
    ///
    /// # Errors
    /// The address may not be spoken to, or the keys cannot be used.
    pub fn new(settings: &RelaySettings<'_>, http: &Client) -> Result<Self, BuildError> {
        let keys = CallbackKeys::new(settings.token, settings.aes_key, &[settings.receive_id])
            .map_err(|error| BuildError::Keys(error.to_string()))?;
        Ok(Self {
            http: http.with_timeout(TIMEOUT),
            address: address(http.guard().check(settings.url)?),
            keys,
            corp_id: settings.corp_id.to_owned(),
            spacing: (settings.spacing_millis > 0).then(|| Duration::from_millis(settings.spacing_millis)),
        })
    }

    fn message(&self, sealed: Sealed, second: i64) -> Message {
        Message {
            url: format!("{}{}", self.address, sealed.query),
            content_type: CONTENT_TYPE.to_owned(),
            body: sealed.body,
            second,
        }
    }

    /// What an answer means. DingTalk takes nothing but the encrypted `success` for one, whatever the status (reference dingtalk 2.4); what
    /// is no answer of the protocol may be that of a gateway in maintenance, so it is asked again.
    fn outcome(&self, answer: &Response) -> Outcome {
        match answer::outcome(answer.status, answer::retry_after(&answer.headers)) {
            Outcome::Applied if !is_success(&self.keys, &answer.body) => {
                Outcome::Retry { reason: no_success(), after: None }
            }
            outcome => outcome,
        }
    }
}

fn no_success() -> String {
    "the answer is not the encrypted word success".to_owned()
}

#[async_trait]
impl Messages for Relay {
    fn takes(&self, change: &Change) -> bool {
        match &change.action {
            Action::Callback(callback) => callback.platform == Platform::Dingtalk,
            Action::Upsert { .. } | Action::Remove => change.kind().is_directory(),
        }
    }

    /// DingTalk's times are milliseconds, and nobody takes two of one second for the same.
    fn render(
        &self,
        change: &Change,
        previous: Option<&Told>,
        now: UnixMillis,
        last_sent_second: Option<i64>,
    ) -> Rendered {
        let at = match &change.action {
            Action::Callback(callback) => callback.at,
            Action::Upsert { .. } | Action::Remove => change.source_time,
        };
        let Some(text) = callback_of(change, previous, &self.corp_id, at) else { return Rendered::Nothing };
        let Fresh { random16, nonce } = Fresh::new();
        let second = at.seconds().max(last_sent_second.unwrap_or(i64::MIN));
        Rendered::Send(self.message(seal(&self.keys, &text, now, &nonce, random16), second))
    }

    async fn send(&self, message: &Message) -> Result<Outcome, Unavailable> {
        let request = Request::post(&message.url, &message.content_type, message.body.clone());
        match self.http.send(request).await {
            Ok(answer) => Ok(self.outcome(&answer)),
            Err(Error::TooLarge { status, .. }) => Ok(match answer::outcome(status, None) {
                Outcome::Applied => Outcome::Retry { reason: no_success(), after: None },
                outcome => outcome,
            }),
            Err(error) => Err(Unavailable::new(error.to_string())),
        }
    }

    async fn probe(&self, now: UnixMillis) -> Result<(), Unavailable> {
        let Fresh { random16, nonce } = Fresh::new();
        let question = self.message(check_url(&self.keys, now, &nonce, random16), now.seconds());
        let sent = self.http.send(Request::post(&question.url, &question.content_type, question.body)).await;
        let answer = sent.map_err(|error| Unavailable::new(error.to_string()))?;
        if !(200..300).contains(&answer.status) {
            let after = answer::retry_after(&answer.headers);
            return Err(Unavailable {
                reason: format!("the handshake was answered with HTTP {}", answer.status),
                after,
            });
        }
        if !is_success(&self.keys, &answer.body) {
            return Err(Unavailable::new("the handshake was answered with something else than the encrypted success"));
        }
        Ok(())
    }

    fn spacing(&self) -> Option<Duration> {
        self.spacing
    }
}
