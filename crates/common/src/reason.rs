//! Why something was given up on.

use serde::{Deserialize, Serialize};

/// The reason of a dead letter. Each has a section of the same name in `docs/errors.md`, which a test checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A message of the queue is not an event of ours.
    UndecodableEvent,
    /// What an entity refers to did not appear within the parking limit.
    DependencyMissing,
    /// The destination said that it will never take this.
    RejectedByDestination,
    /// The destination failed on this one change, and only on it, until the retry limit.
    RetriesExhausted,
    /// Processing an event failed again and again for a reason of our own.
    ProcessingFailed,
    /// A record of a form cannot be made into a request: something in it is missing or wrong.
    InvalidRecord,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::UndecodableEvent,
        Self::DependencyMissing,
        Self::RejectedByDestination,
        Self::RetriesExhausted,
        Self::ProcessingFailed,
        Self::InvalidRecord,
    ];

    /// The name used in tables, commands and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UndecodableEvent => "undecodable_event",
            Self::DependencyMissing => "dependency_missing",
            Self::RejectedByDestination => "rejected_by_destination",
            Self::RetriesExhausted => "retries_exhausted",
            Self::ProcessingFailed => "processing_failed",
            Self::InvalidRecord => "invalid_record",
        }
    }

    /// Reads the name; `None` when it is no reason of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
