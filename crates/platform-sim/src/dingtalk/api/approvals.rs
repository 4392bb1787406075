//! Approvals (reference dingtalk 4.6).

pub(super) mod ids;
pub(super) mod new;
pub(super) mod old;

use super::desk::View;
use crate::dingtalk::{Department, Instance, ROOT};

const LONGEST_ID: usize = 128;

/// An approval that the API knows by now and still.
fn known<'a>(view: View<'a>, id: &str) -> Option<&'a Instance> {
    view.company.instance(id).filter(|instance| is_known(view, instance))
}

fn is_known(view: View<'_>, instance: &Instance) -> bool {
    !instance.deleted && instance.readable_from_ms <= view.now_ms
}

/// The root is written as -1.
fn department_id(instance: &Instance) -> String {
    if instance.originator_department == ROOT { "-1".to_owned() } else { instance.originator_department.to_string() }
}

fn department_name(view: View<'_>, instance: &Instance) -> String {
    view.company.department(instance.originator_department).map(name).unwrap_or_default()
}

fn name(department: &Department) -> String {
    department.name.clone()
}

/// `agree` or `refuse`; empty while it is running, and where it was withdrawn.
fn result(instance: &Instance) -> &'static str {
    instance.result.map(|verdict| verdict.name()).unwrap_or_default()
}

/// Those who have a task.
fn approvers(instance: &Instance) -> Vec<&str> {
    instance.tasks.iter().map(|task| task.userid.as_str()).collect()
}
