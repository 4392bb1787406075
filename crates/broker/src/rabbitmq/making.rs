//! Queues are made by one connection at a time.
//!
//! While RabbitMQ makes a quorum queue, others see its name already. Who consumes from it then is answered with an internal error,
//! which ends the whole connection; and if that connection was in the middle of making a queue itself, that one is left half made:
//! its name is there, nothing can be put in or taken out, and no declaration mends it (seen with RabbitMQ 3.10).

use std::time::Duration;

use common::Hop;
use lapin::{
    Channel, ErrorKind,
    options::{QueueDeclareOptions, QueueDeleteOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::{AMQPValue, FieldTable, ShortString},
};
use tokio::time::{Instant, sleep};

use super::{
    link::{Link, Trouble},
    topology::Topology,
};
use crate::Lane;

/// How long others may take to make what they make.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits between two looks, in milliseconds: all processes of a new installation start at the same moment.
const LOOK_EVERY_MILLIS: std::ops::Range<u64> = 20..100;

/// Makes the queues of a lane that are not there yet, and waits for those that somebody else is making.
pub(super) async fn make(link: &Link, topology: &Topology, hop: Hop, lane: &Lane) -> Result<(), Trouble> {
    // The lock is a connection's, not a task's.
    let _here = link.making().await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_made(link, topology, hop, lane).await? {
            return declare(link, topology, hop, lane).await;
        }
        if let Some(lock) = take(link, topology.lock()).await? {
            let made = declare(link, topology, hop, lane).await;
            give_back(link, &lock, topology.lock()).await;
            return made;
        }
        if Instant::now() >= deadline {
            return Err(Trouble::Silent);
        }
        sleep(Duration::from_millis(rand::random_range(LOOK_EVERY_MILLIS))).await;
    }
}

/// Makes what is missing, and compares what is there with what it is to be.
async fn declare(link: &Link, topology: &Topology, hop: Hop, lane: &Lane) -> Result<(), Trouble> {
    let channel = link.channel().await?;
    let declared = topology.declare_on(link, &channel, hop, lane).await;
    link.close(&channel).await;
    declared
}

/// Whether all queues are there, and nobody is at making any: asked in this order, so that what was seen was made to the end.
async fn is_made(link: &Link, topology: &Topology, hop: Hop, lane: &Lane) -> Result<bool, Trouble> {
    let channel = link.channel().await?;
    let mut answer = Ok(true);
    for name in topology.names(hop, lane).chain([topology.lock()]) {
        let is_lock = name == topology.lock();
        let asked = channel.queue_declare(name, QueueDeclareOptions::default().passive(), FieldTable::default());
        answer = match link.within(asked).await {
            Ok(_) if is_lock => Ok(false),
            Ok(_) => continue,
            Err(trouble) => match refusal(&trouble) {
                Some(AMQPSoftError::NOTFOUND) => Ok(is_lock),
                Some(AMQPSoftError::RESOURCELOCKED) => Ok(false),
                _ => Err(trouble),
            },
        };
        break;
    }
    link.close(&channel).await;
    answer
}

/// Takes the lock: a queue that belongs to a connection and ends with it. `None`: another connection has it.
async fn take(link: &Link, lock: ShortString) -> Result<Option<Channel>, Trouble> {
    let channel = link.channel().await?;
    // Whatever queues here are by default: only the classic ones can belong to a connection.
    let mut classic = FieldTable::default();
    classic.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    match link.within(channel.queue_declare(lock, QueueDeclareOptions::exclusive(), classic)).await {
        Ok(_) => Ok(Some(channel)),
        Err(trouble) => {
            link.close(&channel).await;
            match refusal(&trouble) {
                Some(AMQPSoftError::RESOURCELOCKED) => Ok(None),
                _ => Err(trouble),
            }
        }
    }
}

async fn give_back(link: &Link, channel: &Channel, lock: ShortString) {
    // Where this fails the connection is at its end, and the lock with it.
    drop(link.within(channel.queue_delete(lock, QueueDeleteOptions::default())).await);
    link.close(channel).await;
}

/// Why the broker refused a request, where that ended the channel only.
fn refusal(trouble: &Trouble) -> Option<AMQPSoftError> {
    let Trouble::Failed(error) = trouble else { return None };
    let ErrorKind::ProtocolError(error) = error.kind() else { return None };
    match error.kind() {
        AMQPErrorKind::Soft(refusal) => Some(refusal.clone()),
        AMQPErrorKind::Hard(_) => None,
    }
}
