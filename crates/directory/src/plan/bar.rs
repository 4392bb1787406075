//! What keeps entities from being written.

use super::{
    Comparison,
    ids::{Node, Table},
    item::{Action, Word},
    pairs::Pairs,
    side::SourceMember,
    target::Targets,
    tree::Tree,
};

/// What keeps an entity from being written.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    /// Unsure or impossible.
    pub(super) action: Action,
    pub(super) word: Word,
    /// The department of the source that it refers to and cannot have.
    pub(super) reference: Option<Node>,
}

impl Bar {
    pub(super) const fn unsure(word: Word) -> Self {
        Self { action: Action::Unsure, word, reference: None }
    }

    pub(super) const fn impossible(word: Word, reference: Option<Node>) -> Self {
        Self { action: Action::Impossible, word, reference }
    }

    /// What this means for those who refer to the one that is kept from being written.
    pub(super) const fn below(self, reference: Option<Node>) -> Self {
        Self { action: self.action, word: Word::Blocked, reference }
    }
}

/// What keeps members from being written: a row is written whole or not at all, so one department that cannot be had is enough.
pub(super) fn members(c: &Comparison, pairs: &Pairs, targets: &Targets, tree: &Tree) -> Table<Bar> {
    let mut bars = Table::default();
    for (node, member) in c.source.members.rows.iter() {
        if let Some(bar) = own_bar(c, pairs, targets, node, member).or_else(|| department_bar(c, tree, member)) {
            bars.put(node, bar);
        }
    }
    bars
}

fn own_bar(c: &Comparison, pairs: &Pairs, targets: &Targets, node: Node, member: &SourceMember) -> Option<Bar> {
    let row = pairs.row(node).and_then(|row| c.core.members.get(row));
    if member.is_twice {
        Some(Bar::impossible(Word::DuplicateId, None))
    } else if let Some(doubt) = pairs.doubt_of(node) {
        Some(Bar::unsure(doubt.word))
    } else if row.is_some_and(|row| row.is_twice) {
        Some(Bar::impossible(Word::DuplicateRow, None))
    } else if targets.is_taken(node) {
        Some(Bar::impossible(Word::IdTaken, None))
    } else if member.is_unstorable {
        Some(Bar::impossible(Word::Unstorable, None))
    } else {
        None
    }
}

/// The first department of a member that it cannot be put into.
fn department_bar(c: &Comparison, tree: &Tree, member: &SourceMember) -> Option<Bar> {
    let places = member.places.as_deref().unwrap_or_default();
    let lacking = places.iter().map(|place| place.department).find(|department| !tree.standing.has(*department))?;
    match tree.bars.get(lacking) {
        Some(bar) if c.source.departments.rows.has(lacking) => Some(bar.below(Some(lacking))),
        _ => Some(Bar::impossible(Word::Orphan, Some(lacking))),
    }
}
