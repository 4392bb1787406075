//! Attendance and approvals compared with the platform, on the schedule of reconciliations and after a time in which callbacks may have been
//! missed: the last days of all members, and what was started lately of each form. What differs is told, and nothing else.
//!
//! Whoever holds a tenant's comparison goes on with it step by step; each step is written with where the next one begins. It is worth little,
//! so it is the first thing that stops where the month's quota runs out.

mod approvals;
mod schedule;

use std::{collections::BTreeSet, time::Duration};

use common::{EntityKey, EntityKind, Field, Fields, Observation, Platform, TenantId, UnixMillis, attendance};
use database::Connection;
use dingtalk::{
    api::{Answer, ApiError, Worth},
    china_time,
};
use store::{
    people,
    record_runs::{self, Run},
    records,
    snapshots::Hold,
};

use super::{
    App,
    batches::Batch,
    calls::ask,
    day::{Day, Way},
    difference::{Difference, kind_of},
    failure::{Meant, meant},
    known::{by_day, mirror, of_records},
    people::spelled,
    tell::tell,
};
use crate::{companies::Company, desk::Desk, timing::millis};

/// Members that are compared in one step: as many as one call may ask about.
const MEMBERS: i64 = 50;
/// Dates that are asked about in one call, with the night before and after them a week.
const DATES: usize = 5;
/// No comparison looks back further.
const MOST_DATES: usize = 35;
const DAY_MILLIS: i64 = 86_400_000;
/// What happened so lately may be on its way.
pub(crate) const ON_ITS_WAY_MILLIS: i64 = 600_000;
/// So often in a step members are divided to find who is to blame that an answer cannot be had or read. Calls cost a part of the quota.
const DIVISIONS: u32 = 16;
/// The least time before a comparison that got no answer goes on.
const AGAIN_SECONDS: i64 = 60;

/// What comes next in a comparison, and behind which member, form or approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Attendance(String),
    /// Approvals that were started lately, form after form.
    Started(String),
    /// Approvals of which nothing was told for long, and that are not over as far as known.
    Running(String),
}

/// How a step ended.
pub(crate) enum Step {
    /// Here it goes on; so many records were lost.
    Next(Option<Place>, u64),
    /// The platform does not answer now.
    Later(ApiError),
}

/// Compares, if that is due or was left in the middle, until it is over or gets no answer.
///
/// # Errors
/// When the queue or the database fails. It goes on where it was.
pub(crate) async fn look(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    if desk.now() < app.memory().compare_at {
        return Ok(());
    }
    let Some(run) = schedule::take(desk, company, app).await? else { return Ok(()) };
    let worked = go_on(desk, company, app, run).await;
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let back = move |conn: &mut Connection| record_runs::give_back(conn, &tenant, &owner);
    desk.context.database.write("synchronizer.give-back-records", back).await?;
    worked
}

async fn go_on(desk: &Desk, company: &Company, app: &App, run: Run) -> anyhow::Result<()> {
    let mut run = run;
    while let Some(place) = run.place.as_deref().and_then(Place::from_text) {
        if desk.stops() {
            return Ok(());
        }
        let step = match place {
            Place::Attendance(after) => Box::pin(attendance(desk, company, app, &run, after)).await?,
            Place::Started(after) => Box::pin(approvals::started(desk, company, app, &run, after)).await?,
            Place::Running(after) => approvals::running(desk, company, app, after).await?,
        };
        match step {
            Step::Next(next, lost) => {
                run.place = next
                    .filter(|next| app.wanted.approvals || matches!(next, Place::Attendance(_)))
                    .map(|next| next.to_text());
                run.differences = run.differences.saturating_add(lost);
            }
            Step::Later(error) => {
                put_off(desk, app, &error);
                tracing::debug!(tenant.id = %company.tenant, %error, "attendance and approvals are compared later");
                return Ok(());
            }
        }
        if !write(desk, company, run.clone()).await? {
            return Ok(());
        }
    }
    let meter = desk.counted.record_differences.with_label_values(&[company.tenant.as_str()]);
    meter.set(i64::try_from(run.differences).unwrap_or(i64::MAX));
    tracing::info!(tenant.id = %company.tenant, differences = run.differences, "attendance and approvals were compared");
    Ok(())
}

fn put_off(desk: &Desk, app: &App, error: &ApiError) {
    let after = match meant(error) {
        Meant::Silent { after } | Meant::TooDear { after } | Meant::Later { after } | Meant::Unreadable { after } => {
            after
        }
        Meant::NotThere | Meant::Wrong => Duration::ZERO,
    };
    let now = desk.now();
    app.memory().compare_at = now.plus_millis(millis(after)).max(now.plus_seconds(AGAIN_SECONDS));
}

async fn write(desk: &Desk, company: &Company, run: Run) -> database::Result<bool> {
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let write =
        move |conn: &mut Connection| record_runs::advance(conn, &tenant, &run, &Hold { owner: &owner, now, until });
    desk.context.database.write("synchronizer.compared-records", write).await
}

/// Compares the attendance of the next members.
async fn attendance(desk: &Desk, company: &Company, app: &App, run: &Run, after: String) -> anyhow::Result<Step> {
    let (tenant, is_own) = (company.tenant.clone(), company.platform == Platform::Dingtalk);
    let next = move |conn: &mut Connection| people_after(conn, &tenant, is_own, &after);
    let (people, last) = desk.context.database.read("synchronizer.next-members", next).await?;
    let Some(last) = last else { return Ok(Step::Next(Some(Place::Started(String::new())), 0)) };
    let next = Some(Place::Attendance(last));
    if people.is_empty() {
        return Ok(Step::Next(next, 0));
    }
    let now = desk.now();
    let earliest = now.plus_millis(-(MOST_DATES as i64 - 1) * DAY_MILLIS);
    let first = china_time::date_of(run.since.max(earliest));
    let dates = china_time::dates_between(&first, &china_time::date_of(now), MOST_DATES);
    let (mut lost, mut passed_by, mut divisions) = (0, 0, 0);
    for dates in dates.chunks(DATES) {
        let mut groups: Vec<&[String]> = vec![people.as_slice()];
        while let Some(some) = groups.pop() {
            let Some(batch) = batch(desk, company, some, dates).await? else { continue };
            let answer = match ask(&app.client(Worth::Low), Way::Both, &batch).await {
                Ok(answer) => answer,
                Err(error) if !is_about_some(&error) => return Ok(Step::Later(error)),
                // Nobody is to blame for others: who cannot be asked about is passed by.
                Err(_) if some.len() > 1 && divisions < DIVISIONS => {
                    let (one, other) = some.split_at(some.len() / 2);
                    groups.extend([other, one]);
                    divisions += 1;
                    continue;
                }
                Err(_) => {
                    passed_by += some.len();
                    continue;
                }
            };
            lost += tell_differences(desk, company, app, batch.days, answer).await?;
        }
    }
    if passed_by > 0 {
        tracing::warn!(tenant.id = %company.tenant, members = passed_by, "attendance of these members cannot be asked about or read, and is not compared");
    }
    Ok(Step::Next(next, lost))
}

/// Whether one of those who were asked about together may be to blame.
fn is_about_some(error: &ApiError) -> bool {
    matches!(meant(error), Meant::NotThere | Meant::Wrong | Meant::Unreadable { .. })
}

/// The next people whom the platform knows, as it spells them, and the last one that was looked at; `None` behind the last one of all.
fn people_after(
    conn: &mut Connection,
    tenant: &TenantId,
    is_own: bool,
    after: &str,
) -> database::Result<(Vec<String>, Option<String>)> {
    if is_own {
        let page = records::of_kind_after(conn, tenant, EntityKind::Member, Some(after), MEMBERS)?;
        let last = page.last().map(|(key, _)| key.id.as_ref().to_owned());
        let sent = page.into_iter().filter_map(|(_, row)| row.record.sent);
        return Ok((sent.map(|sent| sent.entity.shown_id).collect(), last));
    }
    let page = people::list(conn, tenant, Platform::Dingtalk, Some(after), MEMBERS)?;
    let last = page.last().map(|person| person.foreign_id.clone());
    let mut ids = Vec::new();
    for person in page {
        ids.push(spelled(conn, tenant, &person.foreign_id)?.unwrap_or(person.foreign_id));
    }
    Ok((ids, last))
}

/// The days of these people, with what the mirror has of them.
async fn batch(desk: &Desk, company: &Company, people: &[String], dates: &[String]) -> database::Result<Option<Batch>> {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return Ok(None) };
    let days =
        people.iter().flat_map(|member| dates.iter().map(move |date| (member, attendance::day_id(member, date))));
    let days: Vec<(&String, EntityKey)> =
        days.map(|(member, id)| (member, EntityKey::new(EntityKind::AttendanceDay, &id))).collect();
    let known = mirror(desk, company, days.iter().map(|(_, key)| key.clone()).collect()).await?;
    let days = days.into_iter().filter_map(|(member, key)| {
        let record = known.get(&key);
        Day::of(key.clone(), record, Some(member.as_str()))
    });
    let days = days.collect();
    Ok(Some(Batch { members: people.to_vec(), first: first.clone(), last: last.clone(), days }))
}

/// Tells what differs; returns how much of it a callback should have told.
async fn tell_differences(
    desk: &Desk,
    company: &Company,
    app: &App,
    days: Vec<Day>,
    answer: Answer<Vec<(String, Fields)>>,
) -> anyhow::Result<u64> {
    let (now, at) = (desk.now(), answer.asked_at);
    let mut by_day = by_day(desk, company, app, answer.value).await?;
    let ids = by_day.values().flatten().map(|(id, _)| id).chain(days.iter().flat_map(|day| &day.records));
    let keys: BTreeSet<EntityKey> = ids.map(|id| EntityKey::new(EntityKind::Attendance, id)).collect();
    let known = mirror(desk, company, keys.into_iter().collect()).await?;
    let (mut told, mut lost) = (Vec::new(), 0);
    for day in days {
        let answered = by_day.remove(&*day.key.id).unwrap_or_default();
        let difference = Difference::of(&day, Way::Both, answered, at, &known);
        if !difference.is_any() {
            continue;
        }
        let is_lost = |seen: &&Observation| {
            let is_unknown = !known.contains_key(&seen.key());
            let checked = seen.what.fields().and_then(|fields| fields.number(Field::CheckedAt));
            let is_old = checked.is_some_and(|at| now.since(UnixMillis(at)) >= ON_ITS_WAY_MILLIS);
            is_unknown && is_old && matches!(kind_of(&seen.id), "punch" | "makeup")
        };
        lost += difference.told.iter().filter(is_lost).count() as u64;
        told.push(of_records(&day, &difference.records, at));
        told.extend(difference.told);
        told.extend(difference.gone);
    }
    tell(desk, company, app, told).await?;
    Ok(lost)
}

impl Place {
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Attendance(after) => format!("attendance/{after}"),
            Self::Started(after) => format!("started/{after}"),
            Self::Running(after) => format!("running/{after}"),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let (stage, after) = text.split_once('/')?;
        let after = after.to_owned();
        match stage {
            "attendance" => Some(Self::Attendance(after)),
            "started" => Some(Self::Started(after)),
            "running" => Some(Self::Running(after)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for place in [Place::Attendance(String::new()), Place::Started("PROC/1".into()), Place::Running("p".into())] {
            assert_eq!(Place::from_text(&place.to_text()), Some(place));
        }
        for text in ["", "attendance", "elsewhere/1"] {
            assert_eq!(Place::from_text(text), None, "{text}");
        }
    }
}
