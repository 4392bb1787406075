//! What a destination may have lost since a version or a time, in the order in which it can be sent again.
//!
//! Each record bears the version of its entity's newest change. Of what changed that late, members who are gone come first, then what
//! lives, parents before children, so that whatever moved has left the departments that are gone; those come next, children first.
//! Attendance records and approvals come behind all members.

use std::{cmp::Reverse, collections::BTreeMap};

use common::{DestinationId, EntityKey, EntityKind, Field, TenantId, UnixMillis};
use database::{Connection, Result};
use directory::Record;
use serde_json::json;
use service::tenant::DestinationKind;
use store::{
    deliveries,
    destinations::{self, Backfill, Destination},
    outbox, records, runs, taken,
};

use super::{Desk, Done};
use crate::{Output, arguments::Printing, failure::Failure, moment::Moment, texts};

/// Records read at once.
const PAGE: i64 = 1000;

/// Since when.
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

    /// As a version; `None` when nothing is that late.
    fn version(self, conn: &mut Connection, to: &Destination, now: UnixMillis) -> Result<Option<u64>> {
        match self {
            Self::Beginning => Ok(Some(0)),
            Self::Version(version) => {
                let last = outbox::last_version(conn, &to.tenant)?;
                Ok(Some(version).filter(|version| *version <= last))
            }
            Self::Time(moment) => first_sent_since(conn, to, moment.at(now)),
        }
    }
}

/// What is to be sent again.
pub(super) struct Wish {
    pub(super) tenant: TenantId,
    pub(super) destination: DestinationId,
    pub(super) start: Start,
    /// The destination may not have any more what we know that it took: one that gets messages is told all of it.
    pub(super) is_in_doubt: bool,
}

/// Asks for it to be sent to the destination, as it is now and under new versions.
pub(super) async fn send_again(desk: &Desk, wish: Wish, printing: Printing, output: &mut Output<'_>) -> Done {
    desk.expect_tenant(&wish.tenant, output).await?;
    let (now, tenant, id) = (desk.now(), wish.tenant.clone(), wish.destination.clone());
    let request = move |conn: &mut Connection| request(conn, &wish, now);
    let Some(asked) = desk.database.write("deliveries.again", request).await? else {
        return Err(Failure::say(texts::no_destination(output.language, tenant, id)));
    };
    if printing.json {
        return Ok(output.json(&json!({ "requested": asked }))?);
    }
    output.line(texts::asked_again(output.language, asked, id))?;
    Ok(output.aside(texts::serving_needed(output.language))?)
}

/// Returns of how many entities; `None` when there is no such destination. What changes meanwhile is on its way there anyway.
fn request(conn: &mut Connection, wish: &Wish, now: UnixMillis) -> Result<Option<usize>> {
    let Some(to) = destinations::get(conn, &wish.tenant, &wish.destination)? else { return Ok(None) };
    let Some(from) = wish.start.version(conn, &to, now)? else { return Ok(Some(0)) };
    let entities = changed_since(conn, &to, from)?;
    if wish.is_in_doubt {
        taken::doubt_all(conn, &to.tenant, &to.id, &entities)?;
    }
    outbox::request_replay(conn, &to.tenant, Some(&to.id), &entities, now)?;
    Ok(Some(entities.len()))
}

/// The lowest version that was sent there at that time or later; `None` when nothing was.
fn first_sent_since(conn: &mut Connection, to: &Destination, since: UnixMillis) -> Result<Option<u64>> {
    let attempts = deliveries::list(conn, &to.tenant, Some(&to.id), u32::MAX)?;
    if attempts.last().is_some_and(|oldest| oldest.attempt.at >= since) {
        // Attempts before it may be forgotten.
        return Ok(Some(to.started_version.saturating_add(1)));
    }
    let later = attempts.iter().filter(|listed| listed.attempt.at >= since);
    Ok(later.map(|listed| listed.attempt.from_version).min())
}

/// What was changed there by that version or a later one, in the order in which it is to be sent.
fn changed_since(conn: &mut Connection, to: &Destination, from: u64) -> Result<Vec<EntityKey>> {
    let from = if is_backfill(conn, to, from)? { 0 } else { from };
    let planned = runs::changed_since(conn, &to.tenant, &to.id, from)?;
    let (mut living, mut gone) = (Side::default(), Side::default());
    let mut after = None;
    loop {
        let page = records::all_after(conn, &to.tenant, after.as_ref(), PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        for (key, row) in page {
            let is_live = row.record.is_live();
            let was_sent = is_live || row.version > 0;
            let is_lost = (was_sent && row.version >= from) || planned.contains(&key);
            let side = if is_live { &mut living } else { &mut gone };
            side.add(key, &row.record, is_lost);
        }
    }
    living.departments.sort_by_cached_key(|key| depth(&living.parents, key));
    gone.departments.sort_by_cached_key(|key| Reverse(depth(&gone.parents, key)));
    let records = records_since(conn, to, from)?;
    Ok([gone.members, living.departments, living.members, gone.departments, records].concat())
}

/// The attendance records and approvals that were changed by that version or a later one.
fn records_since(conn: &mut Connection, to: &Destination, from: u64) -> Result<Vec<EntityKey>> {
    let mut found = Vec::new();
    if !DestinationKind::from_name(&to.kind).is_some_and(DestinationKind::takes_records) {
        return Ok(found);
    }
    for kind in [EntityKind::Attendance, EntityKind::Approval] {
        let mut after: Option<EntityKey> = None;
        loop {
            let page = records::of_kind_after(conn, &to.tenant, kind, after.as_ref().map(|key| &*key.id), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            let is_lost = |row: &records::Row| row.version >= from && (row.version > 0 || row.record.is_live());
            found.extend(page.into_iter().filter(|(_, row)| is_lost(row)).map(|(key, _)| key));
        }
    }
    Ok(found)
}

/// Whether the version may be one of the destination's back-fill, or from before it. Records do not bear its versions, of which an
/// entity has two at most.
fn is_backfill(conn: &mut Connection, to: &Destination, version: u64) -> Result<bool> {
    if to.backfill != Some(Backfill::Done) {
        return Ok(false);
    }
    let longest = records::count(conn, &to.tenant)?.saturating_mul(2);
    Ok(version <= to.started_version.saturating_add(longest))
}

/// What lives, or what is gone.
#[derive(Default)]
struct Side {
    /// Of all departments, lost or not.
    parents: BTreeMap<EntityKey, EntityKey>,
    /// Those that may be lost.
    departments: Vec<EntityKey>,
    members: Vec<EntityKey>,
}

impl Side {
    fn add(&mut self, key: EntityKey, record: &Record, is_lost: bool) {
        if key.kind == EntityKind::Department {
            self.parents.extend(parent(record).map(|parent| (key.clone(), parent)));
        }
        match key.kind {
            EntityKind::Department if is_lost => self.departments.push(key),
            EntityKind::Member if is_lost => self.members.push(key),
            _ => {}
        }
    }
}

/// The parent of a department: as last sent, else as last told. Of what has been gone for long it may be forgotten.
fn parent(record: &Record) -> Option<EntityKey> {
    match &record.sent {
        Some(sent) => sent.refers_to.first().cloned(),
        None => {
            record.facts.iter().rev().find_map(|fact| fact.fields()?.text(Field::Parent)).map(EntityKey::department)
        }
    }
}

/// How many departments are above one.
fn depth(parents: &BTreeMap<EntityKey, EntityKey>, key: &EntityKey) -> usize {
    let mut depth = 0;
    let mut above = parents.get(key);
    // Those that are gone may have moved in a circle.
    while let Some(parent) = above.filter(|_| depth < parents.len()) {
        depth += 1;
        above = parents.get(parent);
    }
    depth
}
