//! Bugs on the way through the queue.

use std::collections::BTreeMap;

use broker::{Delivery, Failure, Outgoing};
use common::{Change, Event, EventBody, Hop, What};
use store::{
    keys::{self, EventKey},
    outbox,
};

use super::{Bug, at_once, execute};
use crate::{clocks::START, stores::tenant, world::World};

impl Bug {
    /// What becomes of messages when they are published.
    pub(crate) fn alters(self, world: &World, hop: Hop, messages: Vec<Outgoing>) -> Vec<Outgoing> {
        match (self, hop) {
            (Self::SenderAndSecond, Hop::Events) => altered(messages, |event| {
                let at = match &event.body {
                    EventBody::Directory(seen) => seen.at,
                    EventBody::Callback(callback) => callback.at,
                };
                event.keys.content = format!("sys {}", at.seconds());
            }),
            (Self::RenameOfLaterPerson, Hop::Events) => altered(messages, |event| {
                if let EventBody::Directory(seen) = &mut event.body
                    && matches!(seen.what, What::Renamed { .. })
                {
                    seen.at = seen.at.plus_seconds(1000);
                }
            }),
            (Self::NumberedById, Hop::Changes) => as_in_the_outbox(world, messages),
            _ => messages,
        }
    }

    /// When the queue hands a batch out.
    pub(crate) fn at_hand_out(self, world: &World, hop: Hop) {
        if self == Self::EarlyQueueAcknowledgement && hop == Hop::Events {
            execute(&world.queue, "DELETE FROM messages WHERE hop = 'events'");
        }
    }

    /// When a batch was handled, or not; what the queue hears of it.
    pub(crate) fn handled(
        self,
        world: &World,
        hop: Hop,
        batch: &[Delivery],
        handled: Result<(), Failure>,
    ) -> Result<(), Failure> {
        match (self, hop) {
            (Self::EarlyAcknowledgement, Hop::Events) => Ok(()),
            (Self::KeysBeforeCommit, Hop::Events) if handled.is_err() => {
                remember(world, batch);
                handled
            }
            _ => handled,
        }
    }
}

fn altered(messages: Vec<Outgoing>, alter: impl Fn(&mut Event)) -> Vec<Outgoing> {
    let each = |message: Outgoing| {
        let mut event = Event::from_cloud_event(&message.payload).unwrap();
        alter(&mut event);
        Outgoing::new(message.ordering_key, event.to_cloud_event())
    };
    messages.into_iter().map(each).collect()
}

fn as_in_the_outbox(world: &World, messages: Vec<Outgoing>) -> Vec<Outgoing> {
    let bodies = at_once(&world.tables, |conn| outbox::bodies_after(conn, &tenant(), 0, 100_000));
    let bodies: BTreeMap<u64, String> = bodies.into_iter().collect();
    let each = |message: Outgoing| {
        let change: Change = serde_json::from_slice(&message.payload).unwrap();
        Outgoing::new(message.ordering_key, bodies[&change.version].clone())
    };
    messages.into_iter().map(each).collect()
}

fn remember(world: &World, batch: &[Delivery]) {
    let events = batch.iter().filter_map(|delivery| Event::from_cloud_event(&delivery.payload).ok());
    let keys: Vec<EventKey> = events.map(|event| EventKey { key: event.keys.content, event: event.id }).collect();
    at_once(&world.tables, move |conn| keys::remember(conn, &tenant(), &keys, START));
}
