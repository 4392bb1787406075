//! What Jiandaoyun pushes: verifying, and a hint for the record of the tenant's form, durable before the answer. Nothing else of it is
//! believed, and the poll finds what is not pushed (reference jiandaoyun 11).

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use common::{EntityKind, Event, EventBody, EventKeys, Fields, Observation, Platform, UnixMillis, What};
use jiandaoyun::push::{Headers, Push};
use service::Tenant;
use tokio::time::Instant;

use crate::{
    answer::{Outcome, Refused},
    gateway::Gateway,
    intake::{self, Posted},
    takeover,
};

const SIGNATURE: &str = "x-jdy-signature";
const DELIVER_ID: &str = "x-jdy-deliverid";

/// A push: where it is about a record of the form that is mapped, a hint is durable before it is answered. Whatever else is well signed is
/// answered with success: what the connection test sends is not documented.
pub(crate) async fn take(
    gateway: &Gateway,
    tenant: &str,
    posted: Posted<'_>,
    headers: Headers<'_>,
    began: Instant,
) -> Result<Outcome, Refused> {
    let keys = gateway.ring().jiandaoyun(tenant)?;
    let now = gateway.clock.now();
    let push = keys.open(&posted, headers, now, gateway.max_clock_skew_seconds)?;
    let about = push.record().filter(|(form, _)| keys.form.as_ref() == Some(*form));
    let Some((form, record)) = about else { return Ok(Outcome::Verified("success".to_owned())) };
    let tenant = Arc::clone(&keys.tenant);
    let hint = hint(&tenant, &push, form.entity_id(record), posted, now);
    let is_taken = intake::publish(gateway, &tenant, &[hint], began + takeover::JIANDAOYUN_HOLD).await;
    Ok(if is_taken { Outcome::Accepted } else { Outcome::Unavailable })
}

/// The head of a push, as far as it matters.
pub(crate) fn headers(head: &HeaderMap) -> Headers<'_> {
    let text = |name: &str| head.get(name).and_then(|value| value.to_str().ok());
    Headers { signature: text(SIGNATURE), deliver_id: text(DELIVER_ID) }
}

/// Something happened to the record by now: what it is like is asked for.
fn hint(tenant: &Tenant, push: &Push, id: String, posted: Posted<'_>, now: UnixMillis) -> Event {
    let what = What::Updated { fields: Fields::new() };
    let seen = Observation { kind: EntityKind::Onboarding, id, at: now, what, hint: true, answer: false };
    let content = EventKeys::content_hash(tenant.file.id.as_str(), Some(&seen.key()), now, posted.body);
    let platform = push.deliver_id.as_ref().map(|deliver_id| format!("{}/{deliver_id}", seen.id));
    Event {
        id: content.clone(),
        tenant: tenant.file.id.clone(),
        platform: Platform::Jiandaoyun,
        received_at: now,
        keys: EventKeys { platform, content },
        traceparent: posted.traceparent,
        body: EventBody::Directory(seen),
    }
}
