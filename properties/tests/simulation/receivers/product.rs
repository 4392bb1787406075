//! A core product's tables: rows with versions, and references that are enforced.

use std::collections::{BTreeMap, BTreeSet};

use common::{Action, Change, Entity, EntityKey};
use destinations::Outcome;

struct Row {
    entity: Entity,
    refers_to: Vec<EntityKey>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Core {
    rows: BTreeMap<EntityKey, Row>,
    /// Of every entity that is there or was removed; what is not newer does nothing.
    versions: BTreeMap<EntityKey, u64>,
}

impl Core {
    /// Whether it has this version of the entity or a newer one.
    pub(super) fn has(&self, change: &Change) -> bool {
        self.versions.get(&change.entity).is_some_and(|version| *version >= change.version)
    }

    /// The live rows.
    pub(super) fn entities(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        self.rows.iter().map(|(key, row)| (key, &row.entity))
    }

    /// Takes a change that it does not have. `refused` are those of the same batch that it did not take: what refers to them could not
    /// know. An error says what should never have been sent.
    pub(super) fn take(&mut self, change: &Change, refused: &BTreeSet<EntityKey>) -> Result<Outcome, String> {
        let key = &change.entity;
        match &change.action {
            Action::Upsert { entity, renamed_from } => {
                if let Some(missing) =
                    change.refers_to.iter().find(|other| !other.is_root() && !self.rows.contains_key(other))
                {
                    return if refused.contains(missing) {
                        Ok(Outcome::Missing { what: Some(missing.clone()) })
                    } else {
                        Err(format!("{key} was sent before {missing}"))
                    };
                }
                if let Some(former) = renamed_from {
                    self.rename(change, former)?;
                }
                let row = Row { entity: entity.clone(), refers_to: change.refers_to.clone() };
                self.rows.insert(key.clone(), row);
            }
            Action::Remove => {
                if let Some((inside, _)) = self.rows.iter().find(|(_, row)| row.refers_to.contains(key)) {
                    return Err(format!("{key} was removed with {inside} in it"));
                }
                self.rows.remove(key);
            }
            Action::Callback(_) => return Err(format!("{key} is none of its business")),
        }
        self.versions.insert(key.clone(), change.version);
        Ok(Outcome::Applied)
    }

    /// A rename that it has already: a row that came under the old id since then goes.
    pub(super) fn forget_former(&mut self, change: &Change) {
        if let Action::Upsert { renamed_from: Some(former), .. } = &change.action
            && self.versions.get(former).is_some_and(|version| *version < change.version)
        {
            self.versions.remove(former);
            self.rows.remove(former);
        }
    }

    /// The row goes on under another id. Of the old one nothing is left, unless somebody newer bears it.
    fn rename(&mut self, change: &Change, former: &EntityKey) -> Result<(), String> {
        if self.versions.get(former).is_some_and(|version| *version > change.version) {
            return Ok(());
        }
        self.versions.remove(former);
        if self.rows.remove(former).is_none() && !self.rows.contains_key(&change.entity) {
            return Err(format!("{} was renamed from {former}, which is not there", change.entity));
        }
        Ok(())
    }
}
