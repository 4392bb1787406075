//! Who the people whom DingTalk names are in the tenant's directory. Where that is DingTalk's own they are its members. Where it is another
//! platform's they are matched, by id, by mobile number or else by employee number, if one member only bears it; a person may say otherwise.
//! Who is not matched is told under a name that says so.

mod bearers;

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, Field, Fields, Platform, TenantId};
use database::Connection;
use dingtalk::api::{ApiError, Worth};
use directory::{Record, Told};
use futures::{StreamExt, stream};
use store::{
    links::DecidedBy,
    people::{self, Person},
    records,
};

use self::bearers::{Bearer, Bearers, Looks, digest, each_member, plain};
use super::{
    App,
    failure::{Meant, meant},
    tell::newest_text,
};
use crate::{companies::Company, desk::Desk};

const DINGTALK: Platform = Platform::Dingtalk;
/// People who are read together.
const PAGE: i64 = 1000;
/// People who are asked about at once.
const AT_ONCE: usize = 8;
/// A chain of renames is not longer.
const MOST_RENAMES: usize = 8;
/// How often people whom nobody knows are looked for among the members.
const MATCH_EVERY_SECONDS: i64 = 600;
/// How long after they were last asked about the platform is asked about such people again: their employee numbers are not kept.
const ASKED_AGAIN_SECONDS: i64 = 3600;
/// So many of them at a time.
const ASKED_AGAIN: usize = 64;

/// Members by the ids of the people that they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identities {
    /// The directory is another platform's.
    are_foreign: bool,
    members: BTreeMap<String, String>,
}

impl Identities {
    /// The member's id in the directory.
    pub(crate) fn of(&self, id: &str) -> String {
        let folded = EntityKey::member(id).id;
        match self.members.get(&*folded) {
            Some(member) => member.clone(),
            None if self.are_foreign => EntityKey::foreign_member(DINGTALK, id).id.as_ref().to_owned(),
            None => id.to_owned(),
        }
    }

    /// Puts the members' ids of the directory into what was told.
    pub(crate) fn put_into(&self, fields: &mut Fields, field: Field) {
        if let Some(id) = fields.text(field).filter(|id| !id.is_empty()) {
            let member = self.of(id);
            fields.set(field, member);
        }
    }
}

/// Finds out who people are, by their ids as the platform spells them. Of whom nobody has heard yet the platform is asked once.
///
/// # Errors
/// Those of the database. Whom the platform does not tell of for now is nobody's yet.
pub(crate) async fn identify(
    desk: &Desk,
    company: &Company,
    app: &App,
    ids: BTreeSet<String>,
) -> database::Result<Identities> {
    if company.platform == DINGTALK {
        return Ok(Identities::default());
    }
    let (tenant, wanted) = (company.tenant.clone(), ids.clone());
    let read = move |conn: &mut Connection| -> database::Result<(BTreeMap<String, String>, BTreeSet<String>)> {
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let known = people::get(conn, &tenant, DINGTALK, &wanted)?;
        let heard_of = known.keys().cloned().collect();
        Ok((members_of(conn, &tenant, known.into_values())?, heard_of))
    };
    let (mut members, heard_of) = desk.context.database.read("synchronizer.people", read).await?;
    let unknown: Vec<String> = ids.into_iter().filter(|id| !heard_of.contains(&*EntityKey::member(id).id)).collect();
    if !unknown.is_empty() {
        members.extend(meet(desk, company, app, unknown).await?);
    }
    Ok(Identities { are_foreign: true, members })
}

/// The members that these people are, by the people's ids, under the ids that they have now.
fn members_of(
    conn: &mut Connection,
    tenant: &TenantId,
    known: impl Iterator<Item = Person>,
) -> database::Result<BTreeMap<String, String>> {
    let mut members = BTreeMap::new();
    for person in known {
        if let Some(member) = person.member {
            members.insert(person.foreign_id, current(conn, tenant, member)?);
        }
    }
    Ok(members)
}

/// The id that a member has now.
///
/// # Errors
/// Those of the database.
pub(crate) fn current(conn: &mut Connection, tenant: &TenantId, member: String) -> database::Result<String> {
    let mut member = member;
    for _ in 0..MOST_RENAMES {
        let found = records::load(conn, tenant, &[EntityKey::member(&member)])?;
        let Some(next) = found.first().and_then(|(_, row)| successor(&row.record)) else { break };
        member = next;
    }
    Ok(member)
}

fn successor(record: &Record) -> Option<String> {
    let last = record.facts.iter().rfind(|fact| !fact.is_absence())?;
    match &last.told {
        Told::RenamedTo(to) => Some(to.as_ref().to_owned()),
        _ => None,
    }
}

/// Asks who these are, matches them, and remembers it.
async fn meet(
    desk: &Desk,
    company: &Company,
    app: &App,
    unknown: Vec<String>,
) -> database::Result<BTreeMap<String, String>> {
    let client = app.client(Worth::Essential);
    let ask = |id: String| {
        let client = client.clone();
        async move {
            let told = client.member(&id).await.map(|answer| Looks::of(&answer.value.fields));
            (id, told)
        }
    };
    let told: Vec<(String, Result<Looks, ApiError>)> =
        stream::iter(unknown).map(ask).buffer_unordered(AT_ONCE).collect().await;
    // Whom the platform does not know, nobody will; whom it does not tell of now is asked about another time.
    let told = told.into_iter().filter_map(|(id, told)| match told {
        Ok(looks) => Some((id, looks)),
        Err(error) if matches!(meant(&error), Meant::NotThere | Meant::Wrong) => Some((id, Looks::default())),
        Err(_) => None,
    });
    let met: BTreeMap<String, Looks> = told.collect();
    let (tenant, now) = (company.tenant.clone(), desk.now());
    let (corp_id, attribute) = (app.corp_id.clone(), employee_number(desk, &tenant));
    let read = move |conn: &mut Connection| -> database::Result<Vec<Person>> {
        let bearers = Bearers::among(conn, &tenant, met.iter(), &attribute)?;
        let person = |(id, looks): (&String, &Looks)| {
            let (member, decided_by) = bearers.of(id, looks).unzip();
            let mobile_digest = looks.mobile.as_deref().map(|mobile| digest(&corp_id, mobile));
            let foreign_id = EntityKey::member(id).id.as_ref().to_owned();
            Person { foreign_id, member, decided_by, mobile_digest, updated_at: now }
        };
        Ok(met.iter().map(person).collect())
    };
    let new = desk.context.database.read("synchronizer.match-new", read).await?;
    let matched = new.iter().filter_map(|person| Some((person.foreign_id.clone(), person.member.clone()?)));
    let matched = matched.collect();
    note(desk, company, new).await?;
    Ok(matched)
}

async fn note(desk: &Desk, company: &Company, new: Vec<Person>) -> database::Result<()> {
    let tenant = company.tenant.clone();
    let set = move |conn: &mut Connection| people::set(conn, &tenant, DINGTALK, &new);
    desk.context.database.write("synchronizer.met", set).await
}

/// Under which name an attribute of members holds their employee number; empty where none does.
fn employee_number(desk: &Desk, tenant: &TenantId) -> String {
    let tenant = desk.context.tenants.get(tenant);
    let section = tenant.as_ref().and_then(|tenant| tenant.file.wecom.as_ref());
    section.map(|section| section.employee_number.clone()).unwrap_or_default()
}

/// Looks once in a while whether somebody whom nobody knew is a member who came later, or got that mobile number later.
///
/// # Errors
/// Those of the database.
pub(crate) async fn match_again(desk: &Desk, company: &Company, app: &App) -> database::Result<()> {
    let now = desk.now();
    if company.platform == DINGTALK || now < app.memory().match_at {
        return Ok(());
    }
    app.memory().match_at = now.plus_seconds(MATCH_EVERY_SECONDS);
    let (tenant, corp_id) = (company.tenant.clone(), app.corp_id.clone());
    let read = move |conn: &mut Connection| -> database::Result<Vec<Person>> {
        let Unmatched { by_id, mut by_mobile } = unmatched(conn, &tenant)?;
        if by_id.is_empty() {
            return Ok(Vec::new());
        }
        let mut matched: BTreeMap<String, Person> = BTreeMap::new();
        each_member(conn, &tenant, |member, fields| {
            let digest = fields.text(Field::Mobile).and_then(plain).map(|mobile| digest(&corp_id, &mobile));
            let is_same =
                |person: &&Person| person.mobile_digest.is_none() || digest.is_none() || person.mobile_digest == digest;
            if let Some(person) = by_id.get(member).filter(is_same) {
                let (member, decided_by) = (Some(member.to_owned()), Some(DecidedBy::Id));
                let person = Person { member, decided_by, updated_at: now, ..person.clone() };
                matched.insert(person.foreign_id.clone(), person);
            }
            if let Some((_, bearer)) = digest.and_then(|digest| by_mobile.get_mut(&digest)) {
                bearer.add(member);
            }
        })?;
        for (person, bearer) in by_mobile.into_values() {
            if let Some(member) = bearer.only().cloned() {
                let (member, decided_by) = (Some(member), Some(DecidedBy::Mobile));
                let person = Person { member, decided_by, updated_at: now, ..person };
                matched.entry(person.foreign_id.clone()).or_insert(person);
            }
        }
        Ok(matched.into_values().collect())
    };
    let matched = desk.context.database.read("synchronizer.match", read).await?;
    if !matched.is_empty() {
        note(desk, company, matched).await?;
    }
    meet_again(desk, company, app).await
}

/// Asks about people whom nobody knows once more, after a while: somebody may bear their employee numbers by now.
async fn meet_again(desk: &Desk, company: &Company, app: &App) -> database::Result<()> {
    let (tenant, before) = (company.tenant.clone(), desk.now().plus_seconds(-ASKED_AGAIN_SECONDS));
    let read = move |conn: &mut Connection| -> database::Result<Vec<String>> {
        let mut people: Vec<Person> = unmatched(conn, &tenant)?.by_id.into_values().collect();
        people.retain(|person| person.updated_at < before);
        people.sort_by_key(|person| person.updated_at);
        let mut ids = Vec::new();
        for person in people {
            if ids.len() >= ASKED_AGAIN {
                break;
            }
            ids.extend(spelled(conn, &tenant, &person.foreign_id)?);
        }
        Ok(ids)
    };
    let ids = desk.context.database.read("synchronizer.unmatched", read).await?;
    if !ids.is_empty() {
        meet(desk, company, app, ids).await?;
    }
    Ok(())
}

/// How the platform spells somebody's id: any of his days says so.
///
/// # Errors
/// Those of the database.
pub(crate) fn spelled(conn: &mut Connection, tenant: &TenantId, foreign_id: &str) -> database::Result<Option<String>> {
    let from = format!("{foreign_id}/");
    let day = records::of_kind_after(conn, tenant, EntityKind::AttendanceDay, Some(&from), 1)?;
    let day = day.into_iter().find(|(key, _)| key.id.starts_with(&from));
    Ok(day.and_then(|(_, row)| newest_text(&row.record, Field::Member).map(str::to_owned)))
}

/// People of whom nobody knows who they are, and of whom nobody said that they are nobody.
#[derive(Default)]
struct Unmatched {
    by_id: BTreeMap<String, Person>,
    /// By digests of their mobile numbers, with who bears them.
    by_mobile: BTreeMap<String, (Person, Bearer)>,
}

fn unmatched(conn: &mut Connection, tenant: &TenantId) -> database::Result<Unmatched> {
    let (mut found, mut after) = (Unmatched::default(), None::<String>);
    loop {
        let page = people::list_unmatched(conn, tenant, DINGTALK, after.as_deref(), PAGE)?;
        let is_last = i64::try_from(page.len()).is_ok_and(|rows| rows < PAGE);
        after = page.last().map(|person| person.foreign_id.clone());
        for person in page.into_iter().filter(|person| person.decided_by.is_none()) {
            if let Some(digest) = person.mobile_digest.clone() {
                found.by_mobile.insert(digest, (person.clone(), Bearer::Nobody));
            }
            found.by_id.insert(person.foreign_id.clone(), person);
        }
        if is_last {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_of_the_directorys_own_platform_are_its_members() {
        assert_eq!(Identities::default().of("Manager4220"), "Manager4220");
    }

    #[test]
    fn who_is_matched_is_told_as_the_member_and_who_is_not_under_a_name_that_says_so() {
        let members = [("manager4220".to_owned(), "zhangsan".to_owned())].into();
        let identities = Identities { are_foreign: true, members };
        assert_eq!(identities.of("Manager4220"), "zhangsan");
        assert_eq!(identities.of("Other1"), "dingtalk:other1");
        let mut fields = Fields::new().with(Field::Applicant, "");
        identities.put_into(&mut fields, Field::Applicant);
        assert_eq!(fields.text(Field::Applicant), Some(""), "nobody is nobody");
    }
}
