//! What was sent with a request, and how it is read (reference jiandaoyun 1 and 5).

use serde_json::{Map, Value};

use super::Call;
use super::interface::Route;
use super::refusal::Refusal;
use crate::jiandaoyun::FormId;
use crate::jiandaoyun::ids::is_object_id;

/// What was sent with a request.
pub(super) struct Input<'a> {
    pub(super) route: &'a Route,
    key: Option<&'a str>,
    /// `None` where it is no object.
    body: Option<Map<String, Value>>,
}

impl<'a> Input<'a> {
    pub(super) fn read(route: &'a Route, call: &Call<'a>) -> Self {
        let key = call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        let body = match serde_json::from_slice(call.body) {
            Ok(Value::Object(body)) => Some(body),
            _ => None,
        };
        Self { route, key: key.filter(|key| !key.is_empty()), body }
    }

    pub(super) fn key(&self) -> Option<&'a str> {
        self.key
    }

    /// The form, where it can be read.
    pub(super) fn form(&self) -> Option<FormId> {
        let text = |name: &str| self.body.as_ref()?.get(name)?.as_str();
        let posted = || Some(FormId::new(text("app_id")?, text("entry_id")?));
        self.route.form.clone().or_else(posted)
    }

    /// The record, where it can be read.
    pub(super) fn record(&self) -> Option<&str> {
        self.body.as_ref()?.get("data_id")?.as_str().filter(|id| !id.is_empty())
    }

    pub(super) fn fields(&self) -> Result<Fields<'_>, Refusal> {
        self.body.as_ref().map(Fields).ok_or(Refusal::PARAMETER)
    }
}

/// The members of a posted object. Absent and `null` are the same.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty, where there is one.
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let text = self.typed(name, Value::as_str)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A text that has to be there.
    pub(super) fn needed_text(self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.ok_or(Refusal::PARAMETER)
    }

    /// The id of a record.
    pub(super) fn object_id(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.text(name)? {
            Some(id) if !is_object_id(id) => Err(Refusal::PARAMETER),
            id => Ok(id),
        }
    }

    pub(super) fn flag(self, name: &str) -> Result<bool, Refusal> {
        Ok(self.typed(name, Value::as_bool)?.unwrap_or(false))
    }

    pub(super) fn whole(self, name: &str) -> Result<Option<i64>, Refusal> {
        self.typed(name, Value::as_i64)
    }

    /// An object that has to be there.
    pub(super) fn object(self, name: &str) -> Result<&'a Map<String, Value>, Refusal> {
        self.typed(name, Value::as_object)?.ok_or(Refusal::PARAMETER)
    }

    /// A list of texts.
    pub(super) fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
        let Some(list) = self.typed(name, Value::as_array)? else { return Ok(None) };
        list.iter().map(Value::as_str).collect::<Option<_>>().map(Some).ok_or(Refusal::PARAMETER)
    }

    /// A list of objects that has to be there.
    pub(super) fn objects(self, name: &str) -> Result<Vec<&'a Map<String, Value>>, Refusal> {
        let list = self.typed(name, Value::as_array)?.ok_or(Refusal::PARAMETER)?;
        list.iter().map(Value::as_object).collect::<Option<_>>().ok_or(Refusal::PARAMETER)
    }

    fn typed<T>(self, name: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or(Refusal::PARAMETER),
        }
    }
}
