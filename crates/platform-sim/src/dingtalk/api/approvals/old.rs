//! One approval by the old API.

use serde_json::{Map, Value, json};

use super::{approvers, department_id, department_name, known, result};
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{Component, Operation, Task, time};

/// The code for one that does not exist is not documented.
const UNKNOWN: Refusal = Refusal::Old(820_001);

pub(in super::super) fn get(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let id = fields.text("process_instance_id").ok_or(Refusal::INVALID)?;
    let instance = known(view, id).ok_or(UNKNOWN)?;
    let mut details = json!({
        "title": instance.title,
        "create_time": time::wall(instance.created_ms),
        "originator_userid": instance.originator,
        "originator_dept_id": department_id(instance),
        "originator_dept_name": department_name(view, instance),
        "status": instance.status.name(),
        "result": result(instance),
        "business_id": instance.business_id,
        "biz_action": instance.action.name(),
        "attached_process_instance_ids": instance.attached,
        "approver_userids": approvers(instance),
        "cc_userids": instance.cc,
        "form_component_values": instance.form.iter().map(component).collect::<Vec<_>>(),
        "operation_records": instance.operations.iter().map(operation).collect::<Vec<_>>(),
        "tasks": instance.tasks.iter().map(task).collect::<Vec<_>>(),
    });
    if let Value::Object(details) = &mut details {
        if let Some(finished_ms) = instance.finished_ms {
            details.insert("finish_time".to_owned(), Value::from(time::wall(finished_ms)));
        }
        if let Some(main) = &instance.main {
            details.insert("main_process_instance_id".to_owned(), Value::from(main.as_str()));
        }
    }
    Ok(Good::beside(json!({ "process_instance": details })))
}

/// The old API knows no business aliases.
fn component(component: &Component) -> Value {
    let texts = [
        ("id", &component.id),
        ("name", &component.name),
        ("value", &component.value),
        ("ext_value", &component.ext_value),
        ("component_type", &component.component_type),
    ];
    let told = texts.into_iter().filter(|(name, text)| *name == "value" || !text.is_empty());
    let told: Map<String, Value> = told.map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect();
    Value::Object(told)
}

fn operation(operation: &Operation) -> Value {
    let mut row = json!({
        "userid": operation.userid,
        "date": time::wall(operation.at_ms),
        "operation_type": operation.kind,
        "operation_result": operation.result,
    });
    if !operation.remark.is_empty()
        && let Value::Object(row) = &mut row
    {
        row.insert("remark".to_owned(), Value::from(operation.remark.as_str()));
    }
    row
}

fn task(task: &Task) -> Value {
    let mut row = json!({
        "taskid": task.id.to_string(),
        "userid": task.userid,
        "task_status": task.state.status(),
        "task_result": task.state.result(),
        "create_time": time::wall(task.created_ms),
        "activity_id": task.activity_id,
        "url": format!("https://aflow.dingtalk.com/x?taskId={}", task.id),
    });
    if let (Some(finished_ms), Value::Object(row)) = (task.finished_ms, &mut row) {
        row.insert("finish_time".to_owned(), Value::from(time::wall(finished_ms)));
    }
    row
}
