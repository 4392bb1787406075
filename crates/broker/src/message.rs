//! What goes in and what comes out.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use common::Hop;

/// A set of partitions with services of its own, so that a big tenant can be scaled alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(Arc<str>);

impl Lane {
    /// The lane by that name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The lane of every tenant that has none of its own.
    pub fn shared() -> Self {
        Self::new("shared")
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self::shared()
    }
}

impl From<&str> for Lane {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One ordered queue: a partition of a lane of a hop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Queue {
    pub(crate) hop: Hop,
    pub(crate) lane: Lane,
    pub(crate) partition: u32,
}

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What must stay in order with what: decides the partition, see [`common::partition_of`].
    pub ordering_key: String,
    /// One JSON document.
    pub payload: Bytes,
    /// W3C trace context that it belongs to.
    pub(crate) traceparent: Option<Box<str>>,
    /// It was made by a serialiser just before.
    pub(crate) is_surely_json: bool,
}

impl Outgoing {
    /// A message from its parts.
    pub fn new(ordering_key: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { ordering_key: ordering_key.into(), payload: payload.into(), traceparent: None, is_surely_json: false }
    }

    /// A message whose payload a JSON serialiser made just before, which spares reading it again.
    pub fn serialised(ordering_key: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        debug_assert!(
            serde_json::from_slice::<&serde_json::value::RawValue>(&payload).is_ok(),
            "a serialiser makes JSON"
        );
        let is_surely_json = !payload.is_empty();
        Self { ordering_key: ordering_key.into(), payload, traceparent: None, is_surely_json }
    }

    /// The same, as a part of a trace: of what shares a message at the broker, the first one's is in its header `traceparent`.
    #[must_use]
    pub fn traced(self, traceparent: Option<&str>) -> Self {
        Self { traceparent: traceparent.map(Into::into), ..self }
    }
}

/// A message as a handler gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The document, byte for byte as it was published. Or, where the queue itself held something that is not a list of
    /// documents, that something: a handler that cannot read it answers with poison, like for any other.
    pub payload: Bytes,
    /// It may have been handed out before. `false` is certain, `true` is not.
    pub redelivered: bool,
    /// Where it waited.
    pub partition: u32,
}
