//! What DingTalk told goes the way of everything that enters, whoever the tenant's directory belongs to.

use common::{Event, EventBody, EventKeys, Field, Observation, Platform, UnixMillis, Value};
use directory::Record;

use super::App;
use crate::{companies::Company, desk::Desk, publish::publish_events};

/// Publishes what was told. On `Ok` all of it is durable.
///
/// # Errors
/// Those of the queue: then it is told again, which does no harm.
pub(crate) async fn tell(desk: &Desk, company: &Company, app: &App, told: Vec<Observation>) -> anyhow::Result<()> {
    let now = desk.now();
    let events = told.into_iter().map(|seen| event(company, app, seen, now)).collect();
    Ok(publish_events(desk, company, events).await?)
}

fn event(company: &Company, app: &App, seen: Observation, now: UnixMillis) -> Event {
    // Texts, numbers and maps with text keys: there is nothing here that JSON cannot say.
    let content = serde_json::to_vec(&seen).unwrap_or_default();
    let content = EventKeys::content_hash(&app.corp_id, Some(&seen.key()), seen.at, &content);
    Event {
        id: content.clone(),
        tenant: company.tenant.clone(),
        platform: Platform::Dingtalk,
        received_at: now,
        keys: EventKeys { platform: None, content },
        traceparent: None,
        body: EventBody::Directory(seen),
    }
}

/// The newest value that was told of a field in the present life of an entity, and when that was.
pub(crate) fn newest(record: &Record, field: Field) -> Option<(UnixMillis, &Value)> {
    let mut life = record.facts.iter().rev().take_while(|fact| !fact.ends_life());
    life.find_map(|fact| Some((fact.at, fact.fields()?.get(field)?)))
}

/// The same, if it is a text.
pub(crate) fn newest_text(record: &Record, field: Field) -> Option<&str> {
    match newest(record, field)?.1 {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
