//! What a callback is about.

use serde::{Deserialize, Serialize};

/// The entity that a callback is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A department by id.
    Department(String),
    /// A member by user id; the old one where a callback renames it.
    Member(String),
    /// Neither: tags, jobs, unknown events.
    Other,
}

/// What a callback says has happened to its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// It was created.
    Create,
    /// It was changed or renamed.
    Update,
    /// It was removed.
    Remove,
    /// The callback is not about the directory.
    Other,
}
