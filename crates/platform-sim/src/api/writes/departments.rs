//! Departments are created, changed and deleted (reference wecom 3.3).

use serde::Serialize;

use super::{department_id, has_room, sort_value};
use crate::api::ApiOptions;
use crate::api::refusal::Refusal;
use crate::api::reply::{Nothing, good};
use crate::api::request::{Fields, Input};
use crate::{Company, ROOT};

/// Characters of a name or an English name.
const LONGEST_NAME: usize = 64;
const FORBIDDEN: &[char] = &['\\', ':', '*', '?', '"', '<', '>', '｜', '|'];

pub(in crate::api) fn create(
    company: &mut Company,
    options: &ApiOptions,
    input: &Input<'_>,
) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Created {
        id: u64,
    }
    let body = input.body()?;
    let name = body.text("name")?.ok_or_else(|| Refusal::of(60001)).and_then(checked_name)?;
    let name_en = body.text("name_en")?.map(checked_length).transpose()?;
    let parent = body.integer("parentid")?.and_then(department_id).ok_or_else(|| Refusal::of(60124))?.to_string();
    let chosen = chosen_id(body)?;
    let order = body.integer("order")?.map(sort_value).transpose()?;
    if company.department(&parent).is_none() {
        return Err(Refusal::of(60004));
    }
    if company.department_count() >= options.department_limit || !has_room(company, &parent, options.node_limit) {
        return Err(Refusal::of(81001));
    }
    let (id, _unheard) = company.silently(|company| company.add_department(chosen, name, &parent, order))?;
    if let Some(name_en) = name_en {
        company.set_name_en(&id, name_en);
    }
    good("created", Created { id: id.parse().unwrap_or_default() })
}

pub(in crate::api) fn update(company: &mut Company, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    let body = input.body()?;
    let id = body.integer("id")?.ok_or_else(|| Refusal::of(41019))?.to_string();
    if company.department(&id).is_none() {
        return Err(Refusal::of(60003));
    }
    let name = body.text("name")?.map(checked_name).transpose()?;
    let name_en = body.text("name_en")?.map(checked_length).transpose()?;
    let order = body.integer("order")?.map(sort_value).transpose()?;
    let parent = new_parent(company, body, &id)?;
    company.rewrite_department(&id, name, parent.as_deref(), order)?;
    if let Some(name_en) = name_en {
        company.set_name_en(&id, name_en);
    }
    good("updated", Nothing {})
}

pub(in crate::api) fn delete(company: &mut Company, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    let id = input.parameter("id").ok_or_else(|| Refusal::of(41019))?;
    if company.department(&id).is_none() {
        return Err(Refusal::of(60003));
    }
    if company.tree().has_children(&id) && id != ROOT {
        return Err(Refusal::of(60006));
    }
    company.silently(|company| company.remove_department(&id))?;
    good("deleted", Nothing {})
}

fn chosen_id(body: Fields<'_>) -> Result<Option<u64>, Refusal> {
    let Some(id) = body.integer("id")? else { return Ok(None) };
    // The root has 1.
    department_id(id).filter(|id| *id > 1).map(Some).ok_or_else(|| Refusal::of(60123))
}

/// `null` leaves it; 0 is refused for the root and for others (60124).
fn new_parent(company: &Company, body: Fields<'_>, id: &str) -> Result<Option<String>, Refusal> {
    let Some(parent) = body.integer("parentid")? else { return Ok(None) };
    let parent = department_id(parent).filter(|_parent| id != ROOT).ok_or_else(|| Refusal::of(60124))?.to_string();
    if company.department(&parent).is_none() {
        return Err(Refusal::of(60004));
    }
    Ok(Some(parent))
}

fn checked_name(name: &str) -> Result<&str, Refusal> {
    if name.contains(FORBIDDEN) { Err(Refusal::of(60009)) } else { checked_length(name) }
}

fn checked_length(name: &str) -> Result<&str, Refusal> {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if fits { Ok(name) } else { Err(Refusal::of(60001)) }
}
