//! What goes to the platform and comes back: one call, once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use common::{Clock, Secret, UnixMillis};
use outbound::{Closed, Governor, Moment, PlatformClock, Response, Spend, Urgency, date_of};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Answer, ApiError, Code, Kind, Observer, Rate, as_number, call::Call, error::Blocks, limits};

/// The way to the platform for one company.
pub(crate) struct Line {
    pub(crate) company: Arc<str>,
    pub(crate) api_key: Secret,
    pub(crate) api_base: String,
    pub(crate) rate: Rate,
    pub(crate) http: outbound::Client,
    pub(crate) governor: Arc<dyn Governor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) platform_clock: PlatformClock,
}

/// An answer that says that all went well, not yet looked into.
pub(crate) struct Received {
    api: &'static str,
    asked_at: UnixMillis,
    /// `None` when what was asked about is not there.
    body: Option<Bytes>,
}

/// What the interfaces of records put around them.
#[derive(Deserialize)]
struct Around<T> {
    data: T,
}

/// A failure as the platform tells it (reference jiandaoyun 3). Its text is not read: it holds what people wrote.
#[derive(Deserialize)]
struct Failure {
    code: Value,
}

impl Line {
    /// Waits for its turn, sends a call once, and sorts what comes back.
    pub(crate) async fn send(&self, call: &Call<'_>, urgency: Urgency) -> Result<Received, ApiError> {
        let api = call.api;
        let spends = self.spends(api);
        self.governor.admit(&spends, urgency).await.map_err(|closed| self.closed(api, closed))?;
        let http = self.http.with_answer_limit(call.answer_limit_bytes);
        let began = Moment::now(&*self.clock);
        let sent = http.send(call.request(&self.api_base, &self.api_key)).await;
        let ended = Moment::now(&*self.clock);
        let result = self.sort(call, sent, &began, &ended);
        let outcome = result.as_ref().map_or_else(ApiError::label, |_| "ok");
        self.observer.request(api, outcome, ended.since(&began).as_secs_f64());
        if let Err(error) = &result {
            self.note_block(error, &spends).await;
        }
        result
    }

    /// What one call of an interface spends.
    pub(crate) fn spends(&self, api: &'static str) -> [Spend; 2] {
        limits::spends(&self.company, self.rate, api)
    }

    fn closed(&self, api: &'static str, closed: Closed) -> ApiError {
        let after = u64::try_from(closed.until.since(self.clock.now())).unwrap_or_default();
        ApiError::Closed { api, after: Duration::from_millis(after) }
    }

    fn sort(
        &self,
        call: &Call<'_>,
        sent: Result<Response, outbound::Error>,
        began: &Moment,
        ended: &Moment,
    ) -> Result<Received, ApiError> {
        let api = call.api;
        let response = match sent {
            Ok(response) => response,
            Err(outbound::Error::TooLarge { .. }) => return Err(ApiError::TooLarge { api }),
            Err(error) => return Err(ApiError::Transport { api, source: Arc::new(error) }),
        };
        let date = date_of(&response.headers);
        let asked_at = self.platform_clock.asked_at(began, ended, date);
        if (200..300).contains(&response.status) {
            return Ok(Received { api, asked_at, body: Some(response.body) });
        }
        let error = failure(api, &response);
        let is_absent = call.takes_absence && error.kind() == Some(Kind::NotFound);
        if is_absent { Ok(Received { api, asked_at, body: None }) } else { Err(error) }
    }

    /// Tells the governor that the platform takes no calls for a while: of this interface, or of this company.
    async fn note_block(&self, error: &ApiError, spends: &[Spend; 2]) {
        let [of_interface, of_company] = spends;
        let (blocked, refuses_for) = match error.blocks() {
            Some(Blocks::Interface(refuses_for)) => (of_interface, refuses_for),
            Some(Blocks::Company(refuses_for)) => (of_company, refuses_for),
            None => return,
        };
        self.governor.refused(&blocked.of, refuses_for).await;
    }
}

/// What an answer that is no success says. The code counts, whatever the status is: which one a bad key has is not documented
/// (reference jiandaoyun 14).
fn failure(api: &'static str, response: &Response) -> ApiError {
    let told = serde_json::from_slice::<Failure>(&response.body).ok().and_then(|told| as_number(&told.code));
    match told.map(Code) {
        Some(code) => ApiError::Answered { api, code, meaning: code.meaning() },
        None => ApiError::Status { api, status: response.status },
    }
}

impl Received {
    /// Looks into the answer.
    pub(crate) fn content<W: DeserializeOwned>(&self) -> Result<Answer<W>, ApiError> {
        let body = self.body.as_ref().ok_or_else(|| self.incomplete())?;
        match serde_json::from_slice(body) {
            Ok(value) => Ok(Answer { asked_at: self.asked_at, value }),
            Err(error) if error.is_data() => Err(self.incomplete()),
            Err(_) => Err(ApiError::Foreign { api: self.api }),
        }
    }

    /// Looks into what the answer has as its `data`.
    pub(crate) fn data<W: DeserializeOwned>(&self) -> Result<Answer<W>, ApiError> {
        Ok(self.content::<Around<W>>()?.map(|around| around.data))
    }

    /// The same, of something that may not be there.
    pub(crate) fn data_or_absent<W: DeserializeOwned>(&self) -> Result<Answer<Option<W>>, ApiError> {
        match self.body {
            Some(_) => Ok(self.data::<W>()?.map(Some)),
            None => Ok(Answer { asked_at: self.asked_at, value: None }),
        }
    }

    /// The failure of an answer in which what was asked for is missing.
    pub(crate) const fn incomplete(&self) -> ApiError {
        ApiError::Incomplete { api: self.api }
    }

    /// The failure of a page that does not follow the one before it.
    pub(crate) const fn misplaced(&self) -> ApiError {
        ApiError::Misplaced { api: self.api }
    }
}
