//! What DingTalk posts: verifying, decrypting, normalising, taking over, and the encrypted word that says so.

use std::sync::Arc;

use common::Platform;
use dingtalk::{Envelope, Query, Wanted};
use service::{Tenant, tenant::DingtalkSection};
use tokio::time::Instant;

use crate::{
    answer::{Outcome, Refused},
    gateway::Gateway,
    intake::{self, Posted},
    takeover,
};

/// A callback: its events are durable before it is answered. A push that only looks whether the address is ours has none, and is
/// answered in the same way (reference dingtalk 2.5).
pub(crate) async fn take(
    gateway: &Gateway,
    tenant: &str,
    posted: Posted<'_>,
    began: Instant,
) -> Result<Outcome, Refused> {
    let keys = gateway.ring().dingtalk(tenant)?;
    let query = Query::parse(posted.query)?;
    let envelope = Envelope::parse(posted.body)?;
    let now = gateway.clock.now();
    let (push, opened_by) = keys.open(&query, &envelope.encrypt, now, gateway.max_clock_skew_seconds)?;
    let tenant = Arc::clone(&keys.tenant);
    let Some(section) = &tenant.file.dingtalk else { return Err(Refused::UNKNOWN_TENANT) };
    let id = &tenant.file.id;
    let events =
        dingtalk::normalise_http(id, &section.corp_id, &push.text, now, posted.traceparent, wanted(&tenant, section))?;
    let is_taken = intake::publish(gateway, &tenant, &events, began + takeover::DINGTALK_HOLD).await;
    if !is_taken {
        return Ok(Outcome::Unavailable);
    }
    gateway.pushes.note(id, &events, now);
    let reply = opened_by.reply(&push.owner, gateway.clock.now(), &nonce(), rand::random());
    Ok(if events.is_empty() { Outcome::Checked(reply) } else { Outcome::Confirmed(reply) })
}

/// What of a company is carried. Contacts are where the tenant's directory is here.
pub(crate) fn wanted(tenant: &Tenant, section: &DingtalkSection) -> Wanted {
    let contacts = tenant.file.directory == Some(Platform::Dingtalk);
    Wanted { contacts, attendance: section.attendance, approvals: section.approvals }
}

fn nonce() -> String {
    rand::random::<u64>().to_string()
}
