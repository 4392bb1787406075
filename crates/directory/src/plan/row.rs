//! Rows of a core product, as they are compared, shown and kept. Their fields are the columns that the SQL destination writes.

use std::{collections::BTreeMap, fmt};

use common::{EntityKind, UnixMillis};
use serde::{Deserialize, Serialize};

use super::digest::filled;

/// A row of a core product. As JSON it is the row itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Row {
    /// A department's.
    Department(DepartmentRow),
    /// A member's, with its memberships.
    Member(MemberRow),
}

/// A department of a core product; ids are the product's.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DepartmentRow {
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
    /// When it was disabled.
    pub deleted_at: Option<UnixMillis>,
}

/// A member of a core product; ids are the product's.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MemberRow {
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
    /// `male`, `female` or `unknown`; the same as `unknown` where there is none.
    pub gender: Option<String>,
    /// `active`, `inactive`, `disabled` or `left`; the same as `active` where there is none.
    pub status: Option<String>,
    /// Employee number.
    pub employee_number: Option<String>,
    /// The id of its main department.
    pub main_department_id: Option<String>,
    /// The id of its manager.
    pub manager_id: Option<String>,
    /// Details by name.
    pub attributes: BTreeMap<String, String>,
    /// Its departments.
    pub departments: Vec<Membership>,
    /// The version that we last wrote; 0 when we never wrote it.
    pub version: u64,
    /// Platform time of what we last wrote.
    pub source_time: Option<UnixMillis>,
    /// When it was disabled.
    pub deleted_at: Option<UnixMillis>,
}

/// That a member is in a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The department.
    pub department_id: String,
    /// Whether the member leads it.
    pub is_leader: bool,
    /// The department's place in the member's list, from 0.
    pub position: i64,
}

impl Row {
    /// Of which sort it is.
    pub const fn kind(&self) -> EntityKind {
        match self {
            Self::Department(_) => EntityKind::Department,
            Self::Member(_) => EntityKind::Member,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Department(row) => &row.id,
            Self::Member(row) => &row.id,
        }
    }
}

impl From<DepartmentRow> for Row {
    fn from(row: DepartmentRow) -> Self {
        Self::Department(row)
    }
}

impl From<MemberRow> for Row {
    fn from(row: MemberRow) -> Self {
        Self::Member(row)
    }
}

/// What a member's gender is where nobody told it.
pub(super) const GENDER: &str = "unknown";
/// What a member's status is where nobody told it.
pub(super) const STATUS: &str = "active";

impl MemberRow {
    /// The columns of text in the order of [`TEXTS`](super::told::TEXTS). An empty one is the same as none.
    pub(super) fn texts(&self) -> [Option<&str>; 7] {
        [
            filled(Some(&self.name)),
            filled(self.mobile.as_deref()),
            filled(self.email.as_deref()),
            filled(self.title.as_deref()),
            filled(self.gender.as_deref()).or(Some(GENDER)),
            filled(self.status.as_deref()).or(Some(STATUS)),
            filled(self.employee_number.as_deref()),
        ]
    }

    /// Whether nothing personal is left in it: it was purged, and stays because something refers to it.
    pub(super) fn is_emptied(&self) -> bool {
        let texts = [&self.mobile, &self.email, &self.title, &self.employee_number];
        self.name.is_empty() && self.attributes.is_empty() && texts.iter().all(|text| filled(text.as_deref()).is_none())
    }
}

/// Shows nothing personal.
impl fmt::Debug for DepartmentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DepartmentRow")
            .field("id", &self.id)
            .field("parent_id", &self.parent_id)
            .field("version", &self.version)
            .field("deleted_at", &self.deleted_at)
            .finish_non_exhaustive()
    }
}

/// Shows nothing personal.
impl fmt::Debug for MemberRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberRow")
            .field("id", &self.id)
            .field("departments", &self.departments)
            .field("version", &self.version)
            .field("deleted_at", &self.deleted_at)
            .finish_non_exhaustive()
    }
}
