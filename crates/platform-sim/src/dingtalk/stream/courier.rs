//! Carries one event to its end: acknowledged, parked or lost (reference dingtalk 1.9).

use std::sync::Arc;
use std::time::Duration;

use futures::future::join;

use super::super::events::Event;
use super::super::frames::Fate;
use super::super::ids;
use super::Shared;
use super::options::{Chances, StreamOptions};
use super::state::Sending;

/// Counts an event as under way until it is dropped.
struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.tell();
    }
}

/// What goes wrong with one event.
struct Luck {
    held_back: Option<Duration>,
    burst: bool,
    once_more: Option<Duration>,
}

impl Luck {
    fn of(event: &Event, options: &StreamOptions) -> Self {
        let Chances { burst, late_duplicate, late_by, reorder, reorder_by } = options.chances;
        let draw = |what: &str| ids::draw(options.seed, &format!("{what}/{}", event.id));
        let spread_ms = u64::try_from(reorder_by.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let held_back = Duration::from_millis(draw("by") % spread_ms);
        Self {
            held_back: ids::is_within(draw("reorder"), reorder).then_some(held_back),
            burst: ids::is_within(draw("burst"), burst),
            once_more: ids::is_within(draw("late"), late_duplicate).then_some(late_by),
        }
    }
}

/// What came of one try.
enum Tried {
    Delivered,
    Failed,
    /// The quota of pushes is used up: no more tries.
    Stopped,
}

pub(super) async fn carry(shared: Arc<Shared>, event: Event) {
    let under_way = UnderWay(Arc::clone(&shared));
    let luck = Luck::of(&event, &shared.state().options);
    if let Some(pause) = luck.held_back {
        shared.clock.sleep(pause).await;
    }
    let redelivery = shared.state().options.redelivery.clone();
    let pauses = std::iter::once(Duration::ZERO).chain(redelivery);
    let mut letter = Letter { shared: Arc::clone(&shared), event, message_id: None };
    for (attempt, pause) in (1_u32..).zip(pauses) {
        if !pause.is_zero() {
            shared.clock.sleep(pause).await;
        }
        let tried = if luck.burst && attempt == 1 { letter.twice().await } else { letter.send(attempt).await };
        match tried {
            Tried::Failed => {}
            Tried::Stopped => return,
            Tried::Delivered => {
                if let Some(pause) = luck.once_more {
                    shared.clock.sleep(pause).await;
                    // It is done; what is said to the repeat changes nothing.
                    letter.send(attempt).await;
                }
                return;
            }
        }
    }
    park(&shared, &letter.event);
    drop(under_way);
}

fn park(shared: &Shared, event: &Event) {
    let now_ms = shared.clock.now_ms();
    let mut state = shared.state();
    if state.options.list_failures {
        state.journal.tally.parked += 1;
        drop(state);
        shared.failed.park(event, now_ms);
    } else {
        state.journal.tally.lost += 1;
    }
}

/// An event with the message id that it had last.
struct Letter {
    shared: Arc<Shared>,
    event: Event,
    message_id: Option<String>,
}

impl Letter {
    /// Sends it to one connection and waits for what is said to it.
    async fn send(&mut self, attempt: u32) -> Tried {
        let message_id = self.next_message_id();
        self.attempt(&message_id, attempt).await
    }

    /// Sends it twice at once, as two pushes.
    async fn twice(&mut self) -> Tried {
        let (first, second) = (self.next_message_id(), self.another_message_id());
        match join(self.attempt(&first, 1), self.attempt(&second, 1)).await {
            (Tried::Delivered, _) | (_, Tried::Delivered) => Tried::Delivered,
            (Tried::Stopped, _) | (_, Tried::Stopped) => Tried::Stopped,
            (Tried::Failed, Tried::Failed) => Tried::Failed,
        }
    }

    fn next_message_id(&mut self) -> String {
        let keep = self.shared.state().options.keep_message_id;
        match &self.message_id {
            Some(message_id) if keep => message_id.clone(),
            _ => {
                let message_id = self.another_message_id();
                self.message_id = Some(message_id.clone());
                message_id
            }
        }
    }

    fn another_message_id(&self) -> String {
        let now_ms = self.shared.clock.now_ms();
        self.shared.state().message_id(now_ms)
    }

    async fn attempt(&self, message_id: &str, attempt: u32) -> Tried {
        let Self { shared, event, .. } = self;
        let now_ms = shared.clock.now_ms();
        if !shared.meter.admit(event, now_ms) {
            shared.state().journal.tally.over_quota += 1;
            return Tried::Stopped;
        }
        let sending = Sending { event, message_id, attempt, now_ms, sent_after: shared.started.elapsed() };
        let (reply, deadline) = {
            let mut state = shared.state();
            (state.send_event(&sending), state.options.ack_deadline)
        };
        shared.tell();
        let Some(mut reply) = reply else { return Tried::Failed };
        let fate = tokio::select! {
            biased;
            fate = &mut reply => fate.unwrap_or(Fate::Unanswered),
            () = shared.clock.sleep(deadline) => {
                let in_vain = shared.state().give_up(message_id);
                if in_vain { Fate::Unanswered } else { reply.await.unwrap_or(Fate::Unanswered) }
            }
        };
        shared.tell();
        if fate == Fate::Delivered { Tried::Delivered } else { Tried::Failed }
    }
}
