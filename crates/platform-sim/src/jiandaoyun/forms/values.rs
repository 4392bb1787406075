//! What people enter, in the read form (reference jiandaoyun 7).

use serde_json::{Map, Value, json};

use super::{Contacts, Kind, Widget};
use crate::jiandaoyun::ids::ObjectIds;
use crate::jiandaoyun::time::iso;

/// What is needed to complete values.
pub(super) struct Pen<'a> {
    pub(super) contacts: &'a Contacts,
    pub(super) ids: &'a mut ObjectIds,
    pub(super) now_ms: i64,
}

impl Pen<'_> {
    /// A value as it is read: names of people and numbers of departments become what they name, and so on. What is in
    /// the read form already, or fits nothing, stays as it is: forms hold strange things.
    pub(super) fn entered(&mut self, widget: &Widget, value: Value) -> Value {
        match (widget.kind, value) {
            (Kind::User, Value::String(username)) => self.contacts.person(&username),
            (Kind::Dept, Value::Number(number)) => self.department(&Value::Number(number)),
            (Kind::UserGroup, Value::Array(people)) => people.iter().map(|person| self.person(person)).collect(),
            (Kind::DeptGroup, Value::Array(numbers)) => {
                numbers.iter().map(|department| self.department(department)).collect()
            }
            (Kind::Phone, Value::String(phone)) => json!({ "phone": phone, "verified": false }),
            (Kind::Datetime, Value::Number(number)) => {
                number.as_i64().map_or(Value::Number(number), |at_ms| Value::from(iso(at_ms)))
            }
            (Kind::Subform, Value::Array(rows)) => rows.into_iter().map(|row| self.row(widget, row)).collect(),
            (_kind, value) => value,
        }
    }

    /// The id of a row of a sub-form.
    pub(super) fn row_id(&mut self) -> Value {
        Value::from(self.ids.next(self.now_ms))
    }

    fn person(&self, person: &Value) -> Value {
        person.as_str().map_or_else(|| person.clone(), |username| self.contacts.person(username))
    }

    fn department(&self, number: &Value) -> Value {
        number.as_i64().map_or_else(|| number.clone(), |number| self.contacts.department(number))
    }

    fn row(&mut self, widget: &Widget, row: Value) -> Value {
        let Value::Object(cells) = row else { return row };
        let mut entered = Map::new();
        for (name, value) in cells {
            match widget.items.iter().find(|item| item.is_called(&name)) {
                Some(item) => entered.insert(item.id.clone(), self.entered(item, value)),
                None => entered.insert(name, value),
            };
        }
        if !entered.contains_key("_id") {
            entered.insert("_id".to_owned(), self.row_id());
        }
        Value::Object(entered)
    }
}

/// How an empty field is read by its type.
pub(super) fn empty(kind: Kind) -> Value {
    let address = || json!({ "province": "", "city": "", "district": "", "detail": "" });
    match kind {
        Kind::Text | Kind::Textarea | Kind::Radio | Kind::Combo | Kind::Sn | Kind::Lookup => Value::from(""),
        Kind::Checkboxes
        | Kind::ComboCheck
        | Kind::UserGroup
        | Kind::DeptGroup
        | Kind::Image
        | Kind::Upload
        | Kind::Subform => json!([]),
        Kind::Address => address(),
        Kind::Location => {
            let mut location = address();
            if let Value::Object(location) = &mut location {
                location.insert("lnglatXY".to_owned(), json!([]));
            }
            location
        }
        Kind::Phone | Kind::User | Kind::Dept | Kind::LinkData => json!({}),
        Kind::Number | Kind::Datetime | Kind::Signature | Kind::Aggregation | Kind::Richtext | Kind::Other(_) => {
            Value::Null
        }
    }
}

/// Whether a field counts as empty.
pub(in crate::jiandaoyun) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(parts)) => parts.values().all(|part| is_empty(Some(part))),
        // Only part of a telephone number: whether nothing was verified says nothing.
        Some(Value::Bool(_)) => true,
        Some(Value::Number(_)) => false,
    }
}
