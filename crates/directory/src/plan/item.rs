//! The items of a plan: what is to be done with one entity or row, and why.

use std::{fmt, sync::Arc};

use common::{EntityKey, EntityKind};
use serde::{Deserialize, Serialize};

/// What is to be done with one entity or row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What.
    pub action: Action,
    /// With which sort of thing.
    pub kind: EntityKind,
    /// The platform's id as people see it; absent for a row that no entity belongs to.
    pub id: Option<Arc<str>>,
    /// The row's id: of one that is there, or that is to be created. Absent where none is known.
    pub core_id: Option<Arc<str>>,
    /// Why.
    pub why: Why,
}

impl Item {
    /// The key of the entity.
    pub fn key(&self) -> Option<EntityKey> {
        self.id.as_deref().map(|id| EntityKey::new(self.kind, id))
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The entity and the row are the same: to be remembered.
    Link,
    /// The entity gets a row.
    Create,
    /// The row becomes what the source tells.
    Update,
    /// The row stays, marked as gone.
    Disable,
    /// The row goes for good, or what is personal in it.
    Delete,
    /// Nothing, until a person decided.
    Unsure,
    /// Nothing: it cannot be done.
    Impossible,
}

impl Action {
    /// The name used in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Create => "create",
            Self::Update => "update",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::Unsure => "unsure",
            Self::Impossible => "impossible",
        }
    }
}

/// Why something is to be done, or is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// In a word.
    pub word: Word,
    /// The columns that differ, or by which candidates were found.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub columns: Columns,
    /// Ids of rows that the entity may be, at most [`CANDIDATES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Arc<str>>,
    /// What it refers to and cannot have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<EntityKey>,
}

/// More candidates than these are not named.
pub const CANDIDATES_MAX: usize = 10;

/// Why, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Link: the ids are the same.
    SameId,
    /// Link: the mobile numbers are the same.
    Mobile,
    /// Link: the e-mail addresses are the same.
    Email,
    /// Link: the employee numbers are the same.
    EmployeeNumber,
    /// Link: departments of one name below one parent.
    Name,
    /// Link: both are the root.
    Root,
    /// Create: there is no row.
    Absent,
    /// Update: columns differ.
    Differs,
    /// Update: the row was disabled, and the entity is there.
    Returned,
    /// Disable: no entity belongs to the row.
    Gone,
    /// Delete: it was disabled for long enough.
    Expired,
    /// Unsure: several bear the value, or two values point at different rows.
    Ambiguous,
    /// Unsure: the only row that fits was disabled.
    Disabled,
    /// Unsure: the same name in the same department, and nothing else.
    SameName,
    /// Unsure: a link says so that nobody has confirmed.
    Proposed,
    /// Impossible: the source tells two entities of this id.
    DuplicateId,
    /// Impossible: the destination holds two rows of this id.
    DuplicateRow,
    /// Impossible: the id that it would get is another one's.
    IdTaken,
    /// Impossible: the source tells no parent, or what it refers to neither is there nor is coming.
    Orphan,
    /// Impossible: it lies below itself.
    Cycle,
    /// Impossible: a text that databases cannot hold.
    Unstorable,
    /// Impossible: something that stays is in it.
    NotEmpty,
    /// Unsure or impossible: what it refers to is.
    Blocked,
}

impl Word {
    /// The name used in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameId => "same_id",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::EmployeeNumber => "employee_number",
            Self::Name => "name",
            Self::Root => "root",
            Self::Absent => "absent",
            Self::Differs => "differs",
            Self::Returned => "returned",
            Self::Gone => "gone",
            Self::Expired => "expired",
            Self::Ambiguous => "ambiguous",
            Self::Disabled => "disabled",
            Self::SameName => "same_name",
            Self::Proposed => "proposed",
            Self::DuplicateId => "duplicate_id",
            Self::DuplicateRow => "duplicate_row",
            Self::IdTaken => "id_taken",
            Self::Orphan => "orphan",
            Self::Cycle => "cycle",
            Self::Unstorable => "unstorable",
            Self::NotEmpty => "not_empty",
            Self::Blocked => "blocked",
        }
    }
}

impl From<Word> for Why {
    fn from(word: Word) -> Self {
        Self { word, columns: Columns::default(), candidates: Vec::new(), reference: None }
    }
}

/// `differs: name, mobile`, `ambiguous: mobile (candidates 12, 13)`, `blocked by department 7`. Ids only, no values.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word.as_str())?;
        for (place, column) in self.columns.iter().enumerate() {
            f.write_str(if place == 0 { ": " } else { ", " })?;
            f.write_str(column.as_str())?;
        }
        if !self.candidates.is_empty() {
            write!(f, " (candidates {})", self.candidates.join(", "))?;
        }
        match &self.reference {
            Some(reference) => write!(f, " by {reference}"),
            None => Ok(()),
        }
    }
}

/// A column of a row, or what makes up several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The name.
    Name,
    /// A department's English name.
    NameEn,
    /// A department's parent.
    ParentId,
    /// A department's place among its siblings.
    Position,
    /// A department's leaders.
    Leaders,
    /// A member's mobile number.
    Mobile,
    /// A member's e-mail.
    Email,
    /// A member's job title.
    Title,
    /// A member's gender.
    Gender,
    /// A member's status.
    Status,
    /// A member's employee number.
    EmployeeNumber,
    /// A member's main department.
    MainDepartmentId,
    /// A member's manager.
    ManagerId,
    /// A member's details by name.
    Attributes,
    /// A member's memberships.
    Departments,
    /// Whether it is disabled.
    DeletedAt,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Name,
        Self::NameEn,
        Self::ParentId,
        Self::Position,
        Self::Leaders,
        Self::Mobile,
        Self::Email,
        Self::Title,
        Self::Gender,
        Self::Status,
        Self::EmployeeNumber,
        Self::MainDepartmentId,
        Self::ManagerId,
        Self::Attributes,
        Self::Departments,
        Self::DeletedAt,
    ];

    /// The name, which is the field of [`Row`](super::Row) too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameEn => "name_en",
            Self::ParentId => "parent_id",
            Self::Position => "position",
            Self::Leaders => "leaders",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::Title => "title",
            Self::Gender => "gender",
            Self::Status => "status",
            Self::EmployeeNumber => "employee_number",
            Self::MainDepartmentId => "main_department_id",
            Self::ManagerId => "manager_id",
            Self::Attributes => "attributes",
            Self::Departments => "departments",
            Self::DeletedAt => "deleted_at",
        }
    }
}

/// Some columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Column>", into = "Vec<Column>")]
pub struct Columns(u16);

impl Columns {
    /// Adds a column.
    pub fn insert(&mut self, column: Column) {
        self.0 |= 1 << (column as u16);
    }

    /// Adds columns.
    pub fn extend(&mut self, columns: Self) {
        self.0 |= columns.0;
    }

    /// Whether a column is among them.
    pub const fn has(self, column: Column) -> bool {
        self.0 & (1 << (column as u16)) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// The columns in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(move |column| self.has(*column))
    }
}

impl From<Column> for Columns {
    fn from(column: Column) -> Self {
        Self::from_iter([column])
    }
}

impl FromIterator<Column> for Columns {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        let mut some = Self::default();
        columns.into_iter().for_each(|column| some.insert(column));
        some
    }
}

impl From<Vec<Column>> for Columns {
    fn from(columns: Vec<Column>) -> Self {
        columns.into_iter().collect()
    }
}

impl From<Columns> for Vec<Column> {
    fn from(columns: Columns) -> Self {
        columns.iter().collect()
    }
}
