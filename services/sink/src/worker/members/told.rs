//! Telling of members that were written. The platform tells nobody of what we write there (reference wecom 0): the event of it is ours, and is
//! published before anything is noted, so that a crash in between has it published again.

use broker::Outgoing;
use common::{EntityKind, Event, EventBody, EventKeys, Fields, Hop, Observation, Platform, UnixMillis, What};
use destinations::{How, Written};

use super::answers::Answers;
use crate::{
    courier::Step,
    worker::{Trouble, Worker},
};

impl Worker {
    pub(super) async fn tell_of_members(&self, steps: &[Step], answers: &Answers) -> Result<(), Trouble> {
        let now = self.context.clock.now();
        let mut events = Vec::new();
        for (place, written) in answers.written() {
            let Some(step) = steps.get(place) else { continue };
            self.warn_of_departments(step, written);
            events.push(self.event(step, written, now));
        }
        if events.is_empty() {
            return Ok(());
        }
        fail::fail_point!("sink.wrote_before_publish");
        let message = |event: &Event| Outgoing::serialised(event.ordering_key(), event.to_cloud_event());
        let messages = events.iter().map(message).collect();
        self.context.broker.publish(Hop::Events, &self.lane, messages).await?;
        fail::fail_point!("sink.published_before_commit");
        let published = &self.context.metrics.events_published_total;
        for event in &events {
            published.with_label_values(&[event.platform.as_str(), event.tenant.as_str(), event.type_name()]).inc();
        }
        Ok(())
    }

    /// The member is there, in departments that nobody meant.
    fn warn_of_departments(&self, step: &Step, written: &Written) {
        if !written.made_departments.is_empty() {
            let (tenant, id, made) = (&self.tenant, &self.id, written.made_departments.join(","));
            tracing::error!(
                tenant.id = %tenant, destination.id = %id, request.id = %step.key.id, departments = made,
                "a member was created in departments that were not there, which the platform made up: a person has to move them"
            );
        }
    }

    /// What the platform would tell of it, with a wish for its details.
    fn event(&self, step: &Step, written: &Written, now: UnixMillis) -> Event {
        let what = match written.how {
            How::Created | How::CreatedBefore => What::Created { fields: written.fields.clone() },
            How::Updated => What::Updated { fields: written.fields.clone() },
            // It is as it was.
            How::Linked => What::Updated { fields: Fields::new() },
        };
        let at = written.at.unwrap_or(now);
        let seen =
            Observation { kind: EntityKind::Member, id: written.id.clone(), at, what, hint: true, answer: false };
        // Texts, numbers and maps with text keys: there is nothing here that JSON cannot say.
        let content = serde_json::to_vec(&seen).unwrap_or_default();
        let content = EventKeys::content_hash(&self.corp_id, Some(&seen.key()), at, &content);
        Event {
            id: content.clone(),
            tenant: self.tenant.clone(),
            platform: Platform::Wecom,
            received_at: now,
            keys: EventKeys { platform: Some(format!("{}/{}", step.key.id, step.version)), content },
            traceparent: None,
            body: EventBody::Directory(seen),
        }
    }
}
