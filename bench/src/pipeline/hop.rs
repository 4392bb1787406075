//! What one hop costs by itself: `lapin`, a quorum queue, persistent messages, confirmations, many acknowledged at once.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, PublisherConfirm,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{meter::Meter, numbers::rounded, stage::Stage};

const QUEUE: &str = "bench.hop";
/// The broker syncs a persistent message to disk before it confirms it.
const PERSISTENT: u8 = 2;
/// Messages that are published and not confirmed, at most.
const UNDER_WAY: usize = 256;
/// Messages that are handed out and not acknowledged, at most.
const PREFETCHED: u16 = 1024;
/// Documents that are acknowledged together, but not more messages than the next says.
const ACKNOWLEDGED_DOCUMENTS: usize = 256;
const ACKNOWLEDGED_MESSAGES: usize = 64;
const PATIENCE: Duration = Duration::from_secs(30);

/// Microseconds of processor time per document.
pub(super) struct Hop {
    documents_per_message: usize,
    /// The client that publishes.
    pub(super) publisher: f64,
    /// The client that consumes.
    pub(super) consumer: f64,
    /// The broker, while messages go in and come out.
    pub(super) rabbitmq: f64,
    /// The broker, while messages only go in.
    rabbitmq_in: f64,
}

/// Publishes without a consumer, and then, into another queue, with one: what is more then is the consumer's.
pub(super) async fn measure(stage: &Stage, amqp: &str, document: &str, group: usize, documents: usize) -> Result<Hop> {
    let messages = documents.div_ceil(group.max(1));
    let documents = messages * group;
    let body = format!("[{}]", vec![document; group].join(","));
    let publisher = connect(amqp).await?;
    let consumer = connect(amqp).await?;

    let alone = {
        let channel = declare(&publisher).await?;
        let meter = Meter::start(stage.servers_alone())?;
        publish(&channel, body.as_bytes(), messages).await?;
        let usage = meter.read()?;
        delete(&channel).await?;
        usage
    };
    let both = {
        let channel = declare(&publisher).await?;
        let meter = Meter::start(stage.servers_alone())?;
        tokio::try_join!(publish(&channel, body.as_bytes(), messages), consume(&consumer, group, messages))?;
        let usage = meter.read()?;
        delete(&channel).await?;
        usage
    };

    for connection in [publisher, consumer] {
        connection.close(200, "OK".into()).await?;
    }
    Ok(Hop {
        documents_per_message: group,
        publisher: alone.own_micros(documents),
        consumer: (both.own_micros(documents) - alone.own_micros(documents)).max(0.0),
        rabbitmq: both.micros("rabbitmq", documents),
        rabbitmq_in: alone.micros("rabbitmq", documents),
    })
}

async fn connect(amqp: &str) -> Result<Connection> {
    Ok(Connection::connect(amqp, ConnectionProperties::default()).await?)
}

/// A channel that confirms, and an empty queue.
async fn declare(connection: &Connection) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), arguments).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

async fn delete(channel: &Channel) -> Result<()> {
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    Ok(channel.close(200, "OK".into()).await?)
}

async fn publish(channel: &Channel, body: &[u8], messages: usize) -> Result<()> {
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(PERSISTENT);
    let mut under_way = VecDeque::with_capacity(UNDER_WAY);
    for _ in 0..messages {
        if under_way.len() >= UNDER_WAY
            && let Some(oldest) = under_way.pop_front()
        {
            confirmed(oldest).await?;
        }
        let options = BasicPublishOptions::default();
        under_way.push_back(channel.basic_publish("".into(), QUEUE.into(), options, body, properties.clone()).await?);
    }
    for confirm in under_way {
        confirmed(confirm).await?;
    }
    Ok(())
}

async fn confirmed(confirm: PublisherConfirm) -> Result<()> {
    let confirmation = timeout(PATIENCE, confirm).await.context("the broker does not confirm")??;
    ensure!(confirmation.is_ack(), "the broker does not take a message");
    Ok(())
}

async fn consume(connection: &Connection, group: usize, messages: usize) -> Result<()> {
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCHED, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(QUEUE.into(), "bench".into(), options, FieldTable::default()).await?;
    let together = (ACKNOWLEDGED_DOCUMENTS / group.max(1)).clamp(1, ACKNOWLEDGED_MESSAGES);
    for number in 1..=messages {
        let next = timeout(PATIENCE, consumer.next()).await.context("no message comes any more")?;
        let delivery = next.context("the broker ended the subscription")??;
        if number.is_multiple_of(together) || number == messages {
            delivery.ack(BasicAckOptions { multiple: true }).await?;
        }
    }
    Ok(channel.close(200, "OK".into()).await?)
}

impl Hop {
    pub(super) fn told(&self) -> Value {
        json!({
            "documents_per_message": self.documents_per_message, "publisher": rounded(self.publisher),
            "consumer": rounded(self.consumer), "rabbitmq": rounded(self.rabbitmq),
            "rabbitmq_in": rounded(self.rabbitmq_in),
        })
    }
}
