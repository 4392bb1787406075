//! Departments (reference dingtalk 4.4).

use serde_json::{Value, json};

use super::{check_language, known, visible};
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{Department, Member, ROOT};

/// The departments one level below that are in the app's scope.
pub(in super::super) fn list_sub(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    check_language(fields)?;
    let below = children(view, asked(fields)?)?;
    let row = |department: &Department| {
        json!({
            "dept_id": department.id,
            "name": department.name,
            "parent_id": department.parent,
            "create_dept_group": false,
            "auto_add_user": false,
        })
    };
    Ok(Good::Result(below.into_iter().map(row).collect()))
}

pub(in super::super) fn list_sub_id(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let below = children(view, fields.needed("dept_id", Refusal::INVALID)?)?;
    let ids: Vec<i64> = below.into_iter().map(|department| department.id).collect();
    Ok(Good::Result(json!({ "dept_id_list": ids })))
}

pub(in super::super) fn get(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    check_language(fields)?;
    let department = visible(view, fields.needed("dept_id", Refusal::INVALID)?)?;
    let mut details = json!({
        "dept_id": department.id,
        "name": department.name,
        "order": department.order,
        "dept_manager_userid_list": department.managers,
        "group_contain_sub_dept": false,
        "create_dept_group": false,
        "auto_add_user": false,
        "auto_approve_apply": false,
        "hide_dept": department.hidden,
        "outer_dept": false,
        "from_union_org": false,
        "member_count": members_below(view, department.id),
        "owning_member_count": view.company.members().values().filter(|member| is_in(member, department.id)).count(),
    });
    if let Value::Object(details) = &mut details {
        // The root has none.
        if let Some(parent) = department.parent {
            details.insert("parent_id".to_owned(), Value::from(parent));
        }
        if department.hidden {
            details.insert("dept_permits".to_owned(), json!([]));
            details.insert("user_permits".to_owned(), json!([]));
        }
    }
    Ok(Good::Result(details))
}

/// The department first, the root last; whatever the app's scope is.
pub(in super::super) fn list_parents(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let department = known(view, fields.needed("dept_id", Refusal::INVALID)?)?;
    Ok(Good::Result(json!({ "parent_id_list": chain(view, department.id) })))
}

pub(in super::super) fn list_parents_of_user(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let member = super::users::visible(view, fields.text("userid").ok_or(Refusal::INVALID)?)?;
    let chains = member.departments().map(|id| json!({ "parent_dept_id_list": chain(view, id) }));
    Ok(Good::Result(json!({ "parent_list": chains.collect::<Vec<_>>() })))
}

pub(super) fn is_in(member: &Member, department: i64) -> bool {
    member.departments().any(|id| id == department)
}

fn asked(fields: Fields<'_>) -> Result<i64, Refusal> {
    Ok(fields.whole("dept_id", Refusal::INVALID)?.unwrap_or(ROOT))
}

fn children(view: View<'_>, id: i64) -> Result<Vec<&Department>, Refusal> {
    let parent = visible(view, id)?.id;
    let below = |department: &&Department| {
        department.parent == Some(parent) && department.in_scope && department.readable_from_ms <= view.now_ms
    };
    let mut children: Vec<_> = view.company.departments().values().filter(below).collect();
    children.sort_by_key(|department| (department.order, department.id));
    Ok(children)
}

/// A department and those above it, up to the root.
fn chain(view: View<'_>, id: i64) -> Vec<i64> {
    let above = |id: &i64| view.company.department(*id).and_then(|department| department.parent);
    std::iter::successors(Some(id), above).collect()
}

fn members_below(view: View<'_>, id: i64) -> usize {
    let below = |department| chain(view, department).contains(&id);
    view.company.members().values().filter(|member| member.departments().any(below)).count()
}
