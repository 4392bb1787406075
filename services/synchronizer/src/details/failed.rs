//! Pushes that failed (reference dingtalk 4.7). Reading them removes them at the platform, so each page is in our database before anything else
//! happens with it, and before a page is read it is noted that one is: a process that dies in between leaves that note, and what got lost
//! with it is found by comparing.

use common::{TenantId, UnixMillis, jitter_of};
use database::Connection;
use dingtalk::{
    api::{ApiError, Worth},
    failed_entries, normalise_failed,
};
use service::new_instance;
use store::{
    failed_pushes::{self, Page},
    gaps::{self, Gap},
    outbox, record_runs,
};

use super::App;
use crate::{companies::Company, desk::Desk, publish::publish_events};

/// The interface that reads them.
const READ: &str = "call_back/get_call_back_failed_result";
/// Pages that are taken over in one go.
const PAGES: i64 = 8;
/// Pages that are read in one look, so that others get their turn.
const MOST_READS: usize = 64;
/// A read that was begun so long ago and did not end was cut off.
const TORN_SECONDS: i64 = 60;
/// What failed is listed minutes later, after two more tries.
const LISTED_WITHIN_SECONDS: i64 = 900;
/// The list may hold what failed a week ago (reference dingtalk 2.6).
const LISTED_FOR_SECONDS: i64 = 7 * 86_400;

/// Takes over what was read before, and reads what failed since, if it is time.
///
/// # Errors
/// When the queue or the database fails. What was read is there, and taken over the next time.
pub(crate) async fn look(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    note_torn_reads(desk, company, app).await?;
    take_over(desk, company, app).await?;
    let now = desk.now();
    if now < app.memory().failed_due_at {
        return Ok(());
    }
    app.memory().failed_due_at = due_at(desk, company);
    for _ in 0..MOST_READS {
        let has_more = read(desk, company, app).await?;
        take_over(desk, company, app).await?;
        if !has_more || desk.stops() {
            return Ok(());
        }
    }
    // The rest in the next look.
    app.memory().failed_due_at = now;
    Ok(())
}

/// When failed pushes are read next.
fn due_at(desk: &Desk, company: &Company) -> UnixMillis {
    let roll = jitter_of(&[company.tenant.as_str(), &desk.context.instance], 0);
    desk.due_again(desk.config.failed_pushes_every_seconds, roll)
}

/// Reads a page and keeps it. The flag says whether there are more.
async fn read(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<bool> {
    let now = desk.now();
    let since = match app.memory().failed_read_at {
        Some(at) => at.plus_seconds(-LISTED_WITHIN_SECONDS),
        None => now.plus_seconds(-LISTED_FOR_SECONDS),
    };
    let gap = Gap { since, until: now };
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let begin = move |conn: &mut Connection| -> database::Result<()> {
        match failed_pushes::begin_read(conn, &tenant, &owner, since, now)? {
            Some(torn) => note_gap(conn, &tenant, torn.or(Gap::at(now))),
            None => Ok(()),
        }
    };
    desk.context.database.write("synchronizer.failed-begin", begin).await?;
    let content = match app.client(Worth::Essential).failed_pushes_page().await {
        Ok(answer) => answer.value,
        Err(error) => {
            note_failure(desk, company, app, (&error, gap)).await?;
            return Ok(false);
        }
    };
    fail::fail_point!("synchronizer.failed_page_before_record");
    // What is no page is kept, too: nobody can read it again.
    let page = failed_entries(&content);
    let is_empty = page.is_ok_and(|page| page.entries == 0);
    let has_more = page.is_ok_and(|page| page.has_more && page.entries > 0);
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    // Of several reads that may have got lost in a row the first one only was compared after.
    let is_behind = app.memory().failed_losses > 1;
    let keep = move |conn: &mut Connection| -> database::Result<()> {
        if !is_empty {
            failed_pushes::put(conn, &tenant, &new_instance(), now, &content)?;
        }
        if is_behind {
            note_gap(conn, &tenant, gap)?;
        }
        failed_pushes::end_read(conn, &tenant, &owner)
    };
    desk.context.database.write("synchronizer.failed-page", keep).await?;
    app.memory().failed_losses = 0;
    fail::fail_point!("synchronizer.failed_page_recorded_before_publish");
    if !has_more {
        app.memory().failed_read_at = Some(now);
    }
    let entries = page.map_or(0, |page| page.entries) as u64;
    desk.counted.failed_pushes_total.with_label_values(&[company.tenant.as_str()]).inc_by(entries);
    Ok(has_more)
}

/// A read brought nothing. Where the platform heard of it and did not say so itself, it may have sent a page that got lost. While that goes
/// on, everything is compared once, and once more when it is over: to compare costs a part of the quota.
async fn note_failure(
    desk: &Desk,
    company: &Company,
    app: &App,
    (error, gap): (&ApiError, Gap),
) -> database::Result<()> {
    let is_lost = error.api() == READ && may_be_lost(error);
    tracing::debug!(tenant.id = %company.tenant, %error, is_lost, "failed pushes cannot be read now");
    let is_first = {
        let mut memory = app.memory();
        memory.failed_losses = memory.failed_losses.saturating_add(u32::from(is_lost));
        is_lost && memory.failed_losses == 1
    };
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let end = move |conn: &mut Connection| -> database::Result<()> {
        if is_first {
            note_gap(conn, &tenant, gap)?;
        }
        failed_pushes::end_read(conn, &tenant, &owner)
    };
    desk.context.database.write("synchronizer.failed-read", end).await
}

fn may_be_lost(error: &ApiError) -> bool {
    match error {
        ApiError::Answered { .. } | ApiError::Closed { .. } | ApiError::QuotaSpent { .. } => false,
        ApiError::Transport { source, .. } => matches!(**source, outbound::Error::Timeout | outbound::Error::Broken(_)),
        ApiError::TooLarge { .. }
        | ApiError::Status { .. }
        | ApiError::Foreign { .. }
        | ApiError::Incomplete { .. } => true,
    }
}

/// Callbacks may be missing: contacts, attendance and approvals are compared.
fn note_gap(conn: &mut Connection, tenant: &TenantId, gap: Gap) -> database::Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    gaps::note(conn, tenant, gap)?;
    record_runs::want(conn, tenant, gap.since)
}

/// Looks for reads that were cut off. Where only one process can use the database, those of a former one were.
async fn note_torn_reads(desk: &Desk, company: &Company, app: &App) -> database::Result<()> {
    let (tenant, owner, now) = (company.tenant.clone(), desk.context.instance.clone(), desk.now());
    let is_first = !app.memory().knows_torn_reads;
    let look = move |conn: &mut Connection| -> database::Result<bool> {
        let is_alone = is_first && matches!(conn, Connection::Sqlite(_));
        let before = if is_alone { UnixMillis(i64::MAX) } else { now.plus_seconds(-TORN_SECONDS) };
        let torn = failed_pushes::take_torn_reads(conn, &tenant, &owner, before)?;
        match torn {
            // By our clock of now: what comes to compare has to begin later.
            Some(gap) => note_gap(conn, &tenant, gap.or(Gap::at(now))).map(|()| true),
            None => Ok(false),
        }
    };
    if desk.context.database.write("synchronizer.torn-reads", look).await? {
        tracing::warn!(tenant.id = %company.tenant, "failed pushes may have got lost while they were read: everything is compared");
    }
    app.memory().knows_torn_reads = true;
    Ok(())
}

/// Publishes what was read and kept, the oldest first.
async fn take_over(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    loop {
        let tenant = company.tenant.clone();
        let oldest = move |conn: &mut Connection| failed_pushes::oldest(conn, &tenant, PAGES);
        let pages = desk.context.database.read("synchronizer.failed-pages", oldest).await?;
        if pages.is_empty() {
            return Ok(());
        }
        let mut ids = Vec::new();
        for Page { id, taken_at, content } in pages {
            // As of then, so that who takes it over once more tells the same.
            let events = normalise_failed(&company.tenant, &app.corp_id, &content, taken_at, app.wanted);
            publish_events(desk, company, events).await?;
            ids.push(id);
        }
        let tenant = company.tenant.clone();
        let remove = move |conn: &mut Connection| failed_pushes::remove(conn, &tenant, &ids);
        desk.context.database.write("synchronizer.failed-taken", remove).await?;
    }
}
