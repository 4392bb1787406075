//! Which columns of a row differ from what the source tells.

use super::{
    Comparison,
    digest::Digest,
    ids::{Node, Table},
    item::{Column, Columns},
    side::{CoreMember, Place, SourceMember},
    target::Targets,
    told::{TEXTS, Told},
};

/// What is compared, and what references of the source are at the destination.
pub(super) struct Differences<'a> {
    pub(super) c: &'a Comparison,
    /// Rows of departments that something may be put into.
    pub(super) departments: &'a Table<Node>,
    pub(super) members: &'a Targets,
}

impl Differences<'_> {
    /// Those of a department that may be written and its row.
    pub(super) fn of_department(&self, entity: Node, row: Node) -> Columns {
        let mut columns = Columns::default();
        let (Some(department), Some(row)) = (self.c.source.departments.get(entity), self.c.core.departments.get(row))
        else {
            return columns;
        };
        let names = [Column::Name, Column::NameEn, Column::Position];
        columns.extend(differing(names, &department.columns, &row.columns));
        let parent = department.parent.and_then(|parent| self.departments.get(parent));
        if parent.is_some_and(|parent| row.parent != Some(*parent)) {
            columns.insert(Column::ParentId);
        }
        let leaders = department.leaders.as_deref().and_then(|leaders| self.leaders(leaders));
        if leaders.is_some_and(|leaders| *leaders != *row.leaders) {
            columns.insert(Column::Leaders);
        }
        if row.deleted_at.is_some() {
            columns.insert(Column::DeletedAt);
        }
        columns
    }

    /// The rows of leaders; none while a person must decide on one of them.
    fn leaders(&self, leaders: &[Node]) -> Option<Vec<Node>> {
        leaders.iter().map(|leader| self.members.row(*leader)).collect()
    }

    /// Those of a member that may be written and its row.
    pub(super) fn of_member(&self, entity: Node, row: Node) -> Columns {
        let mut columns = Columns::default();
        let (Some(member), Some(row)) = (self.c.source.members.get(entity), self.c.core.members.get(row)) else {
            return columns;
        };
        columns.extend(differing(TEXTS, &member.texts, &row.texts));
        if !holds(&row.attributes, &member.attributes) {
            columns.insert(Column::Attributes);
        }
        if self.is_elsewhere(member, row) {
            columns.insert(Column::Departments);
        }
        if self.has_another_main(member, row) {
            columns.insert(Column::MainDepartmentId);
        }
        let manager = match member.manager {
            Some(Some(manager)) => self.members.row(manager).map(Some),
            Some(None) => Some(None),
            None => None,
        };
        if manager.is_some_and(|manager| manager != row.manager) {
            columns.insert(Column::ManagerId);
        }
        if row.deleted_at.is_some() {
            columns.insert(Column::DeletedAt);
        }
        columns
    }

    /// Whether its memberships are others. Which departments it leads is compared only where the source tells that.
    fn is_elsewhere(&self, member: &SourceMember, row: &CoreMember) -> bool {
        let Some(places) = &member.places else { return false };
        let department = |department: &Node| self.departments.get(*department).copied();
        let mut wanted: Vec<(Option<Node>, bool, i64)> =
            places.iter().map(|place| (department(&place.department), place.leads, place.position)).collect();
        wanted.sort_unstable();
        let is_same = |((department, leads, position), there): (&(Option<Node>, bool, i64), &Place)| {
            let same_place = *department == Some(there.department) && *position == there.position;
            same_place && (!member.tells_leads || *leads == there.leads)
        };
        wanted.len() != row.places.len() || !wanted.iter().zip(row.places.iter()).all(is_same)
    }

    /// Whether its main department is another one. Where the source tells none, any of its departments will do.
    fn has_another_main(&self, member: &SourceMember, row: &CoreMember) -> bool {
        let Some(places) = member.places.as_deref() else { return false };
        let department = |department: Node| self.departments.get(department).copied();
        match member.main {
            Some(main) => department(main) != row.main,
            None if places.is_empty() => row.main.is_some(),
            None => !places.iter().any(|place| row.main.is_some() && department(place.department) == row.main),
        }
    }
}

/// The columns that the source tells and that differ.
fn differing<const N: usize>(columns: [Column; N], told: &[Told<Digest>; N], there: &[Digest; N]) -> Columns {
    let pairs = columns.into_iter().zip(told.iter().zip(there));
    pairs.filter(|(_, (told, there))| told.is_some_and(|told| told != **there)).map(|(column, _)| column).collect()
}

/// Whether all details that are told are there. Both are sorted by name; what else is there stays.
fn holds(there: &[(Digest, Digest)], told: &[(Digest, Option<Digest>)]) -> bool {
    let mut there = there.iter().peekable();
    told.iter().all(|(name, text)| {
        while there.next_if(|(other, _)| other < name).is_some() {}
        there.next_if(|(other, _)| other == name).map(|(_, text)| *text) == *text
    })
}
