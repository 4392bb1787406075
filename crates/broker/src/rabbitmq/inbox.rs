//! A subscription to one queue, and what it has in hand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use common::Hop;
use futures::{FutureExt, StreamExt};
use lapin::{
    Acker, Channel, Consumer, message,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};

use super::link::{Link, Trouble};
use crate::{
    Delivery, Lane,
    group::{WINDOW_BYTES, take_apart},
    message::Queue,
};

/// A queue to read from, and how.
pub(super) struct Source {
    pub(super) queue: Queue,
    pub(super) name: ShortString,
    /// What its operators see who reads it.
    pub(super) tag: ShortString,
    /// How many messages the broker hands out without an acknowledgement.
    pub(super) prefetch: u16,
}

/// See the module. Its channel is its own: closing that is the one way to give back what is in hand without changing its order.
pub(super) struct Inbox {
    channel: Channel,
    consumer: Consumer,
    /// Received, and not in a window yet.
    waiting: VecDeque<message::Delivery>,
    partition: u32,
    held: Held,
}

impl Inbox {
    pub(super) async fn open(link: &Link, source: &Source, holdings: &Holdings) -> Result<Self, Trouble> {
        let channel = link.channel().await?;
        match subscribe(link, &channel, source).await {
            Ok(consumer) => {
                let of = (source.queue.hop, source.queue.lane.clone());
                let held = Held { holdings: holdings.clone(), of, messages: 0 };
                Ok(Self { channel, consumer, waiting: VecDeque::new(), partition: source.queue.partition, held })
            }
            Err(trouble) => {
                link.close(&channel).await;
                Err(trouble)
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits for one message. Being dropped in between loses nothing.
    pub(super) async fn receive(&mut self) -> Result<(), Trouble> {
        let next = self.consumer.next().await;
        self.take_in(next)
    }

    /// Receives what is there, without waiting.
    pub(super) fn receive_all(&mut self) -> Result<(), Trouble> {
        while let Some(next) = self.consumer.next().now_or_never() {
            self.take_in(next)?;
        }
        Ok(())
    }

    fn take_in(&mut self, next: Option<lapin::Result<message::Delivery>>) -> Result<(), Trouble> {
        let message = next.ok_or(Trouble::Unsubscribed)?.map_err(Trouble::Failed)?;
        self.waiting.push_back(message);
        self.held.add();
        Ok(())
    }

    /// Takes out about that many documents. Messages are not split.
    pub(super) fn window(&mut self, documents: usize) -> Window {
        let mut window = Window::default();
        while window.deliveries.len() < documents.max(1) && window.bytes < WINDOW_BYTES {
            let Some(message) = self.waiting.pop_front() else { break };
            window.push(message, self.partition);
        }
        window
    }

    /// Acknowledges the messages that lie wholly among the first `done` documents of a window.
    pub(super) async fn acknowledge(&mut self, link: &Link, window: &Window, done: usize) -> Result<(), Trouble> {
        let (messages, Some(last)) = window.done(done) else { return Ok(()) };
        if !link.within(last.ack(BasicAckOptions { multiple: true })).await? {
            return Err(Trouble::Stale);
        }
        self.held.remove(messages);
        Ok(())
    }

    /// Gives back what is not acknowledged. The subscription ends with the channel and not before: else the next consumer
    /// would begin behind what is in hand here.
    pub(super) async fn close(self, link: &Link) {
        link.close(&self.channel).await;
    }
}

async fn subscribe(link: &Link, channel: &Channel, source: &Source) -> Result<Consumer, Trouble> {
    // First, since what is received waits in memory without a bound of its own.
    link.within(channel.basic_qos(source.prefetch, BasicQosOptions::default())).await?;
    let (name, tag) = (source.name.clone(), source.tag.clone());
    link.within(channel.basic_consume(name, tag, BasicConsumeOptions::default(), FieldTable::default())).await
}

/// Messages, taken apart.
#[derive(Default)]
pub(super) struct Window {
    pub(super) deliveries: Vec<Delivery>,
    /// Per message: where it ends among the deliveries.
    messages: Vec<(usize, Acker)>,
    bytes: usize,
}

impl Window {
    fn push(&mut self, message: message::Delivery, partition: u32) {
        let message::Delivery { redelivered, data, acker, .. } = message;
        self.bytes += data.len();
        let documents = take_apart(data.into()).into_iter();
        self.deliveries.extend(documents.map(|payload| Delivery { payload, redelivered, partition }));
        self.messages.push((self.deliveries.len(), acker));
    }

    /// How many messages lie wholly among the first `done` deliveries, and the last one of them.
    fn done(&self, done: usize) -> (usize, Option<&Acker>) {
        let whole = self.messages.iter().take_while(|(end, _)| *end <= done);
        whole.fold((0, None), |(count, _), (_, acker)| (count + 1, Some(acker)))
    }
}

/// How many messages of each lane of a hop an instance has received and not acknowledged.
#[derive(Clone, Default)]
pub(super) struct Holdings(Arc<Mutex<BTreeMap<(Hop, Lane), usize>>>);

impl Holdings {
    pub(super) fn of(&self, hop: Hop, lane: &Lane) -> usize {
        self.counts().get(&(hop, lane.clone())).copied().unwrap_or_default()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<(Hop, Lane), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of one inbox in them. It is given back with it.
struct Held {
    holdings: Holdings,
    of: (Hop, Lane),
    messages: usize,
}

impl Held {
    fn add(&mut self) {
        self.messages += 1;
        *self.holdings.counts().entry(self.of.clone()).or_default() += 1;
    }

    fn remove(&mut self, messages: usize) {
        self.messages = self.messages.saturating_sub(messages);
        if let Some(count) = self.holdings.counts().get_mut(&self.of) {
            *count = count.saturating_sub(messages);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.remove(self.messages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(bodies: &[&str]) -> Window {
        let mut window = Window::default();
        for (tag, body) in (1..).zip(bodies) {
            let data = body.as_bytes().to_vec();
            window.push(message::Delivery::mock(tag, "".into(), "".into(), tag == 2, data), 3);
        }
        window
    }

    #[test]
    fn messages_come_apart_in_order() {
        let window = window(&["[1,2]", "rubbish", "[3]"]);
        let text = |delivery: &Delivery| String::from_utf8_lossy(&delivery.payload).into_owned();
        let seen: Vec<(String, bool)> = window.deliveries.iter().map(|d| (text(d), d.redelivered)).collect();
        let expected = [("1", false), ("2", false), ("rubbish", true), ("3", false)];
        assert_eq!(seen, expected.map(|(text, redelivered)| (text.to_owned(), redelivered)));
        assert!(window.deliveries.iter().all(|delivery| delivery.partition == 3));
    }

    #[test]
    fn a_message_counts_when_its_last_document_does() {
        let window = window(&["[1,2]", "[3]", "[4,5,6]"]);
        let counts: Vec<usize> = (0..=6).map(|done| window.done(done).0).collect();
        assert_eq!(counts, [0, 0, 1, 2, 2, 2, 3]);
        assert!(window.done(1).1.is_none());
        assert!(window.done(3).1.is_some());
    }

    #[test]
    fn holdings_end_with_their_inbox() {
        let holdings = Holdings::default();
        let lane = Lane::shared();
        let mut held = Held { holdings: holdings.clone(), of: (Hop::Events, lane.clone()), messages: 0 };
        held.add();
        held.add();
        held.remove(1);
        assert_eq!((holdings.of(Hop::Events, &lane), holdings.of(Hop::Changes, &lane)), (1, 0));
        drop(held);
        assert_eq!(holdings.of(Hop::Events, &lane), 0);
    }
}
