//! Changes as the XML that WeCom would have sent: for relays.
//!
//! Always the full form of before August 2022, even where the platform told ids only (reference wecom 2.2 to 2.7).

mod writer;

use std::collections::{BTreeMap, HashSet};

use common::{Action, Change, Entity, EntityKey, EntityKind, Field, Told, Value};

pub(crate) use self::writer::Writer;

/// The texts and codes of a member, in WeCom's order; the departments come before them.
const MEMBER_ELEMENTS: [(Field, &str); 13] = [
    (Field::MainDepartment, "MainDepartment"),
    (Field::Leaders, "DirectLeader"),
    (Field::Title, "Position"),
    (Field::Mobile, "Mobile"),
    (Field::Gender, "Gender"),
    (Field::Email, "Email"),
    (Field::BizMail, "BizMail"),
    (Field::Status, "Status"),
    (Field::Avatar, "Avatar"),
    (Field::Alias, "Alias"),
    (Field::Telephone, "Telephone"),
    (Field::Address, "Address"),
    (Field::Attributes, "ExtAttr"),
];

/// The plaintext that tells a receiver of a change; `None` when there is nothing to say.
///
/// `previous` is what this receiver was last told of the entity. Without it the entity is created; with it an update has
/// the elements that differ or may, emptied ones as empty elements; where its id is another one, the update is a rename from
/// that id (`NewUserID`). A callback comes back as it is. The root department cannot be created or removed.
///
/// Two things differ from WeCom's own events. `Order` is in updates of a department too: nothing else would tell it. An
/// extended attribute is always of type text: its type is not known.
pub fn contact_change(
    receive_id: &str,
    create_time_seconds: i64,
    change: &Change,
    previous: Option<&Told>,
) -> Option<String> {
    let mut event = Event { receive_id, create_time_seconds, key: &change.entity, previous, xml: Writer::new(1024) };
    let worth_telling = match (&change.action, change.kind()) {
        (Action::Callback(callback), _) => return Some(callback.content.clone()),
        (Action::Remove, EntityKind::Member) => event.member_removal(),
        (Action::Remove, EntityKind::Department) => event.department_removal(),
        (Action::Upsert { entity, .. }, EntityKind::Member) => event.member(entity),
        (Action::Upsert { entity, .. }, EntityKind::Department) => event.department(entity),
        // WeCom has no callback of these in this shape.
        (Action::Remove | Action::Upsert { .. }, _) => false,
    };
    worth_telling.then(|| event.xml.finish())
}

/// One event on its way to text. The methods that write a whole event tell whether it says anything.
struct Event<'a> {
    receive_id: &'a str,
    create_time_seconds: i64,
    key: &'a EntityKey,
    previous: Option<&'a Told>,
    xml: Writer,
}

impl Event<'_> {
    fn header(&mut self, change_type: &str) {
        self.xml.cdata("ToUserName", self.receive_id);
        self.xml.cdata("FromUserName", "sys");
        self.xml.plain("CreateTime", &self.create_time_seconds.to_string());
        self.xml.cdata("MsgType", "event");
        self.xml.cdata("Event", "change_contact");
        self.xml.plain("ChangeType", change_type);
    }

    fn member_removal(&mut self) -> bool {
        self.header("delete_user");
        self.xml.cdata("UserID", self.previous.map_or(&self.key.id, |previous| &previous.entity.shown_id));
        true
    }

    fn department_removal(&mut self) -> bool {
        self.header("delete_party");
        self.xml.plain("Id", &self.key.id);
        !self.key.is_root()
    }

    fn member(&mut self, entity: &Entity) -> bool {
        let old = self.previous.map(|previous| previous.entity.shown_id.as_str());
        let renamed = old.filter(|old| EntityKey::member(old) != *self.key);
        self.header(if self.previous.is_some() { "update_user" } else { "create_user" });
        self.xml.cdata("UserID", renamed.unwrap_or(&entity.shown_id));
        if renamed.is_some() {
            self.xml.cdata("NewUserID", &entity.shown_id);
        }
        let before = self.xml.len();
        self.name(entity);
        self.departments(entity);
        for (field, element) in MEMBER_ELEMENTS {
            if let Some(value) = self.told(entity, field) {
                self.value(element, field, value);
            } else if let Some(gone) = self.gone(entity, field) {
                self.value(element, field, &gone);
            }
        }
        self.previous.is_none() || renamed.is_some() || self.xml.len() > before
    }

    fn department(&mut self, entity: &Entity) -> bool {
        self.header(if self.previous.is_some() { "update_party" } else { "create_party" });
        self.xml.plain("Id", &self.key.id);
        let before = self.xml.len();
        self.name(entity);
        for (field, element) in [(Field::Parent, "ParentId"), (Field::Order, "Order")] {
            if let Some(value) = self.told(entity, field) {
                self.value(element, field, value);
            } else if let Some(gone) = self.gone(entity, field) {
                self.value(element, field, &gone);
            }
        }
        match self.previous {
            Some(_) => self.xml.len() > before,
            None => !self.key.is_root(),
        }
    }

    /// The value of a field unless the receiver surely has it.
    fn told<'e>(&self, entity: &'e Entity, field: Field) -> Option<&'e Value> {
        let value = entity.fields.get(field)?;
        let surely_has = |told: &Told| told.entity.fields.get(field) == Some(value) && !told.doubt.has(field);
        (!self.previous.is_some_and(surely_has)).then_some(value)
    }

    /// A change carries the whole entity: what the receiver has of a field that is there no more is to be emptied.
    fn gone(&self, entity: &Entity, field: Field) -> Option<Value> {
        let told = self.previous.filter(|_| !entity.fields.has(field))?;
        let had = [&told.entity.fields, &told.doubt];
        had.iter().find(|fields| fields.has(field))?;
        let names = had.iter().filter_map(|fields| fields.map(field)).flat_map(BTreeMap::keys);
        let names: BTreeMap<String, String> = names.map(|name| (name.clone(), String::new())).collect();
        Some(match field {
            Field::Gender => Value::Text("unknown".into()),
            Field::Status => Value::Text("active".into()),
            _ if !names.is_empty() => Value::Map(names),
            _ => Value::Text(String::new()),
        })
    }

    /// A creation has a name always: where none is known, the id.
    fn name(&mut self, entity: &Entity) {
        match self.told(entity, Field::Name) {
            Some(value) => self.value("Name", Field::Name, value),
            None if self.previous.is_none() => self.xml.cdata("Name", &entity.shown_id),
            None => {}
        }
    }

    /// Departments and the row of those led: one cannot be read without the other.
    fn departments(&mut self, entity: &Entity) {
        let fields = &entity.fields;
        let changed = [Field::Departments, Field::Leads].into_iter().any(|field| self.told(entity, field).is_some());
        if !changed || !fields.has(Field::Departments) {
            return;
        }
        let departments = fields.list(Field::Departments);
        self.xml.cdata("Department", &departments.join(","));
        if fields.has(Field::Leads) {
            let leads: HashSet<&String> = fields.list(Field::Leads).iter().collect();
            let flags: Vec<&str> = departments.iter().map(|id| if leads.contains(id) { "1" } else { "0" }).collect();
            self.xml.cdata("IsLeaderInDept", &flags.join(","));
        }
    }

    fn value(&mut self, element: &str, field: Field, value: &Value) {
        match value {
            Value::Map(map) => self.attributes(map),
            Value::List(list) => self.xml.cdata(element, &list.join(",")),
            Value::Number(number) => self.xml.plain(element, &number.to_string()),
            Value::Text(text) => match field {
                Field::Gender | Field::Status => {
                    if let Some(code) = code(text) {
                        self.xml.plain(element, code);
                    }
                }
                Field::MainDepartment | Field::Mobile => self.xml.plain(element, text),
                _ => self.xml.cdata(element, text),
            },
        }
    }

    fn attributes(&mut self, map: &BTreeMap<String, String>) {
        self.xml.open("ExtAttr");
        for (name, value) in map {
            self.xml.open("Item");
            self.xml.cdata("Name", name);
            self.xml.plain("Type", "0");
            self.xml.open("Text");
            self.xml.cdata("Value", value);
            self.xml.close("Text");
            self.xml.close("Item");
        }
        self.xml.close("ExtAttr");
    }
}

/// WeCom's number for a gender or a status.
fn code(text: &str) -> Option<&'static str> {
    match text {
        "unknown" => Some("0"),
        "male" | "active" => Some("1"),
        "female" | "disabled" => Some("2"),
        "inactive" => Some("4"),
        "left" => Some("5"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
