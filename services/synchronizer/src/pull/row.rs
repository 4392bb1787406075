//! What a run knows of one entity.

use common::{EntityKey, Field, Fields, UnixMillis};
use serde::{Deserialize, Serialize};
use store::snapshots::Texts;

use crate::contacts::Seen;

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

/// What an app tells of a department. What is below what is told by the lists of ids.
pub(crate) fn department(mut told: Seen, at: UnixMillis) -> (EntityKey, Row) {
    told.fields.remove(Field::Parent);
    let key = EntityKey::department(&told.id);
    (key, Row { id: told.id, place: None, details: Some(Part { at, fields: told.fields }) })
}

/// What an app tells of a member.
pub(crate) fn member(told: Seen, at: UnixMillis) -> (EntityKey, Row) {
    let key = EntityKey::member(&told.id);
    (key, Row { id: told.id, place: None, details: Some(Part { at, fields: told.fields }) })
}

/// What a list of ids tells of a department.
pub(crate) fn listed(told: Seen, at: UnixMillis) -> (EntityKey, Row) {
    let key = EntityKey::department(&told.id);
    (key, Row { id: told.id, place: Some(Part { at, fields: told.fields }), details: None })
}

/// That a list of ids has a member in a department, or in several.
pub(crate) fn within(id: String, departments: Vec<String>, at: UnixMillis) -> Row {
    let fields = Fields::new().with(Field::Departments, departments);
    Row { id, place: Some(Part { at, fields }), details: None }
}

/// Adds what one source told to what is known.
pub(crate) fn merge(known: &mut Row, told: Row, adds: bool) {
    if known.id.is_empty() {
        known.id = told.id;
    }
    if let Some(place) = told.place {
        match &mut known.place {
            Some(before) if adds && before.fields.has(Field::Departments) => {
                let mut departments = before.fields.list(Field::Departments).to_vec();
                for id in place.fields.list(Field::Departments) {
                    if !departments.contains(id) {
                        departments.push(id.clone());
                    }
                }
                before.fields.set(Field::Departments, departments);
                before.at = before.at.min(place.at);
            }
            other => *other = Some(place),
        }
    }
    if told.details.is_some() {
        known.details = told.details;
    }
}
