//! Directories field by field: what the company is, what the mirror shows, what the product holds.

use std::collections::{BTreeMap, BTreeSet};

use common::{Entity, EntityKey, EntityKind, Field};
use destinations::{CoreDepartment, CoreMember};
use directory::Record;
use platform_sim::{Department, Gender, Member, Snapshot, Status, fold};
use store::links::Link;
use synchronizer::run::is_placeholder;

use crate::{shown, stores::NUMBER};

/// The fields of an entity that say something.
pub(crate) type Fields = BTreeMap<&'static str, String>;
/// Entities that are there.
pub(crate) type Directory = BTreeMap<EntityKey, Fields>;

/// What an app of today is not told.
const PERSONAL: [&str; 3] = ["mobile", "email", "gender"];

/// The name of a field here.
pub(crate) const fn name_of(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Name => "name",
        Field::Parent => "parent",
        Field::Order => "order",
        Field::Departments => "departments",
        Field::MainDepartment => "main",
        Field::Leads => "leads",
        Field::Leaders => "leader",
        Field::Title => "title",
        Field::Mobile => "mobile",
        Field::Email => "email",
        Field::Gender => "gender",
        Field::Status => "status",
        Field::Attributes => "number",
        _ => return None,
    })
}

/// A directory as it can be compared.
pub(crate) fn directory(snapshot: &Snapshot, is_personal: bool) -> Directory {
    let departments = snapshot.departments.values().map(|one| (EntityKey::department(&one.id), department(one)));
    let members = snapshot.members.values().map(|one| (EntityKey::member(&one.id), member(one, is_personal)));
    departments.chain(members).collect()
}

fn department(department: &Department) -> Fields {
    filled([
        ("name", department.name.clone()),
        ("parent", department.parent.clone().unwrap_or_default()),
        ("order", department.order.map(|order| order.to_string()).unwrap_or_default()),
    ])
}

fn member(member: &Member, is_personal: bool) -> Fields {
    let gender = if member.gender == Gender::Unknown { String::new() } else { member.gender.to_string() };
    let mut fields = filled([
        ("name", member.name.clone()),
        ("departments", set(&member.departments)),
        ("main", member.main_department.clone().unwrap_or_default()),
        ("leads", set(&member.leads)),
        ("leader", member.leaders.first().map(|id| fold(id)).unwrap_or_default()),
        ("title", member.title.clone()),
        ("mobile", member.mobile.clone()),
        ("email", member.email.clone()),
        ("gender", gender),
        ("status", member.status.to_string()),
        ("number", member.attributes.get(NUMBER).cloned().unwrap_or_default()),
    ]);
    fields.retain(|field, _| is_personal || !PERSONAL.contains(field));
    fields
}

fn filled<const N: usize>(fields: [(&'static str, String); N]) -> Fields {
    fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn set(ids: &[String]) -> String {
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    ids.into_iter().collect::<Vec<_>>().join(",")
}

/// What was last sent of everybody who is live.
pub(crate) fn mirror(records: &[(EntityKey, Record)]) -> Snapshot {
    let sent = records.iter().filter_map(|(key, record)| Some((key, &record.sent.as_ref()?.entity)));
    let sent: Vec<(&EntityKey, &Entity)> = sent.collect();
    shown::snapshot(sent.into_iter())
}

/// Whose a product's rows are.
pub(crate) struct Owners {
    /// Entities by what the rows that they are linked with would be the keys of.
    by_row: BTreeMap<EntityKey, EntityKey>,
    linked: BTreeSet<EntityKey>,
}

impl Owners {
    pub(crate) fn of_links(links: Vec<Link>) -> Self {
        let real = || links.iter().filter(|link| !is_placeholder(&link.entity));
        Self {
            by_row: real().map(|link| (EntityKey::new(link.entity.kind, &link.core_id), link.entity.clone())).collect(),
            linked: real().map(|link| link.entity.clone()).collect(),
        }
    }

    /// The entity of a row: the linked one, else the one with its id, unless that has another row.
    fn of(&self, kind: EntityKind, id: &str) -> EntityKey {
        let key = EntityKey::new(kind, id);
        match self.by_row.get(&key) {
            Some(owner) => owner.clone(),
            None if self.linked.contains(&key) => EntityKey::new(kind, &format!("nobody's {id}")),
            None => key,
        }
    }

    fn department(&self, id: &str) -> String {
        self.of(EntityKind::Department, id).id.to_string()
    }

    /// The member of a row.
    pub(crate) fn member(&self, id: &str) -> EntityKey {
        self.of(EntityKind::Member, id)
    }
}

/// The live rows of a product, in the platform's ids as far as they are somebody's.
pub(crate) fn core(departments: &[CoreDepartment], members: &[CoreMember], owners: &Owners) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for row in departments.iter().filter(|row| row.deleted_at.is_none()) {
        let id = owners.department(&row.id);
        let department = Department {
            name: row.name.clone(),
            parent: row.parent_id.as_deref().map(|parent| owners.department(parent)),
            order: row.position.and_then(|position| position.try_into().ok()),
            id: id.clone(),
        };
        snapshot.departments.insert(id, department);
    }
    for row in members.iter().filter(|row| row.deleted_at.is_none()) {
        let id = owners.member(&row.id).id.to_string();
        snapshot.members.insert(id.clone(), core_member(row, id, owners));
    }
    snapshot
}

fn core_member(row: &CoreMember, id: String, owners: &Owners) -> Member {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let departments = || row.departments.iter();
    Member {
        id,
        name: row.name.clone(),
        departments: departments().map(|place| owners.department(&place.department_id)).collect(),
        main_department: row.main_department_id.as_deref().map(|main| owners.department(main)),
        leads: departments()
            .filter(|place| place.is_leader)
            .map(|place| owners.department(&place.department_id))
            .collect(),
        leaders: row.manager_id.iter().map(|id| owners.member(id).id.to_string()).collect(),
        title: text(&row.title),
        mobile: text(&row.mobile),
        email: text(&row.email),
        gender: match row.gender.as_deref() {
            Some("male") => Gender::Male,
            Some("female") => Gender::Female,
            _ => Gender::Unknown,
        },
        status: match row.status.as_deref() {
            Some("disabled") => Status::Disabled,
            Some("inactive") => Status::Inactive,
            Some("left") => Status::Left,
            _ => Status::Active,
        },
        attributes: row.attributes.clone(),
    }
}
