//! Which row of a destination is which entity, where the row has an id of its own.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use common::{Action, Change, EntityKey, EntityKind, Field, ROOT_DEPARTMENT};

/// What the id of a key begins with that stands for a row which is no entity's: a link points from it to the row while a run writes
/// to that. No platform's id has a colon (reference wecom 2.2).
pub const NOBODYS: &str = "core:";

/// The rows that a destination had before us, by the entities that they are: the links of a batch's entities and of what
/// those refer to. An entity without a link has the platform's id.
///
/// It must also know who has the ids that the batch's unlinked entities would get, so that none of them is written over
/// somebody else's row. So [`Links::needed_for`] says what to ask for: the links of these entities, *and* those of rows
/// whose ids are spelled like theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    departments: Side,
    members: Side,
}

/// One kind of entity. Ids of entities are folded, see [`EntityKey`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Side {
    /// Ids of rows, as the destination spells them, by ids of entities.
    rows: HashMap<Arc<str>, String>,
    /// Ids of entities by folded ids of rows.
    owners: HashMap<Arc<str>, Arc<str>>,
}

impl Links {
    /// The entities that must be asked about before a batch is applied: those that it is about, those that they refer to, and
    /// the root department.
    pub fn needed_for(batch: &[Change]) -> Vec<EntityKey> {
        let mut keys = BTreeSet::from([EntityKey::department(ROOT_DEPARTMENT)]);
        for change in batch {
            keys.insert(change.entity.clone());
            keys.extend(change.refers_to.iter().cloned());
            let Action::Upsert { entity, renamed_from } = &change.action else { continue };
            keys.extend(renamed_from.clone());
            let departments = entity.fields.list(Field::Departments).iter().map(String::as_str);
            keys.extend(departments.chain(entity.fields.text(Field::Parent)).map(EntityKey::department));
            keys.extend(entity.fields.list(Field::Leaders).iter().map(|id| EntityKey::member(id)));
            let whose = [Field::Member, Field::Applicant].into_iter().filter_map(|field| entity.fields.text(field));
            keys.extend(whose.filter(|id| !id.is_empty()).map(EntityKey::member));
        }
        keys.retain(|key| key.kind.is_directory());
        keys.into_iter().collect()
    }

    /// Whether nothing is linked.
    pub fn is_empty(&self) -> bool {
        self.departments.rows.is_empty() && self.members.rows.is_empty()
    }

    /// The id of the row that is linked with an entity.
    pub fn core_id(&self, key: &EntityKey) -> Option<&str> {
        self.linked(key.kind, &key.id)
    }

    /// Follows the rename of an entity, as the tables of links are to: the link goes to the new id. If that has one too, it
    /// stays, since the row of the old one goes into its row.
    pub fn rename(&mut self, from: &EntityKey, to: &EntityKey) {
        let Some(side) = self.side_mut(from.kind) else { return };
        let Some(row) = side.rows.remove(&from.id) else { return };
        let row_key = EntityKey::new(from.kind, &row).id;
        if side.rows.contains_key(&to.id) {
            side.owners.remove(&row_key);
        } else {
            side.owners.insert(row_key, Arc::clone(&to.id));
            side.rows.insert(Arc::clone(&to.id), row);
        }
    }

    /// The id of the row that is linked with an entity, whatever the case of the letters in a member's id.
    pub(crate) fn linked(&self, kind: EntityKind, id: &str) -> Option<&str> {
        let side = self.side(kind).filter(|side| !side.rows.is_empty())?;
        side.rows.get(&*folded(kind, id)).map(String::as_str)
    }

    /// Whether an unlinked entity can have no row: the one with its id is another's.
    pub(crate) fn is_taken(&self, kind: EntityKind, id: &str) -> bool {
        let Some(side) = self.side(kind).filter(|side| !side.owners.is_empty()) else { return false };
        let id = folded(kind, id);
        !side.rows.contains_key(&*id) && side.owners.contains_key(&*id)
    }

    /// Whether it is taken for as long as a run writes to a row that is nobody's.
    pub(crate) fn is_taken_for_now(&self, key: &EntityKey) -> bool {
        let owner = self.side(key.kind).and_then(|side| side.owners.get(&key.id));
        owner.is_some_and(|owner| owner.starts_with(NOBODYS)) && self.is_taken(key.kind, &key.id)
    }

    fn insert(&mut self, key: &EntityKey, core_id: String) {
        let Some(side) = self.side_mut(key.kind) else { return };
        side.owners.insert(EntityKey::new(key.kind, &core_id).id, Arc::clone(&key.id));
        side.rows.insert(Arc::clone(&key.id), core_id);
    }

    const fn side(&self, kind: EntityKind) -> Option<&Side> {
        match kind {
            EntityKind::Department => Some(&self.departments),
            EntityKind::Member => Some(&self.members),
            _ => None,
        }
    }

    const fn side_mut(&mut self, kind: EntityKind) -> Option<&mut Side> {
        match kind {
            EntityKind::Department => Some(&mut self.departments),
            EntityKind::Member => Some(&mut self.members),
            _ => None,
        }
    }
}

impl FromIterator<(EntityKey, String)> for Links {
    fn from_iter<I: IntoIterator<Item = (EntityKey, String)>>(pairs: I) -> Self {
        let mut links = Self::default();
        for (key, core_id) in pairs {
            links.insert(&key, core_id);
        }
        links
    }
}

/// An id as [`EntityKey`] has it.
fn folded(kind: EntityKind, id: &str) -> Cow<'_, str> {
    let is_folded = id.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if kind == EntityKind::Member && !is_folded { Cow::Owned(id.to_lowercase()) } else { Cow::Borrowed(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(pairs: &[(&str, &str)]) -> Links {
        pairs.iter().map(|(id, core_id)| (EntityKey::member(id), (*core_id).to_owned())).collect()
    }

    #[test]
    fn a_link_is_found_whatever_the_case_and_keeps_the_rows_spelling() {
        let links = links(&[("ZhangSan", "Row-7")]);
        assert_eq!(links.core_id(&EntityKey::member("zhangSAN")), Some("Row-7"));
        assert_eq!(links.linked(EntityKind::Member, "ZHANGSAN"), Some("Row-7"));
        assert_eq!(links.linked(EntityKind::Department, "zhangsan"), None);
    }

    #[test]
    fn the_id_of_a_linked_row_is_taken_for_everybody_who_is_not_linked() {
        let links = links(&[("a", "B"), ("b", "c")]);
        let taken = |id: &str| links.is_taken(EntityKind::Member, id);
        assert_eq!(["a", "b", "C", "d"].map(taken), [false, false, true, false]);
    }

    #[test]
    fn the_id_of_a_row_that_is_nobodys_is_taken_for_now_only() {
        let links = links(&[("core:B", "B"), ("c", "D")]);
        let taken_for_now = |id: &str| links.is_taken_for_now(&EntityKey::member(id));
        assert_eq!(["b", "core:b", "c", "d"].map(taken_for_now), [true, false, false, false]);
    }

    #[test]
    fn a_rename_takes_the_link_along_unless_the_new_id_has_one() {
        let mut moved = links(&[("a", "x")]);
        moved.rename(&EntityKey::member("a"), &EntityKey::member("b"));
        moved.rename(&EntityKey::member("a"), &EntityKey::member("c"));
        assert_eq!(moved, links(&[("b", "x")]));
        let mut merged = links(&[("a", "x"), ("b", "y")]);
        merged.rename(&EntityKey::member("a"), &EntityKey::member("b"));
        assert_eq!(merged, links(&[("b", "y")]));
    }
}
