//! Departments (reference wecom 3.3).

use std::collections::HashMap;

use serde::Serialize;

use super::number;
use crate::api::refusal::Refusal;
use crate::api::reply::good;
use crate::api::request::Input;
use crate::api::view::View;
use crate::{Company, Department, fold};

/// Member ids of leaders under ids of departments.
type Leaders<'a> = HashMap<&'a str, Vec<&'a str>>;

#[derive(Serialize)]
struct Row<'a> {
    id: u64,
    name: &'a str,
    name_en: &'a str,
    department_leader: &'a [&'a str],
    parentid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<u64>,
}

#[derive(Serialize)]
struct SimpleRow {
    id: u64,
    parentid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<u64>,
}

pub(in crate::api) fn list(company: &Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Departments<'a> {
        department: Vec<Row<'a>>,
    }
    let found = find(company, view, input.parameter("id").as_deref())?;
    let leaders = leaders(company, view, &found);
    good("ok", Departments { department: found.iter().map(|department| row(company, department, &leaders)).collect() })
}

pub(in crate::api) fn get(company: &Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct One<'a> {
        department: Row<'a>,
    }
    let id = input.parameter("id").ok_or_else(|| Refusal::of(41019))?;
    let department = visible(company, view, &id)?;
    let leaders = leaders(company, view, &[department]);
    good("ok", One { department: row(company, department, &leaders) })
}

pub(in crate::api) fn simple_list(company: &Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Departments {
        department_id: Vec<SimpleRow>,
    }
    let found = find(company, view, input.parameter("id").as_deref())?;
    let simple = |department: &&Department| SimpleRow {
        id: number(&department.id),
        parentid: parent(department),
        order: department.order,
    };
    good("ok", Departments { department_id: found.iter().map(simple).collect() })
}

/// A department that exists and is seen.
pub(super) fn visible<'a>(company: &'a Company, view: View<'_>, id: &str) -> Result<&'a Department, Refusal> {
    let department = company.department(id).filter(|_found| view.sees_department(company.tree(), id));
    department.ok_or_else(|| view.no_department(id))
}

/// All that is seen; with an id, that department and all below it. In no order to rely on.
fn find<'a>(company: &'a Company, view: View<'_>, id: Option<&str>) -> Result<Vec<&'a Department>, Refusal> {
    let tree = company.tree();
    let Some(id) = id else {
        return Ok(tree.all().values().filter(|department| view.sees_department(tree, &department.id)).collect());
    };
    let mut pending = vec![visible(company, view, id)?];
    let mut found = Vec::new();
    while let Some(department) = pending.pop() {
        pending.extend(tree.children(&department.id));
        found.push(department);
    }
    Ok(found)
}

/// Those who lead these departments and are seen. For the whole company it is cheaper to go through its members once.
fn leaders<'a>(company: &'a Company, view: View<'_>, departments: &[&'a Department]) -> Leaders<'a> {
    let (tree, roster) = (company.tree(), company.roster());
    let mut leaders = Leaders::new();
    if departments.len() == tree.all().len() {
        for (key, member) in roster.all() {
            if !member.leads.is_empty() && view.sees_member(tree, key, member) {
                for led in &member.leads {
                    leaders.entry(led).or_default().push(&member.id);
                }
            }
        }
        return leaders;
    }
    for department in departments {
        let within = roster.members_of(&department.id);
        let leading = within.iter().filter_map(|id| roster.get(id)).filter(|member| {
            member.leads.contains(&department.id) && view.sees_member(tree, &fold(&member.id), member)
        });
        leaders.entry(&department.id).or_default().extend(leading.map(|member| member.id.as_str()));
    }
    leaders
}

fn row<'a>(company: &'a Company, department: &'a Department, leaders: &'a Leaders<'a>) -> Row<'a> {
    Row {
        id: number(&department.id),
        name: &department.name,
        name_en: company.name_en(&department.id),
        department_leader: leaders.get(department.id.as_str()).map(Vec::as_slice).unwrap_or_default(),
        parentid: parent(department),
        order: department.order,
    }
}

/// The root's is 0.
fn parent(department: &Department) -> u64 {
    department.parent.as_deref().map(number).unwrap_or_default()
}
