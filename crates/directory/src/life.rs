//! What holds now: deriving the present life of an entity from its facts and from those of the ids it was renamed from.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, EntityMap, Field, Fields, UnixMillis, Value};

use crate::record::{Fact, Record, Told};

/// The records at hand, by key. An absent one means "never heard of".
pub(crate) type Records = EntityMap<Record>;

/// The present life of an entity, merged.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Whether there is any.
    pub(crate) exists: bool,
    /// Per field the value with the newest platform time.
    pub(crate) fields: Fields,
    /// When the leaders were told, or whose record it is: a reference means who bore the id then.
    pub(crate) leaders_at: UnixMillis,
    /// When the departments, or the parent, were told: only what was found absent later is gone without.
    pub(crate) places_at: UnixMillis,
    /// Platform time of the newest fact.
    pub(crate) at: UnixMillis,
    /// When facts of one second contradict each other: that second, the newest such one. Only the platform can tell.
    pub(crate) undecided: Option<UnixMillis>,
    /// Ids that this life was known under before, with the time of each rename, newest first.
    pub(crate) former: Vec<(EntityKey, UnixMillis)>,
}

/// Derives the present life of an entity.
pub(crate) fn present(records: &Records, key: &EntityKey) -> Life {
    let Some(record) = records.get(key) else { return Life::default() };
    let start = record.facts.iter().rposition(Fact::ends_life).map_or(0, |at| at + 1);
    let (before, own) = record.facts.split_at(start);
    let end = before.last().map(|fact| fact.at);
    let Some(newest) = own.iter().rfind(|fact| fact.is_of_a_life()) else {
        return Life { at: end.unwrap_or_default(), ..Life::default() };
    };
    let mut life = Life { exists: true, ..Life::default() };
    // Whatever is told later than the end says that the entity exists.
    let contradicts_end = end.filter(|end| *end == newest.at);
    let is_renamed = own.iter().any(|fact| matches!(fact.told, Told::RenamedFrom(..)));
    if is_renamed {
        let mut facts: Vec<&Fact> = own.iter().collect();
        inherit(records, own, &mut facts, &mut life.former);
        facts.sort();
        life.merge(facts.iter().copied());
        life.empty_attributes_of(facts.into_iter().filter_map(Fact::fields));
    } else if let [only] = own {
        life.at = only.at;
        life.leaders_at = only.at;
        life.places_at = only.at;
        life.fields = only.fields().cloned().unwrap_or_default();
    } else {
        life.merge(own.iter());
        life.empty_attributes_of(own.iter().filter_map(Fact::fields));
    }
    life.undecided = life.undecided.max(contradicts_end);
    // No life inherits values. Who is renamed takes the row along.
    if before.last().is_some_and(|end| end.told == Told::Removed) && !is_renamed {
        life.empty_attributes_of(before.iter().filter_map(Fact::fields));
    }
    life
}

/// Adds the facts of the lives that were renamed into this one. The list of former ids also ends a circle of renames.
fn inherit<'a>(
    records: &'a Records,
    own: &'a [Fact],
    facts: &mut Vec<&'a Fact>,
    former: &mut Vec<(EntityKey, UnixMillis)>,
) {
    for fact in own.iter().rev() {
        let Told::RenamedFrom(from, _) = &fact.told else { continue };
        let from = EntityKey { kind: EntityKind::Member, id: from.clone() };
        if former.iter().any(|known| known.0 == from && known.1 == fact.at) {
            continue;
        }
        former.push((from.clone(), fact.at));
        let segment = segment_renamed_at(records, &from, fact.at);
        facts.extend(segment);
        inherit(records, segment, facts, former);
    }
}

/// The facts of an id's life that ended with the rename at a time.
fn segment_renamed_at<'a>(records: &'a Records, key: &EntityKey, at: UnixMillis) -> &'a [Fact] {
    let Some(record) = records.get(key) else { return &[] };
    let is_end = |fact: &Fact| fact.at == at && matches!(fact.told, Told::RenamedTo(_));
    let Some(end) = record.facts.iter().rposition(is_end) else { return &[] };
    let (until, _) = record.facts.split_at(end);
    let start = until.iter().rposition(Fact::ends_life).map_or(0, |before| before + 1);
    until.get(start..).unwrap_or_default()
}

impl Life {
    /// Attributes that these name and the newest list does not are empty: a destination takes what it is not told for unchanged.
    fn empty_attributes_of<'a>(&mut self, told: impl Iterator<Item = &'a Fields>) {
        let newest = self.fields.map(Field::Attributes);
        let older = told.filter_map(|fields| fields.map(Field::Attributes)).filter(|older| Some(*older) != newest);
        let names: BTreeSet<&String> = older.flat_map(BTreeMap::keys).collect();
        let is_missing = |name: &&String| newest.is_none_or(|newest| !newest.contains_key(*name));
        let missing: Vec<String> = names.into_iter().filter(is_missing).cloned().collect();
        if !missing.is_empty() {
            let mut attributes = newest.cloned().unwrap_or_default();
            attributes.extend(missing.into_iter().map(|name| (name, String::new())));
            self.fields.set(Field::Attributes, attributes);
        }
    }

    /// Merges facts in the order of truth.
    fn merge<'a>(&mut self, facts: impl Iterator<Item = &'a Fact>) {
        let mut newest: BTreeMap<Field, (UnixMillis, &Value)> = BTreeMap::new();
        let mut contested: BTreeMap<Field, UnixMillis> = BTreeMap::new();
        for fact in facts {
            // An absence is no part of a life.
            let Some(fields) = fact.fields() else { continue };
            self.at = self.at.max(fact.at);
            for (field, value) in fields.iter() {
                if let Some((at, other)) = newest.insert(field, (fact.at, value))
                    && at == fact.at
                    && other != value
                {
                    contested.insert(field, at);
                }
            }
        }
        let undecided = contested.iter().filter_map(|(field, at)| {
            let (newest, _) = newest.get(field)?;
            (newest == at).then_some(*at)
        });
        self.undecided = undecided.max();
        let people = [Field::Leaders, Field::Member, Field::Applicant].into_iter().find_map(|field| newest.get(&field));
        self.leaders_at = people.map_or(self.at, |(at, _)| *at);
        let places = newest.get(&Field::Departments).or_else(|| newest.get(&Field::Parent));
        self.places_at = places.map_or(self.at, |(at, _)| *at);
        for (field, (_, value)) in newest {
            self.fields.set(field, value.clone());
        }
    }
}

/// A trail of renames is followed this far; WeCom allows one rename per member (reference wecom 2.3).
const RENAMES_MAX: usize = 16;

/// Who goes on from this id: the ids that an entity bears after the time `at`, in order, as far as renames lead. It may end
/// with a removal.
pub(crate) struct Trail {
    /// The ids, the given one first.
    pub(crate) ids: Vec<EntityKey>,
    /// Whether the trail ends with somebody who was not removed.
    pub(crate) goes_on: bool,
}

/// Follows a reference to `key` that was told at `at` through renames and removals. A removal in the same second comes before
/// the reference, a rename after it (see [`Told`]).
pub(crate) fn follow(records: &Records, key: &EntityKey, at: UnixMillis) -> Trail {
    let mut trail = Trail { ids: vec![key.clone()], goes_on: true };
    let mut at = at;
    let mut current = key.clone();
    while let Some(record) = records.get(&current) {
        let ends = |fact: &&Fact| match fact.told {
            Told::Removed => fact.at > at,
            Told::RenamedTo(_) => fact.at >= at,
            _ => false,
        };
        match record.facts.iter().find(ends).map(|fact| (&fact.told, fact.at)) {
            None => break,
            Some((Told::RenamedTo(to), when)) => {
                let next = EntityKey { kind: key.kind, id: to.clone() };
                if trail.ids.len() >= RENAMES_MAX {
                    break;
                }
                trail.ids.push(next.clone());
                current = next;
                at = when;
            }
            Some(_) => {
                trail.goes_on = false;
                break;
            }
        }
    }
    trail
}

/// The ids under which the one goes on whose row was sent under this id, in order; empty while that row is the row of whoever
/// bears this id. Members who exchanged ids in a circle would wait for each other, so they keep the rows of their ids.
pub(crate) fn successors(records: &Records, key: &EntityKey) -> Vec<EntityKey> {
    let Some(successors) = leaves_row(records, key) else { return Vec::new() };
    let mut passed = BTreeSet::new();
    let mut holder = successors.last().cloned();
    while let Some(id) = holder {
        if id == *key {
            return Vec::new();
        }
        holder =
            leaves_row(records, &id).and_then(|ids| ids.last().cloned()).filter(|next| passed.insert(next.clone()));
    }
    successors
}

/// The ids after this one of whoever left the row that was sent under this id; `None` if nobody did.
fn leaves_row(records: &Records, key: &EntityKey) -> Option<Vec<EntityKey>> {
    let sent = records.get(key)?.sent.as_ref().filter(|_| key.kind == EntityKind::Member)?;
    let trail = follow(records, key, sent.at);
    let holder = trail.ids.last().filter(|holder| trail.goes_on && *holder != key)?;
    records.get(holder)?.exists().then(|| trail.ids.into_iter().skip(1).collect())
}

/// Everybody whose record tells what [`successors`] answers, as far as known.
pub(crate) fn holders(records: &Records, key: &EntityKey) -> Vec<EntityKey> {
    let mut holders: Vec<EntityKey> = Vec::new();
    let mut current = Some(key.clone());
    while let Some(id) = current {
        let sent = records.get(&id).and_then(|record| record.sent.as_ref());
        let trail = sent.map(|sent| follow(records, &id, sent.at).ids).unwrap_or_default();
        current = trail.last().filter(|last| **last != id && !holders.contains(last)).cloned();
        holders.extend(trail);
    }
    holders
}
