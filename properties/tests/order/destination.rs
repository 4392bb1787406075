//! A destination that refuses whatever a strict product would refuse. A refusal fails the test.

use std::collections::BTreeMap;

use common::{Action, Change, Entity, EntityKey, EntityKind, Field};

/// What is there, and what came last.
#[derive(Debug, Default)]
pub(crate) struct Destination {
    rows: BTreeMap<EntityKey, Row>,
    last: Option<Change>,
}

#[derive(Debug)]
struct Row {
    entity: Entity,
    refers_to: Vec<EntityKey>,
}

impl Destination {
    /// Applies a change, or says why nobody should have sent it.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), String> {
        self.check_version(change)?;
        if self.last.as_ref() == Some(change) {
            return Ok(());
        }
        match &change.action {
            Action::Upsert { entity, renamed_from } => self.upsert(change, entity, renamed_from.as_ref())?,
            Action::Remove => self.remove(change)?,
            Action::Callback(_) => return Err("a callback out of nowhere".to_owned()),
        }
        self.last = Some(change.clone());
        Ok(())
    }

    /// The live rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        self.rows.iter().map(|(key, row)| (key, &row.entity))
    }

    /// Only the change that came last may be repeated, byte for byte: our answer to it may have been lost.
    fn check_version(&self, change: &Change) -> Result<(), String> {
        match &self.last {
            Some(last) if change.version < last.version => {
                Err(format!("version {} after {}", change.version, last.version))
            }
            Some(last) if change.version == last.version && change != last => {
                Err(format!("version {} twice with different content", change.version))
            }
            _ => Ok(()),
        }
    }

    fn upsert(&mut self, change: &Change, entity: &Entity, renamed_from: Option<&EntityKey>) -> Result<(), String> {
        let key = &change.entity;
        self.check_references(key, entity, &change.refers_to)?;
        if change.first == self.rows.contains_key(key) {
            return Err(format!("{key}: `first` is {} and that is wrong", change.first));
        }
        let mut left: Vec<EntityKey> = Vec::new();
        if let Some(former) = renamed_from {
            let row =
                self.rows.remove(former).ok_or_else(|| format!("{key} was renamed from {former}: no such row"))?;
            left.extend(row.refers_to);
        } else if self.rows.get(key).is_some_and(|row| row.entity == *entity) {
            return Err(format!("{key} was sent without a difference"));
        }
        let row = Row { entity: entity.clone(), refers_to: change.refers_to.clone() };
        left.extend(self.rows.insert(key.clone(), row).into_iter().flat_map(|row| row.refers_to));
        left.retain(|left| !change.refers_to.contains(left));
        check_leaves(change, left)?;
        self.check_acyclic(key)
    }

    fn check_references(&self, key: &EntityKey, entity: &Entity, refers_to: &[EntityKey]) -> Result<(), String> {
        if let Some(missing) = refers_to.iter().find(|reference| !self.rows.contains_key(reference)) {
            return Err(format!("{key} was sent before {missing}"));
        }
        let departments = entity.fields.list(Field::Departments).iter().map(String::as_str);
        let named: Vec<EntityKey> = match key.kind {
            EntityKind::Member => departments.map(EntityKey::department).collect(),
            _ => entity.fields.text(Field::Parent).map(EntityKey::department).into_iter().collect(),
        };
        if named != refers_to || (named.is_empty() && !key.is_root()) {
            return Err(format!("{key} is in {named:?} and refers to {refers_to:?}"));
        }
        for leader in entity.fields.list(Field::Leaders).iter().map(|id| EntityKey::member(id)) {
            if leader != *key && !self.rows.contains_key(&leader) {
                return Err(format!("{key} was sent with {leader} as a leader, who is not there"));
            }
        }
        Ok(())
    }

    fn check_acyclic(&self, key: &EntityKey) -> Result<(), String> {
        let mut current = key;
        for _ in 0..self.rows.len() {
            match self.rows.get(current).and_then(|row| row.refers_to.first()) {
                Some(_) if key.kind == EntityKind::Member => return Ok(()),
                Some(above) => current = above,
                None => return Ok(()),
            }
        }
        Err(format!("{key} closes a circle of departments"))
    }

    fn remove(&mut self, change: &Change) -> Result<(), String> {
        let key = &change.entity;
        let Some(row) = self.rows.remove(key) else { return Err(format!("{key} was removed and is not there")) };
        if let Some((inside, _)) = self.rows.iter().find(|(_, row)| row.refers_to.contains(key)) {
            return Err(format!("{key} was removed with {inside} in it"));
        }
        check_leaves(change, row.refers_to)
    }
}

fn check_leaves(change: &Change, mut left: Vec<EntityKey>) -> Result<(), String> {
    let mut told = change.leaves.clone();
    for list in [&mut told, &mut left] {
        list.sort();
        list.dedup();
    }
    if told == left { Ok(()) } else { Err(format!("{} leaves {left:?}, not {told:?}", change.entity)) }
}
