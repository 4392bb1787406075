//! When a day is looked at again although nobody says so: results are late, and they are amended.

use std::{collections::BTreeSet, time::Duration};

use common::{EntityKey, EntityKind, TenantId, UnixMillis};
use database::Connection;
use dingtalk::china_time;
use directory::{Question, Why};
use store::{outbox, questions, repulls};

use crate::{Timing, companies::Company, desk::Desk, timing::millis};

/// Looks are planned for round times, so that those that are due together can be made together.
const SOON_GRID_MILLIS: i64 = 20_000;
const LATER_GRID_MILLIS: i64 = 60_000;
/// Looks that are taken at once.
const AT_ONCE: i64 = 5000;

/// When a day is looked at again that was first asked about at `asked_at`.
pub(crate) fn planned(asked_at: UnixMillis, now: UnixMillis, timing: &Timing) -> Vec<UnixMillis> {
    let after = |wait: Duration, grid: i64| {
        let at = asked_at.plus_millis(millis(wait)).0;
        UnixMillis(at - at.rem_euclid(grid)).max(now)
    };
    let soon = after(timing.look_soon, SOON_GRID_MILLIS);
    let later = after(timing.look_later, LATER_GRID_MILLIS);
    [Some(soon), Some(later), next_morning(now, timing.look_hour)].into_iter().flatten().collect()
}

/// The next day, at an hour by China's clock.
fn next_morning(now: UnixMillis, hour: u8) -> Option<UnixMillis> {
    let tomorrow = day_after(&china_time::date_of(now))?;
    china_time::moment(&format!("{tomorrow} {hour:02}:00:00"))
}

/// The date after this one.
pub(crate) fn day_after(date: &str) -> Option<String> {
    china_time::dates_between(date, "9999-12-31", 2).into_iter().nth(1)
}

/// Takes the looks that are due and asks for them: as questions that any answer answers. The flag says whether there may be more.
///
/// # Errors
/// Those of the database.
pub(crate) async fn take(desk: &Desk, company: &Company) -> database::Result<bool> {
    let (tenant, now) = (company.tenant.clone(), desk.now());
    let take = move |conn: &mut Connection| -> database::Result<bool> {
        // The tenant before its questions, as everywhere.
        outbox::lock_tenants(conn, [&tenant])?;
        let due = repulls::take_due(conn, &tenant, now, AT_ONCE)?;
        let is_more = i64::try_from(due.len()).is_ok_and(|taken| taken >= AT_ONCE);
        let asked: BTreeSet<Question> = due.into_iter().filter(is_asked_about).map(look).collect();
        questions::ask(conn, &tenant, &asked, now)?;
        Ok(is_more)
    };
    desk.context.database.write("synchronizer.looks", take).await
}

/// Has these looked at later instead of asking about them: what is told of them meanwhile is not to wait for that.
///
/// # Errors
/// Those of the database.
pub(crate) fn instead(
    conn: &mut Connection,
    tenant: &TenantId,
    later: &[(EntityKey, UnixMillis)],
    now: UnixMillis,
) -> database::Result<()> {
    if later.is_empty() {
        return Ok(());
    }
    let about: Vec<EntityKey> = later.iter().map(|(about, _)| about.clone()).collect();
    questions::withdraw(conn, tenant, &about, now)?;
    repulls::plan(conn, tenant, later)
}

fn is_asked_about(key: &EntityKey) -> bool {
    matches!(key.kind, EntityKind::AttendanceDay | EntityKind::Approval)
}

const fn look(about: EntityKey) -> Question {
    Question { about, why: Why::Hint, at: UnixMillis(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_looked_at_within_a_minute_after_ten_and_the_next_morning() {
        let at = |text: &str| china_time::moment(text).unwrap();
        let asked_at = at("2026-09-21 23:58:47");
        let expected = ["2026-09-21 23:59:40", "2026-09-22 00:08:00", "2026-09-22 04:00:00"].map(at);
        assert_eq!(planned(asked_at, asked_at.plus_seconds(20), &Timing::default()), expected);
        let late = at("2026-09-22 00:00:05");
        let expected = ["2026-09-22 00:00:05", "2026-09-22 00:08:00", "2026-09-23 04:00:00"].map(at);
        assert_eq!(planned(asked_at, late, &Timing::default()), expected, "what is over is made up for at once");
    }
}
