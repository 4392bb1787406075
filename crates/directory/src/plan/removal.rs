//! Which rows go: those that no entity belongs to, in an order in which nothing goes before what is in it.

use std::collections::BTreeSet;

use super::{
    Comparison, PerKind,
    bar::Bar,
    ids::{Node, Table},
    pairs::Pairs,
    side::CoreMember,
};

/// Rows that go, in the order in which they go: members, then departments, children before parents.
#[derive(Default)]
pub(super) struct Removal {
    pub(super) disabled: PerKind<Vec<Node>>,
    pub(super) deleted: PerKind<Vec<Node>>,
    /// Departments that would be disabled, but something that stays is in them.
    pub(super) not_empty: Vec<Node>,
}

/// What decides on which rows go.
pub(super) struct Rows<'a> {
    pub(super) c: &'a Comparison,
    pub(super) pairs: &'a PerKind<Pairs>,
    /// What keeps entities from being written.
    pub(super) bars: PerKind<&'a Table<Bar>>,
}

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is written: what the source tells of it holds.
    Written,
    /// It stays as it is.
    Stays,
    /// It is disabled now.
    Disabled,
    /// It stays disabled.
    StaysDisabled,
    /// It goes.
    Deleted,
}

impl Removal {
    /// Nothing goes unless both sides are whole.
    pub(super) fn of(rows: &Rows<'_>) -> Self {
        if !rows.c.removes() {
            return Self::default();
        }
        let undecided = rows.undecided();
        let core = &rows.c.core;
        let departments = with_fate(core.departments.by_id(), |node| rows.department(node, &undecided));
        let members = with_fate(core.members.by_id(), |node| rows.member(node, &undecided));

        let parent = |node: Node| rows.parent(node);
        let gone = of_fate(&departments, Fate::Disabled);
        let disabled = rows.live_inside(&departments, &members).emptied(&gone, parent);
        let expired = of_fate(&departments, Fate::Deleted);
        let deleted = rows.inside(&departments, &members).emptied(&expired, parent);
        let emptied: BTreeSet<Node> = disabled.iter().copied().collect();
        let not_empty = gone.into_iter().filter(|node| !emptied.contains(node)).collect();
        Self {
            disabled: PerKind { departments: disabled, members: of_fate(&members, Fate::Disabled) },
            deleted: PerKind { departments: deleted, members: of_fate(&members, Fate::Deleted) },
            not_empty,
        }
    }
}

fn with_fate(nodes: Vec<Node>, fate: impl Fn(Node) -> Fate) -> Vec<(Node, Fate)> {
    nodes.into_iter().map(|node| (node, fate(node))).collect()
}

fn of_fate(rows: &[(Node, Fate)], fate: Fate) -> Vec<Node> {
    rows.iter().filter(|(_, other)| *other == fate).map(|(node, _)| *node).collect()
}

impl Rows<'_> {
    /// Departments that doubtful ones of the source may be, and all below them that belongs to nobody: it may turn out to be
    /// somebody's.
    fn undecided(&self) -> BTreeSet<Node> {
        let rows = &self.c.core.departments.rows;
        let mut children: Vec<(Node, Node)> = rows.iter().filter_map(|(node, row)| Some((row.parent?, node))).collect();
        children.sort_unstable();
        let mut undecided = self.pairs.departments.contested().clone();
        let mut open: Vec<Node> = undecided.iter().copied().collect();
        while let Some(parent) = open.pop() {
            let start = children.partition_point(|(above, _)| *above < parent);
            let rest = children.get(start..).unwrap_or_default();
            for (_, child) in rest.iter().take_while(|(above, _)| *above == parent) {
                if self.pairs.departments.source(*child).is_none() && undecided.insert(*child) {
                    open.push(*child);
                }
            }
        }
        undecided
    }

    fn department(&self, node: Node, undecided: &BTreeSet<Node>) -> Fate {
        let Some(row) = self.c.core.departments.get(node) else { return Fate::Stays };
        match self.pairs.departments.source(node) {
            Some(entity) if !self.bars.departments.has(entity) => Fate::Written,
            None if !row.is_twice && !undecided.contains(&node) => match row.deleted_at {
                None => Fate::Disabled,
                Some(at) if self.c.options.is_expired(at) => Fate::Deleted,
                Some(_) => Fate::StaysDisabled,
            },
            _ if row.deleted_at.is_some() => Fate::StaysDisabled,
            _ => Fate::Stays,
        }
    }

    fn member(&self, node: Node, undecided: &BTreeSet<Node>) -> Fate {
        let Some(row) = self.c.core.members.get(node) else { return Fate::Stays };
        let is_contested = || self.pairs.members.contested().contains(&node);
        let is_undecided = || row.refers_to().any(|department| undecided.contains(&department));
        match self.pairs.members.source(node) {
            Some(entity) if !self.bars.members.has(entity) => Fate::Written,
            None if !row.is_twice && !is_contested() && !is_undecided() => match row.deleted_at {
                None => Fate::Disabled,
                Some(at) if self.c.options.is_expired(at) && !row.is_emptied => Fate::Deleted,
                Some(_) => Fate::StaysDisabled,
            },
            _ if row.deleted_at.is_some() => Fate::StaysDisabled,
            _ => Fate::Stays,
        }
    }

    /// What is alive in each department once all is written. What is written is in departments that stay.
    fn live_inside(&self, departments: &[(Node, Fate)], members: &[(Node, Fate)]) -> Inside {
        let mut inside = Inside::default();
        for (node, fate) in members {
            if *fate == Fate::Stays || (*fate == Fate::Written && !self.is_moved(*node)) {
                inside.put_all(self.c.core.members.get(*node));
            }
        }
        for (node, fate) in departments {
            if matches!(fate, Fate::Stays | Fate::Disabled) || (*fate == Fate::Written && self.is_root(*node)) {
                inside.put(self.parent(*node));
            }
        }
        inside
    }

    /// What refers to each department once all is written and disabled.
    fn inside(&self, departments: &[(Node, Fate)], members: &[(Node, Fate)]) -> Inside {
        let mut inside = Inside::default();
        for (node, fate) in members {
            let row = self.c.core.members.get(*node);
            match fate {
                Fate::Written if self.is_moved(*node) => {}
                Fate::Written | Fate::Stays | Fate::StaysDisabled => inside.put_all(row),
                // Its memberships go along with it, its main department stays.
                Fate::Disabled => inside.put(row.and_then(|row| row.main)),
                Fate::Deleted => {}
            }
        }
        for (node, fate) in departments {
            if *fate != Fate::Written || self.is_root(*node) {
                inside.put(self.parent(*node));
            }
        }
        inside
    }

    /// Whether the source tells the departments of the member whose row this is.
    fn is_moved(&self, row: Node) -> bool {
        let entity = self.pairs.members.source(row).and_then(|entity| self.c.source.members.get(entity));
        entity.is_some_and(|member| member.places.is_some())
    }

    /// The root's row, which stays where it is in a product's own tree.
    fn is_root(&self, row: Node) -> bool {
        let entity = self.pairs.departments.source(row).and_then(|entity| self.c.source.departments.get(entity));
        entity.is_some_and(|department| department.is_root)
    }

    /// The row above another one.
    fn parent(&self, row: Node) -> Option<Node> {
        self.c.core.departments.get(row)?.parent.filter(|parent| *parent != row)
    }
}

/// How many rows are in each department.
#[derive(Default)]
struct Inside(Table<u32>);

impl Inside {
    fn put(&mut self, department: Option<Node>) {
        if let Some(department) = department {
            let inside = self.0.get(department).copied().unwrap_or_default();
            self.0.put(department, inside.saturating_add(1));
        }
    }

    fn put_all(&mut self, member: Option<&CoreMember>) {
        for department in member.into_iter().flat_map(CoreMember::refers_to) {
            self.put(Some(department));
        }
    }

    /// Those of some departments in which nothing is, once those before them are gone.
    fn emptied(mut self, candidates: &[Node], parent: impl Fn(Node) -> Option<Node>) -> Vec<Node> {
        let all: BTreeSet<Node> = candidates.iter().copied().collect();
        let mut order: Vec<Node> = candidates.iter().copied().filter(|node| self.is_empty(*node)).collect();
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            next += 1;
            let Some(above) = parent(node) else { continue };
            if let Some(inside) = self.0.get_mut(above) {
                *inside = inside.saturating_sub(1);
            }
            if all.contains(&above) && self.is_empty(above) {
                order.push(above);
            }
        }
        order
    }

    fn is_empty(&self, department: Node) -> bool {
        self.0.get(department).is_none_or(|inside| *inside == 0)
    }
}
