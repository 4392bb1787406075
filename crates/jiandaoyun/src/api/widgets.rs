//! The fields of a form (reference jiandaoyun 4).

use common::UnixMillis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, ApiError, Client, call::Call, limits::WIDGETS};
use crate::Form;

/// What a form consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widgets {
    /// Its fields.
    pub widgets: Vec<Widget>,
    /// Whether it has a workflow: only then its records are approved or not.
    pub has_flow: bool,
    /// When a record of it was last changed.
    pub modified_at: Option<UnixMillis>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widget {
    /// Its key in records, filters and pushes: the alias where the form's owner gave one, else the widget id.
    pub name: String,
    /// The widget id, which never changes.
    pub widget_name: String,
    /// What people call it. Several may have the same.
    pub label: String,
    /// Its type in the platform's words, such as `text`.
    pub kind: String,
    /// The fields of a sub-form.
    pub items: Vec<Widget>,
}

impl Client {
    /// The fields of a form.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn widgets(&self, form: &Form) -> Result<Answer<Widgets>, ApiError> {
        let body = json!({"app_id": form.app_id, "entry_id": form.entry_id});
        let call = Call::one(WIDGETS, &form.entry_id, &body);
        self.call(&call, |received| Ok(received.content::<Told>()?.map(Told::into_widgets))).await
    }
}

impl Widgets {
    /// The field of an alias or a widget id. An alias goes first: it is what records have.
    pub fn find(&self, name: &str) -> Option<&Widget> {
        find(&self.widgets, name)
    }
}

impl Widget {
    /// The field of a sub-form, by its alias or widget id.
    pub fn item(&self, name: &str) -> Option<&Self> {
        find(&self.items, name)
    }
}

fn find<'a>(widgets: &'a [Widget], name: &str) -> Option<&'a Widget> {
    let by_alias = widgets.iter().find(|widget| widget.name == name);
    by_alias.or_else(|| widgets.iter().find(|widget| widget.widget_name == name))
}

#[derive(Deserialize)]
struct Told {
    widgets: Vec<Value>,
    #[serde(rename = "sysWidgets", default)]
    system: Value,
    #[serde(rename = "dataModifyTime", default)]
    modified: Value,
}

impl Told {
    fn into_widgets(self) -> Widgets {
        let system = self.system.as_array().map(Vec::as_slice).unwrap_or_default();
        Widgets {
            widgets: read_all(&self.widgets),
            has_flow: system.iter().any(|field| text_at(field, "name") == Some("flowState")),
            modified_at: self.modified.as_str().and_then(UnixMillis::from_rfc3339),
        }
    }
}

/// Reads field by field, so that one that is odd does not hide the others: a mapping that uses it is told.
fn read_all(told: &[Value]) -> Vec<Widget> {
    told.iter().filter_map(read).collect()
}

fn read(told: &Value) -> Option<Widget> {
    let name = text_at(told, "name").or_else(|| text_at(told, "widgetName"))?.to_owned();
    Some(Widget {
        widget_name: text_at(told, "widgetName").unwrap_or(&name).to_owned(),
        label: text_at(told, "label").unwrap_or_default().to_owned(),
        kind: text_at(told, "type").unwrap_or_default().to_owned(),
        items: read_all(told.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()),
        name,
    })
}

fn text_at<'a>(told: &'a Value, name: &str) -> Option<&'a str> {
    told.get(name)?.as_str().filter(|text| !text.is_empty())
}
