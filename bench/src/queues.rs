//! What lies in RabbitMQ's queues, counted by taking it out.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt;
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicCancelOptions, BasicConsumeOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::FieldTable,
};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::stage::PARTITIONS;

/// After that long without another message there is none.
const QUIET: Duration = Duration::from_secs(1);
const CONSUMER: &str = "bench";

/// Some queues of a virtual host.
pub(crate) struct Queues {
    connection: Connection,
    channel: Channel,
    names: Vec<String>,
}

/// What was in them.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) messages: usize,
    /// Documents: a message of ours is a list of them, anybody else's is one.
    pub(crate) events: usize,
}

/// The queues that our gateways fill.
pub(crate) fn ours() -> Vec<String> {
    (0..PARTITIONS).map(|partition| format!("orgbridge.events.shared.p{partition:02}")).collect()
}

impl Queues {
    /// Queues that are there already, by name.
    pub(crate) async fn open(amqp: &str, names: Vec<String>) -> Result<Self> {
        let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        Ok(Self { connection, channel, names })
    }

    /// Throws everything away.
    pub(crate) async fn purge(&self) -> Result<()> {
        for name in &self.names {
            self.channel.queue_purge(name.as_str().into(), QueuePurgeOptions::default()).await?;
        }
        Ok(())
    }

    /// Takes everything out, and shows each document.
    ///
    /// # Errors
    /// Also when something is left afterwards.
    pub(crate) async fn drain(&self, mut show: impl FnMut(&str)) -> Result<Content> {
        let mut content = Content::default();
        for name in &self.names {
            // Asked passively, it tells of this moment, where the figures of the management API are some seconds old.
            if self.ready(name).await? > 0 {
                self.drain_one(name, &mut content, &mut show).await?;
            }
            let left = self.ready(name).await?;
            ensure!(left == 0, "{left} messages are left in {name}");
        }
        Ok(content)
    }

    async fn drain_one(&self, name: &str, content: &mut Content, show: &mut impl FnMut(&str)) -> Result<()> {
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consume = self.channel.basic_consume(name.into(), CONSUMER.into(), options, FieldTable::default());
        let mut consumer = consume.await?;
        while let Ok(Some(delivery)) = timeout(QUIET, consumer.next()).await {
            let body = delivery?.data;
            content.messages += 1;
            match serde_json::from_slice::<Vec<&RawValue>>(&body) {
                Ok(documents) => {
                    content.events += documents.len();
                    documents.iter().for_each(|document| show(document.get()));
                }
                Err(_) => {
                    content.events += 1;
                    show(std::str::from_utf8(&body).context("a message is no text")?);
                }
            }
        }
        self.channel.basic_cancel(CONSUMER.into(), BasicCancelOptions::default()).await?;
        Ok(())
    }

    async fn ready(&self, name: &str) -> Result<u32> {
        let options = QueueDeclareOptions::durable().passive();
        let queue = self.channel.queue_declare(name.into(), options, FieldTable::default()).await?;
        Ok(queue.message_count())
    }

    /// Closes the connection.
    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.connection.close(200, "OK".into()).await?)
    }
}
