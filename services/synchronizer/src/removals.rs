//! Removals that nobody stated: inferred from absence, so they pass a brake. One brake per tenant over a sliding hour, members
//! and departments counted apart; above it nothing is removed until a person allows it.

use common::{EntityKey, EntityKind, Observation, TenantId, UnixMillis, What};
use database::Connection;
use directory::plan::{Brake, Excess, PerKind, Verdict};
use store::{outbox, removals};

use crate::{companies::Company, desk::Desk, publish::publish};

/// Over how long removals are counted together.
const HOUR_SECONDS: i64 = 3600;
/// What the brake holds back is asked again after so long.
const HELD_SECONDS: i64 = 3600;

/// The brake of the configuration.
pub(crate) fn brake(desk: &Desk) -> Brake {
    Brake { share: desk.config.brake_share, count: desk.config.brake_count, max: desk.config.brake_max }
}

/// Removes what was found to be gone, as of when it was asked for, if the brake lets it: all of it or nothing. Returns what is
/// held back, and when it is to be looked at again.
///
/// # Errors
/// When the queue or the database fails: then it is asked again, and counted once.
pub(crate) async fn infer(
    desk: &Desk,
    company: &Company,
    gone: Vec<(EntityKey, UnixMillis)>,
) -> anyhow::Result<Vec<(EntityKey, UnixMillis)>> {
    let (tenant, now, brake) = (company.tenant.clone(), desk.now(), brake(desk));
    let keys: Vec<EntityKey> = gone.iter().map(|(key, _)| key.clone()).collect();
    let count = move |conn: &mut Connection| -> database::Result<Verdict> {
        // One replica at a time counts.
        outbox::lock_tenants(conn, [&tenant])?;
        let verdict = weigh(conn, &tenant, numbers(&keys), now, brake)?;
        if verdict == Verdict::Allowed {
            let horizon = now.plus_seconds(-HOUR_SECONDS);
            removals::note(conn, &tenant, &keys, now, horizon)?;
        }
        Ok(verdict)
    };
    match desk.context.database.write("synchronizer.brake", count).await? {
        Verdict::Allowed => {
            publish(desk, company, gone.iter().map(|(key, at)| removed(key, *at)).collect()).await?;
            Ok(Vec::new())
        }
        Verdict::Quarantine { why } => {
            tell(desk, company, "", &why);
            let again = now.plus_seconds(HELD_SECONDS);
            Ok(gone.into_iter().map(|(key, _)| (key, again)).collect())
        }
    }
}

/// Says that the brake holds. `run` is what a person allows, if that is a run.
pub(crate) fn tell(desk: &Desk, company: &Company, run: &str, why: &[Excess]) {
    tracing::error!(tenant.id = %company.tenant, run, removals = %in_words(why), "too much would be removed: nothing is, until a person allows it");
    desk.counted.brakes_total.with_label_values(&[company.tenant.as_str()]).inc();
}

/// `30 of 100 members, 2 of 9 departments`
pub(crate) fn in_words(why: &[Excess]) -> String {
    let what: Vec<String> = why.iter().map(ToString::to_string).collect();
    what.join(", ")
}

/// What the brake says to so many more removals.
///
/// # Errors
/// Those of the database.
pub(crate) fn weigh(
    conn: &mut Connection,
    tenant: &TenantId,
    more: PerKind<u64>,
    now: UnixMillis,
    brake: Brake,
) -> database::Result<Verdict> {
    if removals::may_pass(conn, tenant, now)? {
        return Ok(Verdict::Allowed);
    }
    let lately = removals::since(conn, tenant, now.plus_seconds(-HOUR_SECONDS))?;
    let live = removals::live(conn, tenant)?;
    let all = PerKind {
        departments: lately.departments.saturating_add(more.departments),
        members: lately.members.saturating_add(more.members),
    };
    // What was removed lately was live at the beginning of the hour.
    let before = PerKind {
        departments: live.departments.saturating_add(lately.departments),
        members: live.members.saturating_add(lately.members),
    };
    Ok(brake.verdict(all, before))
}

/// How many of each kind.
pub(crate) fn numbers(keys: &[EntityKey]) -> PerKind<u64> {
    let of = |kind| keys.iter().filter(|key| key.kind == kind).count() as u64;
    PerKind { departments: of(EntityKind::Department), members: of(EntityKind::Member) }
}

fn removed(key: &EntityKey, at: UnixMillis) -> Observation {
    Observation { kind: key.kind, id: key.id.to_string(), at, what: What::Removed, hint: false, answer: true }
}
