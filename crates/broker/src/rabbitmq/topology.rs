//! Exchanges and queues: what they are called, how they are made, how full they are.

use common::Hop;
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use super::link::{Link, Trouble};
use crate::{Error, Lane, Result, message::Queue};

/// Returns of a message before the broker gives up on it. Having a limit is what makes returned messages go to the front
/// of their queue; it is high, since every message in a consumer's hands counts whenever that consumer dies.
const DELIVERY_LIMIT: i32 = 200;

/// Behind a dead-letter queue there is nothing: what is returned there a few times too often would be lost.
const NO_LIMIT: i32 = 1_000_000_000;

/// A name at the broker may have 255 bytes, and is put together from a namespace, a lane and about 20 more.
const LONGEST_PART: usize = 100;

/// See the module. One direct exchange per hop; one quorum queue per partition, and one dead-letter queue per lane.
pub(super) struct Topology {
    namespace: String,
    partitions: u32,
}

impl Topology {
    /// # Errors
    /// [`Error::BadName`].
    pub(super) fn new(namespace: &str, partitions: u32) -> Result<Self> {
        fits(namespace)?;
        Ok(Self { namespace: namespace.to_owned(), partitions: partitions.max(1) })
    }

    /// Whether names can be made with this lane. To be asked before the others.
    ///
    /// # Errors
    /// [`Error::BadName`].
    pub(super) fn check(&self, lane: &Lane) -> Result<()> {
        fits(lane.as_str())
    }

    pub(super) fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The queues of a lane, the dead-letter queue aside.
    pub(super) fn queues(&self, hop: Hop, lane: &Lane) -> impl Iterator<Item = Queue> + use<> {
        let lane = lane.clone();
        (0..self.partitions).map(move |partition| Queue { hop, lane: lane.clone(), partition })
    }

    pub(super) fn exchange(&self, hop: Hop) -> ShortString {
        format!("{}.{}", self.namespace, hop.as_str()).into()
    }

    /// The name of a queue, which is also the key by which it is reached.
    pub(super) fn name(&self, queue: &Queue) -> ShortString {
        let Queue { hop, lane, partition } = queue;
        format!("{}.{}.{lane}.p{partition:02}", self.namespace, hop.as_str()).into()
    }

    /// The name of the dead-letter queue of a lane.
    pub(super) fn dead(&self, hop: Hop, lane: &Lane) -> ShortString {
        format!("{}.{}.{lane}.dead", self.namespace, hop.as_str()).into()
    }

    /// The name of the queue whose owner makes queues; see `making`.
    pub(super) fn lock(&self) -> ShortString {
        format!("{}.making", self.namespace).into()
    }

    /// The names of all queues of a lane.
    pub(super) fn names(&self, hop: Hop, lane: &Lane) -> impl Iterator<Item = ShortString> {
        self.queues(hop, lane).map(|queue| self.name(&queue)).chain([self.dead(hop, lane)])
    }

    /// Declares exchange and queues of a lane.
    pub(super) async fn declare_on(
        &self,
        link: &Link,
        channel: &Channel,
        hop: Hop,
        lane: &Lane,
    ) -> Result<(), Trouble> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let exchange = self.exchange(hop);
        let nothing = FieldTable::default();
        link.within(channel.exchange_declare(exchange.clone(), ExchangeKind::Direct, durable, nothing.clone())).await?;
        let dead = self.dead(hop, lane);
        link.within(channel.queue_declare(dead.clone(), QueueDeclareOptions::durable(), dead_arguments())).await?;
        for queue in self.queues(hop, lane) {
            let name = self.name(&queue);
            let declare = channel.queue_declare(name.clone(), QueueDeclareOptions::durable(), arguments(&dead));
            link.within(declare).await?;
            let key = name.clone();
            let bind = channel.queue_bind(name, exchange.clone(), key, QueueBindOptions::default(), nothing.clone());
            link.within(bind).await?;
        }
        Ok(())
    }

    /// How many messages of these lanes wait, those in dead-letter queues included.
    pub(super) async fn ready(&self, link: &Link, hop: Hop, lanes: &[Lane]) -> Result<u64, Trouble> {
        let channel = link.channel().await?;
        let ready = self.ready_on(link, &channel, hop, lanes).await;
        link.close(&channel).await;
        ready
    }

    async fn ready_on(&self, link: &Link, channel: &Channel, hop: Hop, lanes: &[Lane]) -> Result<u64, Trouble> {
        let names: Vec<ShortString> = lanes.iter().flat_map(|lane| self.names(hop, lane)).collect();
        let mut ready = 0;
        for name in names {
            let asked = channel.queue_declare(name, QueueDeclareOptions::durable().passive(), FieldTable::default());
            ready += u64::from(link.within(asked).await?.message_count());
        }
        Ok(ready)
    }
}

fn fits(part: &str) -> Result<()> {
    if part.is_empty() || part.len() > LONGEST_PART { Err(Error::BadName) } else { Ok(()) }
}

/// All of a partition's properties are arguments, never a policy, so that a broker that somebody else runs cannot lack them.
fn arguments(dead: &ShortString) -> FieldTable {
    let mut arguments = quorum(DELIVERY_LIMIT);
    // One consumer at a time, so that order is kept.
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    // All three are needed, or giving up on a message may lose it.
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(dead.as_str()));
    arguments
}

fn dead_arguments() -> FieldTable {
    quorum(NO_LIMIT)
}

fn quorum(delivery_limit: i32) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        let topology = Topology::new("orgbridge", 16).unwrap();
        let lane = Lane::shared();
        let names: Vec<ShortString> = topology.queues(Hop::Events, &lane).map(|queue| topology.name(&queue)).collect();
        assert_eq!(names.len(), 16);
        assert_eq!(names[7].as_str(), "orgbridge.events.shared.p07");
        assert_eq!(topology.dead(Hop::Changes, &lane).as_str(), "orgbridge.changes.shared.dead");
        assert_eq!(topology.exchange(Hop::Changes).as_str(), "orgbridge.changes");
    }

    #[test]
    fn names_that_would_be_too_long_are_refused() {
        let topology = Topology::new(&"n".repeat(LONGEST_PART), u32::MAX).unwrap();
        let lane = Lane::new(&"l".repeat(LONGEST_PART));
        topology.check(&lane).unwrap();
        topology.name(&Queue { hop: Hop::Changes, lane, partition: u32::MAX });
        assert!(topology.check(&Lane::new("")).is_err());
        assert!(topology.check(&Lane::new(&"l".repeat(LONGEST_PART + 1))).is_err());
        assert!(matches!(Topology::new("", 1), Err(Error::BadName)));
    }
}
