//! What a change asks of the tables, before it is known what is there.

use std::collections::BTreeMap;

use common::{Action, Change, Entity, EntityKey, EntityKind, Field, Fields, NAMED_ATTRIBUTES};

use super::papers::Paper;
use crate::TenantFacts;

/// What one change asks for.
pub(super) struct Wanted {
    pub(super) key: EntityKey,
    pub(super) version: i64,
    pub(super) source_time: i64,
    pub(super) content: Content,
    /// What must be there first, for naming what is missing.
    pub(super) refers_to: Vec<EntityKey>,
}

pub(super) enum Content {
    Department(Box<Department>),
    Member(Box<Member>),
    Attendance(Box<Paper>),
    Approval(Box<Paper>),
    Gone,
    /// Nothing that tables hold.
    Nothing,
}

/// A department; ids of leaders are folded.
pub(super) struct Department {
    pub(super) parent_id: Option<String>,
    pub(super) name: String,
    pub(super) name_en: Option<String>,
    pub(super) position: Option<i64>,
    pub(super) leaders: Vec<String>,
    pub(super) told: Told,
}

/// A member; the manager's id is folded.
pub(super) struct Member {
    pub(super) shown_id: String,
    pub(super) renamed_from: Option<EntityKey>,
    pub(super) name: String,
    pub(super) mobile: Option<String>,
    pub(super) email: Option<String>,
    pub(super) title: Option<String>,
    pub(super) gender: String,
    pub(super) status: String,
    pub(super) employee_number: Option<String>,
    pub(super) main_department_id: Option<String>,
    pub(super) manager_id: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    /// Ids of its departments in the platform's order, and whether it leads them.
    pub(super) departments: Vec<(String, bool)>,
    pub(super) told: Told,
    /// The source tells the employee number, or that there is none.
    pub(super) tells_number: bool,
}

/// Which fields the source tells; of the others it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told(u64);

impl Told {
    fn of(fields: &Fields) -> Self {
        Self(fields.iter().fold(0, |told, (field, _)| told | Self::bit(field)))
    }

    fn except(self, field: Field) -> Self {
        Self(self.0 & !Self::bit(field))
    }

    pub(super) const fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    const fn bit(field: Field) -> u64 {
        1 << (field as u64)
    }
}

impl Member {
    /// The id of a new row: as people see it, if the database can tell that it is the same id. It folds the letters A to Z
    /// only.
    pub(super) fn row_id<'a>(&'a self, key: &'a EntityKey) -> &'a str {
        if self.shown_id.eq_ignore_ascii_case(&key.id) { &self.shown_id } else { &key.id }
    }
}

impl Wanted {
    pub(super) fn new(change: &Change, facts: &TenantFacts) -> Self {
        let content = match (&change.action, change.kind()) {
            (Action::Upsert { entity, .. }, EntityKind::Department) => {
                Content::Department(Box::new(department(&change.entity, entity, facts)))
            }
            (Action::Upsert { entity, renamed_from }, EntityKind::Member) => {
                Content::Member(Box::new(member(entity, renamed_from.clone(), facts)))
            }
            (Action::Upsert { entity, .. }, EntityKind::Attendance) => {
                Content::Attendance(Box::new(Paper::attendance(entity)))
            }
            (Action::Upsert { entity, .. }, EntityKind::Approval) => {
                Content::Approval(Box::new(Paper::approval(entity)))
            }
            (Action::Callback(_), _)
            | (_, EntityKind::Onboarding | EntityKind::AttendanceDay | EntityKind::Callback) => Content::Nothing,
            (Action::Remove, _) => Content::Gone,
        };
        let mut refers_to = change.refers_to.clone();
        match &content {
            Content::Department(department) => {
                refers_to.extend(department.parent_id.as_deref().map(EntityKey::department))
            }
            Content::Member(member) => {
                refers_to.extend(member.departments.iter().map(|(id, _)| EntityKey::department(id)));
            }
            // A member who was removed keeps the row that these need.
            Content::Attendance(paper) | Content::Approval(paper) => refers_to.extend(paper.member.clone()),
            Content::Gone | Content::Nothing => {}
        }
        Self {
            key: change.entity.clone(),
            version: i64::try_from(change.version).unwrap_or(i64::MAX),
            source_time: change.source_time.0,
            content,
            refers_to,
        }
    }
}

/// A text that says something: an emptied one is stored as null. PostgreSQL has no text with U+0000 in it, which JSON of a platform may have.
pub(super) fn filled(fields: &Fields, field: Field) -> Option<String> {
    fields.text(field).map(|text| text.replace('\0', "")).filter(|text| !text.is_empty())
}

/// What the source tells. A name that stands in for one that nobody could tell is none.
fn told(entity: &Entity) -> Told {
    let told = Told::of(&entity.fields);
    let is_named = !entity.incomplete && entity.fields.text(Field::Name).is_some_and(|name| !name.is_empty());
    if is_named { told } else { told.except(Field::Name) }
}

fn department(key: &EntityKey, entity: &Entity, facts: &TenantFacts) -> Department {
    let fields = &entity.fields;
    let known_name = filled(fields, Field::Name).filter(|_| !(key.is_root() && entity.incomplete));
    let stand_in = if key.is_root() { &facts.root_name } else { &entity.shown_id };
    let told = told(entity);
    Department {
        parent_id: filled(fields, Field::Parent).filter(|_| !key.is_root()),
        name: known_name.unwrap_or_else(|| stand_in.clone()),
        name_en: filled(fields, Field::NameEn),
        position: fields.number(Field::Order),
        leaders: fields.list(Field::Leaders).to_vec(),
        // Where the product's own tree goes on above the root, it is left alone.
        told: if key.is_root() { told.except(Field::Parent) } else { told },
    }
}

fn member(entity: &Entity, renamed_from: Option<EntityKey>, facts: &TenantFacts) -> Member {
    let fields = &entity.fields;
    let departments = fields.list(Field::Departments);
    let leads = fields.list(Field::Leads);
    // Events may tell a move without the new main department; one that the member is not in any more is none.
    let main = fields.text(Field::MainDepartment).filter(|main| departments.iter().any(|id| id == main));
    let main = main.or_else(|| departments.first().map(String::as_str));
    let mut attributes = fields.map(Field::Attributes).cloned().unwrap_or_default();
    let tells_number = fields.has(Field::EmployeeNumber) || attributes.contains_key(&facts.employee_number);
    let in_attributes = attributes.get(&facts.employee_number).filter(|number| !number.is_empty()).cloned();
    let employee_number = filled(fields, Field::EmployeeNumber).or(in_attributes);
    for (field, name) in NAMED_ATTRIBUTES {
        if let Some(text) = filled(fields, field) {
            attributes.insert(name.to_owned(), text);
        }
    }
    Member {
        shown_id: entity.shown_id.clone(),
        renamed_from,
        name: filled(fields, Field::Name).unwrap_or_else(|| entity.shown_id.clone()),
        mobile: filled(fields, Field::Mobile),
        email: filled(fields, Field::Email).or_else(|| filled(fields, Field::BizMail)),
        title: filled(fields, Field::Title),
        gender: filled(fields, Field::Gender).unwrap_or_else(|| "unknown".to_owned()),
        status: filled(fields, Field::Status).unwrap_or_else(|| "active".to_owned()),
        employee_number,
        main_department_id: main.map(str::to_owned),
        manager_id: fields.list(Field::Leaders).first().cloned(),
        attributes,
        departments: departments.iter().map(|id| (id.clone(), leads.contains(id))).collect(),
        told: told(entity),
        tells_number,
    }
}
