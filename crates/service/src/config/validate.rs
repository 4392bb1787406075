//! Ranges, and what keys ask of each other.

use std::collections::BTreeSet;

use super::{Config, MasterKey};

/// Ten years: longer than any sensible limit, short enough for arithmetic in milliseconds.
const LONGEST_SECONDS: u64 = 315_360_000;

type Refusals = Vec<(&'static str, String)>;

impl Config {
    /// What is out of range, by key.
    pub(super) fn validate(&self) -> Refusals {
        let mut refused = Refusals::new();
        self.check_numbers(&mut refused);
        self.check_seconds(&mut refused);
        self.check_texts(&mut refused);
        self.check_addresses(&mut refused);
        refused
    }

    fn check_numbers(&self, refused: &mut Refusals) {
        let gateway = &self.callback_gateway;
        range(refused, "database.pool_size", self.database.pool_size.into(), 1, 1000);
        range(refused, "broker.partitions", self.broker.partitions.into(), 1, 1024);
        range(refused, "callback_gateway.max_body_bytes", gateway.max_body_bytes as u64, 1, 64 << 20);
        range(refused, "callback_gateway.max_clock_skew_seconds", gateway.max_clock_skew_seconds.into(), 0, 86_400);
        range(refused, "callback_gateway.body_timeout_seconds", gateway.body_timeout_seconds, 1, 600);
        range(refused, "callback_gateway.refused_per_minute", gateway.refused_per_minute.into(), 1, 1_000_000_000);
        range(refused, "callback_gateway.drain_seconds", gateway.drain_seconds, 0, 8);
        range(refused, "callback_gateway.stream_connections", gateway.stream_connections.into(), 1, 8);
        range(refused, "resolver.batch_size", self.resolver.batch_size as u64, 1, 10_000);
        range(refused, "sink.batch_size", self.sink.batch_size as u64, 1, 10_000);
        let share = self.synchronizer.brake_share;
        if !(0.0..=1.0).contains(&share) {
            refused.push(("synchronizer.brake_share", format!("{share} is not between 0 and 1")));
        }
    }

    fn check_seconds(&self, refused: &mut Refusals) {
        let (resolver, synchronizer) = (&self.resolver, &self.synchronizer);
        range(refused, "resolver.parking_grace_seconds", resolver.parking_grace_seconds, 0, LONGEST_SECONDS);
        range(refused, "resolver.parking_limit_seconds", resolver.parking_limit_seconds, 1, LONGEST_SECONDS);
        range(refused, "resolver.duplicate_memory_seconds", resolver.duplicate_memory_seconds, 1, LONGEST_SECONDS);
        range(refused, "sink.retry_limit_seconds", self.sink.retry_limit_seconds, 1, LONGEST_SECONDS);
        let every = "synchronizer.reconcile_every_seconds";
        range(refused, every, synchronizer.reconcile_every_seconds, 1, LONGEST_SECONDS);
        let every = "synchronizer.failed_pushes_every_seconds";
        range(refused, every, synchronizer.failed_pushes_every_seconds, 1, LONGEST_SECONDS);
        range(refused, "synchronizer.delete_after_seconds", synchronizer.delete_after_seconds, 0, LONGEST_SECONDS);
        if resolver.parking_grace_seconds > resolver.parking_limit_seconds {
            let why = "is longer than resolver.parking_limit_seconds: nothing would ever be asked for";
            refused.push(("resolver.parking_grace_seconds", why.to_owned()));
        }
    }

    fn check_texts(&self, refused: &mut Refusals) {
        let database = self.database.url.expose();
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme)) {
            refused.push(("database.url", "must start with sqlite:// or postgres://".to_owned()));
        }
        let broker = self.broker.url.expose();
        if broker != "embedded" && !["amqp://", "amqps://"].iter().any(|scheme| broker.starts_with(scheme)) {
            refused.push(("broker.url", "must be embedded, or start with amqp:// or amqps://".to_owned()));
        }
        if !is_http_url(&self.console.public_url) {
            refused.push(("console.public_url", "must be an http:// or https:// address".to_owned()));
        }
        let endpoint = &self.telemetry.otlp_endpoint;
        if !endpoint.is_empty() && !is_http_url(endpoint) {
            refused.push(("telemetry.otlp_endpoint", "must be empty or an http:// or https:// address".to_owned()));
        }
        if self.data_dir.as_os_str().is_empty() {
            refused.push(("data_dir", "must name a directory".to_owned()));
        }
        self.check_lanes(refused);
        if let MasterKey::Text(key) = &self.secrets.master_key
            && let Err(why) = crate::master_key::check(key)
        {
            refused.push(("secrets.master_key", why.to_owned()));
        }
    }

    fn check_lanes(&self, refused: &mut Refusals) {
        let lanes = &self.broker.lanes;
        let distinct: BTreeSet<&String> = lanes.iter().collect();
        if lanes.is_empty() {
            refused.push(("broker.lanes", "must name at least one lane".to_owned()));
        } else if lanes.iter().any(|lane| !is_lane(lane)) {
            refused.push(("broker.lanes", "a lane has 1 to 63 characters out of a-z, 0-9 and -".to_owned()));
        } else if distinct.len() < lanes.len() {
            refused.push(("broker.lanes", "names a lane twice".to_owned()));
        }
    }

    fn check_addresses(&self, refused: &mut Refusals) {
        let listeners = [
            ("callback_gateway.listen", self.callback_gateway.listen),
            ("console.listen", self.console.listen),
            ("admin.listen", self.admin.listen),
        ];
        for (index, (key, address)) in listeners.iter().enumerate() {
            let earlier = listeners.iter().take(index).find(|(_, other)| other == address && address.port() != 0);
            if let Some((other, _)) = earlier {
                refused.push((key, format!("{address} is taken by {other}")));
            }
        }
    }
}

fn range(refused: &mut Refusals, key: &'static str, value: u64, least: u64, most: u64) {
    if !(least..=most).contains(&value) {
        refused.push((key, format!("{value} is not between {least} and {most}")));
    }
}

pub(crate) fn is_lane(lane: &str) -> bool {
    lane.parse::<common::TenantId>().is_ok()
}

/// Whether this is an absolute address that a request can be sent to.
pub(crate) fn is_http_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
