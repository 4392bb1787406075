//! Between the queue and the turns: decodes, runs a turn, hands over what came of it.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use broker::{Delivery, Failure, Handler};
use common::{Disposition, Event, Reason, TenantId};
use database::Connection;
use service::traces::Part;
use store::dead_letters::{self, NewDeadLetter, Stage};

use crate::{
    service_loop::{Resolver, chain},
    turn::Turn,
};

/// Takes batches of events from the queue.
pub(crate) struct EventHandler(pub(crate) Arc<Resolver>);

#[async_trait]
impl Handler for EventHandler {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        let resolver = &self.0;
        let mut events = Vec::with_capacity(batch.len());
        let mut undecodable = Vec::new();
        for delivery in batch {
            match Event::from_cloud_event(&delivery.payload) {
                Ok(event) if !holds_nul(&delivery.payload) => events.push(event),
                Ok(_) => undecodable.push(resolver.dead_letter(delivery, Reason::UndecodableEvent)),
                Err(error) => undecodable.push(NewDeadLetter {
                    detail: error.to_string(),
                    ..resolver.dead_letter(delivery, Reason::UndecodableEvent)
                }),
            }
        }
        let traced = self.traced(&events);
        let rules = resolver.rules();
        let (buried, began) = (undecodable.len(), rules.now);
        let work = move |conn: &mut Connection| -> database::Result<Turn> {
            let turn = Turn::events(conn, &events, &rules)?;
            dead_letters::insert(conn, &undecodable)?;
            fail::fail_point!("resolver.before_commit");
            Ok(turn)
        };
        let turn = resolver.context.database.write("resolver.events", work).await.map_err(failure)?;
        fail::fail_point!("resolver.committed_before_handover");
        if buried > 0 {
            tracing::error!(
                count = buried,
                "messages of the queue that are no events were made dead letters; see `orgbridge dead list`"
            );
        }
        for (tenant, parent) in &traced {
            let attributes = [("orgbridge.tenant", tenant.as_str())];
            resolver.context.traces.tell("resolve", Part::Took, Some(parent), began, &attributes);
        }
        resolver.finish(turn).await;
        Ok(())
    }

    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure> {
        let letter = self.0.dead_letter(delivery, Reason::ProcessingFailed);
        tracing::error!(tenant.id = %letter.tenant, event.id = %letter.entity, "an event that cannot be processed was made a dead letter; see `orgbridge dead list`");
        let write = move |conn: &mut Connection| dead_letters::insert(conn, &[letter]).map(drop);
        self.0.context.database.write("resolver.bury", write).await.map_err(failure)
    }
}

impl EventHandler {
    /// The events of which a collector is told: whose they are, and the trace that each belongs to.
    fn traced(&self, events: &[Event]) -> Vec<(TenantId, String)> {
        if !self.0.context.traces.is_on() {
            return Vec::new();
        }
        events.iter().filter_map(|event| Some((event.tenant.clone(), event.traceparent.clone()?))).collect()
    }
}

/// Whether a JSON document has the character NUL in it. No platform sends it, and PostgreSQL holds no text with it.
fn holds_nul(payload: &[u8]) -> bool {
    let mut escaped = false;
    payload.iter().enumerate().any(|(at, byte)| {
        escaped = *byte == b'\\' && !escaped;
        escaped && payload.get(at + 1..at + 6) == Some(b"u0000".as_slice())
    })
}

impl Resolver {
    /// A dead letter of a message, with whatever of it can be read.
    fn dead_letter(&self, delivery: &Delivery, reason: Reason) -> NewDeadLetter {
        #[derive(serde::Deserialize)]
        struct Named {
            tenant: Option<TenantId>,
            id: Option<String>,
        }
        let named: Option<Named> = serde_json::from_slice(&delivery.payload).ok();
        let (tenant, id) = named.map_or((None, None), |named| (named.tenant, named.id));
        let content = match std::str::from_utf8(&delivery.payload) {
            Ok(text) if !text.contains('\0') => text.to_owned(),
            _ => STANDARD.encode(&delivery.payload),
        };
        NewDeadLetter {
            tenant: tenant.unwrap_or_else(|| self.nobody.clone()),
            stage: Stage::Resolver,
            kind: "event".to_owned(),
            // PostgreSQL holds no text with NUL in it.
            entity: id.filter(|id| !id.contains('\0')).unwrap_or_default(),
            reason,
            detail: String::new(),
            content,
            destination: None,
            version: None,
            since: self.context.clock.now(),
        }
    }
}

/// A database that is away or busy passes; anything else is a fault of the event or of ours, and the batch is halved until the
/// event stands alone.
fn failure(error: database::Error) -> Failure {
    match error.disposition() {
        Disposition::Retry { after } => {
            if matches!(error, database::Error::Refused(_)) {
                // Nobody knows whether it will pass: a person has to see it.
                tracing::warn!(error = %chain(error), "the database refuses a batch of events; trying again");
            }
            Failure::Retry { after }
        }
        Disposition::Reject { .. } | Disposition::Fatal => {
            tracing::error!(error = %chain(error), "a batch of events failed");
            Failure::Poison
        }
    }
}

#[cfg(test)]
mod tests {
    use super::holds_nul;

    #[test]
    fn only_the_character_itself_counts() {
        for with in [r#"{"id":"a\u0000"}"#, r#"{"id":"\\\u0000"}"#] {
            assert!(holds_nul(with.as_bytes()), "{with}");
        }
        for without in [r#"{"id":"a\u0001"}"#, r#"{"id":"\\u0000"}"#, r#"{"id":"u0000"}"#, "\\", ""] {
            assert!(!holds_nul(without.as_bytes()), "{without}");
        }
    }
}
