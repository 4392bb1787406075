//! How to reach RabbitMQ, and how to behave there.

use std::time::Duration;

use common::Secret;
use lapin::uri::AMQPUri;

use super::link::Access;
use crate::{Error, Result};

/// Seconds between heartbeats. A connection without a sign of life for twice as long is given up, so a silent cut is
/// noticed within half a minute. Below 5 s they cause false alarms.
const HEARTBEAT: u16 = 10;

/// What [`RabbitMq::new`](crate::RabbitMq::new) needs to know.
#[derive(Debug, Clone)]
pub struct RabbitMqOptions {
    /// `amqp://` or `amqps://`, with user, password and virtual host. It may end in `?heartbeat=SECONDS`.
    pub url: Secret,
    /// How many partitions each lane has. All processes must say the same.
    pub partitions: u32,
    /// The first part of all names at the broker.
    pub namespace: String,
    /// What the broker's operators see as the name of the connections.
    pub connection_name: String,
    /// How long one call of `publish` may take, waiting for a connection included.
    pub confirm_deadline: Duration,
}

impl RabbitMqOptions {
    /// Options with the usual names and times.
    pub fn new(url: Secret, partitions: u32) -> Self {
        Self {
            url,
            partitions,
            namespace: "orgbridge".to_owned(),
            connection_name: "orgbridge".to_owned(),
            confirm_deadline: Duration::from_secs(3),
        }
    }

    pub(super) fn access(&self) -> Result<Access> {
        // What the parser says is left out, since it repeats the URL.
        let mut uri: AMQPUri = self.url.expose().parse().map_err(|_repeats_it| Error::BadUrl)?;
        if uri.vhost.is_empty() {
            // "amqp://host/" names the virtual host without a name; nobody has one, and nobody means it.
            uri.vhost = "/".to_owned();
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        Ok(Access { uri, name: self.connection_name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(url: &str) -> Result<Access> {
        RabbitMqOptions::new(Secret::new(url), 4).access()
    }

    #[test]
    fn heartbeats_are_on_unless_the_url_says_otherwise() {
        assert_eq!(access("amqp://u:p@host:5672/%2f").unwrap().uri.query.heartbeat, Some(HEARTBEAT));
        assert_eq!(access("amqps://u:p@host/v?heartbeat=20").unwrap().uri.query.heartbeat, Some(20));
    }

    #[test]
    fn a_url_that_ends_in_a_slash_means_the_default_virtual_host() {
        for url in ["amqp://host", "amqp://host/", "amqp://host/%2f"] {
            assert_eq!(access(url).unwrap().uri.vhost, "/", "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_refused_and_not_repeated() {
        for url in ["", "kafka://host", "amqp//user:secret@host", "amqp://user:secret@host:port"] {
            let refused = access(url).err().unwrap();
            assert!(matches!(refused, Error::BadUrl), "{url}");
            assert!(!refused.to_string().contains("secret"));
        }
    }
}
