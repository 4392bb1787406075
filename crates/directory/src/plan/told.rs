//! What the source tells of an entity, as the columns of its row: by the rules by which the SQL destination writes, so that
//! what was written is found to be the same.

use std::collections::{BTreeMap, BTreeSet};

use common::{Entity, EntityKey, Field, Fields, NAMED_ATTRIBUTES, Value};

use super::{
    digest::filled,
    item::Column,
    row::{GENDER, STATUS},
};

/// A column; `None` where the source does not tell it, and what the destination has stays.
pub(super) type Told<T> = Option<T>;

/// What the source tells of a department.
pub(super) struct ToldDepartment<'a> {
    pub(super) name: Told<&'a str>,
    pub(super) name_en: Told<Option<&'a str>>,
    pub(super) position: Told<i64>,
    /// Never told of the root: where a product's own tree goes on above it, it is left alone.
    pub(super) parent: Told<&'a str>,
    pub(super) leaders: Told<&'a [String]>,
}

/// What the source tells of a member.
pub(super) struct ToldMember<'a> {
    /// In the order of [`TEXTS`].
    pub(super) texts: [Told<Option<&'a str>>; 7],
    /// Details by name; those that are not in it are not told.
    pub(super) attributes: BTreeMap<&'a str, Option<&'a str>>,
    pub(super) departments: Told<Vec<ToldPlace<'a>>>,
    /// Whether it tells which departments the member leads.
    pub(super) tells_leads: bool,
    pub(super) main: Told<&'a str>,
    pub(super) manager: Told<Option<&'a str>>,
}

/// One department of a member.
pub(super) struct ToldPlace<'a> {
    pub(super) department: &'a str,
    pub(super) leads: bool,
    pub(super) position: i64,
}

/// The columns of a member that are one text each.
pub(super) const TEXTS: [Column; 7] = [
    Column::Name,
    Column::Mobile,
    Column::Email,
    Column::Title,
    Column::Gender,
    Column::Status,
    Column::EmployeeNumber,
];

impl<'a> ToldDepartment<'a> {
    pub(super) fn of(key: &EntityKey, entity: &'a Entity) -> Self {
        let fields = &entity.fields;
        Self {
            name: name(entity),
            name_en: emptied_or_filled(fields, Field::NameEn),
            position: fields.number(Field::Order),
            parent: filled(fields.text(Field::Parent)).filter(|_| !key.is_root()),
            leaders: list(fields, Field::Leaders),
        }
    }
}

impl<'a> ToldMember<'a> {
    /// `employee_number` names the attribute that holds it where there is no field for it; empty when there is none.
    pub(super) fn of(entity: &'a Entity, employee_number: &str) -> Self {
        let fields = &entity.fields;
        let attributes = attributes(fields);
        let in_attributes = filled(Some(employee_number)).and_then(|name| attributes.get(name).copied());
        let number = emptied_or_filled(fields, Field::EmployeeNumber);
        let number = number.flatten().map(Some).or(in_attributes).or(number);
        Self {
            texts: [
                name(entity).map(Some),
                emptied_or_filled(fields, Field::Mobile),
                email(fields),
                emptied_or_filled(fields, Field::Title),
                emptied_or_filled(fields, Field::Gender).map(|gender| gender.or(Some(GENDER))),
                emptied_or_filled(fields, Field::Status).map(|status| status.or(Some(STATUS))),
                number,
            ],
            attributes,
            departments: list(fields, Field::Departments).map(|ids| places(ids, fields)),
            tells_leads: list(fields, Field::Leads).is_some(),
            main: main_department(fields),
            manager: list(fields, Field::Leaders).map(|leaders| leaders.first().map(String::as_str)),
        }
    }
}

/// Whether a text is in it that PostgreSQL refuses, in columns of text and in JSON.
pub(super) fn is_unstorable(entity: &Entity) -> bool {
    let has_nul = |text: &str| text.contains('\0');
    let values_have = |(_, value): (Field, &Value)| match value {
        Value::Number(_) => false,
        Value::Text(text) => has_nul(text),
        Value::List(list) => list.iter().any(|text| has_nul(text)),
        Value::Map(map) => map.iter().any(|(name, text)| has_nul(name) || has_nul(text)),
    };
    entity.shown_id.is_empty() || has_nul(&entity.shown_id) || entity.fields.iter().any(values_have)
}

/// A name that stands in for one that nobody could tell is none.
fn name(entity: &Entity) -> Told<&str> {
    filled(entity.fields.text(Field::Name)).filter(|_| !entity.incomplete)
}

fn emptied_or_filled(fields: &Fields, field: Field) -> Told<Option<&str>> {
    fields.text(field).map(|text| filled(Some(text)))
}

/// The company's address does where there is no other.
fn email(fields: &Fields) -> Told<Option<&str>> {
    let own = emptied_or_filled(fields, Field::Email);
    let address = own.flatten().or(filled(fields.text(Field::BizMail)));
    address.map(Some).or(own)
}

/// An emptied detail gives way to an attribute that bears its name.
fn attributes(fields: &Fields) -> BTreeMap<&str, Option<&str>> {
    let custom = fields.map(Field::Attributes).into_iter().flatten();
    let mut told: BTreeMap<&str, Option<&str>> =
        custom.map(|(name, text)| (name.as_str(), filled(Some(text)))).collect();
    for (field, name) in NAMED_ATTRIBUTES {
        match emptied_or_filled(fields, field) {
            Some(Some(text)) => {
                told.insert(name, Some(text));
            }
            Some(None) => {
                told.entry(name).or_insert(None);
            }
            None => {}
        }
    }
    told
}

fn list(fields: &Fields, field: Field) -> Told<&[String]> {
    match fields.get(field) {
        Some(Value::List(list)) => Some(list),
        _ => None,
    }
}

/// A department that is listed twice is meant once.
fn places<'a>(ids: &'a [String], fields: &Fields) -> Vec<ToldPlace<'a>> {
    let leads: BTreeSet<&str> = fields.list(Field::Leads).iter().map(String::as_str).collect();
    let mut listed = BTreeSet::new();
    let first_times = ids.iter().enumerate().filter(|(_, id)| listed.insert(id.as_str()));
    let place = |(position, id): (usize, &'a String)| ToldPlace {
        department: id,
        leads: leads.contains(id.as_str()),
        position: i64::try_from(position).unwrap_or(i64::MAX),
    };
    first_times.map(place).collect()
}

/// One that the member is not in (any more) is none.
fn main_department(fields: &Fields) -> Told<&str> {
    let departments = fields.list(Field::Departments);
    fields.text(Field::MainDepartment).filter(|main| departments.iter().any(|id| id == main))
}
