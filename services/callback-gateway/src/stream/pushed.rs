//! What is done with an event that came over a connection: the same as with one that was posted.

use std::sync::Arc;

use async_trait::async_trait;
use common::{Callback, Event, EventBody, EventKeys, Platform, TenantId, UnixMillis};
use dingtalk::stream::{Frame, ack_later, ack_success};
use service::{TenantBook, traces::Part};
use tokio::time::Instant;

use super::connection::Receive;
use crate::{
    answer::{Outcome, Refused},
    dingtalk_callback::wanted,
    gateway::Gateway,
    intake, takeover,
};

/// Takes over what comes for one tenant.
pub(super) struct Pushed {
    pub(super) gateway: Arc<Gateway>,
    pub(super) tenants: TenantBook,
    pub(super) tenant: TenantId,
}

#[async_trait]
impl Receive for Pushed {
    async fn take(&self, frame: Frame, heard_at: Instant) -> String {
        let outcome = self.take_over(&frame, heard_at).await;
        intake::count(&self.gateway, Platform::Dingtalk, &outcome, heard_at);
        match outcome {
            Outcome::Accepted => ack_success(&frame),
            // What cannot be read is kept as it is. To come again would make no difference to it.
            Outcome::Refused(refused) if refused != Refused::UNKNOWN_TENANT => {
                self.log(refused);
                ack_success(&frame)
            }
            _ => ack_later(&frame, outcome.label()),
        }
    }

    fn misread(&self) {
        let refused = Refused::MISREAD;
        intake::count(&self.gateway, Platform::Dingtalk, &Outcome::Refused(refused), Instant::now());
        self.log(refused);
    }
}

impl Pushed {
    async fn take_over(&self, frame: &Frame, heard_at: Instant) -> Outcome {
        let work = self.gateway.traces.begin("stream push", Part::Asked, None);
        let outcome = self.take_over_as(frame, heard_at, work.traceparent()).await;
        work.end(&[("orgbridge.tenant", self.tenant.as_str()), ("orgbridge.outcome", outcome.label())]);
        outcome
    }

    async fn take_over_as(&self, frame: &Frame, heard_at: Instant, traceparent: Option<String>) -> Outcome {
        let (gateway, now) = (&self.gateway, self.gateway.clock.now());
        let Some(tenant) = self.tenants.get(&self.tenant) else { return Outcome::Refused(Refused::UNKNOWN_TENANT) };
        let Some(section) = &tenant.file.dingtalk else { return Outcome::Refused(Refused::UNKNOWN_TENANT) };
        let wanted = wanted(&tenant, section);
        let read = dingtalk::normalise_frame(&self.tenant, &section.corp_id, frame, now, traceparent.clone(), wanted);
        let (events, outcome) = match read {
            Ok(events) => (events, Outcome::Accepted),
            Err(refusal) => {
                let verbatim = Event { traceparent, ..verbatim(&self.tenant, &section.corp_id, frame, now) };
                (vec![verbatim], Outcome::Refused(refusal.into()))
            }
        };
        if !intake::publish(gateway, &tenant, &events, heard_at + takeover::STREAM_HOLD).await {
            return Outcome::Unavailable;
        }
        fail::fail_point!("gateway.stream_taken_before_ack");
        gateway.pushes.note(&self.tenant, &events, now);
        outcome
    }

    fn log(&self, refused: Refused) {
        tracing::info!(
            tenant.id = %self.tenant,
            platform = Platform::Dingtalk.as_str(),
            why = refused.why,
            "cannot read what came over a Stream connection"
        );
    }
}

/// A frame whose event nobody can name, as it came.
fn verbatim(tenant: &TenantId, corp_id: &str, frame: &Frame, now: UnixMillis) -> Event {
    // The time may be ours, which no repeat shares.
    let content = EventKeys::content_hash(corp_id, None, UnixMillis(0), frame.data.as_bytes());
    Event {
        id: content.clone(),
        tenant: tenant.clone(),
        platform: Platform::Dingtalk,
        received_at: now,
        keys: EventKeys { platform: None, content },
        traceparent: None,
        body: EventBody::Callback(Callback {
            name: "unknown".to_owned(),
            at: frame.event_born_time().unwrap_or(now),
            content: frame.data.clone(),
            platform: Platform::Dingtalk,
        }),
    }
}
