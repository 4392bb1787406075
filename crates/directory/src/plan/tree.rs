//! The tree of departments as it would be: who could go where, and in which order.

use super::{
    Comparison,
    bar::Bar,
    ids::{Node, Table},
    item::Word,
    pairs::Pairs,
    side::SourceDepartment,
    target::Targets,
};

/// What the tree of departments says of each.
pub(super) struct Tree {
    /// What keeps departments of the source from being written.
    pub(super) bars: Table<Bar>,
    /// Departments that may be written, parents before children.
    pub(super) order: Vec<Node>,
    /// The rows that something may be put into, by the source's department: they are there or come before it, and stay.
    pub(super) standing: Table<Node>,
}

impl Tree {
    /// Who cannot be placed stays where it is, and so does all below it: then no row ever comes to lie below itself.
    pub(super) fn of(c: &Comparison, pairs: &Pairs, targets: &Targets) -> Self {
        let roots = Roots { c, pairs, targets, sources: c.source.departments.ids.len() };
        let source = &c.source.departments;
        let above = roots.above();
        let order = leaves_first(&above);
        let mut placed = Table::default();
        order.iter().for_each(|node| placed.put(*node, ()));
        let mut bars = Table::default();
        for (node, department) in source.rows.iter() {
            let cycle = || (!placed.has(node)).then(|| Bar::impossible(Word::Cycle, None));
            if let Some(bar) = roots.bar(node, department).or_else(cycle) {
                bars.put(node, bar);
            }
        }
        let mut depths: Table<u32> = Table::default();
        for &node in order.iter().rev() {
            let Some(parent) = above.get(node.index()).copied().flatten() else { continue };
            depths.put(node, depths.get(parent).map_or(1, |depth| depth.saturating_add(1)));
            if let Some(bar) = bars.get(parent).copied().filter(|_: &Bar| !bars.has(node)) {
                bars.put(node, bar.below(source.get(node).and_then(|department| department.parent)));
            }
        }
        let mut order: Vec<Node> = source.by_id().into_iter().filter(|node| !bars.has(*node)).collect();
        order.sort_by_key(|node| depths.get(*node).copied().unwrap_or_default());
        let mut standing = Table::default();
        for node in source.ids.nodes() {
            if let Some(row) = roots.standing(node, bars.has(node)) {
                standing.put(node, row);
            }
        }
        Self { bars, order, standing }
    }
}

/// Departments of the source, numbered as there, and behind them the rows of the destination, since a tree that the source does
/// not know whole goes on in them.
struct Roots<'a> {
    c: &'a Comparison,
    pairs: &'a Pairs,
    targets: &'a Targets,
    /// How many departments of the source there are.
    sources: usize,
}

impl Roots<'_> {
    /// What each would lie below.
    fn above(&self) -> Vec<Option<Node>> {
        let sources = self.c.source.departments.ids.nodes().map(|node| self.above_source(node));
        let rows = self.c.core.departments.ids.nodes().map(|row| self.above_row(row));
        sources.chain(rows).collect()
    }

    fn above_source(&self, node: Node) -> Option<Node> {
        match self.c.source.departments.get(node) {
            Some(department) if department.is_root => self.above_row(self.pairs.row(node)?),
            Some(department) => department.parent,
            None => self.above_row(self.stand_in(node)?),
        }
    }

    /// The department that the row's parent is, else the parent itself.
    fn above_row(&self, row: Node) -> Option<Node> {
        let parent = self.c.core.departments.get(row)?.parent?;
        let itself = || Node::from_index(self.sources.saturating_add(parent.index()));
        Some(self.pairs.source(parent).unwrap_or_else(itself))
    }

    /// The row of a department that the source only refers to. Where the source is whole such a department is gone.
    fn stand_in(&self, node: Node) -> Option<Node> {
        let row = self.targets.row(node).filter(|_| !self.c.removes())?;
        let there = self.c.core.departments.get(row)?;
        let is_rejected = self.c.rejected.departments.contains(&(node, row));
        let stands = there.deleted_at.is_none() && !there.is_twice && self.pairs.is_open_row(row) && !is_rejected;
        stands.then_some(row)
    }

    /// What keeps a department from being written, apart from what it lies below.
    fn bar(&self, node: Node, department: &SourceDepartment) -> Option<Bar> {
        let has_parent =
            |parent: &Node| self.c.source.departments.rows.has(*parent) || self.stand_in(*parent).is_some();
        let row = self.pairs.row(node).and_then(|row| self.c.core.departments.get(row));
        if department.is_twice {
            Some(Bar::impossible(Word::DuplicateId, None))
        } else if let Some(doubt) = self.pairs.doubt_of(node) {
            Some(Bar::unsure(doubt.word))
        } else if row.is_some_and(|row| row.is_twice) {
            Some(Bar::impossible(Word::DuplicateRow, None))
        } else if self.targets.is_taken(node) {
            Some(Bar::impossible(Word::IdTaken, None))
        } else if department.is_unstorable {
            Some(Bar::impossible(Word::Unstorable, None))
        } else if department.is_root || department.parent.as_ref().is_some_and(has_parent) {
            None
        } else {
            Some(Bar::impossible(Word::Orphan, department.parent))
        }
    }

    /// The row of a department, if something may be put into it.
    fn standing(&self, node: Node, is_barred: bool) -> Option<Node> {
        if !self.c.source.departments.rows.has(node) {
            return self.stand_in(node);
        }
        if !is_barred {
            return self.targets.row(node);
        }
        let is_live = |row: &Node| self.c.core.departments.get(*row).is_some_and(|row| row.deleted_at.is_none());
        self.pairs.row(node).filter(is_live)
    }
}

/// Who is below before who is above. Who lies below itself is not among them.
fn leaves_first(above: &[Option<Node>]) -> Vec<Node> {
    let mut below: Vec<u32> = vec![0; above.len()];
    for parent in above.iter().flatten() {
        if let Some(below) = below.get_mut(parent.index()) {
            *below = below.saturating_add(1);
        }
    }
    let mut order: Vec<Node> =
        below.iter().enumerate().filter(|(_, below)| **below == 0).map(|(index, _)| Node::from_index(index)).collect();
    let mut next = 0;
    while let Some(node) = order.get(next).copied() {
        next += 1;
        let Some(parent) = above.get(node.index()).copied().flatten() else { continue };
        let Some(below) = below.get_mut(parent.index()) else { continue };
        *below = below.saturating_sub(1);
        if *below == 0 {
            order.push(parent);
        }
    }
    order
}
