//! Applications, forms and fields (reference jiandaoyun 4).

use serde_json::{Value, json};

use super::desk::{Good, View};
use super::refusal::Refusal;
use super::request::{Fields, Input};
use crate::jiandaoyun::time::iso;
use crate::jiandaoyun::{FormId, Forms, Widget};

pub(super) fn apps(view: View<'_>, forms: &Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let (skip, limit) = page(input.fields()?)?;
    let seen = forms.apps().iter().filter(|(id, _name)| view.sees_app(id)).skip(skip).take(limit);
    let apps: Vec<Value> = seen.map(|(id, name)| json!({ "name": name, "app_id": id })).collect();
    Ok(Good::new(&json!({ "apps": apps })))
}

pub(super) fn forms(view: View<'_>, forms: &Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let fields = input.fields()?;
    let (skip, limit) = page(fields)?;
    let app = fields.needed_text("app_id")?;
    view.app(forms, app)?;
    let row = |id: &FormId, name: &str| json!({ "name": name, "app_id": id.app, "entry_id": id.entry });
    let forms: Vec<Value> = forms.forms_of(app).skip(skip).take(limit).map(|form| row(&form.id, &form.name)).collect();
    Ok(Good::new(&json!({ "forms": forms })))
}

pub(super) fn widgets(view: View<'_>, forms: &Forms, input: &Input<'_>) -> Result<Good, Refusal> {
    let form = view.form(forms, input)?;
    let system = [
        "creator",
        "updater",
        "deleter",
        "ext",
        "createTime",
        "updateTime",
        "deleteTime",
        "wx_open_id",
        "wx_nickname",
        "wx_gender",
    ];
    let flow_state = form.workflow.then_some("flowState");
    let named = |name: &str| json!({ "name": name });
    Ok(Good::new(&json!({
        "widgets": form.widgets.iter().map(widget).collect::<Vec<_>>(),
        "sysWidgets": flow_state.into_iter().chain(system).map(named).collect::<Vec<_>>(),
        "dataModifyTime": iso(form.modified_ms(view.now_ms)),
    })))
}

fn widget(widget: &Widget) -> Value {
    let mut row =
        json!({ "name": widget.name(), "widgetName": widget.id, "label": widget.label, "type": widget.kind.name() });
    if let Value::Object(row) = &mut row
        && !widget.items.is_empty()
    {
        row.insert("items".to_owned(), widget.items.iter().map(self::widget).collect());
    }
    row
}

/// How many to skip, and how many to tell.
fn page(fields: Fields<'_>) -> Result<(usize, usize), Refusal> {
    let within = |number: i64, most: i64| usize::try_from(number).ok().filter(|_number| number <= most);
    let skip = within(fields.whole("skip")?.unwrap_or(0), i64::MAX).ok_or(Refusal::PARAMETER)?;
    let limit = within(fields.whole("limit")?.unwrap_or(100), 100).ok_or(Refusal::PARAMETER)?;
    if limit == 0 { Err(Refusal::PARAMETER) } else { Ok((skip, limit)) }
}
