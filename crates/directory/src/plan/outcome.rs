//! A plan: what a comparison found.

use std::sync::Arc;

use common::{EntityKey, EntityKind};
use serde::{Deserialize, Serialize};

use super::{
    Options,
    ids::{Ids, Node, Table},
    item::{Action, Item},
};

/// Something of departments and of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerKind<T> {
    /// Of departments.
    pub departments: T,
    /// Of members.
    pub members: T,
}

/// What differs, as a list. Applied from its start to its end, it never breaks a reference: links come first, then departments,
/// parents before children, then members, then who goes, members before departments and children before parents, and at
/// the end what nothing is done about.
pub struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) counts: PerKind<Counts>,
    pub(super) live: PerKind<u64>,
    pub(super) is_complete: bool,
    pub(super) options: Options,
    pub(super) translation: PerKind<Translation>,
}

/// How many items of each action there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Links to be remembered.
    pub link: u64,
    /// Rows to be created.
    pub create: u64,
    /// Rows to be changed.
    pub update: u64,
    /// Rows to be disabled.
    pub disable: u64,
    /// Rows to be deleted.
    pub delete: u64,
    /// What a person must decide.
    pub unsure: u64,
    /// What cannot be done.
    pub impossible: u64,
}

/// What ids of the source are at the destination.
pub(super) struct Translation {
    pub(super) source: Ids,
    pub(super) core: Ids,
    pub(super) rows: Table<Node>,
}

impl Plan {
    /// What is to be done, in order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Takes the items out, for keeping them.
    pub fn into_items(self) -> Vec<Item> {
        self.items
    }

    /// How many items of each action there are.
    pub fn counts(&self) -> Counts {
        self.counts.departments.plus(self.counts.members)
    }

    /// The same, of departments and of members.
    pub fn counts_per_kind(&self) -> PerKind<Counts> {
        self.counts
    }

    /// How many rows would be disabled or deleted.
    pub fn removals(&self) -> PerKind<u64> {
        let PerKind { departments, members } = self.counts;
        PerKind { departments: departments.removals(), members: members.removals() }
    }

    /// How many rows are alive at the destination.
    pub fn live(&self) -> PerKind<u64> {
        self.live
    }

    /// Whether both sides were whole. Else nothing is removed.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The row that an entity is or would be. `None` for a department that nothing may be put into, for a member that a person
    /// must decide on or whose id is another one's, and for ids that were neither told nor referred to.
    pub fn core_id(&self, key: &EntityKey) -> Option<Arc<str>> {
        match key.kind {
            EntityKind::Department => self.translation.departments.row(&key.id),
            EntityKind::Member => self.translation.members.row(&key.id),
            _ => None,
        }
    }
}

impl Translation {
    pub(super) fn row(&self, id: &str) -> Option<Arc<str>> {
        let row = self.rows.get(self.source.find(id)?)?;
        Some(self.core.text(*row))
    }

    /// Whether the source told of the id, or referred to it.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.source.find(id).is_some()
    }
}

impl Counts {
    /// Counts an item.
    pub(super) fn add(&mut self, action: Action) {
        let count = match action {
            Action::Link => &mut self.link,
            Action::Create => &mut self.create,
            Action::Update => &mut self.update,
            Action::Disable => &mut self.disable,
            Action::Delete => &mut self.delete,
            Action::Unsure => &mut self.unsure,
            Action::Impossible => &mut self.impossible,
        };
        *count = count.saturating_add(1);
    }

    const fn removals(self) -> u64 {
        self.disable.saturating_add(self.delete)
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            link: self.link.saturating_add(other.link),
            create: self.create.saturating_add(other.create),
            update: self.update.saturating_add(other.update),
            disable: self.disable.saturating_add(other.disable),
            delete: self.delete.saturating_add(other.delete),
            unsure: self.unsure.saturating_add(other.unsure),
            impossible: self.impossible.saturating_add(other.impossible),
        }
    }
}
