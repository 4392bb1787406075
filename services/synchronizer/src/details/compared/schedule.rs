//! When attendance and approvals are compared, and by whom: one process at a time.

use common::{TenantId, UnixMillis, jitter_of};
use database::Connection;
use store::{
    record_runs::{self, Run},
    snapshots::{self, Hold, Stage},
};

use super::Place;
use crate::{companies::Company, desk::Desk, details::App, reconcile};

const DAY_MILLIS: i64 = 86_400_000;
/// The first comparison does not wait longer for the mirror.
const TAKEN_IN_WITHIN_MILLIS: i64 = 600_000;

/// Takes the comparison of a tenant, if nobody is at it and there is something to do.
pub(super) async fn take(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<Option<Run>> {
    let tenant = company.tenant.clone();
    let now = desk.now();
    let is_due = move |conn: &mut Connection| wanted(conn, &tenant, now);
    match desk.context.database.read("synchronizer.records-due", is_due).await? {
        Wanted::Not => return Ok(None),
        Wanted::First { pulled_at } => {
            let is_awaited = now.since(pulled_at) < TAKEN_IN_WITHIN_MILLIS;
            if is_awaited && !reconcile::is_taken_in(desk, company, false).await? {
                return Ok(None);
            }
        }
        Wanted::Again => {}
    }
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let (since, due_at) = (now.plus_millis(-desk.timing.compared_days * DAY_MILLIS), due_at(desk, company));
    let first = if app.wanted.attendance { Place::Attendance(String::new()) } else { Place::Started(String::new()) };
    let take = move |conn: &mut Connection| -> database::Result<Option<Run>> {
        record_runs::announce(conn, &tenant, now)?;
        let hold = Hold { owner: &owner, now, until };
        if !record_runs::take(conn, &tenant, &hold)? {
            return Ok(None);
        }
        // Looked at again now that it is held: another replica may just have done it.
        let run = record_runs::get(conn, &tenant)?;
        let run = match run {
            Some(run) if run.place.is_some() => Some(run),
            Some(run) if run.due_at <= now => {
                record_runs::begin(conn, &tenant, (&first.to_text(), since, due_at), &hold)?
            }
            _ => None,
        };
        if run.is_none() {
            record_runs::give_back(conn, &tenant, &owner)?;
        }
        Ok(run)
    };
    Ok(desk.context.database.write("synchronizer.take-records", take).await?)
}

/// Whether a tenant is to be compared.
enum Wanted {
    Not,
    /// It never was: who is in the directory that was pulled then is to be in the mirror first.
    First {
        pulled_at: UnixMillis,
    },
    /// It is time again, or one was left in the middle.
    Again,
}

/// Before the directory was pulled once there is nobody to ask about.
fn wanted(conn: &mut Connection, tenant: &TenantId, now: UnixMillis) -> database::Result<Wanted> {
    let pulled = snapshots::get(conn, tenant)?;
    let Some(pulled) = pulled.filter(|at| at.stage == Stage::Idle && at.started_at > UnixMillis(0)) else {
        return Ok(Wanted::Not);
    };
    Ok(match record_runs::get(conn, tenant)? {
        Some(run) if run.place.is_some() => Wanted::Again,
        Some(run) if run.started_at > UnixMillis(0) && run.due_at <= now => Wanted::Again,
        Some(run) if run.started_at > UnixMillis(0) => Wanted::Not,
        _ => Wanted::First { pulled_at: pulled.started_at },
    })
}

/// When the next one is due.
fn due_at(desk: &Desk, company: &Company) -> UnixMillis {
    let attempt = u32::try_from(desk.now().seconds().rem_euclid(i64::from(u32::MAX))).unwrap_or_default();
    desk.due_again(desk.config.reconcile_every_seconds, jitter_of(&[company.tenant.as_str(), "records"], attempt))
}
