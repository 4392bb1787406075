//! What is written through the API (reference jiandaoyun 9).

use serde_json::{Map, Value, json};

use super::desk::{Good, View};
use super::refusal::Refusal;
use super::request::{Fields, Input};
use crate::jiandaoyun::forms::{Author, Form, Look};
use crate::jiandaoyun::{FormId, Forms, Kind};

/// Records of one call.
const MOST_RECORDS: usize = 100;

pub(super) fn create(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form_id(forms, input)?;
    let fields = input.fields()?;
    let ids = forms.write_new(&form, &[fields.object("data")?], &author(fields)?, None)?;
    let id = ids.first().ok_or(Refusal::Code(4000))?;
    told(forms, &form, id)
}

pub(super) fn batch_create(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form_id(forms, input)?;
    let fields = input.fields()?;
    let records = fields.objects("data_list")?;
    if records.len() > MOST_RECORDS {
        return Err(Refusal::Code(17024));
    }
    let ids = forms.write_new(&form, &records, &author(fields)?, transaction(fields)?)?;
    Ok(Good::new(&json!({ "status": "success", "success_count": ids.len(), "success_ids": ids })))
}

pub(super) fn update(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form_id(forms, input)?;
    let fields = input.fields()?;
    let id = known(view, forms, &form, fields.needed_text("data_id")?)?;
    fields.flag("is_start_trigger")?;
    forms.write_over(&form, id, fields.object("data")?)?;
    told(forms, &form, id)
}

pub(super) fn batch_update(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form_id(forms, input)?;
    let fields = input.fields()?;
    let ids = many(fields, 17023)?;
    let data = fields.object("data")?;
    if names_subform(forms, &form, data) {
        return Err(Refusal::Code(17032));
    }
    let mut changed = 0_usize;
    for id in ids {
        if known(view, forms, &form, id).is_ok() {
            forms.write_over(&form, id, data)?;
            changed += 1;
        }
    }
    Ok(Good::new(&json!({ "status": "success", "success_count": changed })))
}

pub(super) fn delete(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form_id(forms, input)?;
    let id = known(view, forms, &form, input.fields()?.needed_text("data_id")?)?;
    forms.write_off(&form, id)?;
    Ok(Good::new(&json!({ "status": "success" })))
}

pub(super) fn batch_delete(view: View<'_>, forms: &mut Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form_id(forms, input)?;
    let ids = many(input.fields()?, 17033)?;
    let known: Vec<&str> = ids.into_iter().filter(|id| known(view, forms, &form, id).is_ok()).collect();
    for id in &known {
        forms.write_off(&form, id)?;
    }
    Ok(Good::new(&json!({ "status": "success", "success_count": known.len() })))
}

fn author(fields: Fields<'_>) -> Result<Author<'_>, Refusal> {
    fields.flag("is_start_trigger")?;
    Ok(Author { username: fields.text("data_creator")?, starts_workflow: fields.flag("is_start_workflow")? })
}

/// The id under which a batch can be sent once more; an empty one is malformed.
fn transaction(fields: Fields<'_>) -> Result<Option<&str>, Refusal> {
    match fields.value("transaction_id").map(Value::as_str) {
        None => Ok(None),
        Some(Some(id)) if !id.is_empty() => Ok(Some(id)),
        Some(_) => Err(Refusal::Code(17025)),
    }
}

/// A record that can be read and was not deleted meanwhile.
fn known<'a>(view: View<'_>, forms: &Forms, form: &FormId, id: &'a str) -> Result<&'a str, Refusal> {
    let readable = forms.form(form).and_then(|form| form.readable_record(id, view.now_ms)).is_some();
    if readable && forms.record(form, id).is_some() { Ok(id) } else { Err(Refusal::Code(4001)) }
}

fn many(fields: Fields<'_>, too_many: i64) -> Result<Vec<&str>, Refusal> {
    let ids = fields.texts("data_ids")?.ok_or(Refusal::PARAMETER)?;
    if ids.len() > MOST_RECORDS { Err(Refusal::Code(too_many)) } else { Ok(ids) }
}

/// Sub-forms cannot be set for many records at once.
fn names_subform(forms: &Forms, form: &FormId, data: &Map<String, Value>) -> bool {
    let is_subform = |form: &Form, name: &str| form.widget(name).is_some_and(|widget| widget.kind == Kind::Subform);
    forms.form(form).is_some_and(|form| data.keys().any(|name| is_subform(form, name)))
}

/// A record as it is now, though nobody may be able to read it yet.
fn told(forms: &Forms, form: &FormId, id: &str) -> Result<Good, Refusal> {
    let record = forms.record(form, id).ok_or(Refusal::Code(4001))?;
    let form = forms.form(form).ok_or(Refusal::Code(3000))?;
    Ok(Good::rows(&json!({ "data": forms.told(form, record, Look::Whole) }), 1))
}
