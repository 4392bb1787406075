//! Which records a filter lets through (reference jiandaoyun 6).

mod read;

use serde_json::Value;

use super::refusal::Refusal;
use super::{ApiOptions, FilterMode};
use crate::jiandaoyun::FormRecord;
use crate::jiandaoyun::forms::{Contacts, Form, Kind, is_empty};
use crate::jiandaoyun::time::parse;

/// Of `in`, `nin` and `all`.
const MOST_VALUES: usize = 1_000;

/// A filter as far as it was understood.
pub(super) struct Filter {
    /// One condition is enough; else all have to be met.
    any: bool,
    conditions: Vec<Condition>,
}

struct Condition {
    subject: Subject,
    test: Test,
}

/// What a condition is about.
enum Subject {
    Id,
    Creator,
    Created,
    Updated,
    FlowState,
    Widget { id: String, kind: Kind },
}

/// A value that is compared as it is.
#[derive(Debug, PartialEq)]
enum Atom {
    Text(String),
    Number(f64),
}

enum Test {
    Empty,
    NotEmpty,
    Any(Vec<Atom>),
    NotAny(Vec<Atom>),
    All(Vec<Atom>),
    Like(String),
    Verified(bool),
    /// Without the ends where they are open.
    Numbers {
        from: Option<f64>,
        to: Option<f64>,
        open: bool,
    },
    /// With both ends, Unix ms.
    Times {
        from_ms: Option<i64>,
        to_ms: Option<i64>,
    },
    NotTimes {
        from_ms: i64,
        to_ms: i64,
    },
}

impl Filter {
    /// Reads a filter. What is not understood is dropped, or refuses the call.
    pub(super) fn read(
        filter: Option<&Value>,
        form: &Form,
        contacts: &Contacts,
        options: &ApiOptions,
    ) -> Result<Self, Refusal> {
        let everything = Self { any: false, conditions: Vec::new() };
        let Some(filter) = filter else { return Ok(everything) };
        let filter = filter.as_object().ok_or(Refusal::PARAMETER)?;
        let listed = filter.get("cond").and_then(Value::as_array);
        if filter.iter().map(|(name, part)| name.len() + part.to_string().len()).sum::<usize>() > options.longest_filter
            || listed.is_some_and(|listed| listed.iter().any(has_too_many_values))
        {
            return Err(Refusal::Code(4815));
        }
        if options.ignores_filters {
            return Ok(everything);
        }
        let reader = read::Reader { form, contacts, zone_ms: options.zoneless.ahead_ms() };
        let is_ignored = |condition: &&Value| {
            let field = condition.get("field").and_then(Value::as_str);
            field.is_some_and(|field| options.ignored_fields.contains(field))
        };
        let heeded: Vec<&Value> = listed.into_iter().flatten().filter(|condition| !is_ignored(condition)).collect();
        let conditions: Vec<Condition> = heeded.iter().filter_map(|condition| reader.condition(condition)).collect();
        let rel = filter.get("rel").and_then(Value::as_str);
        let understood = conditions.len() == heeded.len() && listed.is_some() && matches!(rel, Some("and" | "or"));
        if options.filters == FilterMode::Strict && !understood {
            return Err(Refusal::Code(4815));
        }
        Ok(Self { any: rel == Some("or") && !conditions.is_empty(), conditions })
    }

    /// Whether a record is let through.
    pub(super) fn admits(&self, record: &FormRecord) -> bool {
        let mut met = self.conditions.iter().map(|condition| condition.is_met(record));
        if self.any { met.any(|met| met) } else { met.all(|met| met) }
    }
}

fn has_too_many_values(condition: &Value) -> bool {
    condition.get("value").and_then(Value::as_array).is_some_and(|values| values.len() > MOST_VALUES)
}

impl Condition {
    fn is_met(&self, record: &FormRecord) -> bool {
        let atoms = || self.subject.atoms(record);
        match &self.test {
            Test::Empty => self.subject.is_empty(record),
            Test::NotEmpty => !self.subject.is_empty(record),
            Test::Any(wanted) => atoms().iter().any(|atom| wanted.contains(atom)),
            Test::NotAny(unwanted) => !atoms().iter().any(|atom| unwanted.contains(atom)),
            Test::All(wanted) => {
                let atoms = atoms();
                wanted.iter().all(|atom| atoms.contains(atom))
            }
            Test::Like(part) => atoms().iter().any(|atom| matches!(atom, Atom::Text(text) if text.contains(part))),
            Test::Verified(wanted) => self.subject.is_verified(record) == Some(*wanted),
            Test::Numbers { from, to, open } => atoms().iter().any(|atom| {
                let Atom::Number(number) = atom else { return false };
                let above = |from: f64| if *open { *number > from } else { *number >= from };
                let below = |to: f64| if *open { *number < to } else { *number <= to };
                from.is_none_or(above) && to.is_none_or(below)
            }),
            Test::Times { from_ms, to_ms } => self.subject.time_ms(record).is_some_and(|at_ms| {
                from_ms.is_none_or(|from_ms| from_ms <= at_ms) && to_ms.is_none_or(|to_ms| at_ms <= to_ms)
            }),
            Test::NotTimes { from_ms, to_ms } => {
                !self.subject.time_ms(record).is_some_and(|at_ms| (*from_ms..=*to_ms).contains(&at_ms))
            }
        }
    }
}

impl Subject {
    fn value<'a>(&self, record: &'a FormRecord) -> Option<&'a Value> {
        match self {
            Self::Widget { id, .. } => record.values.get(id),
            _ => None,
        }
    }

    fn is_empty(&self, record: &FormRecord) -> bool {
        match self {
            Self::Widget { .. } => is_empty(self.value(record)),
            Self::FlowState => record.flow_state.is_none(),
            Self::Id | Self::Creator | Self::Created | Self::Updated => false,
        }
    }

    fn is_verified(&self, record: &FormRecord) -> Option<bool> {
        self.value(record)?.get("verified")?.as_bool()
    }

    /// What a record has there, as values that are compared.
    fn atoms(&self, record: &FormRecord) -> Vec<Atom> {
        let (value, kind) = match self {
            Self::Id => return vec![Atom::Text(record.id.clone())],
            Self::Creator => return vec![Atom::Text(record.creator.clone())],
            Self::FlowState => {
                return record.flow_state.iter().map(|state| Atom::Number(state.code() as f64)).collect();
            }
            Self::Created | Self::Updated => return Vec::new(),
            Self::Widget { kind, .. } => (self.value(record), *kind),
        };
        let list = match value {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        list.iter().filter_map(|value| atom(kind, value)).collect()
    }

    fn time_ms(&self, record: &FormRecord) -> Option<i64> {
        match self {
            Self::Created => Some(record.created_ms),
            Self::Updated => Some(record.updated_ms),
            // What is kept is in UTC.
            Self::Widget { .. } => parse(self.value(record)?.as_str()?, 0),
            Self::Id | Self::Creator | Self::FlowState => None,
        }
    }
}

/// A value of a field, or one of its list.
fn atom(kind: Kind, value: &Value) -> Option<Atom> {
    let value = match kind {
        Kind::User | Kind::UserGroup => value.get("username")?,
        Kind::Dept | Kind::DeptGroup => value.get("dept_no")?,
        Kind::Phone => value.get("phone")?,
        _ => value,
    };
    match value {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()).map(|text| Atom::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(Atom::Number),
        _ => None,
    }
}
