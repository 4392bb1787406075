//! What each would be, and what keeps it from being that.

use std::collections::BTreeSet;

use common::{Entity, EntityKey, EntityKind, Field, Value};

use super::{Naive, There, is_live, refers_to, words};

/// Unsure or impossible, and why.
#[derive(Clone, PartialEq)]
pub(super) struct Bar {
    pub(super) action: &'static str,
    pub(super) why: String,
}

/// Somewhere in the tree as it would be.
#[derive(Clone, PartialEq)]
enum Spot {
    Entity(EntityKey),
    Row(usize),
}

impl Naive<'_> {
    /// The row that an entity is, or would be, as it is shown; none while that is open, or if it is another one's.
    pub(super) fn target(&self, key: &EntityKey) -> Option<String> {
        match self.pairs.get(key) {
            Some((row, _)) => Some(self.rows[*row].what.id().to_owned()),
            None if self.entity(key).is_some() => self.would_be(key).filter(|_| !self.is_taken(key)),
            None => self.would_be(key).filter(|_| !self.is_anothers(key)),
        }
    }

    fn would_be(&self, key: &EntityKey) -> Option<String> {
        if self.doubts.contains_key(key) || self.pairs.contains_key(key) {
            return None;
        }
        let linked: BTreeSet<&String> =
            self.sure_links().filter(|(other, _)| *other == key).map(|(_, id)| id).collect();
        if let [id] = linked.into_iter().collect::<Vec<_>>()[..] {
            return Some(id.clone());
        }
        let shown = self.entity(key).map_or(&*key.id, |entity| entity.what.shown_id.as_str());
        let is_same = shown.eq_ignore_ascii_case(&key.id);
        Some(if is_same { shown.to_owned() } else { (*key.id).to_owned() })
    }

    /// Whether the row that an entity would be is another one's, or would be.
    fn is_anothers(&self, key: &EntityKey) -> bool {
        let would_be = |key: &EntityKey| self.would_be(key).map(|id| EntityKey::new(key.kind, &id));
        let Some(mine) = would_be(key) else { return false };
        let others = self.entities.iter().filter(|other| other.key.kind == key.kind && other.key != *key);
        let claimed = others.filter_map(|other| would_be(&other.key)).any(|other| other == mine);
        let mut links = self.sure_links();
        let linked =
            links.any(|(other, id)| other.kind == key.kind && other != key && EntityKey::new(key.kind, id) == mine);
        claimed || linked || self.row(&mine).is_some_and(|row| self.owner(row).is_some())
    }

    fn sure_links(&self) -> impl Iterator<Item = (&EntityKey, &String)> {
        let sure = self.company.links.iter().filter(|(_, _, sure)| *sure).map(|(key, id, _)| (key, id));
        sure.filter(|(key, id)| !self.is_rejected(key, &EntityKey::new(key.kind, id)))
    }

    fn is_taken(&self, key: &EntityKey) -> bool {
        let place = self.would_be(key).map(|id| EntityKey::new(key.kind, &id));
        let is_no_place = |place: EntityKey| self.row(&place).is_some() || self.is_rejected(key, &place);
        place.is_some_and(is_no_place) || self.is_anothers(key)
    }

    pub(super) fn removes(&self) -> bool {
        self.company.options.source_complete && self.company.options.destination_complete
    }

    /// The row of a department that the source does not tell of.
    fn stand_in(&self, key: &EntityKey) -> Option<usize> {
        let row = EntityKey::department(&self.target(key).filter(|_| self.entity(key).is_none() && !self.removes())?);
        let index = self.row(&row)?;
        let there = &self.rows[index];
        let stands = is_live(there.what) && !there.twice && self.is_open_row(index) && !self.is_rejected(key, &row);
        stands.then_some(index)
    }

    /// What keeps an entity from being written, apart from what it refers to.
    fn own_bar(&self, key: &EntityKey) -> Option<Bar> {
        let entity = self.entity(key)?;
        let impossible = |why: &str| Some(Bar { action: "impossible", why: why.to_owned() });
        let in_text = |text: &str| text.contains('\0');
        let has_nul = entity.what.fields.iter().any(|(_, value)| matches!(value, Value::Text(text) if in_text(text)));
        if entity.twice {
            impossible("duplicate_id")
        } else if let Some(doubt) = self.doubts.get(key) {
            let mut ids: Vec<&str> = doubt.rows.iter().map(|row| self.rows[*row].what.id()).collect();
            ids.sort_unstable();
            let by = ["name", "mobile", "email", "employee_number"].into_iter().filter(|by| doubt.by.contains(by));
            let why = format!("{} (candidates {})", words(doubt.word, by), ids.join(", "));
            Some(Bar { action: "unsure", why })
        } else if self.pairs.get(key).is_some_and(|(row, _)| self.rows[*row].twice) {
            impossible("duplicate_row")
        } else if self.is_taken(key) {
            impossible("id_taken")
        } else if has_nul {
            impossible("unstorable")
        } else {
            None
        }
    }

    /// What a department, or a row, would lie below.
    fn above(&self, spot: &Spot) -> Option<Spot> {
        let row = match spot {
            Spot::Row(row) => *row,
            Spot::Entity(key) => match self.entity(key) {
                Some(_) if key.is_root() => self.pairs.get(key)?.0,
                Some(entity) => return self.parent(entity).map(Spot::Entity),
                None => self.stand_in(key)?,
            },
        };
        let parent = EntityKey::department(&refers_to(self.rows[row].what).pop_first()?);
        let above = self.row(&parent)?;
        Some(self.owner(above).map_or(Spot::Row(above), |owner| Spot::Entity(owner.clone())))
    }

    fn department_bar(&self, spot: &Spot) -> Option<Bar> {
        let entity = match spot {
            Spot::Entity(key) => self.entity(key),
            Spot::Row(_) => None,
        };
        let parent = entity.and_then(|entity| self.parent(entity));
        if let Some(entity) = entity {
            if let Some(bar) = self.own_bar(&entity.key) {
                return Some(bar);
            }
            let is_there = |parent: &EntityKey| self.entity(parent).is_some() || self.stand_in(parent).is_some();
            if !entity.key.is_root() && !parent.as_ref().is_some_and(is_there) {
                let by = parent.map(|parent| format!(" by {parent}")).unwrap_or_default();
                return Some(Bar { action: "impossible", why: format!("orphan{by}") });
            }
        }
        let mut above = self.above(spot);
        for _ in 0..20 {
            if above.as_ref() == Some(spot) {
                return entity.map(|_| Bar { action: "impossible", why: "cycle".to_owned() });
            }
            above = above.and_then(|above| self.above(&above));
        }
        let bar = self.department_bar(&self.above(spot)?)?;
        let by = parent.map(|parent| format!(" by {parent}")).unwrap_or_default();
        Some(Bar { action: bar.action, why: format!("blocked{by}") })
    }

    /// The id of the row of a department, if something may be put into it.
    pub(super) fn standing(&self, key: &EntityKey) -> Option<String> {
        if self.entity(key).is_none() {
            return self.stand_in(key).map(|row| self.rows[row].what.id().to_owned());
        }
        if !self.bars.contains_key(key) {
            return self.target(key);
        }
        let (row, _) = self.pairs.get(key)?;
        is_live(self.rows[*row].what).then(|| self.rows[*row].what.id().to_owned())
    }

    fn member_bar(&self, entity: &There<'_, Entity>) -> Option<Bar> {
        self.own_bar(&entity.key).or_else(|| {
            let mut departments =
                entity.what.fields.list(Field::Departments).iter().map(|id| EntityKey::department(id));
            let lacking = departments.find(|department| self.standing(department).is_none())?;
            Some(match self.bars.get(&lacking) {
                Some(bar) => Bar { action: bar.action, why: format!("blocked by {lacking}") },
                None => Bar { action: "impossible", why: format!("orphan by {lacking}") },
            })
        })
    }

    /// Finds what keeps entities of one kind from being written; departments come first.
    pub(super) fn bar(&mut self, kind: EntityKind) {
        let mut bars = vec![];
        for entity in self.entities.iter().filter(|entity| entity.key.kind == kind) {
            let bar = match kind {
                EntityKind::Department => self.department_bar(&Spot::Entity(entity.key.clone())),
                _ => self.member_bar(entity),
            };
            bars.extend(bar.map(|bar| (entity.key.clone(), bar)));
        }
        self.bars.extend(bars);
    }
}
