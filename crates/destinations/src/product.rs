//! What a core product holds, as it is read.

use std::{collections::BTreeMap, fmt};

use common::UnixMillis;

/// Some rows, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// After which id to go on; `None` when these were the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Rows of which at most `limit` were asked for: as long as so many come, there may be more.
    pub(crate) fn new(rows: Vec<T>, limit: usize, id: impl Fn(&T) -> &str) -> Self {
        let last = rows.last().filter(|_| rows.len() >= limit);
        let next = last.map(|row| id(row).to_owned());
        Self { rows, next }
    }
}

/// A department of a core product. What the product left empty is `None`, ids are the product's.
#[derive(Clone, PartialEq, Eq)]
pub struct CoreDepartment {
    /// Its id.
    pub id: String,
    /// The id of its parent.
    pub parent_id: Option<String>,
    /// Its name; empty where there is none.
    pub name: String,
    /// Its English name.
    pub name_en: Option<String>,
    /// Its place among its siblings, larger first.
    pub position: Option<i64>,
    /// Ids of the members who lead it.
    pub leaders: Vec<String>,
    /// The version that we last wrote; 0 when we never wrote it.
    pub version: u64,
    /// Platform time of what we last wrote.
    pub source_time: Option<UnixMillis>,
    /// When it was removed.
    pub deleted_at: Option<UnixMillis>,
}

/// A member of a core product. What the product left empty is `None`, ids are the product's.
#[derive(Clone, PartialEq, Eq)]
pub struct CoreMember {
    /// Its id, as the product spells it.
    pub id: String,
    /// Its name; empty where there is none.
    pub name: String,
    /// Mobile number.
    pub mobile: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// `male`, `female` or `unknown`.
    pub gender: Option<String>,
    /// `active`, `inactive`, `disabled` or `left`.
    pub status: Option<String>,
    /// Employee number.
    pub employee_number: Option<String>,
    /// The id of its main department.
    pub main_department_id: Option<String>,
    /// The id of its manager.
    pub manager_id: Option<String>,
    /// Details by name; what is no text there is its JSON.
    pub attributes: BTreeMap<String, String>,
    /// Its departments, by their places in its list.
    pub departments: Vec<Membership>,
    /// The version that we last wrote; 0 when we never wrote it.
    pub version: u64,
    /// Platform time of what we last wrote.
    pub source_time: Option<UnixMillis>,
    /// When it was removed.
    pub deleted_at: Option<UnixMillis>,
}

/// That a member is in a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The department.
    pub department_id: String,
    /// Whether the member leads it.
    pub is_leader: bool,
    /// The department's place in the member's list, from 0.
    pub position: i64,
}

/// How many rows of a tenant there are, removed ones included, the root department not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Departments besides the one with the platform's id of the root.
    pub departments: u64,
    /// Members.
    pub members: u64,
}

impl Counts {
    /// Whether the product holds nothing that could differ from the source.
    pub const fn is_empty(self) -> bool {
        self.departments == 0 && self.members == 0
    }
}

/// What became of a row that was to be purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purged {
    /// It is not there any more.
    Gone,
    /// Something refers to it: it is there, and nothing personal is left in it.
    Emptied,
    /// It is there as it was: not removed, or not for long enough.
    Kept,
    /// A rule of the product keeps it as it is.
    Refused {
        /// Why, without personal data.
        reason: String,
    },
}

/// Shows nothing personal.
impl fmt::Debug for CoreDepartment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreDepartment")
            .field("id", &self.id)
            .field("parent_id", &self.parent_id)
            .field("version", &self.version)
            .field("deleted_at", &self.deleted_at)
            .finish_non_exhaustive()
    }
}

/// Shows nothing personal.
impl fmt::Debug for CoreMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreMember")
            .field("id", &self.id)
            .field("departments", &self.departments)
            .field("version", &self.version)
            .field("deleted_at", &self.deleted_at)
            .finish_non_exhaustive()
    }
}
