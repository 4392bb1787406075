//! Named conversions, one after the other (contract, "Mapping file").

use serde_json::{Map, Value};

use super::{
    Zone,
    finding::{Findings, shown},
    moment::{self, Written},
    plain,
    reason::Reason,
    target::{integers, normal_mobile},
    word::{flag, is_blank, word},
};

/// More than anybody needs.
const MOST_CONVERSIONS: usize = 16;

/// What joins and splits lists where the mapping does not say.
const COMMA: &str = ",";

/// One conversion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Conversion {
    /// Without blanks around it.
    Trim,
    /// In lower case.
    Lower,
    /// In upper case.
    Upper,
    /// The first of a list.
    First,
    /// The texts of a list, with this between them.
    Join(String),
    /// A text as a list of what is between these.
    Split(String),
    /// A mobile number in its only spelling.
    Phone,
    /// A moment, written like this.
    Moment(Written),
    /// Whole numbers.
    IntList,
    /// Yes or no.
    Flag,
    /// What stands in a table under a text.
    Lookup {
        /// The table.
        table: Map<String, Value>,
        /// What is taken for a text that is not in it.
        default: Option<Value>,
    },
}

/// All names, for who has written another one.
const NAMES: &str =
    "trim, lower, upper, first, join, split, phone, date, timestamp, timestamp_ms, iso8601, int_list, bool, lookup";

impl Conversion {
    /// Reads a pipeline: one conversion or a list of them, each a name or an object of a name and its argument.
    pub(crate) fn read_all(value: &Value, at: &str, findings: &mut Findings) -> Vec<Self> {
        let items = match value {
            Value::Null => return Vec::new(),
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        if items.len() > MOST_CONVERSIONS {
            findings.refuse(at, "too_many", format!("there may be {MOST_CONVERSIONS} conversions at most"));
            return Vec::new();
        }
        let numbered = items.iter().enumerate();
        numbered.filter_map(|(place, item)| Self::read(item, &format!("{at}[{place}]"), findings)).collect()
    }

    fn read(value: &Value, at: &str, findings: &mut Findings) -> Option<Self> {
        let (name, argument) = named(value, at, findings)?;
        let between = || argument.as_str().filter(|text| !text.is_empty()).unwrap_or(COMMA).to_owned();
        let conversion = match &*name {
            "trim" => Self::Trim,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "first" => Self::First,
            "join" => Self::Join(between()),
            "split" => Self::Split(between()),
            "phone" => Self::Phone,
            "date" => Self::Moment(Written::Date),
            "timestamp" => Self::Moment(Written::Seconds),
            "timestamp_ms" => Self::Moment(Written::Millis),
            "iso8601" => Self::Moment(Written::Iso8601),
            "int_list" => Self::IntList,
            "bool" => Self::Flag,
            "lookup" => return Self::lookup(argument, at, findings),
            other => {
                let text = format!("there is no conversion {}; there are {NAMES}", shown(other));
                findings.refuse(at, "unknown_conversion", text);
                return None;
            }
        };
        let takes_argument = matches!(conversion, Self::Join(_) | Self::Split(_));
        if !(argument.is_null() || takes_argument && argument.is_string()) {
            findings.refuse(at, "bad_argument", format!("the conversion {} does not take this", shown(&name)));
            return None;
        }
        Some(conversion)
    }

    /// A table: `{"table": {..}, "default": ..}`, or the table alone.
    fn lookup(argument: &Value, at: &str, findings: &mut Findings) -> Option<Self> {
        let Some(argument) = argument.as_object().filter(|argument| !argument.is_empty()) else {
            findings.refuse(
                at,
                "bad_argument",
                "a lookup needs a table: {\"lookup\": {\"table\": {\"from\": \"to\"}}}",
            );
            return None;
        };
        let (table, default) = match argument.get("table").and_then(Value::as_object) {
            Some(table) => (table.clone(), argument.get("default").filter(|value| !value.is_null()).cloned()),
            None => (argument.clone(), None),
        };
        let table = table.into_iter().map(|(text, value)| (text.trim().to_owned(), value)).collect();
        Some(Self::Lookup { table, default })
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::First => "first",
            Self::Join(_) => "join",
            Self::Split(_) => "split",
            Self::Phone => "phone",
            Self::Moment(Written::Date) => "date",
            Self::Moment(Written::Seconds) => "timestamp",
            Self::Moment(Written::Millis) => "timestamp_ms",
            Self::Moment(Written::Iso8601) => "iso8601",
            Self::IntList => "int_list",
            Self::Flag => "bool",
            Self::Lookup { .. } => "lookup",
        }
    }

    /// Whether it makes something of a date.
    pub(crate) const fn is_of_moment(&self) -> bool {
        matches!(self, Self::Moment(_))
    }

    /// Converts a value. What is blank stays so.
    ///
    /// # Errors
    /// Why there is nothing that it becomes.
    pub(crate) fn apply(&self, value: Value, zone: &Zone) -> Result<Value, Reason> {
        if is_blank(&value) {
            return Ok(Value::Null);
        }
        match self {
            Self::Trim => each_text(&value, |text| text.trim().to_owned()),
            Self::Lower => each_text(&value, str::to_lowercase),
            Self::Upper => each_text(&value, str::to_uppercase),
            Self::First => Ok(first(value)),
            Self::Join(between) => Ok(Value::from(plain::texts(&value, plain::text)?.join(between.as_str()))),
            Self::Split(between) => split(&value, between),
            Self::Phone => phone(&value),
            Self::Moment(written) => {
                let at = moment::moment(&value, zone).ok_or(Reason::NoDate)?;
                Ok(moment::write(at, *written, zone))
            }
            Self::IntList => Ok(Value::from(integers(&value)?)),
            Self::Flag => Ok(Value::Bool(flag(&value).ok_or(Reason::NoFlag)?)),
            Self::Lookup { table, default } => look_up(&value, table, default.as_ref()),
        }
    }
}

/// A name with its argument: `"trim"`, or `{"join": "-"}`.
pub(crate) fn named<'v>(value: &'v Value, at: &str, findings: &mut Findings) -> Option<(String, &'v Value)> {
    if let Some(map) = value.as_object() {
        let mut entries = map.iter();
        if let (Some((name, argument)), None) = (entries.next(), entries.next()) {
            return Some((name.trim().to_owned(), argument));
        }
        findings.refuse(at, "bad_shape", "must be a name, or an object of one name and its argument");
        return None;
    }
    Some((word(value, at, findings)?, &Value::Null))
}

/// Changes a text, or the texts of a list.
fn each_text(value: &Value, change: impl Fn(&str) -> String) -> Result<Value, Reason> {
    if let Value::Array(items) = value {
        return items.iter().map(|item| Ok(Value::from(change(&plain::text(item)?)))).collect();
    }
    Ok(Value::from(change(&plain::text(value)?)))
}

/// The first of a list that is not blank.
fn first(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().find(|item| !is_blank(item)).unwrap_or_default(),
        other => other,
    }
}

fn split(value: &Value, between: &str) -> Result<Value, Reason> {
    if value.is_array() {
        return Ok(value.clone());
    }
    let text = plain::text(value)?;
    Ok(text.split(between).map(str::trim).filter(|part| !part.is_empty()).collect())
}

fn phone(value: &Value) -> Result<Value, Reason> {
    let text = plain::text(value)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    normal_mobile(&text).map(Value::from).ok_or(Reason::NoMobile)
}

/// What stands in the table under a text, or under each of a list: then what is found is one list.
fn look_up(value: &Value, table: &Map<String, Value>, default: Option<&Value>) -> Result<Value, Reason> {
    let Value::Array(items) = value else { return look_up_one(value, table, default) };
    let mut found = Vec::new();
    for item in items.iter().filter(|item| !is_blank(item)) {
        match look_up_one(item, table, default)? {
            Value::Array(several) => found.extend(several),
            one => found.push(one),
        }
    }
    Ok(Value::Array(found))
}

/// A department and a person may stand in the table by name and by id.
fn look_up_one(value: &Value, table: &Map<String, Value>, default: Option<&Value>) -> Result<Value, Reason> {
    let ids = ["username", "dept_no", "integrate_id"].map(|name| value.get(name).map(plain::text));
    let texts = ids.into_iter().flatten().chain([plain::text(value)]);
    let found = texts.flatten().find_map(|text| table.get(text.trim()));
    found.or(default).cloned().ok_or(Reason::NotInTable)
}

#[cfg(test)]
mod tests;
