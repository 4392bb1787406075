//! The row that each entity is, or would be.

use std::collections::BTreeSet;

use super::{
    evidence::{Evidence, Rejected},
    ids::{Node, Table},
    pairs::{Link, Pairs},
    side::Roll,
};

/// The row that each entity of one kind is, or would be.
pub(super) struct Targets {
    /// By entity, those included that the source only refers to. Those that a person must decide on have none.
    rows: Table<Node>,
    /// Entities that have no row because the id that it would have is somebody else's.
    taken: BTreeSet<Node>,
}

impl Targets {
    /// The row of a pair; else the one that a link knew; else one of the entity's own id.
    pub(super) fn of<S, C>(
        source: &Roll<S>,
        core: &mut Roll<C>,
        pairs: &Pairs,
        links: &[Link],
        rejected: &Rejected,
    ) -> Self {
        let sure = links.iter().filter(|link| link.sure && !rejected.contains(&(link.source, link.core)));
        let mut known = Evidence::default();
        // What a link knows as the row of one entity is no other one's.
        let mut claims: Vec<(Node, Node)> = sure.map(|link| (link.core, link.source)).collect();
        for (row, entity) in &claims {
            known.add(None, &[((), *entity)], &[((), *row)], rejected);
        }
        let mut wanted: Vec<(Node, Node)> = Vec::new();
        let mut rows = Table::default();
        for entity in source.ids.nodes().filter(|entity| pairs.doubt_of(*entity).is_none()) {
            if let Some(row) = pairs.row(entity) {
                rows.put(entity, row);
                continue;
            }
            let row = known.only(entity).unwrap_or_else(|| core.refer(&source.ids.row_id(entity)));
            wanted.push((row, entity));
            if source.rows.has(entity) {
                claims.push((row, entity));
            }
        }
        claims.sort_unstable();
        let mut taken = BTreeSet::new();
        for (row, entity) in wanted {
            // A row that a person said is not this one would be matched with nobody once it was made.
            let is_no_place = core.rows.has(row) || rejected.contains(&(entity, row));
            let is_taken = is_no_place && source.rows.has(entity);
            if is_taken || pairs.source(row).is_some() || is_claimed_by_others(&claims, row, entity) {
                taken.insert(entity);
            } else {
                rows.put(entity, row);
            }
        }
        Self { rows, taken }
    }

    pub(super) fn row(&self, entity: Node) -> Option<Node> {
        self.rows.get(entity).copied()
    }

    pub(super) fn is_taken(&self, entity: Node) -> bool {
        self.taken.contains(&entity)
    }

    pub(super) fn into_rows(self) -> Table<Node> {
        self.rows
    }
}

fn is_claimed_by_others(claims: &[(Node, Node)], row: Node, entity: Node) -> bool {
    let start = claims.partition_point(|(claimed, _)| *claimed < row);
    let rest = claims.get(start..).unwrap_or_default();
    rest.iter().take_while(|(claimed, _)| *claimed == row).any(|(_, other)| *other != entity)
}
