//! A directory that changes at random, and a destination that is strict about what it is sent.

use std::collections::{BTreeMap, BTreeSet};

use common::{Action, Change, Entity, EntityKey, EntityKind, Field, Fields, UnixMillis};

/// SplitMix64.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        if list.is_empty() { None } else { list.get(self.below(list.len())) }
    }
}

pub(super) fn change(version: u64, key: &EntityKey, action: Action) -> Change {
    Change {
        tenant: "acme".parse().unwrap(),
        version,
        entity: key.clone(),
        action,
        source_time: UnixMillis(0),
        received_at: UnixMillis(0),
        traceparent: None,
        refers_to: Vec::new(),
        leaves: Vec::new(),
        first: false,
        only_for: None,
    }
}

pub(super) fn upsert(
    version: u64,
    key: &EntityKey,
    refers_to: &[EntityKey],
    leaves: &[EntityKey],
    first: bool,
) -> Change {
    let fields = Fields::new().with(Field::Name, format!("{} v{version}", key.id));
    let entity = Entity { shown_id: key.id.to_string(), fields, incomplete: false };
    let mut change = change(version, key, Action::Upsert { entity, renamed_from: None });
    change.refers_to = refers_to.to_vec();
    change.leaves = leaves.to_vec();
    change.first = first;
    change
}

pub(super) fn remove(version: u64, key: &EntityKey, leaves: &[EntityKey]) -> Change {
    let mut change = change(version, key, Action::Remove);
    change.leaves = leaves.to_vec();
    change
}

/// The mirror: every live entity with what it refers to.
#[derive(Default)]
pub(super) struct World {
    pub(super) live: BTreeMap<EntityKey, Vec<EntityKey>>,
    pub(super) sent: BTreeMap<EntityKey, Change>,
    pub(super) version: u64,
    names: usize,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self::default();
        world.live.insert(EntityKey::department("1"), Vec::new());
        world
    }

    fn departments(&self) -> Vec<EntityKey> {
        self.live.keys().filter(|key| key.kind == EntityKind::Department).cloned().collect()
    }

    fn is_under(&self, key: &EntityKey, above: &EntityKey) -> bool {
        key == above || self.live.get(key).into_iter().flatten().any(|parent| self.is_under(parent, above))
    }

    /// The next change.
    pub(super) fn next(&mut self, dice: &mut Dice) -> Change {
        loop {
            if let Some(change) = self.attempt(dice) {
                self.version += 1;
                self.sent.insert(change.entity.clone(), change.clone());
                return change;
            }
        }
    }

    fn attempt(&mut self, dice: &mut Dice) -> Option<Change> {
        let version = self.version + 1;
        let all: Vec<EntityKey> = self.live.keys().filter(|key| !key.is_root()).cloned().collect();
        match dice.below(10) {
            0..=3 => {
                self.names += 1;
                // Names are used again now and then, so that entities come back under an id that was removed.
                let name = format!("x{}", if dice.chance(70) { self.names } else { dice.below(self.names + 1) });
                let key = if dice.chance(40) { EntityKey::department(&name) } else { EntityKey::member(&name) };
                if self.live.contains_key(&key) {
                    return None;
                }
                let parents = self.some_departments(dice, &key)?;
                self.live.insert(key.clone(), parents.clone());
                Some(upsert(version, &key, &parents, &[], true))
            }
            4..=6 => {
                let key = dice.pick(&all)?.clone();
                let parents = self.some_departments(dice, &key)?;
                let before = self.live.insert(key.clone(), parents.clone())?;
                let left: Vec<EntityKey> = before.into_iter().filter(|parent| !parents.contains(parent)).collect();
                Some(upsert(version, &key, &parents, &left, false))
            }
            7..=8 => {
                let key = dice.pick(&all)?.clone();
                if self.live.values().any(|parents| parents.contains(&key)) {
                    return None;
                }
                let left = self.live.remove(&key)?;
                Some(remove(version, &key, &left))
            }
            _ => {
                let members: Vec<EntityKey> =
                    all.iter().filter(|key| key.kind == EntityKind::Member).cloned().collect();
                let from = dice.pick(&members)?.clone();
                let to = EntityKey::member(&format!("r{}", dice.below(self.names + 5)));
                if self.live.contains_key(&to) {
                    return None;
                }
                let parents = self.live.remove(&from)?;
                self.live.insert(to.clone(), parents.clone());
                self.sent.remove(&from);
                let mut change = upsert(version, &to, &parents, &[], true);
                if let Action::Upsert { renamed_from, .. } = &mut change.action {
                    *renamed_from = Some(from);
                }
                Some(change)
            }
        }
    }

    fn some_departments(&self, dice: &mut Dice, of: &EntityKey) -> Option<Vec<EntityKey>> {
        let departments: Vec<EntityKey> =
            self.departments().into_iter().filter(|department| !self.is_under(department, of)).collect();
        let mut chosen = BTreeSet::from([dice.pick(&departments)?.clone()]);
        if of.kind == EntityKind::Member && dice.chance(40) {
            chosen.extend(dice.pick(&departments).cloned());
        }
        Some(chosen.into_iter().collect())
    }

    /// An entity as it is now, under a new version: what a replay sends.
    pub(super) fn replay(&mut self, key: &EntityKey) -> Change {
        self.version += 1;
        let mut change = match self.live.get(key) {
            Some(parents) => {
                let entity = match self.sent.get(key).map(|change| change.action.clone()) {
                    Some(Action::Upsert { entity, .. }) => entity,
                    _ => panic!("{key} was never sent"),
                };
                let mut change = change(self.version, key, Action::Upsert { entity, renamed_from: None });
                change.refers_to.clone_from(parents);
                change
            }
            None => change(self.version, key, Action::Remove),
        };
        change.first = false;
        change
    }
}

/// What a destination has: it panics at whatever should never have been sent.
#[derive(Default)]
pub(super) struct Strict {
    pub(super) rows: BTreeMap<EntityKey, (Vec<EntityKey>, Entity)>,
    versions: BTreeMap<EntityKey, u64>,
    pub(super) refused: BTreeSet<EntityKey>,
}

/// What the destination says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Applied,
    Rejected,
    Missing(EntityKey),
}

impl Strict {
    pub(super) fn new() -> Self {
        let mut strict = Self::default();
        let root = Entity { shown_id: "1".into(), fields: Fields::new(), incomplete: false };
        strict.rows.insert(EntityKey::department("1"), (Vec::new(), root));
        strict
    }

    /// `guards`: it checks references itself, as a database with foreign keys does.
    pub(super) fn apply(&mut self, change: &Change, guards: bool) -> Answer {
        let key = &change.entity;
        if let Some(missing) = change.refers_to.iter().find(|other| !self.rows.contains_key(other)) {
            assert!(guards, "{key} v{} was sent before {missing}", change.version);
            return Answer::Missing(missing.clone());
        }
        if self.refused.contains(key) {
            return Answer::Rejected;
        }
        let newest = self.versions.entry(key.clone()).or_default();
        if *newest >= change.version {
            return Answer::Applied;
        }
        *newest = change.version;
        match &change.action {
            Action::Upsert { entity, renamed_from } => {
                if let Some(former) = renamed_from {
                    let was = self.rows.remove(former);
                    assert!(was.is_some(), "{key} renamed from {former}, which is not there");
                }
                self.rows.insert(key.clone(), (change.refers_to.clone(), entity.clone()));
            }
            Action::Remove => {
                assert!(guards || self.rows.contains_key(key), "{key} v{} removed, which is not there", change.version);
                let inside = self.rows.iter().find(|(_, (parents, _))| parents.contains(key));
                assert!(inside.is_none(), "{key} v{} removed with {:?} in it", change.version, inside.map(|row| row.0));
                self.rows.remove(key);
            }
            Action::Callback(_) => {}
        }
        Answer::Applied
    }
}
