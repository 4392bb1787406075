//! The rules, one test each.

mod removed;
mod shown;
mod who;
mod written;

use common::{Entity, EntityKey, Field, Fields, Value};

use super::{company::Company, lines};
use crate::plan::{DepartmentRow, MemberRow, Membership, Plan, Row};

/// Milliseconds.
const DAY: i64 = 86_400_000;

fn department(id: &str, name: &str, parent: &str) -> (EntityKey, Entity) {
    let fields = Fields::new().with(Field::Name, name).with(Field::Parent, parent);
    (EntityKey::department(id), Entity { shown_id: id.to_owned(), fields, incomplete: false })
}

fn root() -> (EntityKey, Entity) {
    let fields = Fields::new().with(Field::Name, "Acme");
    (EntityKey::department("1"), Entity { shown_id: "1".to_owned(), fields, incomplete: false })
}

fn member(id: &str, name: &str, departments: &[&str]) -> (EntityKey, Entity) {
    let fields = Fields::new().with(Field::Name, name).with(Field::Departments, departments);
    (EntityKey::member(id), Entity { shown_id: id.to_owned(), fields, incomplete: false })
}

fn with(mut entity: (EntityKey, Entity), field: Field, value: impl Into<Value>) -> (EntityKey, Entity) {
    entity.1.fields.set(field, value);
    entity
}

/// A row of ours.
fn department_row(id: &str, name: &str, parent: Option<&str>) -> DepartmentRow {
    let (id, name, parent_id) = (id.to_owned(), name.to_owned(), parent.map(str::to_owned));
    DepartmentRow { id, name, parent_id, version: 1, ..DepartmentRow::default() }
}

/// A row of ours.
fn member_row(id: &str, name: &str, departments: &[&str]) -> MemberRow {
    let places = departments.iter().enumerate();
    let places = places.map(|(position, id)| Membership {
        department_id: (*id).to_owned(),
        is_leader: false,
        position: position as i64,
    });
    MemberRow {
        id: id.to_owned(),
        name: name.to_owned(),
        main_department_id: departments.first().map(|&id| id.to_owned()),
        departments: places.collect(),
        version: 1,
        ..MemberRow::default()
    }
}

fn company(source: Vec<(EntityKey, Entity)>, rows: Vec<Row>) -> Company {
    Company { source, rows, ..Company::default() }
}

/// The root, and what else each side holds.
fn below_root(source: Vec<(EntityKey, Entity)>, rows: Vec<Row>) -> Company {
    let source = [vec![root()], source].concat();
    let rows = [vec![department_row("1", "Acme", None).into()], rows].concat();
    company(source, rows)
}

#[track_caller]
fn check(company: &Company, expected: &[&str]) -> Plan {
    let plan = company.plan();
    assert_eq!(lines(&plan), expected);
    plan
}
