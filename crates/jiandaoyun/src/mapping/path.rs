//! Where a value is in a record. A path leads nowhere else.

use std::fmt;

use serde_json::{Map, Value};

use crate::api::{Widget, Widgets};

/// More steps than any field has.
const MOST_STEPS: usize = 8;
const LONGEST_STEP_BYTES: usize = 64;

/// What an application calls a field, then what is within it: `_widget_1`, `_widget_1.phone`, `_widget_2.0.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    head: Step,
    rest: Vec<Step>,
}

/// A name, and the other name that the same field has: alias and widget id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    other: Option<String>,
}

impl Path {
    /// Reads a path; `None` when it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut steps = text.split('.').map(Step::read);
        let head = steps.next()??;
        let rest: Vec<Step> = steps.collect::<Option<_>>()?;
        let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
        (head.name.starts_with(begins) && rest.len() < MOST_STEPS).then_some(Self { head, rest })
    }

    /// The field itself.
    pub(crate) fn head(&self) -> &str {
        &self.head.name
    }

    /// Whether it leads into the field.
    pub(crate) fn leads_within(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The value in a record; `None` when it is not there.
    pub(crate) fn find<'r>(&self, values: &'r Map<String, Value>) -> Option<&'r Value> {
        let head = self.head.within(values)?;
        self.rest.iter().try_fold(head, |value, step| match value {
            Value::Object(map) => step.within(map),
            Value::Array(items) => items.get(step.name.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The same path by the names that records have, and the field; `None` when the form has no such field.
    pub(crate) fn bind<'w>(&self, widgets: &'w Widgets) -> Option<(Self, &'w Widget)> {
        let widget = widgets.find(&self.head.name)?;
        let rest = self.rest.iter().map(|step| step.bound_to(widget.item(&step.name)));
        Some((Self { head: self.head.bound_to(Some(widget)), rest: rest.collect() }, widget))
    }

    /// The steps into the field.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &str> {
        self.rest.iter().map(|step| step.name.as_str())
    }
}

impl Step {
    fn read(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = (1..=LONGEST_STEP_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        is_name.then(|| Self { name: text.to_owned(), other: None })
    }

    fn within<'r>(&self, map: &'r Map<String, Value>) -> Option<&'r Value> {
        map.get(&self.name).or_else(|| map.get(self.other.as_deref()?))
    }

    fn bound_to(&self, widget: Option<&Widget>) -> Self {
        let Some(widget) = widget else { return self.clone() };
        let other = (widget.name != widget.widget_name).then(|| widget.widget_name.clone());
        Self { name: widget.name.clone(), other }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head.name)?;
        self.rest.iter().try_for_each(|step| write!(f, ".{}", step.name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(path: &str, record: &Value) -> Option<Value> {
        Path::read(path).unwrap().find(record.as_object().unwrap()).cloned()
    }

    #[test]
    fn a_path_leads_into_objects_and_lists() {
        let record = json!({"_widget_1": {"phone": "1"}, "_widget_2": [{"name": "a"}, {"name": "b"}], "x": "y"});
        assert_eq!(find("_widget_1.phone", &record), Some(json!("1")));
        assert_eq!(find("_widget_2.1.name", &record), Some(json!("b")));
        assert_eq!(find("x", &record), Some(json!("y")));
        for nowhere in
            ["z", "x.y", "_widget_1.0", "_widget_2.2.name", "_widget_2.name", "_widget_2.99999999999999999999"]
        {
            assert_eq!(find(nowhere, &record), None, "{nowhere}");
        }
    }

    #[test]
    fn what_is_no_path_is_none() {
        let deep = format!("a{}", ".b".repeat(MOST_STEPS));
        for odd in ["", ".", "a.", ".a", "a..b", "1", "0.a", "姓名", "a b", "a-b", "a[0]", "$a", "a()", &deep] {
            assert_eq!(Path::read(odd), None, "{odd}");
        }
        assert_eq!(Path::read("_widget_1.0.name").unwrap().to_string(), "_widget_1.0.name");
    }

    #[test]
    fn a_field_is_found_by_either_of_its_names() {
        let widget = |name: &str, id: &str, items| Widget {
            name: name.into(),
            widget_name: id.into(),
            label: String::new(),
            kind: "subform".into(),
            items,
        };
        let school = widget("school", "_widget_11", Vec::new());
        let widgets =
            Widgets { widgets: vec![widget("study", "_widget_1", vec![school])], has_flow: false, modified_at: None };
        let by_alias = json!({"study": [{"school": "THU"}]});
        let by_id = json!({"_widget_1": [{"_widget_11": "THU"}]});
        for path in ["study.0.school", "_widget_1.0._widget_11", "_widget_1.0.school"] {
            let (bound, found) = Path::read(path).unwrap().bind(&widgets).unwrap();
            assert_eq!((bound.head(), found.widget_name.as_str()), ("study", "_widget_1"));
            for record in [&by_alias, &by_id] {
                assert_eq!(bound.find(record.as_object().unwrap()), Some(&json!("THU")), "{path}");
            }
        }
        assert_eq!(Path::read("_widget_2").unwrap().bind(&widgets), None);
    }
}
