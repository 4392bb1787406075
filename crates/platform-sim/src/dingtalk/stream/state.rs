//! What a gateway knows: who is connected, what is under way, what was scripted.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio::sync::oneshot;

use super::super::events::Event;
use super::super::frames::{self, Address, Fate, Stamp};
use super::connections::Connection;
use super::journal::{EventDelivery, Journal};
use super::options::{OpenFault, StreamOptions};
use super::socket::Out;
use super::tickets::Tickets;

pub(super) struct State {
    pub(super) options: StreamOptions,
    pub(super) tickets: Tickets,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) journal: Journal,
    pub(super) open_faults: VecDeque<OpenFault>,
    pub(super) close_at_once: u32,
    pub(super) stall_at_once: u32,
    pub(super) under_way: usize,
    /// Who waits for the reply to a message.
    pub(super) pending: HashMap<String, oneshot::Sender<Fate>>,
    /// The data of SYSTEM pings that were not answered yet.
    pub(super) pings: HashMap<String, String>,
    random: StdRng,
    next_message: u64,
}

/// One sending of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending<'a> {
    pub(super) event: &'a Event,
    pub(super) message_id: &'a str,
    pub(super) attempt: u32,
    pub(super) now_ms: i64,
    pub(super) sent_after: Duration,
}

impl State {
    pub(super) fn new(options: StreamOptions) -> Self {
        Self {
            random: StdRng::seed_from_u64(options.seed),
            options,
            tickets: Tickets::default(),
            connections: BTreeMap::new(),
            journal: Journal::default(),
            open_faults: VecDeque::new(),
            close_at_once: 0,
            stall_at_once: 0,
            under_way: 0,
            pending: HashMap::new(),
            pings: HashMap::new(),
            next_message: 1,
        }
    }

    /// Whether the event is to be sent at all.
    pub(super) fn take_on(&mut self, event: &Event) -> bool {
        if self.options.subscribed.as_ref().is_some_and(|kinds| !kinds.contains(&event.kind)) {
            self.journal.tally.unsubscribed += 1;
            return false;
        }
        self.journal.tally.pushed += 1;
        self.under_way += 1;
        true
    }

    /// A message id for an event, in the usual shape.
    pub(super) fn message_id(&mut self, now_ms: i64) -> String {
        let number = self.number();
        format!("212b9d7c_165f_{now_ms:x}_{number:04x}")
    }

    /// A message id for a SYSTEM frame, in the usual shape.
    pub(super) fn system_id(&mut self, now_ms: i64) -> String {
        let number = self.number();
        format!("c0a815dd{now_ms}{number:06x}")
    }

    fn number(&mut self) -> u64 {
        let number = self.next_message;
        self.next_message += 1;
        number
    }

    /// Sends an event to any one connection. `None` if there is none.
    pub(super) fn send_event(&mut self, sending: &Sending<'_>) -> Option<oneshot::Receiver<Fate>> {
        let now_ms = sending.now_ms;
        let dead_ms = i64::try_from(self.options.dead_channel.as_millis()).unwrap_or(i64::MAX);
        let open = self.connections.iter().filter(|(_id, connection)| connection.gets_events(now_ms, dead_ms));
        let open: Vec<u64> = open.map(|(id, _connection)| *id).collect();
        let chosen = open.choose(&mut self.random).copied();
        let Some(connection) = chosen.and_then(|id| self.connections.get_mut(&id)) else {
            self.journal.tally.nobody += 1;
            return None;
        };
        let to = Address { app_id: &self.options.app_id, connection_id: &connection.info.connection_id };
        let stamp = Stamp { message_id: sending.message_id, now_ms };
        let frame = frames::event(sending.event, to, stamp);
        connection.info.sent += 1;
        connection.say(Out::Text(frame));
        self.journal.sent(EventDelivery {
            event_id: sending.event.id.clone(),
            message_id: sending.message_id.to_owned(),
            connection: connection.info.id,
            attempt: sending.attempt,
            sent_ms: now_ms,
            sent_after: sending.sent_after,
            fate: Fate::UnderWay,
            replied_ms: None,
            late: None,
        });
        let (sender, receiver) = oneshot::channel();
        self.pending.insert(sending.message_id.to_owned(), sender);
        Some(receiver)
    }

    /// No reply came in time. Whether that is so: one may have come just now.
    pub(super) fn give_up(&mut self, message_id: &str) -> bool {
        let waited = self.pending.remove(message_id).is_some();
        if waited {
            self.journal.conclude(message_id, Fate::Unanswered);
        }
        waited
    }
}
