//! What DingTalk told goes the way of everything that enters, whoever the tenant's directory belongs to.

use common::{Field, Observation, Platform, UnixMillis, Value};
use directory::Record;

use super::App;
use crate::{
    companies::Company,
    desk::Desk,
    publish::{event, publish_events},
};

/// Publishes what was told. On `Ok` all of it is durable.
///
/// # Errors
/// Those of the queue: then it is told again, which does no harm.
pub(crate) async fn tell(desk: &Desk, company: &Company, app: &App, told: Vec<Observation>) -> anyhow::Result<()> {
    let source = (Platform::Dingtalk, app.corp_id.as_str());
    let events = told.into_iter().map(|seen| event(desk, company, source, seen)).collect();
    Ok(publish_events(desk, company, events).await?)
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
