//! What a run knows of one entity.

use common::{EntityKey, Field, Fields, UnixMillis};
use serde::{Deserialize, Serialize};
use store::snapshots::Texts;
use wecom::api::{Department, Member};

/// What a run knows of one entity. What each source says is kept by itself, as JSON with the other one left out.
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

    /// Reads a text back; `None` when it is not one of ours.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Reads back what both sources said; `None` when none of it is ours.
    pub(crate) fn from_texts(texts: &Texts) -> Option<Self> {
        let read = |text: &Option<String>| text.as_deref().and_then(Self::from_text);
        match (read(&texts.place), read(&texts.details)) {
            (Some(listed), Some(told)) => Some(Self { details: told.details, ..listed }),
            (listed, told) => listed.or(told),
        }
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
