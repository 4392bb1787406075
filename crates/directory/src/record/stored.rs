//! How a record is kept: what was sent is told as the difference to what the facts say by themselves. Most entities are sent
//! just as they were told, so their rows hold every value once.

use std::collections::{BTreeMap, BTreeSet};

use common::{Entity, EntityKey, Field, Fields, UnixMillis, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Fact, Record, Sent, Wait, is_zero};

/// A record on its way out.
#[derive(Serialize)]
struct Out<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: &'a Option<(UnixMillis, String)>,
    facts: &'a [Fact],
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<SentOut<'a>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    waits: &'a BTreeSet<Wait>,
    #[serde(skip_serializing_if = "is_zero")]
    children: u32,
    #[serde(skip_serializing_if = "is_zero")]
    members: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    settled_for_id: bool,
    told_at: UnixMillis,
    received_at: UnixMillis,
    last_event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: &'a Option<String>,
}

/// A record on its way in.
#[derive(Deserialize)]
#[serde(default)]
struct In {
    shown: Option<(UnixMillis, String)>,
    facts: Vec<Fact>,
    sent: Option<SentIn>,
    waits: BTreeSet<Wait>,
    children: u32,
    members: u32,
    settled_for_id: bool,
    told_at: UnixMillis,
    received_at: UnixMillis,
    last_event: String,
    traceparent: Option<String>,
}

impl Default for In {
    fn default() -> Self {
        let Record {
            shown,
            facts,
            sent: _,
            waits,
            children,
            members,
            settled_for_id,
            told_at,
            received_at,
            last_event,
            traceparent,
        } = Record::default();
        Self {
            shown,
            facts,
            sent: None,
            waits,
            children,
            members,
            settled_for_id,
            told_at,
            received_at,
            last_event,
            traceparent,
        }
    }
}

/// What was sent, as far as the facts do not tell it.
#[derive(Serialize)]
struct SentOut<'a> {
    at: UnixMillis,
    /// Absent: as the record shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown_id: Option<&'a str>,
    /// Fields that were sent with another value than the facts tell, or that they do not tell.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<Field, &'a Value>,
    /// Fields that the facts tell and that were not sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unset: Vec<Field>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
    /// Absent: what its fields refer to.
    #[serde(skip_serializing_if = "Option::is_none")]
    refers_to: Option<&'a [EntityKey]>,
}

#[derive(Deserialize)]
struct SentIn {
    at: UnixMillis,
    shown_id: Option<String>,
    #[serde(default)]
    set: Fields,
    #[serde(default)]
    unset: Vec<Field>,
    #[serde(default)]
    incomplete: bool,
    refers_to: Option<Vec<EntityKey>>,
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            shown,
            facts,
            sent,
            waits,
            children,
            members,
            settled_for_id,
            told_at,
            received_at,
            last_event,
            traceparent,
        } = self;
        Out {
            shown,
            facts,
            sent: sent.as_ref().map(|sent| SentOut::of(sent, self)),
            waits,
            children: *children,
            members: *members,
            settled_for_id: *settled_for_id,
            told_at: *told_at,
            received_at: *received_at,
            last_event,
            traceparent,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let In {
            shown,
            facts,
            sent,
            waits,
            children,
            members,
            settled_for_id,
            told_at,
            received_at,
            last_event,
            traceparent,
        } = In::deserialize(deserializer)?;
        let sent = sent.map(|sent| sent.into_sent(shown_id(&shown), &facts));
        Ok(Self {
            shown,
            facts,
            sent,
            waits,
            children,
            members,
            settled_for_id,
            told_at,
            received_at,
            last_event,
            traceparent,
        })
    }
}

impl<'a> SentOut<'a> {
    fn of(sent: &'a Sent, record: &'a Record) -> Self {
        let told = told_by(&record.facts);
        let entity = &sent.entity;
        let set = entity.fields.iter().filter(|(field, value)| told.get(field) != Some(value)).collect();
        let unset = told.into_keys().filter(|field| !entity.fields.has(*field)).collect();
        Self {
            at: sent.at,
            shown_id: (shown_id(&record.shown) != Some(entity.shown_id.as_str())).then_some(entity.shown_id.as_str()),
            set,
            unset,
            incomplete: entity.incomplete,
            refers_to: (referred(&entity.fields) != sent.refers_to).then_some(&sent.refers_to),
        }
    }
}

impl SentIn {
    fn into_sent(self, shown_id: Option<&str>, facts: &[Fact]) -> Sent {
        let mut fields = Fields::new();
        for (field, value) in told_by(facts).into_iter().filter(|(field, _)| !self.unset.contains(field)) {
            if !self.set.has(field) {
                fields.set(field, value.clone());
            }
        }
        for (field, value) in self.set {
            fields.set(field, value);
        }
        let refers_to = self.refers_to.unwrap_or_else(|| referred(&fields));
        let shown_id = self.shown_id.unwrap_or_else(|| shown_id.unwrap_or_default().to_owned());
        Sent { entity: Entity { shown_id, fields, incomplete: self.incomplete }, at: self.at, refers_to }
    }
}

fn shown_id(shown: &Option<(UnixMillis, String)>) -> Option<&str> {
    shown.as_ref().map(|(_, id)| id.as_str())
}

/// Per field what this record's own facts told last, of the present life. Only a base for differences: what holds is derived
/// in `life.rs`.
fn told_by(facts: &[Fact]) -> BTreeMap<Field, &Value> {
    let start = facts.iter().rposition(Fact::ends_life).map_or(0, |at| at + 1);
    let present = facts.get(start..).unwrap_or_default();
    present.iter().filter_map(Fact::fields).flat_map(Fields::iter).collect()
}

/// What an entity of these fields refers to: a department its parent, a member its departments, a record its member.
fn referred(fields: &Fields) -> Vec<EntityKey> {
    let member = fields.text(Field::Member).or_else(|| fields.text(Field::Applicant));
    match (fields.text(Field::Parent), member) {
        (Some(parent), _) => vec![EntityKey::department(parent)],
        (None, Some(member)) => vec![EntityKey::member(member)],
        (None, None) => fields.list(Field::Departments).iter().map(|id| EntityKey::department(id)).collect(),
    }
}
