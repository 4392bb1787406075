//! Which department is which row: by link, by id, and by name below the same parent. Names of siblings are unique on the platform
//! (reference wecom 3.3), and a department has nothing else to be known by, so that is enough to be sure.

use super::{
    Comparison,
    digest::Digest,
    evidence::{Evidence, Ruling, each_shared},
    ids::Node,
    item::{Column, Word},
    pairs::Pairs,
};

/// A department below another one.
struct Child {
    parent: Node,
    name: Digest,
    node: Node,
}

/// Pairs the departments.
pub(super) fn pair(c: &Comparison) -> Pairs {
    let (source, core) = (&c.source.departments, &c.core.departments);
    let (links, rejected) = (&c.links.departments, &c.rejected.departments);
    let mut pairs = Pairs::default();
    pairs.by_link(links, source, core, rejected);
    pairs.by_id(source, core, rejected, |row| (!row.is_ours).then_some(Word::SameId));
    pair_root(c, &mut pairs);
    pair_by_name(c, &mut pairs);
    pairs.by_proposal(links, source, core, rejected);
    pairs
}

/// Where no row has the root's id, the root is the only row without a parent.
fn pair_root(c: &Comparison, pairs: &mut Pairs) {
    let (source, core) = (&c.source.departments, &c.core.departments);
    let root = source.ids.find(common::ROOT_DEPARTMENT).filter(|root| source.rows.has(*root));
    let Some(root) = root.filter(|root| pairs.is_open_source(*root)) else { return };
    if core.ids.find(common::ROOT_DEPARTMENT).is_some_and(|row| core.rows.has(row)) {
        return;
    }
    let tops = core.those(|node, row| {
        row.parent.is_none() && row.deleted_at.is_none() && !row.is_twice && pairs.is_open_row(node)
    });
    let tops: Vec<((), Node)> = tops.into_iter().map(|row| ((), row)).collect();
    let mut evidence = Evidence::default();
    evidence.add(None, &[((), root)], &tops, &c.rejected.departments);
    evidence.settle(pairs, |case| match case.is_only {
        true => Ruling::Same(Some(Word::Root)),
        false => Ruling::Doubtful(Word::Ambiguous),
    });
}

/// Level by level: what is paired is what its children are looked for below.
fn pair_by_name(c: &Comparison, pairs: &mut Pairs) {
    let (source, core) = (&c.source.departments, &c.core.departments);
    let mine = source.those(|node, department| !department.is_twice && pairs.is_open_source(node));
    let theirs = core.those(|node, row| !row.is_twice && row.deleted_at.is_none() && pairs.is_open_row(node));
    let mine = children(mine, |node| source.get(node).map(|department| (department.parent, department.name)));
    let theirs = children(theirs, |node| core.get(node).map(|row| (row.parent, row.name)));
    let mut parents = pairs.all();
    while !parents.is_empty() {
        let mut evidence = Evidence::default();
        for (parent, row) in parents {
            each_shared(&below(&mine, parent), &below(&theirs, row), |mine, theirs| {
                evidence.add(Some(Column::Name), mine, theirs, &c.rejected.departments);
            });
        }
        parents = evidence.settle(pairs, |case| match case.is_only {
            true => Ruling::Same(Some(Word::Name)),
            false => Ruling::Doubtful(Word::Ambiguous),
        });
    }
}

/// Those that have a parent and a name, sorted by both, and then by id as before.
fn children(nodes: Vec<Node>, of: impl Fn(Node) -> Option<(Option<Node>, Option<Digest>)>) -> Vec<Child> {
    let child = |node: Node| {
        let (parent, name) = of(node)?;
        Some(Child { parent: parent?, name: name?, node })
    };
    let mut children: Vec<Child> = nodes.into_iter().filter_map(child).collect();
    children.sort_by_key(|child| (child.parent, child.name));
    children
}

/// The children of one department, by name.
fn below(children: &[Child], parent: Node) -> Vec<(Digest, Node)> {
    let start = children.partition_point(|child| child.parent < parent);
    let rest = children.get(start..).unwrap_or_default();
    rest.iter().take_while(|child| child.parent == parent).map(|child| (child.name, child.node)).collect()
}
