//! Messages under way: published, and not yet confirmed.

use std::{
    collections::HashSet,
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable, ShortString},
};
use tokio::time::Instant;

use crate::{group::Group, message::Queue};

/// Messages under way at most. With the broker's usual answers within 10 ms that is 25,000 messages per second, each with
/// up to 64 documents; more would only wait elsewhere.
const MOST_UNDER_WAY: usize = 256;

/// A confirmation that takes longer may never come: what else is for that queue does not wait for it.
const OVERDUE_AFTER: Duration = Duration::from_secs(5);

/// The broker syncs a persistent message to disk before it confirms it.
const PERSISTENT: u8 = 2;

const CONTENT_TYPE: &str = "application/cloudevents-batch+json";

/// See the module. Publishing never waits for a confirmation; confirmations come in any order.
///
/// What the broker has no queue for comes back before it is confirmed. lapin hands what came back to whichever confirmation
/// it sees next, which is another message's where one confirmation covers several. So every message has a number, what came
/// back is known by it, and a confirmation counts only when all that lapin was told in the same breath has been seen.
pub(super) struct Flight {
    channel: Channel,
    sent: Vec<Sent>,
    last_number: u64,
    /// The numbers of what came back and is not yet settled.
    returned: HashSet<u64>,
}

struct Sent {
    number: u64,
    since: Instant,
    queue: Queue,
    callers: Vec<u64>,
    /// Never dropped before it answers: what came back might be handed to it.
    confirmation: BoxFuture<'static, lapin::Result<Confirmation>>,
    answer: Option<lapin::Result<Confirmation>>,
    certain: bool,
}

/// A message whose fate is known.
pub(super) struct Settled {
    pub(super) queue: Queue,
    /// Whose documents are in it.
    pub(super) callers: Vec<u64>,
    pub(super) fate: Fate,
}

/// What became of a message.
pub(super) enum Fate {
    /// The broker keeps it.
    Stored,
    /// The broker does not take it.
    Refused,
    /// The broker has no queue for it.
    Returned,
    /// Nobody knows; the channel ended.
    Lost(lapin::Error),
}

impl Flight {
    /// On a channel that confirms.
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, sent: Vec::new(), last_number: 0, returned: HashSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.sent.len() < MOST_UNDER_WAY
    }

    /// How many messages for a queue are under way and not overdue.
    pub(super) fn under_way(&self, queue: &Queue) -> usize {
        let is_expected = |sent: &&Sent| sent.queue == *queue && sent.since.elapsed() < OVERDUE_AFTER;
        self.sent.iter().filter(is_expected).count()
    }

    /// Since when the oldest message is under way.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.sent.first().map(|sent| sent.since)
    }

    /// Publishes a message after all others. It goes out with the next [`Flight::settled`].
    pub(super) fn publish(&mut self, exchange: ShortString, key: ShortString, group: Group<u64>) {
        self.last_number += 1;
        let number = self.last_number;
        let Group { queue, body, callers, traceparent, .. } = group;
        let properties = properties(number, traceparent.as_deref());
        let channel = self.channel.clone();
        let confirmation = async move {
            // Mandatory: else the broker would confirm, and drop, what it has no queue for.
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let confirmation = channel.basic_publish(exchange, key, options, &body, properties).await?;
            drop(body);
            fail::fail_point!("rabbitmq.sent_before_confirm");
            confirmation.await
        };
        let since = Instant::now();
        self.sent.push(Sent {
            number,
            since,
            queue,
            callers,
            confirmation: confirmation.boxed(),
            answer: None,
            certain: false,
        });
    }

    /// Waits for messages whose fate is known. Being dropped in between loses nothing.
    pub(super) async fn settled(&mut self) -> Vec<Settled> {
        poll_fn(|context| self.poll_settled(context)).await
    }

    fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<Vec<Settled>> {
        self.look(context);
        for sent in &mut self.sent {
            sent.certain = sent.answer.is_some();
        }
        if !self.sent.iter().any(|sent| sent.certain) {
            return Poll::Pending;
        }
        self.let_lapin_finish();
        self.look(context);
        let Self { sent, returned, .. } = self;
        let settle = |sent: Sent| {
            let came_back = returned.remove(&sent.number);
            let fate = match sent.answer? {
                Ok(Confirmation::Ack(_)) if came_back => Fate::Returned,
                Ok(Confirmation::Ack(_)) => Fate::Stored,
                Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Fate::Refused,
                Err(error) => Fate::Lost(error),
            };
            Some(Settled { queue: sent.queue, callers: sent.callers, fate })
        };
        Poll::Ready(sent.extract_if(.., |sent| sent.certain).filter_map(settle).collect())
    }

    /// Notes all answers so far. A message that was not looked at before goes out now; so they go out in order.
    fn look(&mut self, context: &mut Context<'_>) {
        for sent in self.sent.iter_mut().filter(|sent| sent.answer.is_none()) {
            if let Poll::Ready(answer) = sent.confirmation.poll_unpin(context) {
                self.returned.extend(number_of_returned(&answer));
                sent.answer = Some(answer);
            }
        }
    }

    /// lapin works confirmations off under a lock that this call needs, too. After it, all confirmations are there that came
    /// in one frame with those that were there before.
    fn let_lapin_finish(&self) {
        drop(self.channel.wait_for_confirms().now_or_never());
    }
}

fn properties(number: u64, traceparent: Option<&str>) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(number.to_string().into());
    match traceparent {
        Some(traceparent) => {
            let mut headers = FieldTable::default();
            headers.insert("traceparent".into(), AMQPValue::LongString(traceparent.into()));
            properties.with_headers(headers)
        }
        None => properties,
    }
}

fn number_of_returned(answer: &lapin::Result<Confirmation>) -> Option<u64> {
    let Ok(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message))) = answer else { return None };
    message.properties.message_id().as_ref()?.as_str().parse().ok()
}
