//! Entities as a directory that can be compared with the platform's.

use common::{Entity, EntityKey, EntityKind, Field, Fields};
use platform_sim::{Department, Gender, Member, Snapshot, Status, fold};

pub(super) fn snapshot<'a>(entities: impl Iterator<Item = (&'a EntityKey, &'a Entity)>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (key, entity) in entities {
        match key.kind {
            EntityKind::Department => {
                let department = department(&key.id, &entity.fields);
                snapshot.departments.insert(department.id.clone(), department);
            }
            EntityKind::Member => {
                let member = member(&entity.shown_id, &entity.fields);
                snapshot.members.insert(fold(&member.id), member);
            }
            _ => {}
        }
    }
    snapshot
}

fn department(id: &str, fields: &Fields) -> Department {
    Department {
        id: id.to_owned(),
        name: text(fields, Field::Name),
        parent: fields.text(Field::Parent).map(str::to_owned),
        order: fields.number(Field::Order).and_then(|order| order.try_into().ok()),
    }
}

fn member(id: &str, fields: &Fields) -> Member {
    let departments = fields.list(Field::Departments);
    // As the tables of a core have it.
    let main = fields.text(Field::MainDepartment).filter(|main| departments.iter().any(|id| id == main));
    Member {
        id: id.to_owned(),
        name: text(fields, Field::Name),
        departments: departments.to_vec(),
        main_department: main.map(str::to_owned).or_else(|| departments.first().cloned()),
        leads: fields.list(Field::Leads).to_vec(),
        leaders: fields.list(Field::Leaders).to_vec(),
        title: text(fields, Field::Title),
        mobile: text(fields, Field::Mobile),
        email: text(fields, Field::Email),
        gender: match fields.text(Field::Gender) {
            Some("male") => Gender::Male,
            Some("female") => Gender::Female,
            _ => Gender::Unknown,
        },
        status: match fields.text(Field::Status) {
            Some("disabled") => Status::Disabled,
            Some("inactive") => Status::Inactive,
            Some("left") => Status::Left,
            _ => Status::Active,
        },
        attributes: fields.map(Field::Attributes).cloned().unwrap_or_default(),
    }
}

fn text(fields: &Fields, field: Field) -> String {
    fields.text(field).unwrap_or_default().to_owned()
}
