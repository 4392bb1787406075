//! What an entity is made of: fields by name, so that merging is one rule for all of them.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// A field of a department, a member, an attendance record, an approval or an onboarding request. The order of the variants is
/// kept with what is stored: new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Name of a department or member. Text.
    Name,
    /// English name of a department. Text.
    NameEn,
    /// Parent of a department. Text: the department's id.
    Parent,
    /// Place of a department among its siblings, larger first (WeCom `Order`, 0 to 2^32-1). Number.
    Order,
    /// Departments of a member, or those that an onboarding request names. List of department ids, the complete list, in the platform's order.
    Departments,
    /// Those of a member's departments that it leads. List of department ids.
    Leads,
    /// Main department of a member. Text: the department's id.
    MainDepartment,
    /// Leaders of a department or direct leaders of a member. List of member ids.
    Leaders,
    /// Job title. Text.
    Title,
    /// Mobile number. Text.
    Mobile,
    /// `male`, `female` or `unknown`. Text.
    Gender,
    /// E-mail. Text.
    Email,
    /// The company's mail address. Text.
    BizMail,
    /// Of a member `active`, `inactive`, `disabled` or `left`; of an approval `running`, `completed` or `terminated`; of a day at work what was
    /// told of it last, see [`attendance`](crate::attendance). Text.
    Status,
    /// URL of a portrait. Text.
    Avatar,
    /// Alias. Text.
    Alias,
    /// Telephone. Text.
    Telephone,
    /// Address. Text.
    Address,
    /// Extended attributes. Map from the attribute's name to its value.
    Attributes,
    /// Whose an attendance record or a day at work is. Text: the member's id; of a day as its own platform spells it.
    Member,
    /// The day that an attendance record counts for, `yyyy-MM-dd` in the tenant's zone. Text.
    WorkDate,
    /// `result`, `punch`, `leave`, `overtime`, `trip`, `outing` or `makeup`. Text.
    RecordKind,
    /// `OnDuty` or `OffDuty`. Text.
    CheckType,
    /// When a member was to come or go. Number: Unix milliseconds.
    PlannedAt,
    /// When it did. Number: Unix milliseconds.
    CheckedAt,
    /// What the platform made of that, in its words: `Normal`, `Late`, .. (DingTalk `time_result`). Of a day at work what the last look at it
    /// came to, see [`attendance`](crate::attendance). Text.
    Outcome,
    /// Where a record comes from, in the platform's words (DingTalk `source_type`). Text.
    Source,
    /// All that the platform tells of an attendance record or approval: a JSON object with its keys in order. Text. An approval that was
    /// never told whole has none.
    Details,
    /// Of which form an approval is (DingTalk `processCode`). Text.
    Template,
    /// The title of an approval. Text.
    Subject,
    /// Who started an approval. Text: the member's id; empty where it is nobody's.
    Applicant,
    /// What an approval came to: `agree`, `refuse` or `none`. Text.
    Result,
    /// When an approval was started. Number: Unix milliseconds.
    StartedAt,
    /// When it ended. Number: Unix milliseconds.
    FinishedAt,
    /// The records that a day was last answered with; a day that was never answered has none. List of ids of attendance records.
    Records,
    /// A member's number in the company, where the platform has a field for it (DingTalk `job_number`). Text.
    EmployeeNumber,
    /// What an onboarding request asks for: the fields of WeCom's `user/create` as a JSON object with its keys in order. Text; empty where
    /// the record of the form could not be mapped.
    Request,
    /// The form that an onboarding request is a record of, `{app_id}/{entry_id}`. Text.
    Form,
    /// Why a record of a form could not be mapped: a JSON list, see [`onboarding::Complaint`](crate::onboarding::Complaint). Text; empty where
    /// it could.
    Refused,
}

/// Details of a member that have no column of their own at a product, and their names among its attributes.
pub const NAMED_ATTRIBUTES: [(Field, &str); 5] = [
    (Field::Alias, "alias"),
    (Field::Telephone, "telephone"),
    (Field::Address, "address"),
    (Field::BizMail, "biz_mail"),
    (Field::Avatar, "avatar"),
];

/// The value of a [`Field`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A text; an empty one means "was emptied".
    Text(String),
    /// A list of ids.
    List(Vec<String>),
    /// Texts by name.
    Map(BTreeMap<String, String>),
}

/// By hand: a derived untagged enum would try one variant after the other, and write an error message for each that fails.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, a list of texts or an object of texts")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Number).map_err(|_error| E::custom("a number beyond 64 bits"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Value::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Value::Map)
    }
}

/// Fields with their values. A field that is absent is unchanged in an event, unknown in an entity.
///
/// They are few, so a sorted list is smaller and faster than a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fields(Vec<(Field, Value)>);

impl Fields {
    /// No fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field; for building by chaining.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.set(field, value);
        self
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        let value = value.into();
        match self.place(field) {
            Ok(place) => {
                if let Some((_, old)) = self.0.get_mut(place) {
                    *old = value;
                }
            }
            Err(place) => self.0.insert(place, (field, value)),
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: Field) -> Option<Value> {
        self.place(field).ok().map(|place| self.0.remove(place).1)
    }

    /// The value of a field.
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.0.get(self.place(field).ok()?).map(|(_, value)| value)
    }

    /// The text of a field; `None` when it is absent or no text.
    pub fn text(&self, field: Field) -> Option<&str> {
        match self.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The number of a field; `None` when it is absent or no number.
    pub fn number(&self, field: Field) -> Option<i64> {
        match self.get(field) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The list of a field; empty when it is absent or no list.
    pub fn list(&self, field: Field) -> &[String] {
        match self.get(field) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// The map of a field; `None` when it is absent or no map.
    pub fn map(&self, field: Field) -> Option<&BTreeMap<String, String>> {
        match self.get(field) {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// Whether a field is there.
    pub fn has(&self, field: Field) -> bool {
        self.place(field).is_ok()
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// Keeps the fields for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(Field, &Value) -> bool) {
        self.0.retain(|(field, value)| keep(*field, value));
    }

    /// Takes in the fields of another one, which win. Of maps every name stays.
    pub fn merge(&mut self, newer: Self) {
        for (field, mut value) in newer.0 {
            if let (Value::Map(newer), Some(Value::Map(older))) = (&mut value, self.remove(field)) {
                for (name, text) in older {
                    newer.entry(name).or_insert(text);
                }
            }
            self.set(field, value);
        }
    }

    /// Where a field is, or where it is to be put.
    fn place(&self, field: Field) -> Result<usize, usize> {
        self.0.binary_search_by_key(&field, |(field, _)| *field)
    }
}

impl FromIterator<(Field, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(fields: I) -> Self {
        let mut collected = Self::new();
        fields.into_iter().for_each(|(field, value)| collected.set(field, value));
        collected
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some((field, value)) = map.next_entry::<Field, Value>()? {
            fields.set(field, value);
        }
        Ok(fields)
    }
}

impl IntoIterator for Fields {
    type Item = (Field, Value);
    type IntoIter = std::vec::IntoIter<(Field, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

impl From<&[&str]> for Value {
    fn from(list: &[&str]) -> Self {
        Self::List(list.iter().map(|&text| text.to_owned()).collect())
    }
}

impl From<BTreeMap<String, String>> for Value {
    fn from(map: BTreeMap<String, String>) -> Self {
        Self::Map(map)
    }
}
