//! What is recorded of somebody is told again under the member that he was found to be, or that a person said that he is.

use std::{collections::BTreeMap, sync::Arc};

use common::{EntityKey, EntityKind, Field, Fields, Observation, Platform, TenantId, What};
use database::Connection;
use serde::Deserialize;
use store::{
    people::{self, Person},
    records::{self, Row},
};

use super::{
    App,
    people::current,
    tell::{newest, newest_text, tell},
};
use crate::{companies::Company, desk::Desk};

const DINGTALK: Platform = Platform::Dingtalk;
/// People whose records are told again in one look.
const AT_ONCE: i64 = 64;
/// Records that are read together.
const PAGE: i64 = 500;

/// Under which ids people are told, by their own.
type Members = BTreeMap<String, String>;

/// Tells again what is recorded of those of whom something else is known than what was told. What cannot be told now is told the next time.
///
/// # Errors
/// Those of the database and of the queue.
pub(crate) async fn tell_again(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    if company.platform == DINGTALK {
        return Ok(());
    }
    let tenant = company.tenant.clone();
    let changed = move |conn: &mut Connection| people::changed(conn, &tenant, DINGTALK, AT_ONCE);
    let changed = desk.context.database.read("synchronizer.changed-people", changed).await?;
    if changed.is_empty() {
        return Ok(());
    }
    let mut members = Members::new();
    for person in &changed {
        members.insert(person.foreign_id.clone(), shown(desk, company, person).await?);
    }
    let members = Arc::new(members);
    for person in &changed {
        if !again(desk, company, app, &members, Some(&person.foreign_id)).await? {
            return Ok(());
        }
    }
    // Only an approval itself says who started it: all are looked through, once for all of these people.
    if !again(desk, company, app, &members, None).await? {
        return Ok(());
    }
    let tenant = company.tenant.clone();
    let told = move |conn: &mut Connection| -> database::Result<()> {
        for Person { foreign_id, member, .. } in &changed {
            people::note_told(conn, &tenant, DINGTALK, foreign_id, member.as_deref())?;
        }
        Ok(())
    };
    Ok(desk.context.database.write("synchronizer.told-people", told).await?)
}

/// Under which id a person is told.
async fn shown(desk: &Desk, company: &Company, person: &Person) -> database::Result<String> {
    let Some(member) = person.member.clone() else {
        return Ok(EntityKey::foreign_member(DINGTALK, &person.foreign_id).id.as_ref().to_owned());
    };
    let tenant = company.tenant.clone();
    let read = move |conn: &mut Connection| current(conn, &tenant, member);
    desk.context.database.read("synchronizer.current-member", read).await
}

/// Tells again whose they are: a person's attendance, whose ids begin with that of the person, or the approvals that these people started.
/// `false` when the process is to stop before all of it is told.
async fn again(
    desk: &Desk,
    company: &Company,
    app: &App,
    members: &Arc<Members>,
    attendance_of: Option<&String>,
) -> anyhow::Result<bool> {
    let mut after = attendance_of.map(|foreign| format!("{foreign}/"));
    loop {
        if desk.stops() {
            return Ok(false);
        }
        let (tenant, members) = (company.tenant.clone(), Arc::clone(members));
        let (foreign, from) = (attendance_of.cloned(), after.clone());
        let read = move |conn: &mut Connection| match &foreign {
            Some(foreign) => attendance(conn, &tenant, &members, foreign, from.as_deref()),
            None => approvals(conn, &tenant, &members, from.as_deref()),
        };
        let (told, next) = desk.context.database.read("synchronizer.retold", read).await?;
        tell(desk, company, app, told).await?;
        match next {
            Some(next) => after = Some(next),
            None => return Ok(true),
        }
    }
}

/// What is to be told of a page of records, and behind which one the next page begins.
type Page = (Vec<Observation>, Option<String>);

fn attendance(
    conn: &mut Connection,
    tenant: &TenantId,
    members: &Members,
    foreign: &str,
    after: Option<&str>,
) -> database::Result<Page> {
    let mut rows = records::of_kind_after(conn, tenant, EntityKind::Attendance, after, PAGE)?;
    let next = next_page(&rows);
    let prefix = format!("{foreign}/");
    let read = rows.len();
    rows.retain(|(key, _)| key.id.starts_with(&prefix));
    let next = next.filter(|_| rows.len() == read);
    let retold = |(key, row): &(EntityKey, Row)| retold(key, row, Field::Member, members.get(foreign)?);
    Ok((rows.iter().filter_map(retold).collect(), next))
}

fn approvals(
    conn: &mut Connection,
    tenant: &TenantId,
    members: &Members,
    after: Option<&str>,
) -> database::Result<Page> {
    let rows = records::of_kind_after(conn, tenant, EntityKind::Approval, after, PAGE)?;
    let retold = |(key, row): &(EntityKey, Row)| retold(key, row, Field::Applicant, members.get(&starter(row)?)?);
    Ok((rows.iter().filter_map(retold).collect(), next_page(&rows)))
}

fn next_page(rows: &[(EntityKey, Row)]) -> Option<String> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE);
    rows.last().filter(|_| is_full).map(|(key, _)| key.id.as_ref().to_owned())
}

/// The part of an approval's details that says who started it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    #[serde(default)]
    originator_user_id: String,
}

/// Who started an approval, by the folded id.
fn starter(row: &Row) -> Option<String> {
    let started: Started = serde_json::from_str(newest_text(&row.record, Field::Details)?).ok()?;
    Some(EntityKey::member(&started.originator_user_id).id.as_ref().to_owned())
}

/// Whose a record is, as if that had been told a moment after it was told last.
fn retold(key: &EntityKey, row: &Row, whose: Field, member: &str) -> Option<Observation> {
    let (at, told) = newest(&row.record, whose).filter(|_| row.record.exists())?;
    let member = common::Value::from(member);
    if *told == member {
        return None;
    }
    let what = What::Updated { fields: Fields::new().with(whose, member) };
    Some(Observation {
        kind: key.kind,
        id: key.id.to_string(),
        at: at.plus_millis(1),
        what,
        hint: false,
        answer: false,
    })
}
