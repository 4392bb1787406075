//! What leaves: whole entities as they are to be at destinations, with dense versions.

use serde::{Deserialize, Serialize};

use crate::{Callback, DestinationId, EntityKey, EntityKind, Fields, TenantId, UnixMillis};

/// A whole entity as it is to be at destinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose it is.
    pub tenant: TenantId,
    /// Dense within the tenant, from 1, in commit order.
    pub version: u64,
    /// Which entity; the id is folded, see [`EntityKey`].
    pub entity: EntityKey,
    /// What is to happen.
    pub action: Action,
    /// Platform time of the newest fact in it.
    pub source_time: UnixMillis,
    /// When the event that made it due was taken over, by our clock; for the end-to-end time.
    pub received_at: UnixMillis,
    /// What it refers to: must be at a destination before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refers_to: Vec<EntityKey>,
    /// What the entity referred to as last sent and no longer does: cannot be removed at a destination before this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<EntityKey>,
    /// The entity was not live before: where this has not arrived, the entity is not there at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// W3C trace context of the event that made it due, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Only for this destination (back-fill, replay); everybody's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_for: Option<DestinationId>,
}

/// What is to happen to an entity at a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is to be there, exactly like this.
    Upsert {
        /// The whole entity.
        entity: Entity,
        /// The folded id under which it was sent before; references follow. If the new id has a row too, that one stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renamed_from: Option<EntityKey>,
    },
    /// It is to be gone.
    Remove,
    /// A callback to be passed on verbatim to the relays of its platform.
    Callback(Callback),
}

/// An entity in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// The id as people see it.
    pub shown_id: String,
    /// All that is known. References are resolved: departments by their ids, leaders by the ids under which they are shown.
    pub fields: Fields,
    /// No source could tell the name: it is the id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// What a receiver was last told of an entity, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it took last.
    pub entity: Entity,
    /// Fields in which it may differ from that: they were sent to it otherwise, and nobody knows what became of it.
    pub doubt: Fields,
}

impl Told {
    /// Without any doubt.
    pub const fn surely(entity: Entity) -> Self {
        Self { entity, doubt: Fields::new() }
    }

    /// The entity was sent to it as `sent`, and it may have it so.
    pub fn may_be(&mut self, sent: &Entity) {
        let known = &self.entity.fields;
        let differing = sent.fields.iter().filter(|(field, value)| known.get(*field) != Some(*value));
        let emptied = known.iter().filter(|(field, _)| !sent.fields.has(*field));
        let doubt: Fields = differing.chain(emptied).map(|(field, value)| (field, value.clone())).collect();
        self.doubt.merge(doubt);
    }
}

impl Change {
    /// Whether this concerns the destination at all.
    pub fn is_for(&self, destination: &DestinationId) -> bool {
        self.only_for.as_ref().is_none_or(|only| only == destination)
    }

    /// The sort of entity.
    pub fn kind(&self) -> EntityKind {
        self.entity.kind
    }

    /// JSON bytes, as stored in the outbox and sent through the queue.
    pub fn to_json(&self) -> Vec<u8> {
        // Map keys are field names and attribute names, all text: JSON can say every change.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
