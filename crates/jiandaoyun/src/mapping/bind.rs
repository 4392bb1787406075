//! A mapping and the form that it is for: names, types, and whether there is a workflow (reference jiandaoyun 4).

use super::{
    Mapping, Problem, Warning,
    conditions::Conditions,
    entry::Entry,
    finding::{Findings, shown},
    kinds::{Holds, led_to},
    path::Path,
    request::Request,
};
use crate::api::Widgets;

/// Fields that every form has.
const SYSTEM: [&str; 12] = [
    "_id",
    "appId",
    "entryId",
    "ext",
    "creator",
    "updater",
    "deleter",
    "createTime",
    "updateTime",
    "deleteTime",
    "flowState",
    "formName",
];

/// Fields that a form has which was opened to WeChat.
const WECHAT: [&str; 3] = ["wx_open_id", "wx_nickname", "wx_gender"];

/// Whether it is a field of the system, which `widget/list` does not list among the others.
fn is_system(name: &str) -> bool {
    SYSTEM.contains(&name) || WECHAT.contains(&name)
}

impl Mapping {
    /// Resolves names, by alias or widget id, and looks at types and at the workflow: at the start, and when the form was
    /// changed. Without it everything is taken as it is written.
    ///
    /// # Errors
    /// What does not fit: fields that the form does not have or that cannot be sent, a condition on the workflow of a form that
    /// has none.
    pub fn bind(&self, widgets: &Widgets) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let mut findings = Findings::default();
        let entries = self.request.entries.iter().map(|entry| bind_entry(entry, widgets, &mut findings)).collect();
        let conditions = self.bind_conditions(widgets, &mut findings);
        let status = self.request.status.as_ref().map(|status| status.bind(widgets, &mut findings));
        let fields = bind_fields(&self.fields, widgets, &mut findings);
        let request = Request { entries, id_check: self.request.id_check, status: status.flatten() };
        if let Some(status) = &request.status
            && request.uses(status.field())
        {
            let text = "the field that the status is written to must not be a part of the request";
            findings.refuse("status.field", "status_used", text);
        }
        let bound = Self { request, conditions, fields, has_flow: Some(widgets.has_flow), ..self.clone() };
        findings.finish(Some(bound))
    }

    fn bind_conditions(&self, widgets: &Widgets, findings: &mut Findings) -> Conditions {
        match (&self.conditions.approved, widgets.has_flow) {
            (Some(_), false) => {
                let text = "the form has no workflow, so nothing in it is ever approved";
                findings.refuse("source.filter", "no_workflow", text);
            }
            (None, true) => {
                let text = "only records whose workflow ran through to its end are taken: flowState eq 1";
                findings.warn("source.filter", "approval_implied", text);
            }
            _ => {}
        }
        let mut own = Vec::new();
        for condition in &self.conditions.own {
            if condition.is_of_system() {
                own.push(condition.clone());
                continue;
            }
            match widgets.find(&condition.field) {
                Some(widget) => own.extend(condition.bind(widget, &self.zone, findings)),
                None if is_system(&condition.field) => own.push(condition.clone()),
                None => unknown(&format!("{}.field", condition.at), &condition.field, findings),
            }
        }
        Conditions { approved: self.conditions.approved.clone(), rel: self.conditions.rel, own }
    }
}

fn bind_entry(entry: &Entry, widgets: &Widgets, findings: &mut Findings) -> Entry {
    for path in entry.template.paths() {
        look_at(entry, path, widgets, findings);
    }
    Entry { template: entry.template.bind(widgets), ..entry.clone() }
}

fn look_at(entry: &Entry, path: &Path, widgets: &Widgets, findings: &mut Findings) {
    let at = format!("{}.value", entry.at);
    let Some((_, widget)) = path.bind(widgets) else {
        if !is_system(path.head()) {
            unknown(&at, path.head(), findings);
        }
        return;
    };
    let kind = shown(&widget.kind);
    match led_to(path, widget) {
        None => {
            let text = format!("{path} leads nowhere in a field of type {kind}");
            findings.refuse(&at, "bad_path", text);
        }
        Some(Holds::Rows) => {
            let text = format!("{path} is a subform, a list of rows: name one of its fields, such as {path}.0.NAME");
            findings.refuse(&at, "unusable_kind", text);
        }
        Some(Holds::Nothing) => {
            findings.refuse(&at, "unusable_kind", format!("{path} is of type {kind}, of which nothing can be sent"));
        }
        Some(Holds::Moment) if entry.target.takes_text() && !entry.converts_moments() => {
            let text = format!("{path} is a moment in UTC: convert it, such as with \"convert\": [\"date\"]");
            findings.warn(&at, "moment_as_text", text);
        }
        Some(_) => {}
    }
}

/// The fields that are asked for beside the others. One that the form does not have is of no use, and of no harm.
fn bind_fields(fields: &[String], widgets: &Widgets, findings: &mut Findings) -> Vec<String> {
    let mut bound = Vec::new();
    for field in fields {
        match widgets.find(field) {
            Some(widget) => bound.push(widget.name.clone()),
            None if is_system(field) => bound.push(field.clone()),
            None => {
                let text = format!("the form has no field {}: it is not asked for", shown(field));
                findings.warn("source.fields", "unknown_name", text);
            }
        }
    }
    bound
}

fn unknown(at: &str, name: &str, findings: &mut Findings) {
    findings.refuse(at, "unknown_name", format!("the form has no field {}", shown(name)));
}
