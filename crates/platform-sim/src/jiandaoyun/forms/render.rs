//! Records as answers and pushes tell them (reference jiandaoyun 5.3 and 11).

use serde_json::{Map, Value};

use super::contacts::in_push;
use super::values::empty;
use super::{Contacts, Empties, Form, FormRecord, Kind, Widget};
use crate::jiandaoyun::ids::draw;
use crate::jiandaoyun::time::iso;

/// Which system fields come along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jiandaoyun) enum Look {
    /// All.
    Whole,
    /// As the official examples of lists: without who changed and who deleted it.
    Lean,
}

pub(super) fn told(form: &Form, record: &FormRecord, contacts: &Contacts, empties: Empties, look: Look) -> Value {
    Value::Object(members(form, record, contacts, empties, look))
}

/// The whole record, people in short, and a flow state also where there is no workflow.
pub(super) fn pushed(form: &Form, record: &FormRecord, contacts: &Contacts, empties: Empties) -> Value {
    let mut members = members(form, record, contacts, empties, Look::Whole);
    members.insert("formName".to_owned(), Value::from(form.name.as_str()));
    members.entry("flowState").or_insert(Value::Null);
    shortened(Value::Object(members))
}

/// What is told of a record that is gone.
pub(super) fn removed(form: &Form, record: &FormRecord, contacts: &Contacts) -> Value {
    let mut members = ids(form, record);
    members.insert("deleter".to_owned(), shortened(contacts.person(&record.updater)));
    members.insert("deleteTime".to_owned(), record.removed_ms.map(iso).into());
    Value::Object(members)
}

fn ids(form: &Form, record: &FormRecord) -> Map<String, Value> {
    let ids = [("_id", &record.id), ("appId", &form.id.app), ("entryId", &form.id.entry)];
    ids.into_iter().map(|(name, id)| (name.to_owned(), Value::from(id.as_str()))).collect()
}

fn members(form: &Form, record: &FormRecord, contacts: &Contacts, empties: Empties, look: Look) -> Map<String, Value> {
    let mut members = ids(form, record);
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("creator", contacts.person(&record.creator));
    set("createTime", iso(record.created_ms).into());
    set("updateTime", iso(record.updated_ms).into());
    if look == Look::Whole {
        set("updater", contacts.person(&record.updater));
        set("deleter", Value::Null);
        set("deleteTime", Value::Null);
    }
    if form.workflow {
        set("flowState", record.flow_state.map(|state| state.code()).into());
    }
    for widget in &form.widgets {
        if let Some(value) = value(widget, record, empties) {
            set(widget.name(), value);
        }
    }
    members
}

/// What a field holds; `None` where not even its key is there.
fn value(widget: &Widget, record: &FormRecord, empties: Empties) -> Option<Value> {
    if let Some(value) = record.values.get(&widget.id) {
        return Some(if widget.kind == Kind::Subform { rows(widget, value) } else { value.clone() });
    }
    let empties = match empties {
        Empties::Mixed => match draw(0, &format!("{} {}", record.id, widget.id)) % 3 {
            0 => Empties::Documented,
            1 => Empties::Null,
            _ => Empties::Absent,
        },
        other => other,
    };
    match empties {
        Empties::Absent => None,
        Empties::Null => Some(Value::Null),
        Empties::Documented | Empties::Mixed => Some(empty(widget.kind)),
    }
}

/// Rows of a sub-form under the names of its fields.
fn rows(widget: &Widget, rows: &Value) -> Value {
    let Value::Array(list) = rows else { return rows.clone() };
    let name = |id: &str| widget.items.iter().find(|item| item.id == id).map_or(id, Widget::name).to_owned();
    let row = |row: &Value| match row {
        Value::Object(cells) => cells.iter().map(|(id, value)| (name(id), value.clone())).collect(),
        other => other.clone(),
    };
    list.iter().map(row).collect()
}

/// The same with people in short.
fn shortened(value: Value) -> Value {
    match value {
        Value::Object(person) if person.contains_key("username") => in_push(&person),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        Value::Array(list) => list.into_iter().map(shortened).collect(),
        other => other,
    }
}
