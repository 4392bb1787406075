//! Silence: a tenant's platform refuses whatever is asked, or cannot be reached. Nothing follows from that for what was
//! asked, so the clocks of patience stand still until it answers again.

use std::time::Duration;

use common::{ROOT_DEPARTMENT, UnixMillis, jitter_of};
use database::Connection;
use store::{outbox, questions, records};

use crate::{
    companies::Company,
    contacts::Failure,
    desk::Desk,
    questions::{AskedAs, Meant, classify},
    timing::millis,
};

/// Notes that the platform is silent, and when it is worth looking again. Only the first one to notice says so.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(desk: &Desk, company: &Company, after: Duration, why: &Failure) -> database::Result<()> {
    let now = desk.now();
    put_off(desk, company, now, after);
    let tenant = company.tenant.clone();
    let note = move |conn: &mut Connection| -> database::Result<bool> {
        outbox::lock_tenants(conn, [&tenant])?;
        let is_news = questions::silent_since(conn, &tenant)?.is_none();
        if is_news {
            questions::set_silent(conn, &tenant, Some(now))?;
        }
        Ok(is_news)
    };
    if desk.context.database.write("synchronizer.silent", note).await? {
        tracing::warn!(tenant.id = %company.tenant, error = %why, "the platform is silent: what waits for it does not grow old meanwhile");
    }
    desk.counted.platform_silent.with_label_values(&[company.tenant.as_str()]).set(1);
    Ok(())
}

/// Whether the platform is silent. If it was, and it is time, it is asked whether it still is.
///
/// # Errors
/// Those of the database.
pub(crate) async fn holds(desk: &Desk, company: &Company) -> database::Result<bool> {
    let tenant = company.tenant.clone();
    let look = move |conn: &mut Connection| questions::silent_since(conn, &tenant);
    if desk.context.database.read("synchronizer.is-silent", look).await?.is_none() {
        company.memory().may_be_silent = false;
        desk.counted.platform_silent.with_label_values(&[company.tenant.as_str()]).set(0);
        return Ok(false);
    }
    company.memory().may_be_silent = true;
    desk.counted.platform_silent.with_label_values(&[company.tenant.as_str()]).set(1);
    let now = desk.now();
    if now < company.memory().probe_at {
        return Ok(true);
    }
    match probe(company).await {
        Some((after, _)) => {
            put_off(desk, company, now, after);
            Ok(true)
        }
        None => end(desk, company).await.map(|()| false),
    }
}

/// Asks in both ways what is always there; why it is silent and how long it is to be left alone, if one of them gets no answer.
pub(crate) async fn probe(company: &Company) -> Option<(Duration, Failure)> {
    let listed = company.contacts.probe_ids().await;
    if let Some(silence) = silence(listed, AskedAs::Contact) {
        return Some(silence);
    }
    if !company.contacts.reads_details() {
        return None;
    }
    silence(company.contacts.department(ROOT_DEPARTMENT).await.map(drop), AskedAs::App)
}

fn silence(asked: Result<(), Failure>, asked_as: AskedAs) -> Option<(Duration, Failure)> {
    let error = asked.err()?;
    match classify(&error, asked_as) {
        Meant::Silent { after } => Some((after, error)),
        Meant::Later { after } if error.is_outage() => Some((after, error)),
        _ => None,
    }
}

/// The platform answers again: what waited for it is as old as it was.
async fn end(desk: &Desk, company: &Company) -> database::Result<()> {
    let (tenant, now) = (company.tenant.clone(), desk.now());
    let shift = move |conn: &mut Connection| -> database::Result<Option<i64>> {
        outbox::lock_tenants(conn, [&tenant])?;
        // Another replica may have been first.
        let Some(since) = questions::silent_since(conn, &tenant)? else { return Ok(None) };
        let millis = now.since(since).max(0);
        records::shift_parked(conn, &tenant, since, millis)?;
        questions::set_silent(conn, &tenant, None)?;
        Ok(Some(millis))
    };
    if let Some(millis) = desk.context.database.write("synchronizer.answers-again", shift).await? {
        tracing::info!(tenant.id = %company.tenant, seconds = millis / 1000, "the platform answers again");
    }
    {
        let mut memory = company.memory();
        (memory.may_be_silent, memory.probes) = (false, 0);
    }
    desk.counted.platform_silent.with_label_values(&[company.tenant.as_str()]).set(0);
    Ok(())
}

/// Remembers not to look before the back-off is over, nor before the platform says that it is worth it.
fn put_off(desk: &Desk, company: &Company, now: UnixMillis, after: Duration) {
    let mut memory = company.memory();
    memory.may_be_silent = true;
    memory.probes = memory.probes.saturating_add(1);
    let roll = jitter_of(&[company.tenant.as_str(), &desk.context.instance], memory.probes);
    let wait = desk.timing.backoff.wait(memory.probes, roll).max(after);
    memory.probe_at = now.plus_millis(millis(wait));
}
