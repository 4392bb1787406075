//! Contact events: from elements to fields (reference wecom 2.2 to 2.7).

use std::collections::{BTreeMap, HashSet};

use common::{EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, What};

use super::text;
use crate::xml::Element;

/// The six contact events that say something about a member or a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChangeType {
    kind: EntityKind,
    verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Update,
    Delete,
}

impl ChangeType {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let (kind, verb) = match name {
            "create_user" => (EntityKind::Member, Verb::Create),
            "update_user" => (EntityKind::Member, Verb::Update),
            "delete_user" => (EntityKind::Member, Verb::Delete),
            "create_party" => (EntityKind::Department, Verb::Create),
            "update_party" => (EntityKind::Department, Verb::Update),
            "delete_party" => (EntityKind::Department, Verb::Delete),
            _ => return None,
        };
        Some(Self { kind, verb })
    }
}

/// What an event says; `None` when it does not say whom it is about, or says something twice.
pub(super) fn observe(change: ChangeType, at: UnixMillis, root: Element<'_>) -> Option<Observation> {
    let told = match change.kind {
        EntityKind::Member => Told::member(root)?,
        _ => Told::department(root)?,
    };
    let hint = change.verb != Verb::Delete && told.is_hint(change);
    let new_id = told.new_id.filter(|_| change.verb == Verb::Update);
    let what = match (change.verb, new_id) {
        (Verb::Delete, _) => What::Removed,
        (Verb::Create, _) => What::Created { fields: told.fields },
        (Verb::Update, Some(to)) => What::Renamed { to, fields: told.fields },
        (Verb::Update, None) => What::Updated { fields: told.fields },
    };
    Some(Observation { kind: change.kind, id: told.id, at, what, hint, answer: false })
}

/// The elements of one event.
struct Told {
    id: String,
    new_id: Option<String>,
    fields: Fields,
    /// Something was told that could not be understood: the platform has to be asked.
    unclear: bool,
}

impl Told {
    /// Ids only, or not all of it: the event says "look again". A creation in full has a name; an update that tells no
    /// more than a reduced one would may be either, and a look does no harm.
    fn is_hint(&self, change: ChangeType) -> bool {
        let ids_only = |field| matches!(field, Field::Departments | Field::Parent);
        let reduced = match change.verb {
            Verb::Create => !self.fields.has(Field::Name),
            _ => self.fields.iter().all(|(field, _)| ids_only(field)),
        };
        reduced || self.unclear
    }

    fn member(root: Element<'_>) -> Option<Self> {
        let mut reader = Reader::default();
        let (mut id, mut new_id) = (None, None);
        let (mut departments, mut leads) = (None, None);
        for element in root.elements() {
            let name = element.name();
            let known = match name {
                "UserID" => text_once(&mut id, element),
                "NewUserID" => text_once(&mut new_id, element),
                "Department" => text_once(&mut departments, element),
                "IsLeaderInDept" => text_once(&mut leads, element),
                _ => match member_field(name) {
                    Some(field) => reader.take(field, element),
                    None => Some(()),
                },
            };
            known?;
        }
        reader.take_departments(departments, leads);
        let id = id.filter(|id| !id.is_empty())?;
        // A new spelling of the same id is no rename: ids compare without case.
        let new_id = new_id.filter(|to| !to.is_empty());
        let is_respelled = new_id.is_some_and(|to| EntityKey::member(to) == EntityKey::member(id));
        let new_id = new_id.filter(|_| !is_respelled);
        Some(Self {
            id: id.to_owned(),
            new_id: new_id.map(str::to_owned),
            fields: reader.fields,
            unclear: reader.unclear || is_respelled,
        })
    }

    fn department(root: Element<'_>) -> Option<Self> {
        let mut reader = Reader::default();
        let mut id = None;
        for element in root.elements() {
            match element.name() {
                "Id" => text_once(&mut id, element)?,
                "Name" => reader.take(Field::Name, element)?,
                "ParentId" => reader.take(Field::Parent, element)?,
                "Order" => reader.take(Field::Order, element)?,
                _ => {}
            }
        }
        let id = text::department_id(id?)?;
        Some(Self { id, new_id: None, fields: reader.fields, unclear: reader.unclear })
    }
}

/// Takes an element's text without white space around it; `None` when there was one already or it is no text.
fn text_once<'a>(slot: &mut Option<&'a str>, element: Element<'a>) -> Option<()> {
    let text = element.text()?;
    slot.replace(text.trim()).is_none().then_some(())
}

fn member_field(name: &str) -> Option<Field> {
    Some(match name {
        "Name" => Field::Name,
        "MainDepartment" => Field::MainDepartment,
        "DirectLeader" => Field::Leaders,
        "Position" => Field::Title,
        "Mobile" => Field::Mobile,
        "Gender" => Field::Gender,
        "Email" => Field::Email,
        "BizMail" => Field::BizMail,
        "Status" => Field::Status,
        "Avatar" => Field::Avatar,
        "Alias" => Field::Alias,
        "Telephone" => Field::Telephone,
        "Address" => Field::Address,
        "ExtAttr" => Field::Attributes,
        _ => return None,
    })
}

/// Fills fields from elements.
#[derive(Default)]
struct Reader {
    fields: Fields,
    seen: Vec<Field>,
    unclear: bool,
}

impl Reader {
    /// Takes one element; `None` when the field was told already.
    fn take(&mut self, field: Field, element: Element<'_>) -> Option<()> {
        if self.seen.contains(&field) {
            return None;
        }
        self.seen.push(field);
        if field == Field::Attributes {
            self.fields.set(field, attributes(element));
            return Some(());
        }
        let text = element.text()?;
        let plain = text.trim();
        match field {
            // Nobody is without a name: it was held back.
            Field::Name if plain.is_empty() => self.unclear = true,
            // Nor can these be emptied; the root's parent is written as 0.
            Field::Parent | Field::Order | Field::Gender | Field::Status if plain.is_empty() => {}
            Field::Parent if plain == "0" => {}
            Field::Parent => self.set_or_ask(field, text::department_id(plain)),
            Field::MainDepartment if !plain.is_empty() => self.set_or_ask(field, text::department_id(plain)),
            Field::Order => self.set_or_ask(field, plain.parse::<u32>().ok().map(i64::from)),
            Field::Gender => self.set_or_ask(field, gender(plain)),
            Field::Status => self.set_or_ask(field, status(plain)),
            Field::Leaders => self.fields.set(field, text::list(plain).map(str::to_owned).collect::<Vec<_>>()),
            _ if plain.is_empty() => self.fields.set(field, ""),
            _ => self.fields.set(field, text),
        }
        Some(())
    }

    /// The departments of a member and, as a row of 0 and 1 for the same departments, those it leads.
    fn take_departments(&mut self, departments: Option<&str>, leads: Option<&str>) {
        let Some(departments) = departments else {
            self.unclear |= leads.is_some();
            return;
        };
        let Some(ids) = text::list(departments).map(text::department_number).collect::<Option<Vec<u32>>>() else {
            self.unclear = true;
            return;
        };
        if let Some(leads) = leads {
            let flags: Vec<&str> = text::list(leads).collect();
            if flags.len() == ids.len() && flags.iter().all(|flag| matches!(*flag, "0" | "1")) {
                let led = ids.iter().zip(&flags).filter(|(_, flag)| **flag == "1");
                self.fields.set(Field::Leads, without_repeats(led.map(|(id, _)| *id)));
            } else {
                self.unclear = true;
            }
        }
        self.fields.set(Field::Departments, without_repeats(ids.into_iter()));
    }

    fn set_or_ask(&mut self, field: Field, value: Option<impl Into<common::Value>>) {
        match value {
            Some(value) => self.fields.set(field, value),
            None => self.unclear = true,
        }
    }
}

fn gender(code: &str) -> Option<&'static str> {
    match code {
        "0" => Some("unknown"),
        "1" => Some("male"),
        "2" => Some("female"),
        _ => None,
    }
}

fn status(code: &str) -> Option<&'static str> {
    match code {
        "1" => Some("active"),
        "2" => Some("disabled"),
        "4" => Some("inactive"),
        "5" => Some("left"),
        _ => None,
    }
}

/// Extended attributes by name. Types and titles of links are dropped; the link is the value.
fn attributes(list: Element<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for item in list.elements().filter(|element| element.name() == "Item") {
        let Some(name) = text_in(item, "Name").filter(|name| !name.is_empty()) else { continue };
        let value = text_in(item, "Value")
            .or_else(|| text_in(child(item, "Text")?, "Value"))
            .or_else(|| text_in(child(item, "Web")?, "Url"))
            .or_else(|| text_in(child(item, "Web")?, "Title"));
        found.insert(name.to_owned(), value.unwrap_or_default().to_owned());
    }
    found
}

fn child<'a>(parent: Element<'a>, name: &str) -> Option<Element<'a>> {
    parent.elements().find(|element| element.name() == name)
}

fn text_in<'a>(parent: Element<'a>, name: &str) -> Option<&'a str> {
    Some(child(parent, name)?.text()?.trim())
}

fn without_repeats(ids: impl Iterator<Item = u32>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.filter(|id| seen.insert(*id)).map(|id| id.to_string()).collect()
}
