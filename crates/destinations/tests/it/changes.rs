//! Changes to send.

use common::{Action, Change, Entity, EntityKey, EntityKind, Field, Fields, UnixMillis};

fn change(entity: EntityKey, action: Action, refers_to: Vec<EntityKey>) -> Change {
    Change {
        tenant: "acme".parse().unwrap(),
        version: 0,
        entity,
        action,
        source_time: UnixMillis::from_seconds(1_767_225_600),
        received_at: UnixMillis::from_seconds(1_767_225_601),
        traceparent: None,
        refers_to,
        leaves: vec![],
        first: false,
        only_for: None,
    }
}

fn upsert(key: EntityKey, shown_id: &str, fields: Fields, renamed_from: Option<EntityKey>) -> Change {
    let mut refers_to: Vec<EntityKey> =
        fields.list(Field::Departments).iter().map(|id| EntityKey::department(id)).collect();
    refers_to.extend(fields.text(Field::Parent).map(EntityKey::department));
    let whose = [Field::Member, Field::Applicant].into_iter().filter_map(|field| fields.text(field));
    refers_to.extend(whose.filter(|id| !id.is_empty()).map(EntityKey::member));
    let entity = Entity { shown_id: shown_id.to_owned(), fields, incomplete: false };
    change(key, Action::Upsert { entity, renamed_from }, refers_to)
}

pub(crate) fn department(id: &str, parent: &str) -> Change {
    let fields = Fields::new().with(Field::Name, format!("D{id}")).with(Field::Parent, parent);
    department_with(id, fields)
}

pub(crate) fn department_with(id: &str, fields: Fields) -> Change {
    upsert(EntityKey::department(id), id, fields, None)
}

pub(crate) fn in_departments(departments: &[&str]) -> Fields {
    Fields::new().with(Field::Name, "张三").with(Field::Departments, departments)
}

pub(crate) fn member(id: &str, departments: &[&str]) -> Change {
    member_with(id, in_departments(departments))
}

pub(crate) fn member_with(id: &str, fields: Fields) -> Change {
    upsert(EntityKey::member(id), id, fields, None)
}

pub(crate) fn renamed(from: &str, to: &str, fields: Fields) -> Change {
    upsert(EntityKey::member(to), to, fields, Some(EntityKey::member(from)))
}

pub(crate) fn remove_member(id: &str) -> Change {
    change(EntityKey::member(id), Action::Remove, vec![])
}

pub(crate) fn remove_department(id: &str) -> Change {
    change(EntityKey::department(id), Action::Remove, vec![])
}

/// A punch of a member.
pub(crate) fn attendance(id: &str, member: &str) -> Change {
    attendance_with(id, Fields::new().with(Field::Member, member).with(Field::RecordKind, "punch"))
}

pub(crate) fn attendance_with(id: &str, fields: Fields) -> Change {
    upsert(EntityKey::new(EntityKind::Attendance, id), id, fields, None)
}

/// An approval that somebody asked for; nobody when the applicant is empty.
pub(crate) fn approval(id: &str, applicant: &str) -> Change {
    approval_with(id, Fields::new().with(Field::Applicant, applicant))
}

pub(crate) fn approval_with(id: &str, fields: Fields) -> Change {
    upsert(EntityKey::new(EntityKind::Approval, id), id, fields, None)
}

pub(crate) fn remove_attendance(id: &str) -> Change {
    change(EntityKey::new(EntityKind::Attendance, id), Action::Remove, vec![])
}

pub(crate) fn remove_approval(id: &str) -> Change {
    change(EntityKey::new(EntityKind::Approval, id), Action::Remove, vec![])
}
