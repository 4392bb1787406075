//! Taking events over durably, or saying clearly that it did not work.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{Event, Hop, Platform};
use service::{Context, Readiness};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::gateway::Gateway;

/// WeCom gives up after 5 s and comes again; an answer of any sort would keep it from coming again.
pub(crate) const WECOM_HOLD: Duration = Duration::from_secs(4);
/// DingTalk gives up on a callback after 1.5 s, or 2.5 s (reference dingtalk 2.6); the answer is to be there within a second, on a
/// busy machine too. Longer than the queue's spool waits for its broker.
pub(crate) const DINGTALK_HOLD: Duration = Duration::from_millis(800);
/// Jiandaoyun gives up on a push after 2 s (reference jiandaoyun 11).
pub(crate) const JIANDAOYUN_HOLD: Duration = Duration::from_millis(1500);
/// DingTalk waits for the answer to a Stream push for 3 s (reference dingtalk 1.9).
pub(crate) const STREAM_HOLD: Duration = Duration::from_millis(2500);
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(400);
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// What could not be taken over last; nothing when whatever came since could be.
#[derive(Default)]
pub(crate) struct LastRefused(Mutex<Option<Messages>>);

/// The events of one callback.
#[derive(Clone)]
struct Messages {
    lane: Lane,
    messages: Vec<Outgoing>,
}

impl LastRefused {
    fn lock(&self) -> MutexGuard<'_, Option<Messages>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes the events of one callback. `true`: all of them are durable. `false`: they may or may not be, and the platform must
/// come again; events that come twice are recognised by their keys.
pub(crate) async fn take_over(gateway: &Gateway, lane: &Lane, events: &[Event], deadline: Instant) -> bool {
    let message = |event: &Event| {
        let message = Outgoing::serialised(event.ordering_key(), event.to_cloud_event());
        message.traced(event.traceparent.as_deref())
    };
    let messages: Vec<Outgoing> = events.iter().map(message).collect();
    if messages.is_empty() {
        return true;
    }
    fail::fail_point!("gateway.before_publish");
    let mut wait = FIRST_WAIT;
    loop {
        let attempt = gateway.broker.publish(Hop::Events, lane, messages.clone());
        match timeout_at(deadline, attempt).await {
            Ok(Ok(())) => {
                fail::fail_point!("gateway.published_before_answer");
                return true;
            }
            Ok(Err(error)) => tracing::debug!(error = error.label(), "the queue did not take a callback's events"),
            Err(_) => break,
        }
        if Instant::now() + wait >= deadline {
            tokio::time::sleep_until(deadline).await;
            break;
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    // Polls find what pushes of a form would have told, whether those come or not.
    for event in events.iter().filter(|event| event.platform != Platform::Jiandaoyun) {
        gateway.missing.note(&event.tenant, event.received_at);
    }
    if gateway.last_refused.lock().replace(Messages { lane: lane.clone(), messages }).is_none() {
        tracing::error!("the queue takes nothing: callbacks are held, and then not taken over");
    }
    false
}

/// Tells readiness whether anything can be taken over. Asked only after it could not be: otherwise requests show that. What was
/// refused last is offered again, since nothing else would be a proof; when it is taken, that one is not missing after all.
pub(crate) async fn probe(gateway: Arc<Gateway>, ctx: Context) {
    while ctx.stop.run_until_cancelled(sleep(PROBE_EVERY)).await.is_some() {
        let refused = gateway.last_refused.lock().clone();
        let Some(Messages { lane, messages }) = refused else { continue };
        let readiness = match timeout(PROBE_EVERY, gateway.broker.publish(Hop::Events, &lane, messages)).await {
            Ok(Ok(())) => Readiness::Ready,
            Ok(Err(error)) => Readiness::NotReady(format!("the queue takes nothing: {}", error.label())),
            Err(_) => Readiness::NotReady("the queue does not answer in time".to_owned()),
        };
        if readiness == Readiness::Ready {
            *gateway.last_refused.lock() = None;
        }
        ctx.health.set("queue", readiness);
    }
}
