//! Who points at whom: by a link, a value or a name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ids::Node,
    item::{CANDIDATES_MAX, Column, Columns, Word},
    pairs::{Doubt, Pairs},
};

/// Pairs of a source's entity and a row that a person said are not the same.
pub(super) type Rejected = BTreeSet<(Node, Node)>;

/// Entities and rows that point at each other, by one or several values. Rejected pairs do not.
#[derive(Default)]
pub(super) struct Evidence {
    by_source: BTreeMap<Node, Seen>,
    by_core: BTreeMap<Node, Seen>,
    /// The candidates of those that have several.
    several: BTreeMap<Node, Vec<Node>>,
}

/// Who points at one.
#[derive(Clone, Copy)]
struct Seen {
    first: Node,
    is_only: bool,
    by: Columns,
}

/// What [`Evidence::settle`] is asked about: an entity, and the first row that it may be.
pub(super) struct Case {
    pub(super) core: Node,
    /// By what they point at each other.
    pub(super) by: Columns,
    /// They point at each other and at nobody else.
    pub(super) is_only: bool,
}

/// How a case ends.
pub(super) enum Ruling {
    /// They are the same; the word for a link, if one is to be remembered.
    Same(Option<Word>),
    /// A person must decide.
    Doubtful(Word),
}

impl Evidence {
    /// Every one of these entities points at every one of these rows.
    pub(super) fn add<K>(
        &mut self,
        by: Option<Column>,
        sources: &[(K, Node)],
        cores: &[(K, Node)],
        rejected: &Rejected,
    ) {
        let by: Columns = by.into_iter().collect();
        for (_, source) in sources {
            let near = cores.iter().map(|(_, core)| *core).filter(|core| !rejected.contains(&(*source, *core)));
            for core in near.take(CANDIDATES_MAX) {
                self.point(*source, core, by);
            }
        }
        for (_, core) in cores {
            let near = sources.iter().map(|(_, source)| *source).filter(|source| !rejected.contains(&(*source, *core)));
            for source in near.take(2) {
                note(&mut self.by_core, *core, source, by);
            }
        }
    }

    fn point(&mut self, source: Node, core: Node, by: Columns) {
        let seen = note(&mut self.by_source, source, core, by);
        if !seen.is_only {
            let candidates = self.several.entry(source).or_insert_with(|| vec![seen.first]);
            if candidates.len() < CANDIDATES_MAX && !candidates.contains(&core) {
                candidates.push(core);
            }
        }
    }

    /// The only row at which an entity points.
    pub(super) fn only(&self, source: Node) -> Option<Node> {
        self.by_source.get(&source).filter(|seen| seen.is_only).map(|seen| seen.first)
    }

    /// Ends every case, and says which became pairs. What is doubtful stays so, whoever decides it otherwise later on, and the
    /// rows that it is about are left alone.
    pub(super) fn settle(mut self, pairs: &mut Pairs, rule: impl Fn(&Case) -> Ruling) -> Vec<(Node, Node)> {
        let mut same = Vec::new();
        for (&source, seen) in &self.by_source {
            let is_mutual = self.by_core.get(&seen.first).is_some_and(|back| back.is_only);
            let case = Case { core: seen.first, by: seen.by, is_only: seen.is_only && is_mutual };
            match rule(&case) {
                Ruling::Same(how) => {
                    pairs.pair(source, case.core, how);
                    same.push((source, case.core));
                }
                Ruling::Doubtful(word) => {
                    let candidates = self.several.remove(&source).unwrap_or_else(|| vec![case.core]);
                    pairs.doubt(source, Doubt { word, by: case.by, candidates });
                }
            }
        }
        for core in self.by_core.into_keys() {
            pairs.contest(core);
        }
        same
    }
}

/// Notes that `other` points at `one`.
fn note(seen: &mut BTreeMap<Node, Seen>, one: Node, other: Node, by: Columns) -> Seen {
    let seen = seen.entry(one).or_insert(Seen { first: other, is_only: true, by });
    seen.is_only &= seen.first == other;
    seen.by.extend(by);
    *seen
}

/// Calls `found` for each value that both sides bear, with those who bear it. Both lists are sorted by value.
pub(super) fn each_shared<K: Copy + Ord>(
    sources: &[(K, Node)],
    cores: &[(K, Node)],
    mut found: impl FnMut(&[(K, Node)], &[(K, Node)]),
) {
    let value = |bearers: &[(K, Node)]| bearers.first().map(|(value, _)| *value);
    let mut cores = cores.chunk_by(|one, other| one.0 == other.0).peekable();
    for mine in sources.chunk_by(|one, other| one.0 == other.0) {
        while cores.next_if(|theirs| value(theirs) < value(mine)).is_some() {}
        if let Some(theirs) = cores.next_if(|theirs| value(theirs) == value(mine)) {
            found(mine, theirs);
        }
    }
}
