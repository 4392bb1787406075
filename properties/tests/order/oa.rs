//! An OA that is down for a while, fails with some entities and never takes others, and what the sink's courier makes of it.

use std::collections::{BTreeMap, BTreeSet};

use common::{Action, Change, Entity, EntityKey, UnixMillis};

/// What the OA has, and its moods.
#[derive(Debug, Default)]
pub(crate) struct Oa {
    rows: BTreeMap<EntityKey, (Vec<EntityKey>, Entity)>,
    versions: BTreeMap<EntityKey, u64>,
    /// Nobody answers.
    pub(crate) is_away: bool,
    /// Entities with which it fails for the time being.
    pub(crate) fails_with: BTreeSet<EntityKey>,
    /// Entities that it will never take.
    pub(crate) rejects: BTreeSet<EntityKey>,
    /// It checks references and versions itself, as our tables in a database do.
    pub(crate) has_foreign_keys: bool,
    pub(crate) now: UnixMillis,
}

/// What the OA says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Away,
    Applied,
    Failed,
    Rejected,
    Missing(EntityKey),
}

impl Oa {
    /// Takes a change or refuses it; an error is what no OA should ever be asked.
    pub(crate) fn take(&mut self, change: &Change) -> Result<Answer, String> {
        let (key, version) = (&change.entity, change.version);
        if self.is_away {
            return Ok(Answer::Away);
        }
        if let Some(missing) = change.refers_to.iter().find(|other| !self.rows.contains_key(other)) {
            if self.has_foreign_keys {
                return Ok(Answer::Missing(missing.clone()));
            }
            return Err(format!("version {version}: {key} was sent before {missing}"));
        }
        if self.rejects.contains(key) {
            return Ok(Answer::Rejected);
        }
        if self.fails_with.contains(key) {
            return Ok(Answer::Failed);
        }
        match self.versions.insert(key.clone(), version) {
            Some(newest) if newest > version && self.has_foreign_keys => {
                self.versions.insert(key.clone(), newest);
                return Ok(Answer::Applied);
            }
            Some(newest) if newest > version => return Err(format!("{key}: version {version} after {newest}")),
            Some(newest) if newest == version => return Ok(Answer::Applied),
            _ => {}
        }
        match &change.action {
            Action::Upsert { entity, renamed_from } => self.upsert(change, entity, renamed_from.as_ref())?,
            Action::Remove => self.remove(change)?,
            Action::Callback(_) => {}
        }
        Ok(Answer::Applied)
    }

    pub(crate) fn row(&self, key: &EntityKey) -> Option<&Entity> {
        self.rows.get(key).map(|(_, entity)| entity)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &EntityKey> {
        self.rows.keys()
    }

    fn upsert(&mut self, change: &Change, entity: &Entity, renamed_from: Option<&EntityKey>) -> Result<(), String> {
        let (key, version) = (&change.entity, change.version);
        if let Some(former) = renamed_from
            && self.rows.remove(former).is_none()
        {
            return Err(format!("version {version}: {key} was renamed from {former}, which is not there"));
        }
        self.rows.insert(key.clone(), (change.refers_to.clone(), entity.clone()));
        // While changes are held back the courier, which does not know the OA's whole tree, cannot tell longer circles.
        let parent = self.rows.get(key).and_then(|(refers_to, _)| refers_to.first());
        match parent.and_then(|parent| self.rows.get(parent)) {
            Some((above, _)) if above.contains(key) => {
                Err(format!("version {version}: {key} came below what is in it"))
            }
            _ => Ok(()),
        }
    }

    fn remove(&mut self, change: &Change) -> Result<(), String> {
        let (key, version) = (&change.entity, change.version);
        if self.rows.remove(key).is_none() && !self.has_foreign_keys {
            return Err(format!("version {version}: {key} was removed and is not there"));
        }
        match self.rows.iter().find(|(_, (refers_to, _))| refers_to.contains(key)) {
            Some((inside, _)) => Err(format!("version {version}: {key} was removed with {inside} in it")),
            None => Ok(()),
        }
    }
}
