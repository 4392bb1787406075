//! `link set | list | remove --platform --person`: which member somebody is whom another platform than that of the directory knows.
//!
//! A running synchronizer notices within seconds, and tells what is recorded of that person again, under the member that it is now.

use common::{EntityKey, Platform, TenantId};
use database::Connection;
use serde_json::json;
use store::{
    links::DecidedBy,
    people::{self, Person},
    records,
};

use super::{Desk, Done};
use crate::{
    Output,
    arguments::{PersonPlace, Printing},
    failure::Failure,
    texts,
};

/// People read at once.
const PAGE: i64 = 1000;

/// Says that a person is a member.
pub(super) async fn set(desk: &Desk, place: PersonPlace, member: String, output: &mut Output<'_>) -> Done {
    expect_two_platforms(desk, &place.tenant, place.platform, output).await?;
    let (tenant, key) = (place.tenant.clone(), EntityKey::member(&member));
    let found = desk.database.read("people.member", move |conn| records::load(conn, &tenant, &[key])).await?;
    if found.is_empty() {
        return Err(Failure::say(texts::no_member(output.language, &place.tenant, member)));
    }
    decide(desk, &place, Some(EntityKey::member(&member).id.as_ref().to_owned())).await?;
    output.line(texts::person_set(output.language, place.platform.as_str(), &place.id, member))?;
    Ok(output.aside(texts::serving_needed(output.language))?)
}

/// Says that a person is none of the members that are known.
pub(super) async fn remove(desk: &Desk, place: PersonPlace, output: &mut Output<'_>) -> Done {
    expect_two_platforms(desk, &place.tenant, place.platform, output).await?;
    let (tenant, platform, id) = (place.tenant.clone(), place.platform, place.id.clone());
    let read = move |conn: &mut Connection| people::get(conn, &tenant, platform, &[id.as_str()]);
    let known = desk.database.read("people.get", read).await?;
    if known.values().all(|person| person.member.is_none()) {
        return Err(Failure::say(texts::no_person(output.language, place.platform.as_str(), &place.id, &place.tenant)));
    }
    decide(desk, &place, None).await?;
    Ok(output.line(texts::person_removed(output.language, place.platform.as_str(), &place.id))?)
}

/// Lists who people are, as far as anybody knows.
pub(super) async fn list(
    desk: &Desk,
    (tenant, platform): (TenantId, Platform),
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let found = desk.database.read("people.list", move |conn| all(conn, &tenant, platform)).await?;
    let decided_by = |person: &Person| person.decided_by.map(DecidedBy::as_str);
    if printing.json {
        let to_json = |person: &Person| {
            json!({
                "platform": platform.as_str(),
                "person": person.foreign_id,
                "member": person.member,
                "decided_by": decided_by(person),
                "since": person.updated_at.to_rfc3339(),
            })
        };
        return Ok(output.json(&found.iter().map(to_json).collect::<Vec<_>>())?);
    }
    if found.is_empty() {
        return Ok(output.line(texts::no_links(output.language))?);
    }
    let row = |person: &Person| {
        [
            platform.as_str().to_owned(),
            decided_by(person).unwrap_or("-").to_owned(),
            person.updated_at.to_rfc3339(),
            person.foreign_id.clone(),
            person.member.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    Ok(output.table(["PLATFORM", "BY", "SINCE", "PERSON", "MEMBER"], &rows)?)
}

fn all(conn: &mut Connection, tenant: &TenantId, platform: Platform) -> database::Result<Vec<Person>> {
    let mut found: Vec<Person> = Vec::new();
    loop {
        let after = found.last().map(|person| person.foreign_id.clone());
        let page = people::list(conn, tenant, platform, after.as_deref(), PAGE)?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// Where the platform's people are the directory's own, there is nothing to be matched.
async fn expect_two_platforms(desk: &Desk, tenant: &TenantId, platform: Platform, output: &Output<'_>) -> Done {
    let file = desk.file(tenant, output).await?;
    match file.directory {
        Some(directory) if directory != platform && file.dingtalk.is_some() => Ok(()),
        _ => Err(Failure::say(texts::people_are_members(output.language, tenant, platform.as_str()))),
    }
}

/// Notes what a person decided.
async fn decide(desk: &Desk, place: &PersonPlace, member: Option<String>) -> database::Result<()> {
    let (tenant, platform, id, now) = (place.tenant.clone(), place.platform, place.id.clone(), desk.now());
    let write = move |conn: &mut Connection| -> database::Result<()> {
        store::outbox::lock_tenants(conn, [&tenant])?;
        let before = people::get(conn, &tenant, platform, &[id.as_str()])?.into_values().next();
        let mobile_digest = before.and_then(|person| person.mobile_digest);
        let decided_by = Some(DecidedBy::Person);
        let person = Person { foreign_id: id, member, decided_by, mobile_digest, updated_at: now };
        people::set(conn, &tenant, platform, &[person])
    };
    desk.database.write("people.set", write).await
}
