//! A platform that tells nothing of one kind, while it may tell of others: the month's quota is used up, or the app may not ask. Nothing
//! follows from that for what was asked, so the clocks of patience of that kind stand still until it tells again. Contacts go on.

use std::time::Duration;

use common::{EntityKind, UnixMillis, jitter_of};
use database::Connection;
use dingtalk::api::ApiError;
use store::{kind_silences, outbox, records};

use super::App;
use crate::{companies::Company, desk::Desk, timing::millis};

/// What one process remembers of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence {
    /// How often in a row nothing was told.
    probes: u32,
    /// When it is worth asking again.
    probe_at: UnixMillis,
    /// Nobody has looked yet whether another process noted a silence.
    is_unknown: bool,
}

impl Default for Silence {
    fn default() -> Self {
        Self { probes: 0, probe_at: UnixMillis(i64::MIN), is_unknown: true }
    }
}

/// Until when nothing is to be asked of a kind; `None` if it may be now.
pub(crate) fn until(app: &App, kind: EntityKind, now: UnixMillis) -> Option<UnixMillis> {
    let at = app.memory().silences.get(&kind)?.probe_at;
    Some(at).filter(|at| now < *at)
}

/// Notes that nothing is told of a kind, and when it is worth asking again. Only the first one to notice says so.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(
    desk: &Desk,
    company: &Company,
    app: &App,
    kind: EntityKind,
    (after, why): (Duration, &ApiError),
) -> database::Result<()> {
    let now = desk.now();
    {
        let mut memory = app.memory();
        let silence = memory.silences.entry(kind).or_default();
        silence.probes = silence.probes.saturating_add(1);
        let roll = jitter_of(&[company.tenant.as_str(), kind.as_str(), &desk.context.instance], silence.probes);
        let wait = desk.timing.backoff.wait(silence.probes, roll).max(after);
        silence.probe_at = now.plus_millis(millis(wait));
        silence.is_unknown = false;
    }
    let tenant = company.tenant.clone();
    let note = move |conn: &mut Connection| -> database::Result<bool> {
        outbox::lock_tenants(conn, [&tenant])?;
        let is_news = kind_silences::since(conn, &tenant, kind)?.is_none();
        if is_news {
            kind_silences::set(conn, &tenant, kind, Some(now))?;
        }
        Ok(is_news)
    };
    if desk.context.database.write("synchronizer.kind-silent", note).await? {
        tracing::warn!(
            tenant.id = %company.tenant, kind = kind.as_str(), error = %why,
            "the platform tells nothing of this kind: what waits for it does not grow old meanwhile"
        );
    }
    Ok(())
}

/// Something is told of a kind: what waited for that is as old as it was.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end(desk: &Desk, company: &Company, app: &App, kind: EntityKind) -> database::Result<()> {
    let silence = app.memory().silences.get(&kind).copied().unwrap_or_default();
    if silence.probes == 0 && !silence.is_unknown {
        return Ok(());
    }
    let (tenant, now) = (company.tenant.clone(), desk.now());
    let shift = move |conn: &mut Connection| -> database::Result<Option<i64>> {
        // Another replica may have been first; most often there is none at all.
        if kind_silences::since(conn, &tenant, kind)?.is_none() {
            return Ok(None);
        }
        outbox::lock_tenants(conn, [&tenant])?;
        let Some(since) = kind_silences::since(conn, &tenant, kind)? else { return Ok(None) };
        let millis = now.since(since).max(0);
        records::shift_parked_of(conn, &tenant, &[kind], since, millis)?;
        kind_silences::set(conn, &tenant, kind, None)?;
        Ok(Some(millis))
    };
    let millis = desk.context.database.write("synchronizer.kind-told", shift).await?;
    let told = Silence { probes: 0, probe_at: UnixMillis(i64::MIN), is_unknown: false };
    app.memory().silences.insert(kind, told);
    if let Some(millis) = millis {
        tracing::info!(tenant.id = %company.tenant, kind = kind.as_str(), seconds = millis / 1000, "the platform tells of this kind again");
    }
    Ok(())
}
