//! What goes to the platform and comes back: one call, once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use common::{Clock, Secret, UnixMillis};
use outbound::{Closed, Governor, Moment, PlatformClock, Response, Spend, Urgency, date_of};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Answer, ApiError, Code, Observer,
    call::{Bases, Call},
    envelope::Asked,
    limits,
};

/// The way to the platform for one company.
pub(crate) struct Line {
    pub(crate) corp_id: Arc<str>,
    pub(crate) bases: Bases,
    pub(crate) egress: Arc<str>,
    pub(crate) approvals_per_second: u32,
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
    body: Bytes,
}

/// What the older interfaces and those of approvals put around what was asked for.
#[derive(Deserialize)]
struct Around<W> {
    result: W,
}

impl Line {
    /// Waits for its turn, sends a call once, and sorts what comes back. Who sends no token sends the app's secret.
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
        let sent = http.send(call.request(&self.bases, token)).await;
        let ended = Moment::now(&*self.clock);
        let result = self.sort(call, token.is_none(), sent, &began, &ended);
        let outcome = result.as_ref().map_or_else(ApiError::label, |_| "ok");
        self.observer.request(api, outcome, ended.since(&began).as_secs_f64());
        if let Err(error) = &result {
            self.note_block(error, &spends).await;
        }
        result
    }

    /// What one call of an interface spends.
    pub(crate) fn spends(&self, api: &'static str) -> [Spend; 2] {
        limits::spends(&self.corp_id, &self.egress, api, self.approvals_per_second)
    }

    fn closed(&self, api: &'static str, closed: Closed) -> ApiError {
        ApiError::Closed { api, after: self.until(closed.until) }
    }

    /// How long it is until this moment.
    pub(crate) fn until(&self, moment: UnixMillis) -> Duration {
        Duration::from_millis(u64::try_from(moment.since(self.clock.now())).unwrap_or_default())
    }

    fn sort(
        &self,
        call: &Call<'_>,
        with_secret: bool,
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
        let asked = Asked { api, style: call.style, with_secret, asked_at, now: date.unwrap_or(ended.wall) };
        asked.sort(response.status, &response.body)?;
        Ok(Received { api, asked_at, body: response.body })
    }

    /// Tells the governor that the platform takes no calls for a while: of this interface, or none at all from this
    /// address.
    async fn note_block(&self, error: &ApiError, spends: &[Spend; 2]) {
        let ApiError::Answered { code, meaning, .. } = error else { return };
        let Some(refuses_for) = meaning.refuses_for() else { return };
        let [of_company, of_address] = spends;
        let blocked = if *code == Code::Number(Code::BANNED) { of_address } else { of_company };
        self.governor.refused(&blocked.of, refuses_for).await;
    }
}

impl Received {
    /// Looks into the answer.
    pub(crate) fn content<W: DeserializeOwned>(&self) -> Result<Answer<W>, ApiError> {
        let content = serde_json::from_slice(&self.body).ok().ok_or_else(|| self.incomplete())?;
        Ok(self.answer(content))
    }

    /// Looks into what the answer has as its `result`.
    pub(crate) fn result<W: DeserializeOwned>(&self) -> Result<Answer<W>, ApiError> {
        Ok(self.content::<Around<W>>()?.map(|around| around.result))
    }

    /// The answer as it was written.
    pub(crate) fn text(&self) -> Answer<String> {
        self.answer(String::from_utf8_lossy(&self.body).into_owned())
    }

    /// The failure of an answer in which what was asked for is missing.
    pub(crate) const fn incomplete(&self) -> ApiError {
        ApiError::Incomplete { api: self.api }
    }

    fn answer<T>(&self, value: T) -> Answer<T> {
        Answer { asked_at: self.asked_at, value }
    }
}
