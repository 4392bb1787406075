//! An OA that remembers every message, byte for byte, and knows when one should not have been sent.

use std::collections::{BTreeMap, BTreeSet};

use common::{Action, Change, Entity, EntityKey, Field, Told};

use crate::world::Violation;

/// See the module.
#[derive(Default)]
pub(crate) struct Oa {
    /// What messages say, by the number in their bodies, and against what: an update says only what differs.
    drafts: Vec<(Change, Option<Told>)>,
    rows: BTreeMap<EntityKey, (Vec<EntityKey>, Entity)>,
    /// What was taken: the bytes of each version of each entity.
    taken: BTreeMap<(EntityKey, u64), Vec<u8>>,
    newest: BTreeMap<EntityKey, u64>,
    callbacks: BTreeSet<String>,
    repeats: u64,
    /// Who was sent without an answer. The sender cannot know whether they are here.
    unheard: BTreeSet<EntityKey>,
}

impl Oa {
    /// The body of a message. No two are the same, like those of WeCom, which are encrypted with something random.
    pub(super) fn draft(&mut self, change: &Change, previous: Option<&Told>) -> Vec<u8> {
        let verb = if previous.is_some() { "update" } else { "create" };
        self.drafts.push((change.clone(), previous.cloned()));
        format!("{} {verb} {} {}", self.drafts.len() - 1, change.version, change.entity).into_bytes()
    }

    /// What a body says.
    pub(super) fn read(&self, body: &[u8]) -> Option<Change> {
        self.draft_of(body).map(|(change, _)| change.clone())
    }

    fn draft_of(&self, body: &[u8]) -> Option<&(Change, Option<Told>)> {
        let number = std::str::from_utf8(body).ok()?.split(' ').next()?.parse().ok()?;
        self.drafts.get::<usize>(number)
    }

    pub(super) fn has(&self, change: &Change) -> bool {
        self.taken.contains_key(&(change.entity.clone(), change.version))
    }

    pub(super) fn entities(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        self.rows.iter().map(|(key, (_, entity))| (key, entity))
    }

    /// What it was told that is not about the directory.
    pub(crate) const fn callbacks(&self) -> &BTreeSet<String> {
        &self.callbacks
    }

    /// A message was sent, here or into the void, and nobody heard an answer.
    pub(super) fn note_unheard(&mut self, body: &[u8]) {
        if let Some(change) = self.read(body) {
            self.unheard.insert(change.entity);
        }
    }

    /// How many messages it got again, the same bytes.
    pub(crate) const fn repeats(&self) -> u64 {
        self.repeats
    }

    /// How many different messages it took.
    pub(crate) fn messages(&self) -> usize {
        self.taken.len()
    }

    /// Takes a message; `true`: a repeat.
    pub(super) fn take(&mut self, change: &Change, body: &[u8]) -> Result<bool, Violation> {
        let (key, version) = (&change.entity, change.version);
        let newest = self.newest.get(key).copied().unwrap_or_default();
        if newest > version {
            return Err(Violation::TooEarly(format!("oa: {key}: version {version} after {newest}")));
        }
        if let Some(before) = self.taken.get(&(key.clone(), version)) {
            if before != body {
                let (before, now) = (String::from_utf8_lossy(before), String::from_utf8_lossy(body));
                return Err(Violation::Doubled(format!("oa: {key} version {version}: {now:?} after {before:?}")));
            }
            self.repeats += 1;
            return Ok(true);
        }
        if let Action::Callback(callback) = &change.action
            && !self.callbacks.insert(callback.content.clone())
        {
            return Err(Violation::Doubled(format!("oa: version {version}: a callback that it has, as another one")));
        }
        let previous = self.draft_of(body).and_then(|(_, previous)| previous.clone());
        let applied = self.apply(change, previous.as_ref());
        applied.map_err(|why| Violation::TooEarly(format!("oa: version {version}: {why}")))?;
        self.taken.insert((key.clone(), version), body.to_vec());
        self.newest.insert(key.clone(), version);
        Ok(false)
    }

    fn apply(&mut self, change: &Change, previous: Option<&Told>) -> Result<(), String> {
        match &change.action {
            Action::Upsert { entity, renamed_from } => {
                let row = renamed_from.as_ref().and_then(|former| self.rows.get(former));
                let row = row.or_else(|| self.rows.get(&change.entity)).map(|(_, row)| row);
                let entity = previous.map_or_else(|| entity.clone(), |previous| changed(row, previous, entity));
                self.upsert(change, &entity, renamed_from.as_ref())
            }
            Action::Remove => self.remove(&change.entity),
            Action::Callback(_) => Ok(()),
        }
    }

    fn upsert(&mut self, change: &Change, entity: &Entity, renamed_from: Option<&EntityKey>) -> Result<(), String> {
        let key = &change.entity;
        if let Some(missing) = change.refers_to.iter().find(|other| !other.is_root() && !self.rows.contains_key(other))
        {
            return Err(format!("{key} was sent before {missing}"));
        }
        if let Some(former) = renamed_from
            && self.rows.remove(former).is_none()
            && !self.rows.contains_key(key)
        {
            return Err(format!("{key} was renamed from {former}, which is not there"));
        }
        self.rows.insert(key.clone(), (change.refers_to.clone(), entity.clone()));
        // A courier that holds changes back does not know the whole tree, and cannot tell longer circles.
        let above = change.refers_to.first().and_then(|parent| self.rows.get(parent));
        match above {
            Some((above, _)) if above.contains(key) => Err(format!("{key} came below what is in it")),
            _ => Ok(()),
        }
    }

    fn remove(&mut self, key: &EntityKey) -> Result<(), String> {
        if self.rows.remove(key).is_none() && !self.unheard.contains(key) {
            return Err(format!("{key} was removed and is not there"));
        }
        match self.rows.iter().find(|(_, (refers_to, _))| refers_to.contains(key)) {
            Some((inside, _)) => Err(format!("{key} was removed with {inside} in it")),
            None => Ok(()),
        }
    }
}

/// What a row becomes when it is told in what `now` differs, or may, from what it was told before.
fn changed(row: Option<&Entity>, previous: &Told, now: &Entity) -> Entity {
    let Told { entity: known, doubt } = previous;
    let mut changed = row.unwrap_or(known).clone();
    changed.shown_id.clone_from(&now.shown_id);
    let fields: Vec<Field> =
        known.fields.iter().chain(doubt.iter()).chain(now.fields.iter()).map(|(field, _)| field).collect();
    let is_told = |field: &Field| known.fields.get(*field) != now.fields.get(*field) || doubt.has(*field);
    for field in fields.into_iter().filter(is_told) {
        match now.fields.get(field) {
            Some(value) => changed.fields.set(field, value.clone()),
            None => drop(changed.fields.remove(field)),
        }
    }
    changed
}
