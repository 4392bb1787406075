//! What we know of one entity: all its events merged.

mod stored;

use std::{collections::BTreeSet, sync::Arc};

use common::{Entity, EntityKey, Field, Fields, UnixMillis};
use serde::{Deserialize, Serialize};

/// Records keep at most this many facts; beyond it the oldest are folded whatever their age, so that one entity that changes
/// all day cannot make every write of its record slower.
const FACTS_MAX: usize = 64;

/// What we know of one entity. The default is "never heard of".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The id as people see it: the spelling with the earliest platform time.
    pub shown: Option<(UnixMillis, String)>,
    /// Everything that was told, sorted, without repeats.
    pub facts: Vec<Fact>,
    /// What was last sent; absent while the entity is not live.
    pub sent: Option<Sent>,
    /// What it waits for, and what it merely keeps an eye on.
    pub waits: BTreeSet<Wait>,
    /// Departments: live child departments, as last sent.
    pub children: u32,
    /// Departments: live members in it, as last sent.
    pub members: u32,
    /// Nobody can tell its name: its id will do, marked incomplete.
    pub settled_for_id: bool,
    /// The source time of its last change: none is told twice, so that no two changes of an entity look the same.
    pub told_at: UnixMillis,
    /// When the newest event in it was taken over, by our clock.
    pub received_at: UnixMillis,
    /// The id of the newest event in it, for people.
    pub last_event: String,
    /// W3C trace context of the newest event in it that had one and is not sent yet.
    pub traceparent: Option<String>,
}

/// What was last sent of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The entity as it was sent.
    pub entity: Entity,
    /// Platform time of the newest fact that was in it.
    pub at: UnixMillis,
    /// What it refers to and what therefore may not go before it.
    pub refers_to: Vec<EntityKey>,
}

/// One thing that was told of an entity. The derived order is the order of truth: by time, then by rank, then by content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// The platform's time.
    pub at: UnixMillis,
    /// What was told.
    pub told: Told,
}

/// What was told. Within one second the order of the variants decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Who was asked neither has it nor shows it. It neither begins nor ends a life.
    Absent,
    /// It is gone: ends a life.
    Removed,
    /// It came into being.
    Created(Fields),
    /// Some fields changed.
    Updated(Fields),
    /// It was known under another id before; the fields were told along with it.
    RenamedFrom(Arc<str>, Fields),
    /// It goes on under another id: ends this id's life.
    RenamedTo(Arc<str>),
}

/// A row of the waiting table: this entity is to be looked at again when `on` appears, moves or goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wait {
    /// What is waited for.
    pub on: EntityKey,
    /// Why.
    pub why: WaitFor,
}

/// Why an entity waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// It refers to something that is not live.
    Reference,
    /// Its new parent lies below it as last sent.
    Path,
    /// It is removed but something is still in it as last sent.
    Emptied,
    /// Its row still is the row of somebody who goes on under another id.
    Successor,
    /// Nobody told enough of it yet.
    Details,
    /// Its leader. Soft: it does not wait, it is only looked at again.
    Leader,
    /// It refers to something that the platform neither has nor shows, and went out without it: a member with those of its
    /// departments that are there, and in the root where none is left, since a member needs at least one; a department below
    /// the root. Soft: when the absent one appears the entity is looked at again, and gets it back.
    Absent,
}

impl WaitFor {
    /// Whether the entity cannot be sent because of it.
    pub const fn holds(self) -> bool {
        !matches!(self, Self::Leader | Self::Absent)
    }

    /// The name used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Path => "path",
            Self::Emptied => "emptied",
            Self::Successor => "successor",
            Self::Details => "details",
            Self::Leader => "leader",
            Self::Absent => "absent",
        }
    }
}

impl Fact {
    /// The fields that were told.
    pub fn fields(&self) -> Option<&Fields> {
        match &self.told {
            Told::Created(fields) | Told::Updated(fields) | Told::RenamedFrom(_, fields) => Some(fields),
            Told::Absent | Told::Removed | Told::RenamedTo(_) => None,
        }
    }

    /// Whether a life ends here.
    pub fn ends_life(&self) -> bool {
        matches!(self.told, Told::Removed | Told::RenamedTo(_))
    }

    /// Whether the entity exists by this.
    pub fn is_of_a_life(&self) -> bool {
        matches!(self.told, Told::Created(_) | Told::Updated(_) | Told::RenamedFrom(..))
    }

    /// Whether it only says that who was asked does not have it.
    pub fn is_absence(&self) -> bool {
        matches!(self.told, Told::Absent)
    }
}

/// A record of nothing.
pub(crate) static UNKNOWN: Record = Record {
    shown: None,
    facts: Vec::new(),
    sent: None,
    waits: BTreeSet::new(),
    children: 0,
    members: 0,
    settled_for_id: false,
    told_at: UnixMillis(0),
    received_at: UnixMillis(0),
    last_event: String::new(),
    traceparent: None,
};

impl Record {
    /// Whether it was sent and its removal was not.
    pub fn is_live(&self) -> bool {
        self.sent.is_some()
    }

    /// Whether something keeps it from being sent.
    pub fn is_parked(&self) -> bool {
        self.waits.iter().any(|wait| wait.why.holds())
    }

    /// Whether it has a present life: something was told of it after its last end.
    pub fn exists(&self) -> bool {
        self.facts.iter().rfind(|fact| !fact.is_absence()).is_some_and(Fact::is_of_a_life)
    }

    /// When its last life ended; `None` while no life has.
    pub fn ended_at(&self) -> Option<UnixMillis> {
        self.facts.iter().rfind(|fact| fact.ends_life()).map(|fact| fact.at)
    }

    /// Of a member: whether it is live, or goes on under another id. Of others destinations need not have a row.
    pub fn goes_on(&self) -> bool {
        let end = self.facts.iter().rfind(|fact| fact.ends_life());
        self.is_live() || end.is_some_and(|fact| matches!(fact.told, Told::RenamedTo(_)))
    }

    /// Of an attendance record or approval: whose it was when it was last sent; `None` where it named nobody.
    pub fn whose(&self) -> Option<EntityKey> {
        let fields = &self.sent.as_ref()?.entity.fields;
        let member = fields.text(Field::Member).or_else(|| fields.text(Field::Applicant));
        member.filter(|id| !id.is_empty()).map(EntityKey::member)
    }

    /// When it was last found absent, unless something later says that it existed.
    pub fn absent_at(&self) -> Option<UnixMillis> {
        self.facts.iter().find(|fact| fact.is_absence()).map(|fact| fact.at)
    }

    /// Adds a fact; `false` when it was known already, or says nothing beside what is known.
    pub(crate) fn add(&mut self, fact: Fact) -> bool {
        let Err(place) = self.facts.binary_search(&fact) else { return false };
        let (earlier, later) = self.facts.split_at(place);
        // One absence counts at most: the newest, and only while nothing later says that the entity existed.
        if fact.is_absence() && later.iter().any(|other| other.is_absence() || other.is_of_a_life()) {
            return false;
        }
        let ends_absence = fact.is_absence() || fact.is_of_a_life();
        let ended = earlier.iter().position(Fact::is_absence).filter(|_| ends_absence);
        self.facts.insert(place, fact);
        if let Some(ended) = ended {
            self.facts.remove(ended);
        }
        true
    }

    /// Notes how the id was spelled at a time; the earliest spelling is shown.
    pub(crate) fn spelled(&mut self, at: UnixMillis, id: &str) {
        let seen = (at, id.to_owned());
        if self.shown.as_ref().is_none_or(|shown| seen < *shown) {
            self.shown = Some(seen);
        }
    }

    /// Drops what can no longer matter: lives that a removal ended before `horizon`, and values that a newer one replaced
    /// before `horizon`. Segments that end in a rename stay, since they belong to the new id; so does an absence, however old:
    /// who went out without the entity must not begin to wait for it.
    pub(crate) fn fold(&mut self, horizon: UnixMillis) {
        let absence = self.facts.iter().position(Fact::is_absence).map(|place| self.facts.remove(place));
        self.fold_lives(horizon);
        if let Some(absence) = absence {
            let (Ok(place) | Err(place)) = self.facts.binary_search(&absence);
            self.facts.insert(place, absence);
        }
    }

    fn fold_lives(&mut self, horizon: UnixMillis) {
        let newest = self.facts.last().filter(|fact| fact.is_of_a_life()).map(|fact| fact.at);
        self.fold_facts(horizon);
        // Of a life of which nothing is told yet, it stays known that there is one.
        if let Some(at) = newest
            && !self.facts.last().is_some_and(Fact::is_of_a_life)
        {
            self.facts.push(Fact { at, told: Told::Updated(Fields::new()) });
        }
    }

    fn fold_facts(&mut self, horizon: UnixMillis) {
        let crowded = self.facts.len().saturating_sub(FACTS_MAX);
        let old = self.facts.iter().take_while(|fact| fact.at < horizon).count().max(crowded);
        let Some(old_facts) = self.facts.get(..old) else { return };
        if old < 2 {
            return;
        }
        let renamed = old_facts.iter().rposition(|fact| matches!(fact.told, Told::RenamedTo(_))).map_or(0, |at| at + 1);
        let removed = old_facts.iter().rposition(|fact| matches!(fact.told, Told::Removed)).unwrap_or(0);
        let mut folded: Vec<Fact> = self.facts.drain(..old).collect();
        let rest = folded.split_off(renamed.max(removed));
        folded.truncate(renamed);
        folded.extend(strip_replaced(rest));
        folded.append(&mut self.facts);
        self.facts = folded;
    }
}

/// Takes out of each fact the values that a later fact of the same life replaces, and facts that have nothing left to say.
fn strip_replaced(mut facts: Vec<Fact>) -> Vec<Fact> {
    let mut replaced = BTreeSet::new();
    for fact in facts.iter_mut().rev() {
        match &mut fact.told {
            Told::Created(fields) | Told::Updated(fields) | Told::RenamedFrom(_, fields) => {
                fields.retain(|field, _| replaced.insert(field));
            }
            Told::Removed | Told::RenamedTo(_) => replaced.clear(),
            Told::Absent => {}
        }
    }
    facts.retain(|fact| !matches!(&fact.told, Told::Updated(fields) if fields.is_empty()));
    facts.sort();
    facts.dedup();
    facts
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
