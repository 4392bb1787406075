//! Members are created, changed and deleted (reference wecom 3.4).

use std::collections::HashSet;

use serde::Serialize;

use super::has_room;
use super::member_fields::MemberFields;
use crate::api::ApiOptions;
use crate::api::options::UnknownDepartment;
use crate::api::refusal::Refusal;
use crate::api::reply::{Nothing, good};
use crate::api::request::Input;
use crate::{Company, Member, ROOT, Status, fold};

/// Where members are put who name no department, and below it a department for each id that does not exist.
const TO_BE_PLACED: &str = "其他（待设置部门）";

#[derive(Serialize)]
struct Created {
    created_department_list: Departments,
}

#[derive(Serialize)]
struct Departments {
    department_info: Vec<Placeholder>,
}

/// A department that was created because somebody is in it.
#[derive(Serialize)]
struct Placeholder {
    name: String,
    id: u64,
}

pub(in crate::api) fn create(
    company: &mut Company,
    options: &ApiOptions,
    input: &Input<'_>,
) -> Result<Vec<u8>, Refusal> {
    let body = input.body()?;
    let id = body.text("userid")?.ok_or_else(|| Refusal::of(41009)).and_then(checked_id)?;
    let fields = MemberFields::read(body, options)?;
    if company.member(id).is_some() {
        return Err(Refusal::of(60102));
    }
    let name = fields.name.ok_or_else(|| Refusal::of(60112))?.to_owned();
    let blank = Member { id: id.to_owned(), name, status: Status::Inactive, ..Member::default() };
    let places = Places::read(&fields, &[])?;
    let mut member = edited(&blank, &fields);
    places.fill(&mut member, &fields)?;
    sound(company, &mut member)?;
    unique_biz_mail(company, id, &fields)?;
    if options.account_limit.is_some_and(|limit| company.member_count() >= limit) {
        return Err(Refusal::of(45024));
    }
    if places.0.iter().any(|place| !has_room(company, &place.department, options.node_limit)) {
        return Err(Refusal::of(81001));
    }
    let department_info = company.silently(|company| settle(company, &mut member))?;
    company.silently(|company| company.create_member(member))?;
    keep_card(company, id, &fields, &places);
    good("created", Created { created_department_list: Departments { department_info } })
}

pub(in crate::api) fn update(
    company: &mut Company,
    options: &ApiOptions,
    input: &Input<'_>,
) -> Result<Vec<u8>, Refusal> {
    let body = input.body()?;
    let id = body.text("userid")?.ok_or_else(|| Refusal::of(41009))?;
    let before = company.member(id).cloned().ok_or_else(|| Refusal::of(60111))?;
    let fields = MemberFields::read(body, options)?;
    let new_id = body.text("new_userid")?.map(checked_id).transpose()?;
    let mut member = edited(&before, &fields);
    if before.status == Status::Active {
        // Whoever has activated the account keeps the number; the call succeeds (reference wecom 3.4).
        member.mobile.clone_from(&before.mobile);
    }
    let current: Vec<u64> = before.departments.iter().filter_map(|id| id.parse().ok()).collect();
    let places = Places::read(&fields, &current)?;
    places.fill(&mut member, &fields)?;
    sound(company, &mut member)?;
    unique_biz_mail(company, id, &fields)?;
    let unknown = member.departments.iter().any(|id| company.department(id).is_none());
    match options.unknown_department {
        UnknownDepartment::Invalid if unknown => return Err(Refusal::of(60123)),
        UnknownDepartment::NotFound if unknown => return Err(Refusal::of(60003)),
        _ => {}
    }
    let joined = |place: &&Place| !before.departments.contains(&place.department);
    if places.0.iter().filter(joined).any(|place| !has_room(company, &place.department, options.node_limit)) {
        return Err(Refusal::of(81001));
    }
    if let Some(new_id) = new_id {
        rename(company, &before, new_id)?;
    }
    let id = new_id.unwrap_or(&before.id);
    company.silently(|company| settle(company, &mut member))?;
    company.silently(|company| company.update_member(id, |kept| *kept = member))?;
    keep_card(company, id, &fields, &places);
    good("updated", Nothing {})
}

pub(in crate::api) fn delete(
    company: &mut Company,
    options: &ApiOptions,
    input: &Input<'_>,
) -> Result<Vec<u8>, Refusal> {
    let id = input.parameter("userid").ok_or_else(|| Refusal::of(41009))?;
    if company.member(&id).is_none() {
        return Err(Refusal::of(60111));
    }
    if options.creator.as_ref().is_some_and(|creator| fold(creator) == fold(&id)) {
        return Err(Refusal::of(301_005));
    }
    company.silently(|company| company.remove_member(&id))?;
    good("deleted", Nothing {})
}

/// 1 to 64 bytes: letters, digits and `_-@.`, the first a letter or digit.
fn checked_id(id: &str) -> Result<&str, Refusal> {
    let is_valid = (1..=64).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte));
    if is_valid { Ok(id) } else { Err(Refusal::of(40003)) }
}

/// Only an id that the system made up can be changed, and once (301036).
fn rename(company: &mut Company, member: &Member, new_id: &str) -> Result<(), Refusal> {
    if !member.id.starts_with("wo") {
        return Err(Refusal::of(301_036));
    }
    company.silently(|company| company.rename_member(&member.id, new_id))?;
    Ok(())
}

/// The member with what was posted, departments apart.
fn edited(member: &Member, fields: &MemberFields<'_>) -> Member {
    let mut member = member.clone();
    let set = |text: &mut String, posted: Option<&str>| {
        if let Some(posted) = posted {
            posted.clone_into(text);
        }
    };
    set(&mut member.name, fields.name);
    set(&mut member.title, fields.title);
    set(&mut member.mobile, fields.mobile.as_deref());
    set(&mut member.email, fields.email);
    if let Some(leaders) = &fields.leaders {
        member.leaders = leaders.iter().map(|id| (*id).to_owned()).collect();
    }
    member.gender = fields.gender.unwrap_or(member.gender);
    member.status = match fields.enabled {
        Some(false) => Status::Disabled,
        Some(true) if member.status == Status::Disabled => Status::Inactive,
        _ => member.status,
    };
    member.attributes.extend(fields.attributes.clone());
    member
}

/// What must be so of a member, whether it is new or not. Leaders are named as they show.
fn sound(company: &mut Company, member: &mut Member) -> Result<(), Refusal> {
    if member.mobile.is_empty() && member.email.is_empty() {
        return Err(Refusal::of(60129));
    }
    let key = fold(&member.id);
    for (contact, code, what) in [(&member.mobile, 60104, "mobile"), (&member.email, 60106, "email")] {
        if let Some(holder) = company.holder_of(contact).filter(|holder| fold(&holder.id) != key) {
            return Err(Refusal::saying(code, format!("{what} existed:{}", holder.id)));
        }
    }
    for leader in &mut member.leaders {
        let found = company.member(leader).filter(|found| fold(&found.id) != key);
        leader.clone_from(&found.ok_or_else(|| Refusal::of(40031))?.id);
    }
    Ok(())
}

/// Nobody else may have the posted business mail address (60145).
fn unique_biz_mail(company: &Company, id: &str, fields: &MemberFields<'_>) -> Result<(), Refusal> {
    let posted = fields.biz_mail.filter(|address| !address.is_empty());
    let holder = posted.and_then(|address| company.holder_of_biz_mail(address));
    if holder.is_some_and(|holder| holder != fold(id)) { Err(Refusal::of(60145)) } else { Ok(()) }
}

/// The departments of a member, each with what was posted for it.
struct Places(Vec<Place>);

struct Place {
    department: String,
    order: Option<u64>,
    leads: Option<bool>,
}

impl Places {
    /// Posted or current departments; lists of the same length say more about each. 0 is none of them.
    fn read(fields: &MemberFields<'_>, current: &[u64]) -> Result<Self, Refusal> {
        let departments = fields.departments.as_deref().unwrap_or(current);
        if fields.orders.as_ref().is_some_and(|orders| orders.len() != departments.len()) {
            return Err(Refusal::of(40032));
        }
        if fields.leads.as_ref().is_some_and(|leads| leads.len() != departments.len()) {
            return Err(Refusal::of(60132));
        }
        let mut seen = HashSet::new();
        let places = departments.iter().enumerate().filter(|(_, id)| **id != 0 && seen.insert(**id));
        let place = |(index, id): (usize, &u64)| Place {
            department: id.to_string(),
            order: fields.orders.as_ref().and_then(|orders| orders.get(index)).copied(),
            leads: fields.leads.as_ref().and_then(|leads| leads.get(index)).copied(),
        };
        Ok(Self(places.map(place).collect()))
    }

    /// Puts the member there. What was not posted stays as far as it can; the main department is one of its own.
    fn fill(&self, member: &mut Member, fields: &MemberFields<'_>) -> Result<(), Refusal> {
        let led = |place: &&Place| place.leads.unwrap_or_else(|| member.leads.contains(&place.department));
        member.leads = self.0.iter().filter(led).map(|place| place.department.clone()).collect();
        member.departments = self.0.iter().map(|place| place.department.clone()).collect();
        let is_own = |id: &String| member.departments.contains(id);
        if let Some(main) = &fields.main_department {
            if !is_own(main) {
                return Err(Refusal::of(60123));
            }
            member.main_department = Some(main.clone());
        } else if !member.main_department.as_ref().is_some_and(is_own) {
            member.main_department = member.departments.first().cloned();
        }
        Ok(())
    }
}

/// Creates the departments that the member is in and that do not exist; one for all who are in none.
fn settle(company: &mut Company, member: &mut Member) -> Result<Vec<Placeholder>, Refusal> {
    if member.departments.is_empty() {
        let id = to_be_placed(company)?;
        member.departments.push(id.clone());
        member.main_department = Some(id);
        return Ok(Vec::new());
    }
    let unknown: Vec<&String> = member.departments.iter().filter(|id| company.department(id).is_none()).collect();
    let mut placeholders = Vec::with_capacity(unknown.len());
    for number in unknown.into_iter().filter_map(|id| id.parse::<u64>().ok()) {
        let parent = to_be_placed(company)?;
        let name = format!("待设置部门{number}");
        company.add_department(Some(number), &name, &parent, None)?;
        placeholders.push(Placeholder { name, id: number });
    }
    Ok(placeholders)
}

fn to_be_placed(company: &mut Company) -> Result<String, Refusal> {
    let found = company.tree().children(ROOT).find(|department| department.name == TO_BE_PLACED);
    if let Some(found) = found {
        return Ok(found.id.clone());
    }
    let (id, _unheard) = company.add_department(None, TO_BE_PLACED, ROOT, None)?;
    Ok(id)
}

/// Keeps what stands on no callback.
fn keep_card(company: &mut Company, id: &str, fields: &MemberFields<'_>, places: &Places) {
    let orders = places.0.iter().filter_map(|place| Some((place.department.clone(), place.order?)));
    let orders: Vec<(String, u64)> = orders.collect();
    let texts = [fields.alias, fields.telephone, fields.address, fields.biz_mail];
    if orders.is_empty() && texts.iter().all(Option::is_none) {
        return;
    }
    let card = company.card_mut(id);
    card.orders.extend(orders);
    let kept = [&mut card.alias, &mut card.telephone, &mut card.address, &mut card.biz_mail];
    for (kept, posted) in kept.into_iter().zip(texts) {
        if let Some(posted) = posted {
            posted.clone_into(kept);
        }
    }
}
