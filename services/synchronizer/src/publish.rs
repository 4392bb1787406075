//! What was answered goes the way of everything that enters: as events, through the queue.

use broker::{Lane, Outgoing};
use common::{EntityMap, Event, EventBody, EventKeys, Hop, Observation, Platform, UnixMillis};
use service::traces::Part;

use crate::{companies::Company, desk::Desk};

/// Events that are published at once.
const AT_ONCE: usize = 256;

/// Publishes what the platform of the tenant's directory told. On `Ok` all of it is durable; on an error some of it may be, which does no harm: an
/// answer that comes twice says the same.
///
/// # Errors
/// Those of the queue.
pub(crate) async fn publish(desk: &Desk, company: &Company, told: Vec<Observation>) -> broker::Result<()> {
    let source = (company.platform, company.corp_id.as_str());
    let events = told.into_iter().map(|seen| event(desk, company, source, seen)).collect();
    publish_events(desk, company, events).await
}

/// Publishes what was answered in a round of questions, see [`publish`]: each answer goes on with the trace of whoever raised its question.
///
/// # Errors
/// Those of the queue.
pub(crate) async fn publish_answers(
    desk: &Desk,
    company: &Company,
    told: Vec<Observation>,
    (began, traces): (UnixMillis, &EntityMap<String>),
) -> broker::Result<()> {
    let source = (company.platform, company.corp_id.as_str());
    let answer = |seen: Observation| {
        let traceparent = traces.get(&seen.key()).cloned();
        let attributes = [("orgbridge.tenant", company.tenant.as_str())];
        desk.context.traces.tell("ask", Part::Took, traceparent.as_deref(), began, &attributes);
        Event { traceparent, ..event(desk, company, source, seen) }
    };
    publish_events(desk, company, told.into_iter().map(answer).collect()).await
}

/// Publishes events of a tenant, see [`publish`].
///
/// # Errors
/// Those of the queue.
pub(crate) async fn publish_events(desk: &Desk, company: &Company, events: Vec<Event>) -> broker::Result<()> {
    publish_on(desk, &company.lane, &events).await
}

/// Publishes events of one tenant on its lane, see [`publish`].
///
/// # Errors
/// Those of the queue.
pub(crate) async fn publish_on(desk: &Desk, lane: &Lane, events: &[Event]) -> broker::Result<()> {
    for piece in events.chunks(AT_ONCE) {
        let message = |event: &Event| {
            let message = Outgoing::serialised(event.ordering_key(), event.to_cloud_event());
            message.traced(event.traceparent.as_deref())
        };
        let messages = piece.iter().map(message).collect();
        desk.context.broker.publish(Hop::Events, lane, messages).await?;
        let published = &desk.context.metrics.events_published_total;
        for event in piece {
            published.with_label_values(&[event.platform.as_str(), event.tenant.as_str(), event.type_name()]).inc();
        }
    }
    Ok(())
}

/// What a company at a platform told, as an event.
pub(crate) fn event(desk: &Desk, company: &Company, (platform, corp_id): (Platform, &str), seen: Observation) -> Event {
    // Texts, numbers and maps with text keys: there is nothing here that JSON cannot say.
    let content = serde_json::to_vec(&seen).unwrap_or_default();
    let content = EventKeys::content_hash(corp_id, Some(&seen.key()), seen.at, &content);
    Event {
        id: content.clone(),
        tenant: company.tenant.clone(),
        platform,
        received_at: desk.now(),
        keys: EventKeys { platform: None, content },
        traceparent: None,
        body: EventBody::Directory(seen),
    }
}
