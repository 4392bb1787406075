//! Conditions as they are sent. Whatever is unknown or of the wrong type makes a condition one that nobody understands.

use serde_json::Value;

use super::{Atom, Condition, Subject, Test};
use crate::jiandaoyun::forms::{Contacts, Form, Kind};
use crate::jiandaoyun::time::span;

pub(super) struct Reader<'a> {
    pub(super) form: &'a Form,
    pub(super) contacts: &'a Contacts,
    /// How far times without a zone are ahead of UTC.
    pub(super) zone_ms: i64,
}

/// What can be asked of a subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Flow,
    Id,
    Creator,
    Time,
    Updated,
    Number,
    Text,
    Choices,
    Phone,
    Person,
    People,
    Department,
    Departments,
    Serial,
    Other,
}

impl Reader<'_> {
    /// `None` where it is not understood.
    pub(super) fn condition(&self, condition: &Value) -> Option<Condition> {
        let text = |name: &str| condition.get(name).and_then(Value::as_str);
        let subject = self.subject(text("field")?)?;
        let (sort, method) = (subject.sort(), text("method")?);
        if !allows(sort, method) {
            return None;
        }
        let test = match method {
            "empty" => Test::Empty,
            "not_empty" => Test::NotEmpty,
            "verified" => Test::Verified(true),
            "unverified" => Test::Verified(false),
            _ => self.valued(sort, method, condition.get("value")?.as_array()?)?,
        };
        Some(Condition { subject, test })
    }

    fn subject(&self, field: &str) -> Option<Subject> {
        match field {
            "data_id" => Some(Subject::Id),
            "creator" => Some(Subject::Creator),
            "createTime" => Some(Subject::Created),
            "updateTime" => Some(Subject::Updated),
            "flowState" => self.form.workflow.then_some(Subject::FlowState),
            name => {
                let widget = self.form.widget(name)?;
                Some(Subject::Widget { id: widget.id.clone(), kind: widget.kind })
            }
        }
    }

    /// A test that has values.
    fn valued(&self, sort: Sort, method: &str, values: &[Value]) -> Option<Test> {
        match (sort, method) {
            (Sort::Time | Sort::Updated, "range") => {
                let [from, to] = values else { return None };
                let (from, to) = (self.bound(from)?, self.bound(to)?);
                Some(Test::Times { from_ms: from.map(|span| span.0), to_ms: to.map(|span| span.1) })
            }
            (Sort::Time, _) => {
                let (from_ms, to_ms) = self.bound(single(values)?)??;
                Some(if method == "ne" {
                    Test::NotTimes { from_ms, to_ms }
                } else {
                    Test::Times { from_ms: Some(from_ms), to_ms: Some(to_ms) }
                })
            }
            (Sort::Number, "range") => {
                let [from, to] = values else { return None };
                Some(Test::Numbers { from: number_or_none(from)?, to: number_or_none(to)?, open: false })
            }
            (Sort::Number, "gt") => Some(Test::Numbers { from: Some(single(values)?.as_f64()?), to: None, open: true }),
            (Sort::Number, "lt") => Some(Test::Numbers { from: None, to: Some(single(values)?.as_f64()?), open: true }),
            (_, "like") => single(values)?.as_str().map(|part| Test::Like(part.to_owned())),
            (_, "eq") => Some(Test::Any(atoms(sort, &[single(values)?.clone()])?)),
            (_, "ne") => Some(Test::NotAny(atoms(sort, &[single(values)?.clone()])?)),
            (_, "in") => Some(Test::Any(atoms(sort, values)?)),
            (_, "nin") => {
                let known = |value: &Value| value.as_str().is_some_and(|name| self.contacts.knows_person(name));
                // Somebody unknown switches the whole condition off.
                let names_people = matches!(sort, Sort::Creator | Sort::Person);
                if names_people && !values.iter().all(known) {
                    return None;
                }
                Some(Test::NotAny(atoms(sort, values)?))
            }
            (_, "all") => Some(Test::All(atoms(sort, values)?)),
            _ => None,
        }
    }

    /// One end of a range of times; `Some(None)` where it is open.
    fn bound(&self, value: &Value) -> Option<Option<(i64, i64)>> {
        if value.is_null() { Some(None) } else { span(value.as_str()?, self.zone_ms).map(Some) }
    }
}

impl Subject {
    fn sort(&self) -> Sort {
        match self {
            Self::Id => Sort::Id,
            Self::Creator => Sort::Creator,
            Self::Created => Sort::Time,
            Self::Updated => Sort::Updated,
            Self::FlowState => Sort::Flow,
            Self::Widget { kind, .. } => match kind {
                Kind::Text | Kind::Radio | Kind::Combo | Kind::Lookup => Sort::Text,
                Kind::Number => Sort::Number,
                Kind::Datetime => Sort::Time,
                Kind::Checkboxes | Kind::ComboCheck => Sort::Choices,
                Kind::Phone => Sort::Phone,
                Kind::User => Sort::Person,
                Kind::UserGroup => Sort::People,
                Kind::Dept => Sort::Department,
                Kind::DeptGroup => Sort::Departments,
                Kind::Sn => Sort::Serial,
                _ => Sort::Other,
            },
        }
    }
}

/// The table of methods.
fn allows(sort: Sort, method: &str) -> bool {
    let single =
        matches!(sort, Sort::Flow | Sort::Creator | Sort::Text | Sort::Person | Sort::Department | Sort::Serial);
    let listed = matches!(sort, Sort::Choices | Sort::People | Sort::Departments);
    let measured = matches!(sort, Sort::Time | Sort::Number);
    match method {
        "empty" | "not_empty" => sort != Sort::Updated,
        "eq" => single || measured || sort == Sort::Id,
        "ne" => single || measured,
        "in" => single || listed || sort == Sort::Id,
        "nin" => single,
        "all" => listed,
        "range" => measured || sort == Sort::Updated,
        "gt" | "lt" => sort == Sort::Number,
        "like" => matches!(sort, Sort::Phone | Sort::Serial),
        "verified" | "unverified" => sort == Sort::Phone,
        _ => false,
    }
}

fn single(values: &[Value]) -> Option<&Value> {
    match values {
        [value] => Some(value),
        _ => None,
    }
}

fn number_or_none(value: &Value) -> Option<Option<f64>> {
    if value.is_null() { Some(None) } else { value.as_f64().map(Some) }
}

/// Values of the type that is compared; `None` if one has another.
fn atoms(sort: Sort, values: &[Value]) -> Option<Vec<Atom>> {
    let numeric = matches!(sort, Sort::Flow | Sort::Number | Sort::Department | Sort::Departments);
    let atom = |value: &Value| {
        if numeric { value.as_f64().map(Atom::Number) } else { value.as_str().map(|text| Atom::Text(text.to_owned())) }
    };
    values.iter().map(atom).collect()
}
