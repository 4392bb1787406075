//! Rows as they are kept with a plan, and the way back from a row to what would have written it.

use std::collections::BTreeMap;

use common::{DestinationId, Entity, EntityKey, EntityKind, EntityMap, Field, Fields, TenantId, UnixMillis};
use database::Connection;
use destinations::NOBODYS;
use directory::plan::{DepartmentRow, MemberRow, Row};
use store::links::{self, DecidedBy, Link};

/// What stands for a row that is no entity's: a key that a link points from to the row.
pub(super) fn nobodys(kind: EntityKind, core_id: &str) -> EntityKey {
    EntityKey::new(kind, &format!("{NOBODYS}{core_id}"))
}

/// Whether a key stands for a row that is no entity's: links have such ones, and people need not see them.
pub fn is_nobodys(key: &EntityKey) -> bool {
    key.id.starts_with(NOBODYS)
}

/// The link of such a key.
pub(super) fn nobodys_link(kind: EntityKind, core_id: &str, now: UnixMillis) -> Link {
    Link { entity: nobodys(kind, core_id), core_id: core_id.to_owned(), decided_by: DecidedBy::Id, since: now }
}

/// The row as it is kept.
pub(super) fn to_text(row: &Row) -> Option<String> {
    serde_json::to_string(row).ok()
}

/// The row as it was kept.
pub(super) fn from_text(kind: EntityKind, text: &str) -> Option<Row> {
    match kind {
        EntityKind::Department => serde_json::from_str::<DepartmentRow>(text).ok().map(Row::from),
        EntityKind::Member => serde_json::from_str::<MemberRow>(text).ok().map(Row::from),
        _ => None,
    }
}

/// Whether two rows hold the same, whoever wrote it and when.
pub(super) fn is_same(one: &Row, other: &Row) -> bool {
    unsigned(one) == unsigned(other)
}

/// A row without what only tells who wrote it.
fn unsigned(row: &Row) -> Row {
    let mut row = row.clone();
    match &mut row {
        Row::Department(row) => (row.version, row.source_time) = (0, None),
        Row::Member(row) => (row.version, row.source_time) = (0, None),
    }
    row
}

/// The version that we last wrote; 0 when we never wrote it.
pub(super) const fn version(row: &Row) -> u64 {
    match row {
        Row::Department(row) => row.version,
        Row::Member(row) => row.version,
    }
}

/// When a row was disabled.
pub(super) const fn disabled_at(row: &Row) -> Option<UnixMillis> {
    match row {
        Row::Department(row) => row.deleted_at,
        Row::Member(row) => row.deleted_at,
    }
}

/// What a row refers to.
pub(super) fn references(row: &Row) -> Vec<(EntityKind, String)> {
    let (departments, members): (Vec<&String>, Vec<&String>) = match row {
        Row::Department(row) => (row.parent_id.iter().collect(), row.leaders.iter().collect()),
        Row::Member(row) => {
            let places = row.departments.iter().map(|place| &place.department_id);
            (places.chain(&row.main_department_id).collect(), row.manager_id.iter().collect())
        }
    };
    let departments = departments.into_iter().map(|id| (EntityKind::Department, id.clone()));
    departments.chain(members.into_iter().map(|id| (EntityKind::Member, id.clone()))).collect()
}

/// What rows are called when something is written through links.
#[derive(Default)]
pub(super) struct Names {
    by_row: EntityMap<EntityKey>,
    /// Links that are needed for it.
    pub(super) new: Vec<Link>,
}

impl Names {
    /// Names for these rows: the linked entity; else the row's own id, which writes to it unless the platform's bearer of that id
    /// has another row; else one that stands for the row.
    pub(super) fn of(
        conn: &mut Connection,
        (tenant, destination): (&TenantId, &DestinationId),
        rows: &[(EntityKind, String)],
        now: UnixMillis,
    ) -> database::Result<Self> {
        let mut names = Self::default();
        for kind in [EntityKind::Department, EntityKind::Member] {
            let ids: Vec<String> = rows.iter().filter(|(other, _)| *other == kind).map(|(_, id)| id.clone()).collect();
            for link in links::of_rows(conn, tenant, destination, kind, &ids)? {
                names.by_row.insert(EntityKey::new(kind, &link.core_id), link.entity);
            }
            let keys: Vec<EntityKey> = ids.iter().map(|id| EntityKey::new(kind, id)).collect();
            let elsewhere: Vec<EntityKey> =
                links::load(conn, tenant, destination, &keys)?.into_iter().map(|link| link.entity).collect();
            for (key, id) in keys.into_iter().zip(&ids) {
                if !names.by_row.contains_key(&key) {
                    let is_elsewhere = elsewhere.contains(&key);
                    let name = if is_elsewhere { nobodys(kind, id) } else { key.clone() };
                    names.new.extend(is_elsewhere.then(|| nobodys_link(kind, id, now)));
                    names.by_row.insert(key, name);
                }
            }
        }
        Ok(names)
    }

    /// What a row is called.
    pub(super) fn name(&self, kind: EntityKind, core_id: &str) -> String {
        let key = EntityKey::new(kind, core_id);
        self.by_row.get(&key).unwrap_or(&key).id.as_ref().to_owned()
    }

    fn names<'a>(&self, kind: EntityKind, ids: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        ids.into_iter().map(|id| self.name(kind, id)).collect()
    }
}

/// What writes a row as it was. `now` is how it is: details that came since are emptied. `employee_number` names the attribute that
/// holds it.
pub(super) fn entity(was: &Row, now: Option<&Row>, names: &Names, employee_number: &str) -> Entity {
    let fields = match (was, now) {
        (Row::Department(was), _) => department(was, names),
        (Row::Member(was), Some(Row::Member(now))) => member(was, &now.attributes, names, employee_number),
        (Row::Member(was), _) => member(was, &BTreeMap::new(), names, employee_number),
    };
    Entity { shown_id: was.id().to_owned(), fields, incomplete: false }
}

fn department(was: &DepartmentRow, names: &Names) -> Fields {
    let mut fields = Fields::new()
        .with(Field::Name, was.name.as_str())
        .with(Field::NameEn, was.name_en.as_deref().unwrap_or_default())
        .with(Field::Leaders, names.names(EntityKind::Member, &was.leaders));
    if let Some(parent) = &was.parent_id {
        fields.set(Field::Parent, names.name(EntityKind::Department, parent));
    }
    if let Some(position) = was.position {
        fields.set(Field::Order, position);
    }
    fields
}

fn member(was: &MemberRow, there: &BTreeMap<String, String>, names: &Names, employee_number: &str) -> Fields {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let places = || was.departments.iter();
    let mut attributes: BTreeMap<String, String> = there.keys().map(|name| (name.clone(), String::new())).collect();
    attributes.extend(was.attributes.clone());
    if !employee_number.is_empty() {
        attributes.insert(employee_number.to_owned(), text(&was.employee_number));
    }
    let mut fields = Fields::new()
        .with(Field::Name, was.name.as_str())
        .with(Field::Mobile, text(&was.mobile))
        .with(Field::Email, text(&was.email))
        .with(Field::Title, text(&was.title))
        .with(Field::Gender, text(&was.gender))
        .with(Field::Status, text(&was.status))
        .with(Field::Attributes, attributes)
        .with(Field::Leaders, names.names(EntityKind::Member, &was.manager_id))
        .with(Field::Departments, names.names(EntityKind::Department, places().map(|place| &place.department_id)))
        .with(
            Field::Leads,
            names.names(
                EntityKind::Department,
                places().filter(|place| place.is_leader).map(|place| &place.department_id),
            ),
        );
    if let Some(main) = &was.main_department_id {
        fields.set(Field::MainDepartment, names.name(EntityKind::Department, main));
    }
    fields
}
