//! Events of approvals (reference dingtalk 3.3 and 3.4). They say that something happened to an instance; what it is now is in its
//! details. That it finished does not say that it was agreed to.

use common::{EntityKind, Field, Fields, UnixMillis, Value, What};

use super::{Fact, Meaning, PassedOn, canonical, is_entity_id, notice::Notice};

/// What it means; `None` when it is about no instance, or does not say which.
pub(super) fn meaning(notice: &Notice<'_>, now: UnixMillis) -> Option<Meaning> {
    let id = notice.body.text("processinstanceid").filter(|id| is_entity_id(id))?;
    let (what, content) = match notice.name.as_str() {
        "bpms_instance_change" => (instance(notice), instance_content(notice, &id)),
        "bpms_task_change" => (template(notice), task_content(notice, &id)),
        "attendance_approve_status_change" => {
            let status = word(notice, "status");
            let what = if status == "delete" { What::Removed } else { template(notice) };
            (what, canonical::of(&[&notice.name, &id, &status]))
        }
        _ => return None,
    };
    // The time of an event is not in every shape, nor in every fact's content.
    let key_at = UnixMillis::default();
    // Of one that is gone, too, somebody has to look after the days to which it applied.
    let fact = Fact {
        kind: EntityKind::Approval,
        id,
        at: at(notice, now),
        what,
        hint: true,
        content: content.clone(),
        key_at,
    };
    Some(Meaning { facts: vec![fact], passed_on: Some(PassedOn { content, key_at }) })
}

/// When it happened. The oldest dialect has no time of the event; an instance's beginning would be too early for anything but a start.
fn at(notice: &Notice<'_>, now: UnixMillis) -> UnixMillis {
    let is_start = word(notice, "type") == "start";
    let began = || notice.body.time("createtime").filter(|_| is_start);
    notice.born.or_else(|| notice.body.time("finishtime")).or_else(began).unwrap_or(now)
}

/// Who started it is told by its details: where the directory is another platform's, that is to be found out first.
fn instance(notice: &Notice<'_>) -> What {
    if word(notice, "type") == "delete" {
        return What::Removed;
    }
    let body = &notice.body;
    let mut fields = template_fields(notice);
    let told = [
        (Field::Subject, body.text("title").map(Value::Text)),
        (Field::StartedAt, body.time("createtime").map(|at| Value::Number(at.0))),
        (Field::FinishedAt, body.time("finishtime").map(|at| Value::Number(at.0))),
    ];
    for (field, value) in told {
        if let Some(value) = value {
            fields.set(field, value);
        }
    }
    What::Updated { fields }
}

/// Of a task nothing is told but which sort of approval it is in: its title, times and person are its own.
fn template(notice: &Notice<'_>) -> What {
    What::Updated { fields: template_fields(notice) }
}

fn template_fields(notice: &Notice<'_>) -> Fields {
    let mut fields = Fields::new();
    if let Some(code) = notice.body.text("processcode") {
        fields.set(Field::Template, code);
    }
    fields
}

/// An instance starts, finishes and ends once. Its times are left out: the list of failed pushes does not have them.
fn instance_content(notice: &Notice<'_>, id: &str) -> String {
    canonical::of(&[&notice.name, id, &word(notice, "type"), &word(notice, "result")])
}

/// A task starts and finishes once, so it needs no time either; a comment can be made again, and in old samples a task has no id.
fn task_content(notice: &Notice<'_>, id: &str) -> String {
    let [kind, result, task] = ["type", "result", "taskid"].map(|name| word(notice, name));
    let is_once = kind != "comment" && !task.is_empty();
    if is_once {
        return canonical::of(&[&notice.name, id, &task, &kind, &result]);
    }
    let [person, remark] = ["staffid", "remark"].map(|name| word(notice, name));
    let when = notice.born.or_else(|| notice.body.time("finishtime")).or_else(|| notice.body.time("createtime"));
    let when = when.map(|at| at.0.to_string()).unwrap_or_default();
    canonical::of(&[&notice.name, id, &task, &kind, &result, &person, &remark, &when])
}

fn word(notice: &Notice<'_>, name: &str) -> String {
    notice.body.text(name).unwrap_or_default()
}
