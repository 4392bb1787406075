//! What goes to the platform and comes back: one call, once.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use common::{Clock, Secret, UnixMillis};
use outbound::{Closed, Governor, Moment, PlatformClock, Response, Spend, Urgency, answered_at, date_of};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Answer, ApiError, Code, Meaning, Observer,
    call::Call,
    lenient::as_text,
    limits::{self, Blocks},
};

/// The interface that gives tokens.
pub(crate) const GETTOKEN: &str = "gettoken";

/// The way to the platform for one company.
pub(crate) struct Line {
    pub(crate) corp_id: Arc<str>,
    pub(crate) api_base: String,
    pub(crate) egress: Arc<str>,
    pub(crate) http: outbound::Client,
    pub(crate) governor: Arc<dyn Governor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) platform_clock: PlatformClock,
    pub(crate) blocks: Blocks,
}

/// An answer that says that all went well, not yet looked into.
pub(crate) struct Received {
    api: &'static str,
    asked_at: UnixMillis,
    answered_at: UnixMillis,
    body: Bytes,
}

/// What every answer has (reference wecom 3.1).
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    errcode: Option<Value>,
    #[serde(default)]
    errmsg: Option<Value>,
}

impl Line {
    /// Waits for its turn, sends a call once, and sorts what comes back.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        token: Option<&Secret>,
        urgency: Urgency,
    ) -> Result<Received, ApiError> {
        let api = call.api;
        let spends = self.spends(api);
        self.governor.admit(&spends, urgency).await.map_err(|closed| self.closed(api, closed))?;
        let http = self.http.with_answer_limit(call.answer_limit_bytes);
        let began = Moment::now(&*self.clock);
        let sent = http.send(call.request(&self.api_base, token)).await;
        let ended = Moment::now(&*self.clock);
        let result = self.sort(api, sent, &began, &ended);
        let outcome = result.as_ref().map_or_else(ApiError::label, |_| "ok");
        self.observer.request(api, outcome, ended.since(&began).as_secs_f64());
        match result {
            Ok(received) => {
                self.blocks.answered(api, ended.steady);
                Ok(received)
            }
            Err(error) => Err(self.note_block(error, &spends, &ended).await),
        }
    }

    /// What one call of an interface spends.
    pub(crate) fn spends(&self, api: &'static str) -> [Spend; 2] {
        limits::spends(&self.corp_id, &self.egress, api)
    }

    fn closed(&self, api: &'static str, closed: Closed) -> ApiError {
        let millis = u64::try_from(closed.until.since(self.clock.now())).unwrap_or_default();
        ApiError::Closed { api, after: Duration::from_millis(millis) }
    }

    fn sort(
        &self,
        api: &'static str,
        sent: Result<Response, outbound::Error>,
        began: &Moment,
        ended: &Moment,
    ) -> Result<Received, ApiError> {
        let response = match sent {
            Ok(response) => response,
            Err(outbound::Error::TooLarge { .. }) => return Err(ApiError::TooLarge { api }),
            Err(error) => return Err(ApiError::Transport { api, source: Arc::new(error) }),
        };
        if response.status != 200 {
            return Err(ApiError::Status { api, status: response.status });
        }
        // What it is that cannot be read must not be told: it may be anything.
        let head: Head = serde_json::from_slice(&response.body).ok().ok_or(ApiError::Foreign { api })?;
        match head.code().ok_or(ApiError::Foreign { api })? {
            Code::OK => {
                let date = date_of(&response.headers);
                let asked_at = self.platform_clock.asked_at(began, ended, date);
                let answered_at = answered_at(ended, date).max(asked_at);
                Ok(Received { api, asked_at, answered_at, body: response.body })
            }
            code => Err(head.failure(api, code)),
        }
    }

    /// Tells the governor of a refusal for being too often. An address that asked for tokens with a wrong secret is
    /// blocked as a whole, whatever its company (reference wecom 3.2).
    async fn note_block(&self, error: ApiError, spends: &[Spend; 2], ended: &Moment) -> ApiError {
        let ApiError::Answered { api, code, meaning: Meaning::Wait { refuses_for }, seen_at } = error else {
            return error;
        };
        let refuses_for = self.blocks.refused(api, code, refuses_for, ended.steady);
        let [of_company, of_address] = spends;
        let blocked = if api == GETTOKEN { of_address } else { of_company };
        self.governor.refused(&blocked.of, refuses_for).await;
        ApiError::Answered { api, code, meaning: Meaning::Wait { refuses_for }, seen_at }
    }
}

impl Head {
    /// The return code; that all went well where there is none, as some interfaces answer. `None` when it is no number.
    fn code(&self) -> Option<Code> {
        match &self.errcode {
            None => Some(Code::OK),
            Some(code) => as_text(code)?.trim().parse().ok().map(Code),
        }
    }

    fn failure(&self, api: &'static str, code: Code) -> ApiError {
        let meaning = if api == GETTOKEN { code.meaning_at_gettoken() } else { code.meaning() };
        let text = self.errmsg.as_ref().and_then(Value::as_str).filter(|_| code == Code::UNTRUSTED_ADDRESS);
        ApiError::Answered { api, code, meaning, seen_at: text.and_then(caller_address) }
    }
}

/// The address that a message says we came from (reference wecom 4.1).
fn caller_address(message: &str) -> Option<IpAddr> {
    let (_, rest) = message.split_once("from ip: ")?;
    rest.split([',', ' ']).next()?.parse().ok()
}

impl Received {
    /// Looks into the answer.
    pub(crate) fn content<W: DeserializeOwned>(&self) -> Result<Answer<W>, ApiError> {
        let content = serde_json::from_slice(&self.body).ok().ok_or_else(|| self.incomplete())?;
        Ok(Answer { asked_at: self.asked_at, value: content })
    }

    /// The platform's time of the answer, in whole seconds where the platform says what time it is: what it says was done, was done by then.
    pub(crate) const fn answered_at(&self) -> UnixMillis {
        self.answered_at
    }

    /// The failure of an answer in which what was asked for is missing.
    pub(crate) const fn incomplete(&self) -> ApiError {
        ApiError::Incomplete { api: self.api }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_is_taken_out_of_a_message() {
        let message = "not allow to access from your ip, hint: [1700000000123456789012345], from ip: 203.0.113.7, more \
                       info at https://open.work.weixin.qq.com/devtool/query?e=60020";
        assert_eq!(caller_address(message), Some("203.0.113.7".parse().unwrap()));
        assert_eq!(caller_address("from ip: 2001:db8::7, more"), Some("2001:db8::7".parse().unwrap()));
        for other in ["", "from ip: ", "from ip: ouyang, more", "not allow to access from your ip"] {
            assert_eq!(caller_address(other), None, "{other}");
        }
    }

    #[test]
    fn return_codes_are_numbers_also_as_text() {
        let code = |json: &str| serde_json::from_str::<Head>(json).ok().and_then(|head| head.code());
        assert_eq!(code(r#"{"errcode":60111,"errmsg":"x"}"#), Some(Code(60111)));
        assert_eq!(code(r#"{"errcode":" -1 ","errmsg":null}"#), Some(Code(-1)));
        for without in ["{}", r#"{"errcode":null}"#] {
            assert_eq!(code(without), Some(Code::OK), "{without}");
        }
        for odd in [r#"{"errcode":{}}"#, r#"{"errcode":"ok"}"#, r#"{"errcode":1e40}"#, "\"ok\"", "<html>"] {
            assert_eq!(code(odd), None, "{odd}");
        }
    }
}
