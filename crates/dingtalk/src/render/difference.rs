//! What a modified member's event says of the modification (reference dingtalk 3.2, `diffInfo`).

use std::collections::BTreeMap;

use common::{Entity, Field, Told, Value};
use serde::Serialize;

/// What DingTalk tells of, and under which names. Departments, titles and mobile numbers are not among it.
const NAMED: [(Field, &str); 7] = [
    (Field::Name, "name"),
    (Field::Email, "email"),
    (Field::EmployeeNumber, "jobNumber"),
    (Field::Address, "workPlace"),
    (Field::Telephone, "telephone"),
    (Field::Leaders, "managerUserid"),
    (Field::Attributes, "extFields"),
];

/// One member before and after; what is missing on one side is empty there.
#[derive(Serialize)]
pub(super) struct Difference {
    prev: BTreeMap<&'static str, String>,
    curr: BTreeMap<&'static str, String>,
    userid: String,
}

impl Difference {
    /// `None` when nothing differs that DingTalk tells of.
    pub(super) fn between(entity: &Entity, told: &Told) -> Option<Self> {
        let changed = || NAMED.into_iter().filter(move |(field, _)| differs_in(entity, told, *field));
        let side = |of: &Entity| -> BTreeMap<&'static str, String> {
            changed().filter_map(|(field, name)| Some((name, text(of.fields.get(field)?)?))).collect()
        };
        let (prev, curr) = (side(&told.entity), side(entity));
        let says_something = !(prev.is_empty() && curr.is_empty());
        says_something.then(|| Self { prev, curr, userid: entity.shown_id.clone() })
    }
}

/// Whether the receiver may not have the entity like this.
pub(super) fn differs(entity: &Entity, told: &Told) -> bool {
    *entity != told.entity || !told.doubt.is_empty()
}

fn differs_in(entity: &Entity, told: &Told, field: Field) -> bool {
    entity.fields.get(field) != told.entity.fields.get(field) || told.doubt.has(field)
}

/// A value as DingTalk writes it there; `None` for an empty one.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        // The only list among them is that of leaders, of which DingTalk knows one.
        Value::List(list) => list.first().cloned().unwrap_or_default(),
        Value::Map(map) if map.is_empty() => String::new(),
        Value::Map(map) => serde_json::to_string(map).unwrap_or_default(),
    };
    (!text.is_empty()).then_some(text)
}
