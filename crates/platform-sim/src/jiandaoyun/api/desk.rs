//! Which work a call is.

use serde_json::Value;

use super::refusal::Refusal;
use super::request::Input;
use super::{ApiKey, ApiOptions, Interface, data, lists, writes};
use crate::jiandaoyun::forms::Form;
use crate::jiandaoyun::{FormId, Forms};

/// A good answer.
#[derive(Clone)]
pub(super) struct Good {
    pub(super) body: Vec<u8>,
    /// How many records it holds.
    pub(super) rows: usize,
}

impl Good {
    pub(super) fn new(body: &Value) -> Self {
        Self::rows(body, 0)
    }

    pub(super) fn rows(body: &Value, rows: usize) -> Self {
        Self { body: body.to_string().into_bytes(), rows }
    }
}

/// What a call may see.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) options: &'a ApiOptions,
    pub(super) key: &'a ApiKey,
    pub(super) now_ms: i64,
}

impl View<'_> {
    /// Whether the key was given an application.
    pub(super) fn sees_app(self, app: &str) -> bool {
        self.key.apps.as_ref().is_none_or(|apps| apps.contains(app))
    }

    /// An application that a call names.
    pub(super) fn app(self, forms: &Forms, app: &str) -> Result<(), Refusal> {
        if !forms.apps().contains_key(app) {
            return Err(Refusal::Code(2004));
        }
        if self.sees_app(app) { Ok(()) } else { Err(Refusal::Code(17053)) }
    }

    /// The form that a call names, in its path or in its body.
    pub(super) fn form_id(self, forms: &Forms, input: &Input<'_>) -> Result<FormId, Refusal> {
        let fields = input.fields()?;
        let id = match &input.route.form {
            Some(id) => id.clone(),
            None => FormId::new(fields.needed_text("app_id")?, fields.needed_text("entry_id")?),
        };
        self.app(forms, &id.app)?;
        if forms.form(&id).is_some() { Ok(id) } else { Err(Refusal::Code(3000)) }
    }

    pub(super) fn form<'f>(self, forms: &'f Forms, input: &Input<'_>) -> Result<&'f Form, Refusal> {
        let id = self.form_id(forms, input)?;
        forms.form(&id).ok_or(Refusal::Code(3000))
    }
}

/// Does what a call asks for.
pub(super) fn work(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    match input.route.interface {
        Interface::AppList => lists::apps(view, forms, input),
        Interface::FormList => lists::forms(view, forms, input),
        Interface::WidgetList | Interface::OldWidgetList => lists::widgets(view, forms, input),
        Interface::DataList | Interface::OldDataList => data::list(view, forms, input),
        Interface::DataGet | Interface::OldDataGet => data::get(view, forms, input),
        Interface::DataCreate => writes::create(view, forms, input),
        Interface::DataUpdate => writes::update(view, forms, input),
        Interface::DataDelete => writes::delete(view, forms, input),
        Interface::DataBatchCreate => writes::batch_create(view, forms, input),
        Interface::DataBatchUpdate => writes::batch_update(view, forms, input),
        Interface::DataBatchDelete => writes::batch_delete(view, forms, input),
    }
}
