//! `deliveries list | replay`

use std::collections::{BTreeMap, BTreeSet};

use common::{DestinationId, EntityKey, EntityKind, TenantId, UnixMillis};
use database::Connection;
use serde_json::{Value, json};
use store::{
    deliveries::{self, Listed},
    destinations, outbox, records,
};

use super::{Desk, Done};
use crate::{Output, arguments::Printing, failure::Failure, moment::Moment, texts};

/// Records read at once.
const PAGE: i64 = 1000;
/// An event is taken over before the change that it makes is first sent; by less than this, unless that had to wait.
const UNDER_WAY_SECONDS: i64 = 60;

fn to_json(listed: &Listed) -> Value {
    let attempt = &listed.attempt;
    json!({
        "id": listed.id,
        "tenant": listed.tenant,
        "destination": listed.destination,
        "from_version": attempt.from_version,
        "to_version": attempt.to_version,
        "changes": attempt.changes,
        "kind": attempt.entity.as_ref().map(|key| key.kind.as_str()),
        "entity": attempt.entity.as_ref().map(|key| &*key.id),
        "at": attempt.at.to_rfc3339(),
        "took_millis": attempt.took_millis,
        "outcome": attempt.outcome,
        "answer": attempt.answer,
    })
}

/// Lists attempts, the newest first.
pub(super) async fn list(
    desk: &Desk,
    (tenant, destination): (TenantId, Option<DestinationId>),
    limit: u32,
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let read = move |conn: &mut Connection| deliveries::list(conn, &tenant, destination.as_ref(), limit);
    let attempts = desk.database.read("deliveries.list", read).await?;
    if printing.json {
        return Ok(output.json(&attempts.iter().map(to_json).collect::<Vec<_>>())?);
    }
    if attempts.is_empty() {
        return Ok(output.line(texts::nothing_delivered(output.language))?);
    }
    let rows: Vec<_> = attempts.iter().map(row).collect();
    Ok(output.table(["AT", "DESTINATION", "VERSIONS", "CHANGES", "MS", "OUTCOME", "ENTITY", "ANSWER"], &rows)?)
}

fn row(listed: &Listed) -> [String; 8] {
    let attempt = &listed.attempt;
    let versions = match (attempt.from_version, attempt.to_version) {
        (from, to) if from == to => from.to_string(),
        (from, to) => format!("{from}-{to}"),
    };
    [
        attempt.at.to_rfc3339(),
        listed.destination.to_string(),
        versions,
        attempt.changes.to_string(),
        attempt.took_millis.to_string(),
        attempt.outcome.clone(),
        attempt.entity.as_ref().map(ToString::to_string).unwrap_or_default(),
        attempt.answer.clone().unwrap_or_default(),
    ]
}

/// From where on deliveries are repeated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// From a version on.
    Version(u64),
    /// From a time on.
    Time(Moment),
    /// From the beginning.
    Beginning,
}

impl Start {
    pub(super) fn new(from: Option<u64>, since: Option<Moment>) -> Self {
        match (from, since) {
            (Some(version), _) => Self::Version(version),
            (None, Some(moment)) => Self::Time(moment),
            (None, None) => Self::Beginning,
        }
    }
}

/// Asks for what changed since then to be sent to a destination again, as it is now and under new versions. An entity may be
/// sent that had not changed: a repeat does no harm, a gap would.
pub(super) async fn replay(
    desk: &Desk,
    (tenant, destination): (TenantId, DestinationId),
    start: Start,
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let (now, to) = (desk.now(), (tenant.clone(), destination.clone()));
    let ask = move |conn: &mut Connection| -> database::Result<Option<usize>> {
        if destinations::get(conn, &to.0, &to.1)?.is_none() {
            return Ok(None);
        }
        let since = match start {
            Start::Beginning => Some(UnixMillis(i64::MIN)),
            Start::Time(moment) => Some(moment.at(now)),
            Start::Version(version) => time_of(conn, &to.0, version)?,
        };
        let Some(since) = since else { return Ok(Some(0)) };
        let entities = changed_since(conn, &to.0, since)?;
        outbox::request_replay(conn, &to.0, Some(&to.1), &entities, now)?;
        Ok(Some(entities.len()))
    };
    let Some(asked) = desk.database.write("deliveries.replay", ask).await? else {
        return Err(Failure::say(texts::no_destination(output.language, tenant, destination)));
    };
    if printing.json {
        return Ok(output.json(&json!({ "requested": asked }))?);
    }
    output.line(texts::asked_again(output.language, asked, destination))?;
    Ok(output.aside(texts::serving_needed(output.language))?)
}

/// When a version was made, or somewhat earlier; `None` when there is no such version yet.
fn time_of(conn: &mut Connection, tenant: &TenantId, version: u64) -> database::Result<Option<UnixMillis>> {
    if version > outbox::last_version(conn, tenant)? {
        return Ok(None);
    }
    // To whichever destination it went first: one that was away says nothing about when it was made.
    let attempts = deliveries::list(conn, tenant, None, u32::MAX)?;
    let sent = attempts.iter().filter(|listed| listed.attempt.to_version >= version).map(|listed| listed.attempt.at);
    let kept = outbox::oldest_after(conn, tenant, version.saturating_sub(1))?;
    let oldest_known = attempts.last().is_some_and(|listed| listed.attempt.from_version <= version);
    let first = sent.chain(kept).min().filter(|_| oldest_known || kept.is_some());
    Ok(Some(first.map_or(UnixMillis(i64::MIN), |at| at.plus_seconds(-UNDER_WAY_SECONDS))))
}

/// What lives and was told of since then, with all that refers to it: what had waited for it was sent after it came. Parents first.
fn changed_since(conn: &mut Connection, tenant: &TenantId, since: UnixMillis) -> database::Result<Vec<EntityKey>> {
    let mut changed = BTreeSet::new();
    let mut referrers: BTreeMap<EntityKey, Vec<EntityKey>> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = records::live_after(conn, tenant, after.as_ref(), PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        for (key, row) in page {
            if row.record.received_at >= since {
                changed.insert(key.clone());
            }
            for target in row.record.sent.into_iter().flat_map(|sent| sent.refers_to) {
                referrers.entry(target).or_default().push(key.clone());
            }
        }
    }
    let mut spreading: Vec<EntityKey> = changed.iter().cloned().collect();
    while let Some(key) = spreading.pop() {
        for referrer in referrers.get(&key).into_iter().flatten() {
            if changed.insert(referrer.clone()) {
                spreading.push(referrer.clone());
            }
        }
    }
    Ok(parents_first(&changed, &referrers))
}

/// The changed entities level by level below the root department; then whatever the tree does not reach.
fn parents_first(changed: &BTreeSet<EntityKey>, referrers: &BTreeMap<EntityKey, Vec<EntityKey>>) -> Vec<EntityKey> {
    let is_department = |key: &&EntityKey| key.kind == EntityKind::Department;
    let mut ordered: Vec<EntityKey> = Vec::with_capacity(changed.len());
    let mut seen = BTreeSet::new();
    let mut level = vec![EntityKey::department(common::ROOT_DEPARTMENT)];
    while !level.is_empty() {
        ordered.extend(level.iter().filter(|key| changed.contains(key)).cloned());
        seen.extend(level.iter().cloned());
        let below = level.iter().flat_map(|key| referrers.get(key).into_iter().flatten().filter(is_department));
        let below: BTreeSet<EntityKey> = below.filter(|key| !seen.contains(key)).cloned().collect();
        level = below.into_iter().collect();
    }
    ordered.extend(changed.iter().filter(|key| !seen.contains(key)).cloned());
    ordered
}
