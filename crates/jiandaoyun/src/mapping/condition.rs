//! One condition of the file's own: sent where the platform knows it, and looked at here in any case.

mod holds;

use serde_json::Value;

use super::{Zone, finding::Findings, moment, plain, word::is_blank};
use crate::api::{self, Method, Widget, as_number};

/// The longest list that the platform takes (reference jiandaoyun 2).
const MOST_VALUES: usize = 200;

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Texts,
    Numbers,
    Moments,
}

/// A condition on a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// Where it stands in the file.
    pub(crate) at: String,
    /// The field as records have it.
    pub(crate) field: String,
    /// The other name of the same field.
    other: Option<String>,
    /// Its type as the file or the form calls it.
    kind: String,
    method: Method,
    values: Vec<Value>,
}

impl Condition {
    /// Reads a condition whose field and method are right.
    pub(crate) fn read(
        field: String,
        kind: &str,
        method: Method,
        values: Vec<Value>,
        at: &str,
        zone: &Zone,
        findings: &mut Findings,
    ) -> Option<Self> {
        let kind = match (&*field, kind.to_ascii_lowercase().as_str()) {
            ("createTime" | "updateTime", _) => "datetime".to_owned(),
            ("creator" | "updater", _) => "user".to_owned(),
            (_, "string") => "text".to_owned(),
            (_, kind) => kind.to_owned(),
        };
        let condition = Self { at: at.to_owned(), field, other: None, kind, method, values };
        condition.is_right(zone, findings).then_some(condition)
    }

    /// The same by the name that records have, of the type that the form gives the field.
    pub(crate) fn bind(&self, widget: &Widget, zone: &Zone, findings: &mut Findings) -> Option<Self> {
        let other = (widget.name != widget.widget_name).then(|| widget.widget_name.clone());
        let bound = Self { field: widget.name.clone(), other, kind: widget.kind.clone(), ..self.clone() };
        if !bound.is_documented() {
            let text = format!(
                "the platform compares a field of type {} in other ways: it is only looked at here",
                widget.kind
            );
            findings.warn(&self.at, "not_asked_for", text);
        }
        bound.is_right(zone, findings).then_some(bound)
    }

    /// Whether it is about a field of the system, which every form has.
    pub(crate) fn is_of_system(&self) -> bool {
        matches!(&*self.field, "_id" | "data_id" | "createTime" | "updateTime" | "creator" | "updater")
    }

    /// Whether there are values of the right number and type.
    fn is_right(&self, zone: &Zone, findings: &mut Findings) -> bool {
        let at = format!("{}.value", self.at);
        let (count, least, most) = (self.values.len(), self.least(), self.most());
        if !(least..=most).contains(&count) {
            findings.refuse(&at, "bad_value", format!("must have {least} to {most} values, and has {count}"));
            return false;
        }
        let fits = |value: &Value| match self.compared() {
            Compared::Numbers => number(value).is_some(),
            Compared::Moments => moment::moment(value, zone).is_some(),
            Compared::Texts => plain::id(value).is_ok(),
        };
        let open_ends = self.method == Method::Range && self.values.iter().any(|value| !is_blank(value));
        let is_right = self.values.iter().all(|value| if is_blank(value) { open_ends } else { fits(value) });
        if !is_right {
            findings.refuse(&at, "bad_value", "a value is none that this field can be compared with");
        }
        is_right
    }

    const fn least(&self) -> usize {
        if self.method.takes_values() { 1 } else { 0 }
    }

    const fn most(&self) -> usize {
        match self.method {
            Method::In | Method::Nin | Method::All => MOST_VALUES,
            Method::Range => 2,
            _ if self.method.takes_values() => 1,
            _ => 0,
        }
    }

    fn compared(&self) -> Compared {
        let is_of = |kind: &str| self.kind == kind;
        let has_order = matches!(self.method, Method::Range | Method::Gt | Method::Lt);
        // Where the file does not say which type the field has, what it is compared with does.
        let has_moments = || has_order && !is_of("number") && !self.values.iter().all(is_blank_or_number);
        if is_of("datetime") || has_moments() {
            Compared::Moments
        } else if is_of("number") || has_order {
            Compared::Numbers
        } else {
            Compared::Texts
        }
    }

    /// The condition as the platform takes it; `None` when it would ignore it.
    pub(crate) fn asked(&self, zone: &Zone) -> Option<api::Condition> {
        let method = match (&*self.kind, self.method) {
            // There is no other comparison of times: what "greater" leaves out is left out here (reference jiandaoyun 6).
            ("datetime", Method::Gt | Method::Lt) => Method::Range,
            (_, method) => method,
        };
        if !self.is_documented() {
            return None;
        }
        let mut values: Vec<Value> = self.values.iter().map(|value| self.asked_value(value, zone)).collect();
        match self.method {
            Method::Lt if method == Method::Range => values.insert(0, Value::Null),
            _ if method == Method::Range && values.len() == 1 => values.push(Value::Null),
            _ => {}
        }
        let (field, kind) = match &*self.field {
            "_id" | "data_id" => ("data_id", "dataid"),
            field => (field, &*self.kind),
        };
        Some(api::Condition { field: field.to_owned(), kind: kind.to_owned(), method, values })
    }

    /// A value of the type that the platform compares with: a number that is a text would be ignored.
    fn asked_value(&self, value: &Value, zone: &Zone) -> Value {
        if is_blank(value) {
            return Value::Null;
        }
        match self.compared() {
            // Departments have numbers, and everything else that is compared as text is text.
            Compared::Texts if matches!(&*self.kind, "dept" | "deptgroup") => {
                as_number(value).map_or_else(|| value.clone(), Value::from)
            }
            Compared::Texts => plain::id(value).map_or_else(|_| value.clone(), Value::from),
            Compared::Numbers => {
                let whole = as_number(value).map(Value::from);
                whole.or_else(|| number(value).map(Value::from)).unwrap_or_default()
            }
            // A day alone is compared as a day.
            Compared::Moments if matches!(self.method, Method::Eq | Method::Ne) && is_day(value) => value.clone(),
            Compared::Moments => moment::moment(value, zone).map(|at| Value::from(at.to_string())).unwrap_or_default(),
        }
    }

    /// Whether the platform says that it compares such a field like this (reference jiandaoyun 6).
    fn is_documented(&self) -> bool {
        use Method::{All, Empty, Eq, Gt, In, Like, Lt, Ne, Nin, NotEmpty, Range, Unverified, Verified};
        if matches!(&*self.field, "_id" | "data_id") {
            return matches!(self.method, Eq | In);
        }
        match (&*self.kind, self.method) {
            (kind, Empty | NotEmpty) => !kind.is_empty(),
            ("datetime" | "number", method) => matches!(method, Eq | Ne | Range | Gt | Lt),
            ("text" | "radiogroup" | "combo" | "user" | "dept" | "lookup", method) => {
                matches!(method, Eq | Ne | In | Nin)
            }
            ("sn", method) => matches!(method, Eq | Ne | In | Nin | Like),
            ("checkboxgroup" | "combocheck" | "usergroup" | "deptgroup", method) => matches!(method, In | All),
            ("phone", method) => matches!(method, Like | Verified | Unverified),
            _ => false,
        }
    }
}

fn is_blank_or_number(value: &Value) -> bool {
    is_blank(value) || number(value).is_some()
}

/// A number, also as text. One beyond all numbers is none.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// Whether a text is a day without a time.
fn is_day(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().len() <= 10)
}
