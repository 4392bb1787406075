//! What differs between a tenant's directory and what a destination holds, as a list that a person can read before it is
//! applied: the first sync, and every later one.
//!
//! A [`Comparison`] is fed with entities, rows, links and what a person rejected, in any order and page by page. Of each it
//! keeps a few hundred bytes. Its [`Plan`] names what is to be done; [`Plan::after`] says how a row is to look, given the entity
//! and the row again.
//!
//! # Who is who
//!
//! Departments: by link; by id; the root is the root; then by name below the same parent, where one on each side bears it.
//! Members: by link; by id, whatever its case; then by mobile number, e-mail and employee number, all looked at together: two
//! that point at each other, and at nobody else, are the same. Everything short of that is *unsure*, and so is the same name
//! in the same department, a row that was disabled and is known by a value only, and a link that nobody has confirmed.
//! Nothing is done with what is unsure, nor with the rows that it may be, nor with what lies below those.
//!
//! # What is written
//!
//! Rows are compared as the SQL destination writes them: after a plan is applied, the next one finds nothing. What the
//! source does not tell stays as it is at the destination. A row is written whole or not at all, so an entity waits if a
//! department that it refers to is unsure or impossible; leaders are soft and do not hold anybody up.
//!
//! # What is removed
//!
//! A row that no entity belongs to is disabled; if it has been so for long enough, it is deleted. If one of the sides may be
//! incomplete, nothing is removed. A department in which something stays is not removed. How much goes without a person
//! is the [`Brake`]'s business.

mod after;
mod bar;
mod brake;
mod compare;
mod digest;
mod evidence;
mod ids;
mod item;
mod list;
mod outcome;
mod pair_departments;
mod pair_members;
mod pairs;
mod removal;
mod row;
mod side;
mod target;
#[cfg(test)]
mod tests;
mod told;
mod tree;

use common::{Entity, EntityKey, EntityKind, UnixMillis};

pub use self::{
    brake::{Brake, Excess, Limit, Verdict},
    item::{Action, CANDIDATES_MAX, Column, Columns, Item, Why, Word},
    outcome::{Counts, PerKind, Plan},
    row::{DepartmentRow, MemberRow, Membership, Row},
};
use self::{
    evidence::Rejected,
    ids::Node,
    list::{Findings, List},
    outcome::Translation,
    pairs::{Link, Pairs},
    removal::{Removal, Rows},
    side::{CoreDepartment, CoreMember, Side, SourceDepartment, SourceMember},
    target::Targets,
    tree::Tree,
};

/// What a comparison needs to know beside the two sides.
#[derive(Debug, Clone)]
pub struct Options {
    /// The source is known to be whole.
    pub source_complete: bool,
    /// The destination is known to be whole.
    pub destination_complete: bool,
    /// The present moment.
    pub now: UnixMillis,
    /// Rows that were disabled longer ago than this are deleted.
    pub delete_after_seconds: u64,
    /// The name of the root department until its own is known: the tenant's name.
    pub root_name: String,
    /// The name of the extended attribute that holds the employee number; empty when there is none. A platform that has a field for it
    /// ([`EmployeeNumber`](common::Field::EmployeeNumber)) needs none.
    pub employee_number: String,
}

/// Two sides that are compared. See the [module](self) for its rules.
pub struct Comparison {
    options: Options,
    source: Side<SourceDepartment, SourceMember>,
    core: Side<CoreDepartment, CoreMember>,
    links: PerKind<Vec<Link>>,
    rejected: PerKind<Rejected>,
}

impl Comparison {
    /// Two empty sides.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            source: Side::default(),
            core: Side::default(),
            links: PerKind::default(),
            rejected: PerKind::default(),
        }
    }

    /// Adds what the source tells of an entity. A department other than the root needs a parent. What is no part of a directory is not
    /// compared.
    pub fn source(&mut self, key: &EntityKey, entity: &Entity) {
        match key.kind {
            EntityKind::Department => self.source.take_department(key, entity),
            EntityKind::Member => self.source.take_member(key, entity, &self.options.employee_number),
            _ => {}
        }
    }

    /// Adds a row of the destination.
    pub fn destination(&mut self, row: &Row) {
        match row {
            Row::Department(row) => self.core.take_department(row),
            Row::Member(row) => self.core.take_member(row),
        }
    }

    /// Adds a known pair. One that is not `sure` is a proposal, which counts only where nothing surer is found, and then asks a
    /// person.
    pub fn link(&mut self, key: &EntityKey, core_id: &str, sure: bool) {
        if let Some((source, core)) = self.nodes(key, core_id) {
            self.links.of_mut(key.kind).push(Link { source, core, sure });
            match key.kind {
                EntityKind::Department => self.core.departments.refer(core_id),
                _ => self.core.members.refer(core_id),
            };
        }
    }

    /// Adds a pair that a person said is none.
    pub fn reject(&mut self, key: &EntityKey, core_id: &str) {
        if let Some(pair) = self.nodes(key, core_id) {
            self.rejected.of_mut(key.kind).insert(pair);
        }
    }

    /// Compares. Time and memory grow with the number of entities and rows, whatever the shape of the tree.
    pub fn plan(mut self) -> Plan {
        let departments = pair_departments::pair(&self);
        let members = pair_members::pair(&self, &departments);
        let pairs = PerKind { departments, members };
        let targets = self.targets(&pairs);
        let tree = Tree::of(&self, &pairs.departments, &targets.departments);
        let bars = bar::members(&self, &pairs.members, &targets.members, &tree);
        let kept = PerKind { departments: &tree.bars, members: &bars };
        let removal = Removal::of(&Rows { c: &self, pairs: &pairs, bars: kept });
        let findings =
            Findings { c: &self, pairs: &pairs, targets: &targets, tree: &tree, bars: &bars, removal: &removal };
        let List { items, counts } = findings.list();
        let live = self.live();
        let is_complete = self.removes();
        let departments =
            Translation { source: self.source.departments.ids, core: self.core.departments.ids, rows: tree.standing };
        let members = Translation {
            source: self.source.members.ids,
            core: self.core.members.ids,
            rows: targets.members.into_rows(),
        };
        let translation = PerKind { departments, members };
        Plan { items, counts, live, is_complete, options: self.options, translation }
    }

    /// Whether anything may be removed.
    fn removes(&self) -> bool {
        self.options.source_complete && self.options.destination_complete
    }

    /// The numbers of a pair.
    fn nodes(&mut self, key: &EntityKey, core_id: &str) -> Option<(Node, Node)> {
        match key.kind {
            EntityKind::Department => {
                Some((self.source.departments.ids.node(&key.id), self.core.departments.ids.node(core_id)))
            }
            EntityKind::Member => Some((self.source.members.ids.node(&key.id), self.core.members.ids.node(core_id))),
            _ => None,
        }
    }

    fn targets(&mut self, pairs: &PerKind<Pairs>) -> PerKind<Targets> {
        let departments = Targets::of(
            &self.source.departments,
            &mut self.core.departments,
            &pairs.departments,
            &self.links.departments,
            &self.rejected.departments,
        );
        let members = Targets::of(
            &self.source.members,
            &mut self.core.members,
            &pairs.members,
            &self.links.members,
            &self.rejected.members,
        );
        PerKind { departments, members }
    }

    /// How many rows are alive.
    fn live(&self) -> PerKind<u64> {
        let departments = self.core.departments.rows.iter().filter(|(_, row)| row.deleted_at.is_none());
        let members = self.core.members.rows.iter().filter(|(_, row)| row.deleted_at.is_none());
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        PerKind { departments: number(departments.count()), members: number(members.count()) }
    }
}

impl Options {
    /// Whether what was disabled at this moment is to be deleted now.
    fn is_expired(&self, disabled_at: UnixMillis) -> bool {
        let seconds = i64::try_from(self.delete_after_seconds).unwrap_or(i64::MAX);
        disabled_at.plus_seconds(seconds) < self.now
    }
}

impl<T> PerKind<T> {
    fn of_mut(&mut self, kind: EntityKind) -> &mut T {
        match kind {
            EntityKind::Department => &mut self.departments,
            _ => &mut self.members,
        }
    }
}
