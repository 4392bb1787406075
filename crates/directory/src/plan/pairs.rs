//! Which entity is which row.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    evidence::{Evidence, Rejected, Ruling},
    ids::{Node, Table},
    item::{Columns, Word},
    side::Roll,
};

/// A pair that was known before.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) source: Node,
    pub(super) core: Node,
    /// Decided by a person, or found by something that decides.
    pub(super) sure: bool,
}

/// Which entity of one kind is which row.
#[derive(Default)]
pub(super) struct Pairs {
    /// By source: the row, and the word for a link if one is to be remembered.
    rows: Table<(Node, Option<Word>)>,
    /// By row.
    sources: Table<Node>,
    doubts: BTreeMap<Node, Doubt>,
    contested: BTreeSet<Node>,
}

/// An entity that a person must decide on.
pub(super) struct Doubt {
    pub(super) word: Word,
    pub(super) by: Columns,
    pub(super) candidates: Vec<Node>,
}

impl Pairs {
    pub(super) fn pair(&mut self, source: Node, core: Node, how: Option<Word>) {
        self.rows.put(source, (core, how));
        self.sources.put(core, source);
    }

    pub(super) fn doubt(&mut self, source: Node, doubt: Doubt) {
        self.doubts.insert(source, doubt);
    }

    /// Somebody doubtful may be this row, unless it was given away.
    pub(super) fn contest(&mut self, core: Node) {
        if !self.sources.has(core) {
            self.contested.insert(core);
        }
    }

    /// The row that an entity is.
    pub(super) fn row(&self, source: Node) -> Option<Node> {
        self.rows.get(source).map(|(row, _)| *row)
    }

    /// The word for the link that is to be remembered of an entity.
    pub(super) fn link(&self, source: Node) -> Option<Word> {
        self.rows.get(source).and_then(|(_, how)| *how)
    }

    /// The entity that a row is.
    pub(super) fn source(&self, row: Node) -> Option<Node> {
        self.sources.get(row).copied()
    }

    /// What keeps an entity from being decided on without a person.
    pub(super) fn doubt_of(&self, source: Node) -> Option<&Doubt> {
        self.doubts.get(&source)
    }

    /// The rows that doubtful entities may be.
    pub(super) fn contested(&self) -> &BTreeSet<Node> {
        &self.contested
    }

    /// All pairs.
    pub(super) fn all(&self) -> Vec<(Node, Node)> {
        self.rows.iter().map(|(source, (row, _))| (source, *row)).collect()
    }

    /// Nothing is known of the entity yet.
    pub(super) fn is_open_source(&self, source: Node) -> bool {
        !self.rows.has(source) && !self.doubts.contains_key(&source)
    }

    /// Nothing is known of the row yet.
    pub(super) fn is_open_row(&self, row: Node) -> bool {
        !self.sources.has(row) && !self.contested.contains(&row)
    }

    /// Pairs those that sure links name; where two links contradict each other a person must decide.
    pub(super) fn by_link<S, C>(&mut self, links: &[Link], source: &Roll<S>, core: &Roll<C>, rejected: &Rejected) {
        let mut evidence = Evidence::default();
        for link in links.iter().filter(|link| link.sure) {
            if source.rows.has(link.source) && core.rows.has(link.core) {
                evidence.add(None, &[((), link.source)], &[((), link.core)], rejected);
            }
        }
        evidence.settle(self, |case| match case.is_only {
            true => Ruling::Same(None),
            false => Ruling::Doubtful(Word::Ambiguous),
        });
    }

    /// Pairs those of the same id. `how` tells the word for the link, if one is to be remembered.
    pub(super) fn by_id<S, C>(
        &mut self,
        source: &Roll<S>,
        core: &Roll<C>,
        rejected: &Rejected,
        how: impl Fn(&C) -> Option<Word>,
    ) {
        for (node, _) in source.rows.iter() {
            let Some(there) = core.ids.find(source.ids.str(node)) else { continue };
            let Some(row) = core.get(there) else { continue };
            let is_open = self.is_open_source(node) && self.is_open_row(there);
            if is_open && !rejected.contains(&(node, there)) {
                self.pair(node, there, how(row));
            }
        }
    }

    /// Leaves to a person what links propose, where nothing surer was found.
    pub(super) fn by_proposal<S, C>(&mut self, links: &[Link], source: &Roll<S>, core: &Roll<C>, rejected: &Rejected) {
        let mut evidence = Evidence::default();
        for link in links.iter().filter(|link| !link.sure) {
            let are_there = source.rows.has(link.source) && core.rows.has(link.core);
            if are_there && self.is_open_source(link.source) && self.is_open_row(link.core) {
                evidence.add(None, &[((), link.source)], &[((), link.core)], rejected);
            }
        }
        evidence.settle(self, |_| Ruling::Doubtful(Word::Proposed));
    }
}
