//! What was sent, what was said to it, and the counts.

use std::collections::HashMap;
use std::time::Duration;

use super::super::frames::{Fate, Reply};

/// One sending of an event to one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDelivery {
    /// The event.
    pub event_id: String,
    /// The push; retries may share it.
    pub message_id: String,
    /// The connection.
    pub connection: u64,
    /// 1 for the first try.
    pub attempt: u32,
    /// When it was sent, Unix ms.
    pub sent_ms: i64,
    /// When it was sent, real time since the gateway was made.
    pub sent_after: Duration,
    /// What came of it.
    pub fate: Fate,
    /// When the reply came, Unix ms.
    pub replied_ms: Option<i64>,
    /// What a reply after the deadline would have made of it.
    pub late: Option<Fate>,
}

/// Something that a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The connection.
    pub connection: u64,
    /// When, Unix ms.
    pub at_ms: i64,
    /// What.
    pub reply: Reply,
}

/// The counts of a gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamTally {
    /// Events taken on.
    pub pushed: u64,
    /// Events whose type is not ticked.
    pub unsubscribed: u64,
    /// Events stopped by the used-up quota.
    pub over_quota: u64,
    /// Sendings to a connection.
    pub sent: u64,
    /// Sendings acknowledged in time.
    pub delivered: u64,
    /// Sendings answered with `LATER`.
    pub later: u64,
    /// Sendings answered with another code than 200.
    pub failed: u64,
    /// Sendings not answered in time.
    pub unanswered: u64,
    /// Replies after the deadline, or repeated ones.
    pub late_replies: u64,
    /// Tries without any connection.
    pub nobody: u64,
    /// Events that got into the list of failed pushes.
    pub parked: u64,
    /// Events that failed and were not listed.
    pub lost: u64,
    /// SYSTEM pings sent.
    pub pings: u64,
    /// SYSTEM pings echoed with the same data.
    pub echoes: u64,
    /// SYSTEM pings answered with anything else.
    pub wrong_echoes: u64,
    /// Tickets handed out.
    pub opened: u64,
    /// Requests for a connection that were refused.
    pub refused: u64,
    /// Tickets that were used again or too late.
    pub spent_tickets: u64,
    /// Frames of clients that could not be read.
    pub unreadable: u64,
}

#[derive(Default)]
pub(super) struct Journal {
    pub(super) tally: StreamTally,
    deliveries: Vec<EventDelivery>,
    told: Vec<Told>,
    /// The newest sending of each message id.
    by_message: HashMap<String, usize>,
    last_sent: Option<Duration>,
    longest_pause: Duration,
}

impl Journal {
    pub(super) fn deliveries(&self) -> &[EventDelivery] {
        &self.deliveries
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.told
    }

    pub(super) fn longest_pause(&self) -> Duration {
        self.longest_pause
    }

    /// Forgets the longest pause. The next one begins at this moment, real time since the gateway was made.
    pub(super) fn reset_pause(&mut self, now: Duration) {
        self.longest_pause = Duration::ZERO;
        self.last_sent = Some(now);
    }

    pub(super) fn sent(&mut self, delivery: EventDelivery) {
        self.tally.sent += 1;
        if let Some(last) = self.last_sent.replace(delivery.sent_after) {
            self.longest_pause = self.longest_pause.max(delivery.sent_after.saturating_sub(last));
        }
        self.by_message.insert(delivery.message_id.clone(), self.deliveries.len());
        self.deliveries.push(delivery);
    }

    pub(super) fn tell(&mut self, told: Told) {
        self.told.push(told);
    }

    /// Whether events were sent under that message id.
    pub(super) fn knows(&self, message_id: &str) -> bool {
        self.by_message.contains_key(message_id)
    }

    /// A reply in time.
    pub(super) fn replied(&mut self, message_id: &str, fate: Fate, now_ms: i64) {
        self.conclude(message_id, fate);
        if let Some(delivery) = self.newest(message_id) {
            delivery.replied_ms = Some(now_ms);
        }
    }

    /// A reply too late, or once more.
    pub(super) fn late(&mut self, message_id: &str, fate: Fate) {
        self.tally.late_replies += 1;
        if let Some(delivery) = self.newest(message_id) {
            delivery.late = Some(fate);
        }
    }

    /// What came of the newest sending under that message id.
    pub(super) fn conclude(&mut self, message_id: &str, fate: Fate) {
        match fate {
            Fate::UnderWay => {}
            Fate::Delivered => self.tally.delivered += 1,
            Fate::Later => self.tally.later += 1,
            Fate::Failed => self.tally.failed += 1,
            Fate::Unanswered => self.tally.unanswered += 1,
        }
        if let Some(delivery) = self.newest(message_id) {
            delivery.fate = fate;
        }
    }

    fn newest(&mut self, message_id: &str) -> Option<&mut EventDelivery> {
        let index = *self.by_message.get(message_id)?;
        self.deliveries.get_mut(index)
    }
}
