//! From what was found out to the list of what is to be done.

use std::sync::Arc;

use common::{EntityKey, EntityKind};

use super::{
    Comparison, PerKind,
    bar::Bar,
    compare::Differences,
    ids::{Node, Table},
    item::{Action, Column, Columns, Item, Why, Word},
    outcome::Counts,
    pairs::Pairs,
    removal::Removal,
    side::Roll,
    target::Targets,
    tree::Tree,
};

/// What was found out.
pub(super) struct Findings<'a> {
    pub(super) c: &'a Comparison,
    pub(super) pairs: &'a PerKind<Pairs>,
    pub(super) targets: &'a PerKind<Targets>,
    pub(super) tree: &'a Tree,
    /// What keeps members from being written.
    pub(super) bars: &'a Table<Bar>,
    pub(super) removal: &'a Removal,
}

/// Items as they come, and their number.
#[derive(Default)]
pub(super) struct List {
    pub(super) items: Vec<Item>,
    pub(super) counts: PerKind<Counts>,
}

/// One kind of what was found out.
struct Kind<'a, S, C> {
    kind: EntityKind,
    c: &'a Comparison,
    source: &'a Roll<S>,
    core: &'a Roll<C>,
    pairs: &'a Pairs,
    targets: &'a Targets,
    bars: &'a Table<Bar>,
}

impl Findings<'_> {
    /// The list. Its order is told at [`Plan`](super::Plan).
    pub(super) fn list(&self) -> List {
        let c = self.c;
        let departments = Kind {
            kind: EntityKind::Department,
            c,
            source: &c.source.departments,
            core: &c.core.departments,
            pairs: &self.pairs.departments,
            targets: &self.targets.departments,
            bars: &self.tree.bars,
        };
        let members = Kind {
            kind: EntityKind::Member,
            c,
            source: &c.source.members,
            core: &c.core.members,
            pairs: &self.pairs.members,
            targets: &self.targets.members,
            bars: self.bars,
        };
        let differences = Differences { c, departments: &self.tree.standing, members: &self.targets.members };
        let (department_ids, member_ids) = (c.source.departments.by_id(), c.source.members.by_id());
        let mut list = List::default();
        departments.links(&department_ids, &mut list);
        members.links(&member_ids, &mut list);
        departments.writes(&self.tree.order, &mut list, |entity, row| differences.of_department(entity, row));
        members.writes(&member_ids, &mut list, |entity, row| differences.of_member(entity, row));
        members.removes(Action::Disable, Word::Gone, &self.removal.disabled.members, &mut list);
        departments.removes(Action::Disable, Word::Gone, &self.removal.disabled.departments, &mut list);
        members.removes(Action::Delete, Word::Expired, &self.removal.deleted.members, &mut list);
        departments.removes(Action::Delete, Word::Expired, &self.removal.deleted.departments, &mut list);
        for action in [Action::Unsure, Action::Impossible] {
            departments.barred(action, &department_ids, &mut list);
            members.barred(action, &member_ids, &mut list);
        }
        departments.removes(Action::Impossible, Word::NotEmpty, &self.removal.not_empty, &mut list);
        departments.duplicates(|row| row.is_twice, &mut list);
        members.duplicates(|row| row.is_twice, &mut list);
        list
    }
}

impl<S, C> Kind<'_, S, C> {
    fn put(&self, list: &mut List, action: Action, entity: Option<Node>, row: Option<Node>, why: Why) {
        let id = entity.map(|entity| self.source.ids.text(entity));
        let core_id = row.map(|row| self.core.ids.text(row));
        list.items.push(Item { action, kind: self.kind, id, core_id, why });
        let counts = &mut list.counts;
        match self.kind {
            EntityKind::Department => counts.departments.add(action),
            _ => counts.members.add(action),
        }
    }

    /// Links that are to be remembered. Of ids that are there twice none is sure.
    fn links(&self, entities: &[Node], list: &mut List) {
        for &entity in entities {
            let is_twice = |bar: &Bar| matches!(bar.word, Word::DuplicateId | Word::DuplicateRow);
            if let Some(word) = self.pairs.link(entity).filter(|_| !self.bars.get(entity).is_some_and(is_twice)) {
                self.put(list, Action::Link, Some(entity), self.pairs.row(entity), word.into());
            }
        }
    }

    fn writes(&self, entities: &[Node], list: &mut List, differences: impl Fn(Node, Node) -> Columns) {
        for &entity in entities.iter().filter(|entity| !self.bars.has(**entity)) {
            let Some(row) = self.pairs.row(entity) else {
                self.put(list, Action::Create, Some(entity), self.targets.row(entity), Word::Absent.into());
                continue;
            };
            let columns = differences(entity, row);
            if !columns.is_empty() {
                let word = if columns.has(Column::DeletedAt) { Word::Returned } else { Word::Differs };
                self.put(list, Action::Update, Some(entity), Some(row), Why { columns, ..Why::from(word) });
            }
        }
    }

    fn removes(&self, action: Action, word: Word, rows: &[Node], list: &mut List) {
        for &row in rows {
            self.put(list, action, None, Some(row), word.into());
        }
    }

    /// Entities that are kept from being written, for a reason of one sort.
    fn barred(&self, action: Action, entities: &[Node], list: &mut List) {
        for &entity in entities {
            let Some(bar) = self.bars.get(entity).filter(|bar| bar.action == action) else { continue };
            let reference =
                bar.reference.map(|department| EntityKey::department(self.c.source.departments.ids.str(department)));
            let mut why = Why { reference, ..Why::from(bar.word) };
            if let Some(doubt) = self.pairs.doubt_of(entity).filter(|doubt| doubt.word == bar.word) {
                why.columns = doubt.by;
                why.candidates = self.ids(&doubt.candidates);
            }
            self.put(list, action, Some(entity), self.pairs.row(entity), why);
        }
    }

    /// Rows of one id that belong to no entity.
    fn duplicates(&self, is_twice: impl Fn(&C) -> bool, list: &mut List) {
        for row in self.core.those(|node, row| is_twice(row) && self.pairs.source(node).is_none()) {
            self.put(list, Action::Impossible, None, Some(row), Word::DuplicateRow.into());
        }
    }

    fn ids(&self, rows: &[Node]) -> Vec<Arc<str>> {
        let mut ids: Vec<Arc<str>> = rows.iter().map(|row| self.core.ids.text(*row)).collect();
        ids.sort_unstable();
        ids
    }
}
