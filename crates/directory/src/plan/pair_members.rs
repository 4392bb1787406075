//! Which member is which row: by link, by id, by mobile number, e-mail and employee number. A name is a reason to ask.

use super::{
    Comparison,
    digest::Digest,
    evidence::{Case, Evidence, Ruling, each_shared},
    ids::Node,
    item::{Column, Word},
    pairs::Pairs,
};

/// In the order of [`Keys::unique`](super::side::Keys).
const UNIQUE: [Column; 3] = [Column::Mobile, Column::Email, Column::EmployeeNumber];

/// Pairs the members.
pub(super) fn pair(c: &Comparison, departments: &Pairs) -> Pairs {
    let (source, core) = (&c.source.members, &c.core.members);
    let (links, rejected) = (&c.links.members, &c.rejected.members);
    let mut pairs = Pairs::default();
    pairs.by_link(links, source, core, rejected);
    pairs.by_id(source, core, rejected, |row| (!row.is_ours).then_some(Word::SameId));
    pair_by_values(c, &mut pairs);
    pairs.by_proposal(links, source, core, rejected);
    ask_by_name(c, &mut pairs, departments);
    pairs
}

/// All values are looked at together: one that several bear, or two that point at different rows or entities, decide nothing.
fn pair_by_values(c: &Comparison, pairs: &mut Pairs) {
    let (source, core) = (&c.source.members, &c.core.members);
    let sources = open_sources(c, pairs);
    let rows = open_rows(c, pairs);
    let mut evidence = Evidence::default();
    for (place, column) in UNIQUE.into_iter().enumerate() {
        let value = |unique: &[Option<Digest>; 3]| unique.get(place).copied().flatten();
        let mine = sorted(sources.iter().filter_map(|node| Some((value(&source.get(*node)?.keys.unique)?, *node))));
        let theirs = sorted(rows.iter().filter_map(|node| Some((value(&core.get(*node)?.keys.unique)?, *node))));
        each_shared(&mine, &theirs, |mine, theirs| {
            evidence.add(Some(column), mine, theirs, &c.rejected.members);
        });
    }
    evidence.settle(pairs, |case| {
        // Who left may have handed on a number or an address.
        let is_disabled = core.get(case.core).is_some_and(|row| row.deleted_at.is_some());
        match case.is_only {
            true if is_disabled => Ruling::Doubtful(Word::Disabled),
            true => Ruling::Same(word(case)),
            false => Ruling::Doubtful(Word::Ambiguous),
        }
    });
}

/// The first value by which two are the same.
fn word(case: &Case) -> Option<Word> {
    let words = [Word::Mobile, Word::Email, Word::EmployeeNumber];
    UNIQUE.into_iter().zip(words).find(|(column, _)| case.by.has(*column)).map(|(_, word)| word)
}

/// The same name in the same department: a person is asked.
fn ask_by_name(c: &Comparison, pairs: &mut Pairs, departments: &Pairs) {
    let (source, core) = (&c.source.members, &c.core.members);
    let mut mine = Vec::new();
    for node in open_sources(c, pairs) {
        let Some(member) = source.get(node) else { continue };
        let Some(name) = member.keys.name else { continue };
        let places = member.places.as_deref().unwrap_or_default();
        let rows = places.iter().filter_map(|place| departments.row(place.department));
        mine.extend(rows.map(|row| ((name, row), node)));
    }
    let mut theirs = Vec::new();
    for node in open_rows(c, pairs) {
        let Some(row) = core.get(node).filter(|row| row.deleted_at.is_none()) else { continue };
        let Some(name) = row.keys.name else { continue };
        theirs.extend(row.refers_to().map(|department| ((name, department), node)));
    }
    let (mine, mut theirs) = (sorted(mine), sorted(theirs));
    // The main department is one of its departments, as a rule.
    theirs.dedup();
    let mut evidence = Evidence::default();
    each_shared(&mine, &theirs, |mine, theirs| {
        evidence.add(Some(Column::Name), mine, theirs, &c.rejected.members);
    });
    evidence.settle(pairs, |_| Ruling::Doubtful(Word::SameName));
}

fn open_sources(c: &Comparison, pairs: &Pairs) -> Vec<Node> {
    c.source.members.those(|node, member| !member.is_twice && pairs.is_open_source(node))
}

fn open_rows(c: &Comparison, pairs: &Pairs) -> Vec<Node> {
    c.core.members.those(|node, row| !row.is_twice && pairs.is_open_row(node))
}

/// By value; those of one value stay in the order of their ids.
fn sorted<K: Copy + Ord>(bearers: impl IntoIterator<Item = (K, Node)>) -> Vec<(K, Node)> {
    let mut bearers: Vec<(K, Node)> = bearers.into_iter().collect();
    bearers.sort_by_key(|(value, _)| *value);
    bearers
}
