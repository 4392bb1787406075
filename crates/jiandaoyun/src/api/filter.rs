//! What is asked for of a form (reference jiandaoyun 6).
//!
//! The platform ignores what it does not understand of this, so nothing may rest on a filter.

use serde_json::{Value, json};

/// Conditions on records.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Whether all of them must hold, or one.
    pub rel: Rel,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// How conditions go together: one level of them, no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rel {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// One condition, in the platform's spelling.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The field: a system field, an alias or a widget id.
    pub field: String,
    /// Its type, in the platform's words, such as `datetime`.
    pub kind: String,
    /// How it is compared.
    pub method: Method,
    /// With what: as many values as the method takes, of the field's own type.
    pub values: Vec<Value>,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// One of some.
    In,
    /// None of some.
    Nin,
    /// Contains a text.
    Like,
    /// From one to another, both included; null is an open end.
    Range,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// A list that holds all of some.
    All,
    /// Without a value.
    Empty,
    /// With a value.
    NotEmpty,
    /// A phone number that was proven.
    Verified,
    /// A phone number that was not.
    Unverified,
}

impl Filter {
    /// In the platform's layout.
    pub fn to_json(&self) -> Value {
        let conditions: Vec<Value> = self.conditions.iter().map(Condition::to_json).collect();
        json!({"rel": self.rel.as_str(), "cond": conditions})
    }
}

impl Rel {
    /// The platform's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

impl Condition {
    fn to_json(&self) -> Value {
        let mut condition = json!({"field": self.field, "type": self.kind, "method": self.method.as_str()});
        if self.method.takes_values()
            && let Some(condition) = condition.as_object_mut()
        {
            condition.insert("value".to_owned(), Value::Array(self.values.clone()));
        }
        condition
    }
}

impl Method {
    const ALL: [Self; 13] = [
        Self::Eq,
        Self::Ne,
        Self::In,
        Self::Nin,
        Self::Like,
        Self::Range,
        Self::Gt,
        Self::Lt,
        Self::All,
        Self::Empty,
        Self::NotEmpty,
        Self::Verified,
        Self::Unverified,
    ];

    /// The platform's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::In => "in",
            Self::Nin => "nin",
            Self::Like => "like",
            Self::Range => "range",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::All => "all",
            Self::Empty => "empty",
            Self::NotEmpty => "not_empty",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
        }
    }

    /// Reads the platform's word; `None` when it is none.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }

    /// Whether it compares with something.
    pub const fn takes_values(self) -> bool {
        !matches!(self, Self::Empty | Self::NotEmpty | Self::Verified | Self::Unverified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_the_platforms_layout() {
        let condition = |field: &str, kind: &str, method, values: &[Value]| Condition {
            field: field.into(),
            kind: kind.into(),
            method,
            values: values.to_vec(),
        };
        let from = json!("2026-11-21T23:50:00.000Z");
        let filter = Filter {
            rel: Rel::And,
            conditions: vec![
                condition("flowState", "flowstate", Method::Eq, &[json!(1)]),
                condition("updateTime", "datetime", Method::Range, &[from.clone(), Value::Null]),
                condition("_widget_1", "text", Method::NotEmpty, &[]),
            ],
        };
        assert_eq!(
            filter.to_json(),
            json!({"rel": "and", "cond": [
                {"field": "flowState", "type": "flowstate", "method": "eq", "value": [1]},
                {"field": "updateTime", "type": "datetime", "method": "range", "value": [from, null]},
                {"field": "_widget_1", "type": "text", "method": "not_empty"},
            ]})
        );
    }

    #[test]
    fn every_method_has_a_word_of_its_own() {
        for method in Method::ALL {
            assert_eq!(Method::read(method.as_str()), Some(method));
        }
        assert_eq!((Method::read("contains"), Method::read("EQ"), Method::read("")), (None, None, None));
    }
}
