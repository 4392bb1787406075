//! One approval by the new API. The answer holds neither its id nor its template, and times have minutes only.

use serde_json::{Map, Value, json};

use super::{LONGEST_ID, approvers, department_id, department_name, known, result};
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::options::Zulu;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Input;
use crate::dingtalk::{Component, Instance, Operation, Task, time};

const UNKNOWN: Refusal = Refusal::New { status: 400, code: "processInstanceNotExist" };
const NO_ID: Refusal = Refusal::New { status: 400, code: "processInstanceIdError" };

pub(in super::super) fn get(view: View<'_>, input: &Input<'_>) -> Result<Good, Refusal> {
    let id = input.parameter("processInstanceId").ok_or(Refusal::INVALID_NEW)?;
    if id.len() > LONGEST_ID || id.chars().any(char::is_whitespace) {
        return Err(NO_ID);
    }
    let instance = known(view, &id).ok_or(UNKNOWN)?;
    let moment = |at_ms| moment(view, at_ms);
    let mut details = json!({
        "title": instance.title,
        "createTime": moment(instance.created_ms),
        "originatorUserId": instance.originator,
        "originatorDeptId": department_id(instance),
        "originatorDeptName": department_name(view, instance),
        "status": instance.status.name(),
        "result": result(instance),
        "approverUserIds": approvers(instance),
        "ccUserIds": instance.cc,
        "businessId": instance.business_id,
        "bizAction": instance.action.name(),
        "attachedProcessInstanceIds": instance.attached,
        "formComponentValues": instance.form.iter().map(component).collect::<Vec<_>>(),
        "operationRecords": instance.operations.iter().map(|operation| row(view, operation)).collect::<Vec<_>>(),
        "tasks": instance.tasks.iter().map(|each| task(view, instance, each)).collect::<Vec<_>>(),
    });
    if let Value::Object(details) = &mut details {
        if let Some(finished_ms) = instance.finished_ms {
            details.insert("finishTime".to_owned(), Value::from(moment(finished_ms)));
        }
        if let Some(main) = &instance.main {
            details.insert("mainProcessInstanceId".to_owned(), Value::from(main.as_str()));
        }
    }
    Ok(Good::Result(json!({ "result": details, "success": "true" })))
}

fn component(component: &Component) -> Value {
    let texts = [
        ("id", &component.id),
        ("name", &component.name),
        ("value", &component.value),
        ("extValue", &component.ext_value),
        ("componentType", &component.component_type),
        ("bizAlias", &component.biz_alias),
    ];
    let told = texts.into_iter().filter(|(name, text)| *name == "value" || !text.is_empty());
    let told: Map<String, Value> = told.map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect();
    Value::Object(told)
}

fn row(view: View<'_>, operation: &Operation) -> Value {
    let mut row = json!({
        "userId": operation.userid,
        "date": moment(view, operation.at_ms),
        "type": operation.kind,
        "result": operation.result,
    });
    if !operation.remark.is_empty()
        && let Value::Object(row) = &mut row
    {
        row.insert("remark".to_owned(), Value::from(operation.remark.as_str()));
    }
    row
}

fn task(view: View<'_>, instance: &Instance, task: &Task) -> Value {
    let page = format!("?procInstId={}&taskId={}", instance.id, task.id);
    let mut row = json!({
        "taskId": task.id,
        "userId": task.userid,
        "status": task.state.status(),
        "result": task.state.result(),
        "createTime": moment(view, task.created_ms),
        "mobileUrl": format!("https://aflow.dingtalk.com/m{page}"),
        "pcUrl": format!("https://aflow.dingtalk.com/p{page}"),
        "processInstanceId": instance.id,
        "activityId": task.activity_id,
    });
    if let (Some(finished_ms), Value::Object(row)) = (task.finished_ms, &mut row) {
        row.insert("finishTime".to_owned(), Value::from(moment(view, finished_ms)));
    }
    row
}

/// Such as `2026-09-21T11:52Z`.
fn moment(view: View<'_>, at_ms: i64) -> String {
    match view.options.zulu {
        Zulu::Honest => time::zulu(at_ms),
        Zulu::Mislabelled => format!("{}Z", time::minute(at_ms).replace(' ', "T")),
    }
}
