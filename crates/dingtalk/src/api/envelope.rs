//! What an answer says about itself before anybody looks into it: whether the call went well, and if not, why
//! (reference dingtalk 5.3).

mod detail;

use std::time::Duration;

use common::UnixMillis;
use serde::Deserialize;
use serde_json::Value;

use self::detail::{caller_address, end_of_limit, permissions};
use super::{ApiError, Code, Detail, Kind, Meaning, call::Style, lenient::as_text};

/// Codes that wrap another one (reference dingtalk 5.3).
const WRAPPERS: [i64; 3] = [88, 15, 22];

/// The longest that a limit is believed to go on, whatever the text says of its end.
const LONGEST_LIMIT: Duration = Duration::from_secs(3600);

/// What an answer may have beside what was asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    errcode: Option<Value>,
    errmsg: Option<Value>,
    sub_code: Option<Value>,
    sub_msg: Option<Value>,
    code: Option<Value>,
    message: Option<Value>,
    #[serde(rename = "accessdenieddetail")]
    denied: Option<Value>,
    /// Of the answer to an address that is banned (reference dingtalk 5.2).
    status: Option<Value>,
    punish: Option<Value>,
}

/// Where an answer comes from and when.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) api: &'static str,
    pub(crate) style: Style,
    /// Whether the call took the app's secret instead of a token.
    pub(crate) with_secret: bool,
    /// The platform's time at which the call began.
    pub(crate) asked_at: UnixMillis,
    /// The platform's time, as far as it is known.
    pub(crate) now: UnixMillis,
}

impl Asked {
    /// Sorts an answer: good, or what is wrong.
    ///
    /// # Errors
    /// All but [`ApiError::Transport`], [`ApiError::Closed`] and [`ApiError::QuotaSpent`].
    pub(crate) fn sort(&self, status: u16, body: &[u8]) -> Result<(), ApiError> {
        let api = self.api;
        // What it is that cannot be read must not be told: it may be anything.
        let envelope = serde_json::from_slice::<Envelope>(body).ok();
        if let Some(failure) = envelope.as_ref().and_then(|envelope| self.failure(status, envelope)) {
            return Err(failure);
        }
        match envelope {
            _ if status != 200 => Err(ApiError::Status { api, status }),
            Some(envelope) if self.is_good(&envelope) => Ok(()),
            _ => Err(ApiError::Foreign { api }),
        }
    }

    /// Every answer of the older interfaces says that it is good, and none of the newer ones does.
    fn is_good(&self, envelope: &Envelope) -> bool {
        match self.style {
            Style::Old => envelope.errcode().is_some(),
            Style::New => envelope.errcode.is_none() || envelope.errcode().is_some(),
        }
    }

    fn failure(&self, status: u16, envelope: &Envelope) -> Option<ApiError> {
        let code = envelope.code(status)?;
        let meaning = match code.meaning() {
            // A gateway that failed is one also where its word is not known.
            Meaning::Unknown if status >= 500 || status == 429 => Meaning::Retry,
            _ if self.with_secret => code.meaning_with_secret(),
            meaning => meaning,
        };
        let meaning = envelope.exactly(&code, meaning, self.now);
        let detail = envelope.detail(&code, meaning);
        Some(ApiError::Answered { api: self.api, code, meaning, detail, asked_at: self.asked_at })
    }
}

impl Envelope {
    /// The `errcode`; `None` when there is none or it is no number.
    fn errcode(&self) -> Option<i64> {
        number(self.errcode.as_ref()?)
    }

    /// The code of a failure; `None` when there is none.
    fn code(&self, status: u16) -> Option<Code> {
        if self.punish.is_some() && self.status.as_ref().and_then(number) == Some(Code::BANNED) {
            return Some(Code::Number(Code::BANNED));
        }
        match (self.errcode(), &self.code) {
            (Some(0), _) => None,
            (Some(errcode), _) => {
                let wrapped = self.sub_code.as_ref().filter(|_| WRAPPERS.contains(&errcode)).and_then(number);
                Some(Code::Number(wrapped.unwrap_or(errcode)))
            }
            // A good answer may have a code of its own.
            (None, Some(Value::String(word))) if status != 200 => Some(Code::word(word)),
            _ => None,
        }
    }

    /// What the platform wrote about the failure.
    fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.sub_msg, &self.errmsg, &self.message].into_iter().filter_map(|text| text.as_ref()?.as_str())
    }

    /// The same meaning, with the time that the text says.
    fn exactly(&self, code: &Code, meaning: Meaning, now: UnixMillis) -> Meaning {
        if !matches!((code, meaning), (Code::Number(Code::CROWDED), _) | (Code::Word(_), Meaning::Wait { .. })) {
            return meaning;
        }
        let Some(end) = self.texts().find_map(end_of_limit) else { return meaning };
        let millis = u64::try_from(end.since(now)).unwrap_or_default();
        // The text is as of whole seconds.
        let refuses_for = Duration::from_millis(millis).saturating_add(Duration::from_secs(1));
        Meaning::Wait { refuses_for: refuses_for.min(LONGEST_LIMIT) }
    }

    fn detail(&self, code: &Code, meaning: Meaning) -> Detail {
        match meaning {
            Meaning::Outage if code.refuses_address() => {
                self.texts().find_map(caller_address).map_or(Detail::None, Detail::SeenAt)
            }
            Meaning::Permanent(Kind::Forbidden) => {
                let named = self.denied.as_ref().map(detail::required).unwrap_or_default();
                let named = if named.is_empty() {
                    self.texts().map(permissions).find(|found| !found.is_empty())
                } else {
                    Some(named)
                };
                named.map_or(Detail::None, |named| Detail::Lacks(named.into()))
            }
            _ => Detail::None,
        }
    }
}

fn number(value: &Value) -> Option<i64> {
    as_text(value)?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
