//! What a run knows of one entity.

use common::{EntityKey, Field, Fields, UnixMillis};
use serde::{Deserialize, Serialize};
use wecom::api::{Department, Member};

/// What a run knows of one entity. It is kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Its id as the platform spells it.
    pub(crate) id: String,
    /// What the list of ids says: that it is there, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Part>,
    /// What the app says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Part>,
}

/// What one source says, as of when it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The platform's time at which it was asked.
    pub(crate) at: UnixMillis,
    /// What it told.
    pub(crate) fields: Fields,
}

impl Row {
    /// The text that is kept.
    pub(crate) fn to_text(&self) -> String {
        // Texts, numbers and maps with text keys: there is nothing here that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads it back; `None` when it is not one of ours.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What an app tells of a department. What is below what is told by the contact secret.
pub(crate) fn department(mut told: Department, at: UnixMillis) -> (EntityKey, Row) {
    told.fields.remove(Field::Parent);
    let key = EntityKey::department(&told.id);
    (key, Row { id: told.id, place: None, details: Some(Part { at, fields: told.fields }) })
}

/// What an app tells of a member.
pub(crate) fn member(told: Member, at: UnixMillis) -> (EntityKey, Row) {
    let key = EntityKey::member(&told.id);
    (key, Row { id: told.id, place: None, details: Some(Part { at, fields: told.fields }) })
}
