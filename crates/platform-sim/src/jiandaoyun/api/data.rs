//! Records, one or many (reference jiandaoyun 5).

use serde_json::{Map, Value, json};

use super::LimitOutside;
use super::desk::{Good, View};
use super::filter::Filter;
use super::refusal::Refusal;
use super::request::{Fields, Input};
use crate::jiandaoyun::Forms;
use crate::jiandaoyun::forms::{Form, Look};

const DEFAULT_LIMIT: i64 = 10;
const MOST_RECORDS: i64 = 100;
/// These come along whatever is asked for.
const IDS: [&str; 3] = ["_id", "appId", "entryId"];
const SYSTEM_FIELDS: [&str; 7] =
    ["flowState", "creator", "updater", "deleter", "createTime", "updateTime", "deleteTime"];

pub(super) fn list(view: View<'_>, forms: &Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form(forms, input)?;
    let fields = input.fields()?;
    let limit = limit(fields, view.options.limit_outside)?;
    let filter = Filter::read(fields.value("filter"), form, forms.contacts(), view.options)?;
    let wanted = projection(fields, form, view.options.projects_system_fields)?;
    let look = if view.options.lean { Look::Lean } else { Look::Whole };
    let found = form.readable(fields.object_id("data_id")?, view.now_ms).filter(|record| filter.admits(record));
    let told = found.take(limit).map(|record| {
        let told = projected(forms.told(form, record, look), wanted.as_deref());
        if input.route.has_row_ids { told } else { without_row_ids(told) }
    });
    let records: Vec<Value> = told.collect();
    let rows = records.len();
    Ok(Good::rows(&json!({ "data": records }), rows))
}

pub(super) fn get(view: View<'_>, forms: &Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form(forms, input)?;
    let id = input.fields()?.needed_text("data_id")?;
    let record = form.readable_record(id, view.now_ms).ok_or(Refusal::Code(4001))?;
    let told = forms.told(form, record, Look::Whole);
    let told = if input.route.has_row_ids { told } else { without_row_ids(told) };
    Ok(Good::rows(&json!({ "data": told }), 1))
}

/// How many records a page has at most.
fn limit(fields: Fields<'_>, outside: LimitOutside) -> Result<usize, Refusal> {
    let limit = fields.whole("limit")?.unwrap_or(DEFAULT_LIMIT);
    let clamped = limit.clamp(1, MOST_RECORDS);
    if clamped != limit && outside == LimitOutside::Refuse {
        return Err(Refusal::PARAMETER);
    }
    Ok(usize::try_from(clamped).unwrap_or_default())
}

/// The fields that are asked for; `None` for all, also where not one of them exists.
fn projection<'a>(fields: Fields<'a>, form: &Form, with_system: bool) -> Result<Option<Vec<&'a str>>, Refusal> {
    let asked = fields.texts("fields")?.unwrap_or_default();
    let exists = |name: &&str| form.widget(name).is_some() || (with_system && SYSTEM_FIELDS.contains(name));
    let wanted: Vec<&str> = asked.into_iter().filter(exists).collect();
    Ok((!wanted.is_empty()).then_some(wanted))
}

fn projected(told: Value, wanted: Option<&[&str]>) -> Value {
    match (told, wanted) {
        (Value::Object(members), Some(wanted)) => {
            let stays = |name: &str| IDS.contains(&name) || wanted.contains(&name);
            let members: Map<String, Value> = members.into_iter().filter(|(name, _value)| stays(name)).collect();
            Value::Object(members)
        }
        (told, _) => told,
    }
}

/// As version 1 told rows of sub-forms.
fn without_row_ids(told: Value) -> Value {
    let row = |row: Value| match row {
        Value::Object(mut cells) => {
            cells.remove("_id");
            Value::Object(cells)
        }
        other => other,
    };
    match told {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match value {
                Value::Array(rows) => (name, rows.into_iter().map(row).collect()),
                other => (name, other),
            })
            .collect(),
        other => other,
    }
}
