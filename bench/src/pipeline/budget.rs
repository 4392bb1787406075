//! What an event costs at least, by parts, and so how many this machine could take at most with all of its cores.
//!
//! | part | measured as |
//! |---|---|
//! | load | what sends the requests, while it drives the gateway alone |
//! | gateway | our gateway alone, publishing into queues that nobody reads; its own grouping in both budgets |
//! | first hop | RabbitMQ while messages of events go in and come out |
//! | resolver's consumer | `lapin`, taking them and acknowledging many at once |
//! | resolver's rows | PostgreSQL and its client: keys, records, outbox, last version |
//! | second hop | `lapin` on both sides, and RabbitMQ, with messages of changes |
//! | sink's rows | PostgreSQL and its client: members, their departments, position, attempts, and the outbox emptied |
//!
//! It has no work of ours but the gateway's: nothing is parsed, merged or decided. In the budget of one message each, a message has
//! one document on both hops; in the grouped one it has as many as the gateway put into one in this round, and 64 on the second hop.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    Options,
    hop::{self, Hop},
    rows::{self, Rows},
    sample::Sample,
};
use crate::{
    gateway::{entrance, filled_by},
    load,
    meter::Meter,
    numbers::rounded,
    requests::{self, Members},
    stage::{self, Stage},
};

/// Documents that our publisher puts into one message at most.
const LARGEST_GROUP: usize = 64;
/// Grouped documents are so much cheaper that more are needed for a figure.
const MORE_GROUPED: usize = 3;

/// The parts, in microseconds of processor time per event.
pub(super) struct Budget {
    cores: usize,
    gateway: Gateway,
    each: Hop,
    /// With as many documents as the gateway puts into a message.
    first_grouped: Hop,
    second_grouped: Hop,
    rows: Rows,
}

/// The gateway with nobody behind it.
struct Gateway {
    load: f64,
    gateway: f64,
    rabbitmq: f64,
    documents_per_message: f64,
}

/// One column of the budget.
struct Column {
    load: f64,
    gateway: f64,
    first_hop: f64,
    resolver_consumer: f64,
    resolver_rows: f64,
    second_hop: f64,
    sink_rows: f64,
}

/// Measures all parts.
pub(super) async fn measure(stage: &Stage, options: &Options, cores: usize) -> Result<Budget> {
    let sample = Sample::make(options.departments)?;
    let gateway = gateway_alone(stage, options).await?;
    let group = (gateway.documents_per_message.round() as usize).clamp(1, LARGEST_GROUP);
    let documents = options.budget_events;
    let vhost = stage.vhost();
    let each = hop::measure(stage, vhost.url(), &sample.event, 1, documents).await?;
    let first_grouped = hop::measure(stage, vhost.url(), &sample.event, group, documents * MORE_GROUPED).await?;
    let second_grouped =
        hop::measure(stage, vhost.url(), &sample.change, LARGEST_GROUP, documents * MORE_GROUPED).await?;
    let rows = rows::measure(stage, sample, options).await?;
    Ok(Budget { cores, gateway, each, first_grouped, second_grouped, rows })
}

async fn gateway_alone(stage: &Stage, options: &Options) -> Result<Gateway> {
    let bridge = stage.gateway_alone().await;
    let queues = filled_by(&bridge).await?;
    let events = options.budget_events;
    let of = Members { numbers: 0..events, departments: options.departments, have_leaders: false };
    let callbacks = requests::over_http(requests::members(&of), stage::PATH);
    let meter = Meter::start(stage.roots(&bridge))?;
    load::send(entrance(&bridge)?, callbacks, options.connections).await?;
    let usage = meter.read()?;
    let content = queues.drain(|_| {}).await?;
    queues.close().await?;
    Ok(Gateway {
        load: usage.own_micros(events),
        gateway: usage.micros("callback-gateway", events),
        rabbitmq: usage.micros("rabbitmq", events),
        documents_per_message: content.events as f64 / content.messages.max(1) as f64,
    })
}

impl Budget {
    /// Events per second with one message each.
    pub(super) fn each_per_second(&self) -> f64 {
        self.per_second(&self.column(&self.each, &self.each))
    }

    /// Events per second with grouped messages.
    pub(super) fn grouped_per_second(&self) -> f64 {
        self.per_second(&self.column(&self.first_grouped, &self.second_grouped))
    }

    fn per_second(&self, column: &Column) -> f64 {
        self.cores as f64 * 1e6 / column.sum()
    }

    fn column(&self, first: &Hop, second: &Hop) -> Column {
        Column {
            load: self.gateway.load,
            gateway: self.gateway.gateway,
            first_hop: first.rabbitmq,
            resolver_consumer: first.consumer,
            resolver_rows: self.rows.resolver.sum(),
            second_hop: second.publisher + second.rabbitmq + second.consumer,
            sink_rows: self.rows.sink.sum(),
        }
    }

    /// All parts of both columns, and what they are made of.
    pub(super) fn told(&self) -> Value {
        json!({
            "each": self.column(&self.each, &self.each).told(), "each_per_second": rounded(self.each_per_second()),
            "grouped": self.column(&self.first_grouped, &self.second_grouped).told(),
            "grouped_per_second": rounded(self.grouped_per_second()),
            "gateway_alone": {
                "rabbitmq": rounded(self.gateway.rabbitmq),
                "documents_per_message": rounded(self.gateway.documents_per_message),
            },
            "hops": {
                "each": self.each.told(), "first_grouped": self.first_grouped.told(),
                "second_grouped": self.second_grouped.told(),
            },
            "rows": self.rows.told(),
        })
    }
}

impl Column {
    fn sum(&self) -> f64 {
        let Self { load, gateway, first_hop, resolver_consumer, resolver_rows, second_hop, sink_rows } = self;
        load + gateway + first_hop + resolver_consumer + resolver_rows + second_hop + sink_rows
    }

    fn told(&self) -> Value {
        json!({
            "load": rounded(self.load), "gateway": rounded(self.gateway), "first_hop": rounded(self.first_hop),
            "resolver_consumer": rounded(self.resolver_consumer), "resolver_rows": rounded(self.resolver_rows),
            "second_hop": rounded(self.second_hop), "sink_rows": rounded(self.sink_rows), "sum": rounded(self.sum()),
        })
    }
}
