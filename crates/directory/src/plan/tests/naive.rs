//! The same comparison, written anew from its description: every entity against every row, texts instead of digests, and
//! no thought of time. It shares nothing with the real one but the rows themselves.

mod differences;
mod pairs;
mod removals;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use common::{Entity, EntityKey, EntityKind, Field};

use self::tree::Bar;
use super::company::Company;
use crate::plan::Row;

/// The lines of a plan, sorted. See [`super::line`].
pub(super) fn lines(company: &Company) -> Vec<String> {
    let mut naive = Naive::new(company);
    naive.pair_departments();
    naive.pair_members();
    naive.bar(EntityKind::Department);
    naive.bar(EntityKind::Member);
    let mut lines = naive.lines();
    lines.sort();
    lines
}

struct Naive<'a> {
    company: &'a Company,
    entities: Vec<There<'a, Entity>>,
    rows: Vec<There<'a, Row>>,
    /// The row of each, and by what, if that is news.
    pairs: BTreeMap<EntityKey, (usize, Option<&'static str>)>,
    doubts: BTreeMap<EntityKey, Doubt>,
    contested: BTreeSet<usize>,
    /// What keeps entities from being written.
    bars: BTreeMap<EntityKey, Bar>,
}

/// An entity or a row; the first of several of one id.
struct There<'a, T> {
    key: EntityKey,
    what: &'a T,
    twice: bool,
    /// Rows: departments that it, or another one of its id, refers to.
    refers_to: BTreeSet<String>,
}

struct Doubt {
    word: &'static str,
    by: BTreeSet<&'static str>,
    rows: BTreeSet<usize>,
}

fn refers_to(row: &Row) -> BTreeSet<String> {
    match row {
        Row::Department(row) => row.parent_id.iter().cloned().collect(),
        Row::Member(row) => {
            let places = row.departments.iter().map(|place| place.department_id.clone());
            places.chain(row.main_department_id.clone()).collect()
        }
    }
}

fn is_live(row: &Row) -> bool {
    match row {
        Row::Department(row) => row.deleted_at.is_none(),
        Row::Member(row) => row.deleted_at.is_none(),
    }
}

fn is_ours(row: &Row) -> bool {
    match row {
        Row::Department(row) => row.version > 0 || (row.id == "1" && row.source_time.is_some()),
        Row::Member(row) => row.version > 0,
    }
}

fn words(word: &str, columns: impl IntoIterator<Item = &'static str>) -> String {
    let columns: Vec<&str> = columns.into_iter().collect();
    if columns.is_empty() { word.to_owned() } else { format!("{word}: {}", columns.join(", ")) }
}

impl<'a> Naive<'a> {
    fn new(company: &'a Company) -> Self {
        let mut entities: Vec<There<'a, Entity>> = vec![];
        for (key, what) in &company.source {
            match entities.iter_mut().find(|there| there.key == *key) {
                Some(first) => first.twice = true,
                None => entities.push(There { key: key.clone(), what, twice: false, refers_to: BTreeSet::new() }),
            }
        }
        let mut rows: Vec<There<'a, Row>> = vec![];
        for what in &company.rows {
            let key = EntityKey::new(what.kind(), what.id());
            match rows.iter_mut().find(|there| there.key == key) {
                Some(first) => {
                    first.twice = true;
                    first.refers_to.extend(refers_to(what));
                }
                None => rows.push(There { key, what, twice: false, refers_to: refers_to(what) }),
            }
        }
        let (pairs, doubts, contested, bars) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { company, entities, rows, pairs, doubts, contested, bars }
    }

    fn entity(&self, key: &EntityKey) -> Option<&There<'a, Entity>> {
        self.entities.iter().find(|entity| entity.key == *key)
    }

    fn row(&self, key: &EntityKey) -> Option<usize> {
        self.rows.iter().position(|row| row.key == *key)
    }

    fn is_rejected(&self, key: &EntityKey, row: &EntityKey) -> bool {
        let is_it = |(entity, id): &(EntityKey, String)| entity == key && EntityKey::new(key.kind, id) == *row;
        self.company.rejected.iter().any(is_it)
    }

    fn is_open(&self, key: &EntityKey) -> bool {
        self.entity(key).is_some() && !self.pairs.contains_key(key) && !self.doubts.contains_key(key)
    }

    fn owner(&self, row: usize) -> Option<&EntityKey> {
        self.pairs.iter().find(|(_, (other, _))| *other == row).map(|(key, _)| key)
    }

    fn is_open_row(&self, row: usize) -> bool {
        self.owner(row).is_none() && !self.contested.contains(&row)
    }

    /// All pairs of one kind of which neither is decided on yet.
    fn open(&self, kind: EntityKind) -> Vec<(EntityKey, usize)> {
        let mut open = vec![];
        for entity in self.entities.iter().filter(|entity| entity.key.kind == kind && self.is_open(&entity.key)) {
            for (row, there) in self.rows.iter().enumerate() {
                if there.key.kind == kind && self.is_open_row(row) && !self.is_rejected(&entity.key, &there.key) {
                    open.push((entity.key.clone(), row));
                }
            }
        }
        open
    }

    fn parent(&self, entity: &There<'_, Entity>) -> Option<EntityKey> {
        let parent = entity.what.fields.text(Field::Parent).filter(|id| !id.is_empty() && !entity.key.is_root());
        parent.map(EntityKey::department)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![];
        for entity in &self.entities {
            let key = &entity.key;
            let (shown, kind) = (&entity.what.shown_id, key.kind.as_str());
            let pair = self.pairs.get(key).map(|(row, how)| (&self.rows[*row], *how));
            let core_id = pair.map_or("-", |(row, _)| row.what.id());
            let bar = self.bars.get(key);
            let is_twice = bar.is_some_and(|bar| bar.why.starts_with("duplicate"));
            if let Some(how) = pair.and_then(|(_, how)| how).filter(|_| !is_twice) {
                lines.push(format!("link {kind} {shown} {core_id}: {how}"));
            }
            if let Some(bar) = bar {
                lines.push(format!("{} {kind} {shown} {core_id}: {}", bar.action, bar.why));
                continue;
            }
            let Some((row, _)) = pair else {
                lines.push(format!("create {kind} {shown} {}: absent", self.target(key).unwrap()));
                continue;
            };
            let differs = self.differences(key, row.what);
            let word = if differs.contains(&"deleted_at") { "returned" } else { "differs" };
            if !differs.is_empty() {
                lines.push(format!("update {kind} {shown} {core_id}: {}", words(word, differs)));
            }
        }
        for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| row.twice) {
            if self.owner(index).is_none() {
                lines.push(format!("impossible {} - {}: duplicate_row", row.key.kind.as_str(), row.what.id()));
            }
        }
        if self.removes() {
            self.removals(&mut lines);
        }
        lines
    }
}

fn told_name(entity: &Entity) -> Option<&str> {
    entity.fields.text(Field::Name).filter(|name| !name.is_empty() && !entity.incomplete)
}
