//! One approval in full (reference dingtalk 4.6).

mod component;
mod days;

use common::{Field, Fields, UnixMillis};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Answer, ApiError, Client,
    call::{Call, Style},
    lenient::{self, text_at},
    limits::APPROVAL,
};
use crate::china_time;

/// By how much a clock in China is ahead of UTC.
const CHINA_AHEAD_MILLIS: i64 = 8 * 3_600_000;
const MINUTE_MILLIS: i64 = 60_000;

/// Links into the platform's own programs: they lead nowhere for others and may differ from answer to answer.
const LINKS: [&str; 3] = ["mobileUrl", "pcUrl", "url"];

/// An approval as the interface tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What was told, but for the times: title, applicant, status, result, and all of it as [`Field::Details`]. Of which
    /// template it is is not told (reference dingtalk 4.6).
    pub fields: Fields,
    /// Later approvals that edit this one or take it back: this one stays as it is.
    pub attached: Vec<String>,
    /// The approval that this one edits or takes back.
    pub main: Option<String>,
    /// The days of members, `yyyy-MM-dd`, to whose attendance the form applies; none where it is about something else.
    pub days: Vec<(String, String)>,
    started_at: Option<UnixMillis>,
    finished_at: Option<UnixMillis>,
}

impl Client {
    /// One approval in full.
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound) when there is no such approval; see [`ApiError`].
    /// [`ApiError::Incomplete`] when it does not say how it stands.
    pub async fn approval(&self, instance_id: &str) -> Result<Answer<Approval>, ApiError> {
        let call = Call::get(APPROVAL, Style::New).with("processInstanceId", instance_id).counted();
        let received = self.read(call).await?;
        received
            .result::<Map<String, Value>>()?
            .and_then(|told| Approval::read(told).ok_or_else(|| received.incomplete()))
    }
}

/// The parts of an approval that we look at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default, deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    originator_user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    result: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    create_time: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    finish_time: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    attached_process_instance_ids: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    main_process_instance_id: Option<String>,
    #[serde(default)]
    form_component_values: Option<Value>,
}

impl Approval {
    /// Whether it is over and was agreed to. A later one may have taken it back: see [`Approval::attached`].
    pub fn is_agreed(&self) -> bool {
        self.fields.text(Field::Status) == Some("completed") && self.fields.text(Field::Result) == Some("agree")
    }

    /// The fields with the times, where these are not known already. Callbacks tell them exactly; here they are in
    /// minutes, and it is not documented whether a `Z` behind them means UTC or China time (reference dingtalk 4.6): the
    /// beginning that is known tells which.
    pub fn fields_beside(&self, known: &Fields) -> Fields {
        let mut fields = self.fields.clone();
        let late = known.number(Field::StartedAt).zip(self.started_at).is_some_and(|(known, told)| {
            let ahead = told.0.div_euclid(MINUTE_MILLIS) - known.div_euclid(MINUTE_MILLIS);
            ahead == CHINA_AHEAD_MILLIS / MINUTE_MILLIS
        });
        let shift = if late { -CHINA_AHEAD_MILLIS } else { 0 };
        for (field, told) in [(Field::StartedAt, self.started_at), (Field::FinishedAt, self.finished_at)] {
            if let Some(told) = told.filter(|_| known.number(field).is_none()) {
                fields.set(field, told.plus_millis(shift).0);
            }
        }
        fields
    }

    /// `None` when it does not say how it stands.
    fn read(told: Map<String, Value>) -> Option<Self> {
        let status = status(&text_at(&told, "status")?)?;
        let details = details(&told);
        let told: Told = serde_json::from_value(Value::Object(told)).ok()?;
        let applicant = told.originator_user_id.unwrap_or_default().trim().to_owned();
        let form = told.form_component_values.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let result = told.result.filter(|_| status == "completed");
        let fields = Fields::new()
            .with(Field::Subject, told.title.unwrap_or_default())
            .with(Field::Applicant, applicant.as_str())
            .with(Field::Status, status)
            .with(Field::Result, verdict(result.as_deref().unwrap_or_default()))
            .with(Field::Details, details);
        Some(Self {
            fields,
            attached: told.attached_process_instance_ids.unwrap_or_default(),
            main: told.main_process_instance_id.filter(|id| !id.trim().is_empty()),
            days: days::of_form(form, &applicant),
            started_at: told.create_time.as_deref().and_then(moment),
            finished_at: told.finish_time.as_deref().and_then(moment),
        })
    }
}

fn status(told: &str) -> Option<&'static str> {
    match told {
        "NEW" | "RUNNING" => Some("running"),
        "COMPLETED" => Some("completed"),
        "TERMINATED" | "CANCELED" => Some("terminated"),
        _ => None,
    }
}

fn verdict(told: &str) -> &'static str {
    match told.trim() {
        "agree" => "agree",
        "refuse" => "refuse",
        _ => "none",
    }
}

/// A moment as one interface writes it, `2026-09-21T11:52Z`, or as another one does.
fn moment(told: &str) -> Option<UnixMillis> {
    let told = told.trim();
    let stamp = told.parse::<Timestamp>().ok().map(|at| UnixMillis(at.as_millisecond()));
    stamp.or_else(|| china_time::moment(told))
}

/// All of it, with the names in order and without links.
fn details(told: &Map<String, Value>) -> String {
    let mut all = Value::Object(told.clone());
    without_links(&mut all);
    all.to_string()
}

fn without_links(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !LINKS.contains(&name.as_str()));
            object.values_mut().for_each(without_links);
        }
        Value::Array(items) => items.iter_mut().for_each(without_links),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
