//! Approvals compared with the platform. Ids are listed by form and by when they were started, so what was started long ago and ended
//! lately is asked about by itself (reference dingtalk 4.6).

use std::collections::BTreeSet;

use common::{EntityKey, EntityKind, Field, Fields, Observation, TenantId, UnixMillis, What};
use database::Connection;
use dingtalk::api::{IdsPage, Worth};
use directory::{Question, Record, Why};
use store::{approvals, outbox, questions, record_runs::Run, records};

use super::{ON_ITS_WAY_MILLIS, Place, Step};
use crate::{
    companies::Company,
    desk::Desk,
    details::{
        App,
        failure::{Meant, meant},
        known::mirror,
        tell::{newest_text, tell},
    },
};

const DAY_MILLIS: i64 = 86_400_000;
/// Of a form that nobody used for so long nothing is looked for.
const FORGOTTEN_AFTER_DAYS: i64 = 120;
/// The platform lists what was started within so many days.
const MOST_DAYS: i64 = 120;
/// It lists so many ids, on pages of 20.
const MOST_PAGES: usize = 500;
/// Approvals that are looked at together.
const PAGE: i64 = 500;

/// Asks about what was started lately of the next form and is not known, or not known to be over.
///
/// # Errors
/// Those of the queue and of the database.
pub(crate) async fn started(
    desk: &Desk,
    company: &Company,
    app: &App,
    run: &Run,
    after: String,
) -> anyhow::Result<Step> {
    let (tenant, now) = (company.tenant.clone(), desk.now());
    let seen_from = now.plus_millis(-FORGOTTEN_AFTER_DAYS * DAY_MILLIS);
    let next = move |conn: &mut Connection| approvals::templates(conn, &tenant, seen_from, Some(&after), 1);
    let next = desk.context.database.read("synchronizer.next-template", next).await?;
    let Some(template) = next.into_iter().next() else { return Ok(Step::Next(Some(Place::Running(String::new())), 0)) };
    let lately = now.plus_millis(-desk.timing.compared_approval_days * DAY_MILLIS);
    let from = run.since.min(lately).max(now.plus_millis(-MOST_DAYS * DAY_MILLIS));
    // What was started lately may be on its way; whether or not, it is not to wait for the next comparison.
    let settled = now.plus_millis(-ON_ITS_WAY_MILLIS).max(from);
    let mut lost = 0;
    for (from, to, is_settled) in [(from, settled, true), (settled, now, false)] {
        let mut cursor = 0;
        for _ in 0..MOST_PAGES {
            let asked = app.client(Worth::Low).approval_ids_page(&template, from, to, cursor).await;
            let answer = match asked {
                Ok(answer) => answer,
                // A form that is no more, most likely.
                Err(error) if matches!(meant(&error), Meant::NotThere | Meant::Wrong) => break,
                // The next form does not wait for this one.
                Err(error) if matches!(meant(&error), Meant::Unreadable { .. }) => {
                    tracing::warn!(tenant.id = %company.tenant, %error, "a list of approvals cannot be read, and is not compared");
                    break;
                }
                Err(error) => return Ok(Step::Later(error)),
            };
            let IdsPage { ids, next } = answer.value;
            lost += ask_about(desk, company, app, (&template, ids), (answer.asked_at, is_settled)).await?;
            match next {
                Some(next) if next > cursor => cursor = next,
                _ => break,
            }
        }
    }
    Ok(Step::Next(Some(Place::Started(template)), lost))
}

/// Of some ids of a form, those that nobody has heard of are told; those that are not known to be over are looked at. Returns how many
/// a callback should have told of by now.
async fn ask_about(
    desk: &Desk,
    company: &Company,
    app: &App,
    (template, ids): (&str, Vec<String>),
    (at, is_settled): (UnixMillis, bool),
) -> anyhow::Result<u64> {
    let keys: Vec<EntityKey> = ids.iter().map(|id| EntityKey::new(EntityKind::Approval, id)).collect();
    let known = mirror(desk, company, keys).await?;
    let record = |id: &String| known.get(&EntityKey::new(EntityKind::Approval, id));
    let (heard_of, unknown): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(|id| record(id).is_some());
    let lost = if is_settled { unknown.len() as u64 } else { 0 };
    let told = unknown.into_iter().map(|id| {
        let what = What::Updated { fields: Fields::new().with(Field::Template, template) };
        Observation { kind: EntityKind::Approval, id, at, what, hint: true, answer: false }
    });
    tell(desk, company, app, told.collect()).await?;
    let running = heard_of.iter().filter(|id| record(id).is_some_and(is_running));
    look_at(desk, company, running.map(|id| EntityKey::new(EntityKind::Approval, id)).collect()).await?;
    Ok(lost)
}

/// Looks at approvals of which nothing was told for long and that are not known to be over.
///
/// # Errors
/// Those of the database.
pub(crate) async fn running(desk: &Desk, company: &Company, app: &App, after: String) -> anyhow::Result<Step> {
    if !app.wanted.approvals {
        return Ok(Step::Next(None, 0));
    }
    let before = desk.now().plus_millis(-desk.timing.compared_approval_days * DAY_MILLIS);
    let tenant = company.tenant.clone();
    let read = move |conn: &mut Connection| forgotten_after(conn, &tenant, &after, before);
    let (forgotten, next) = desk.context.database.read("synchronizer.running-approvals", read).await?;
    look_at(desk, company, forgotten).await?;
    Ok(Step::Next(next.map(Place::Running), 0))
}

fn forgotten_after(
    conn: &mut Connection,
    tenant: &TenantId,
    after: &str,
    before: UnixMillis,
) -> database::Result<(Vec<EntityKey>, Option<String>)> {
    let page = records::of_kind_after(conn, tenant, EntityKind::Approval, Some(after), PAGE)?;
    let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE);
    let next = page.last().map(|(key, _)| key.id.as_ref().to_owned()).filter(|_| is_full);
    let is_forgotten = |record: &Record| is_running(record) && record.facts.iter().all(|fact| fact.at < before);
    let forgotten = page.into_iter().filter(|(_, row)| is_forgotten(&row.record)).map(|(key, _)| key);
    Ok((forgotten.collect(), next))
}

/// Whether an approval is not over, as far as known.
fn is_running(record: &Record) -> bool {
    record.exists() && !matches!(newest_text(record, Field::Status), Some("completed" | "terminated"))
}

/// Asks questions that any answer answers.
async fn look_at(desk: &Desk, company: &Company, about: Vec<EntityKey>) -> database::Result<()> {
    if about.is_empty() {
        return Ok(());
    }
    let (tenant, now) = (company.tenant.clone(), desk.now());
    let look = |about| Question { about, why: Why::Hint, at: UnixMillis(0) };
    let asked: BTreeSet<Question> = about.into_iter().map(look).collect();
    let ask = move |conn: &mut Connection| -> database::Result<()> {
        outbox::lock_tenants(conn, [&tenant])?;
        questions::ask(conn, &tenant, &asked, now)
    };
    desk.context.database.write("synchronizer.look-at-approvals", ask).await
}
