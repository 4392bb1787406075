//! What waits is not waited for without end: after the grace time the platform is asked, and after the limit a person is.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    EntityKey, EntityKind, Reason, TenantId, UnixMillis,
    onboarding::{self, Complaint},
};
use database::{Connection, Result};
use directory::{Question, WaitFor, Why};
use store::{
    dead_letters::{self, NewDeadLetter, Stage},
    form_records, kind_silences, outbox, questions,
    records::{self, ParkedFilter, Row},
};

use crate::turn::{Rules, Turn};

/// Entities looked at in one transaction.
const SLICE: i64 = 500;
/// Things in a department that is to be removed which are asked about at once.
const BLOCKERS_ASKED: i64 = 100;

/// How long an entity may wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until what it waits for is asked for.
    pub grace_millis: i64,
    /// Until it becomes a dead letter.
    pub limit_millis: i64,
    /// Whether the tenant has a secret that reads names. Without one, ids have to do after the grace time.
    pub names_can_be_asked: bool,
}

/// Whether [`ask`] or [`give_up`] would find anything: most often not, and looking takes no lock.
pub fn is_overdue(conn: &mut Connection, tenant: &TenantId, limits: Limits, now: UnixMillis) -> Result<bool> {
    let overdue = |since_at_most, asked, given_up| ParkedFilter { since_at_most, asked, given_up, limit: 1 };
    let unasked = overdue(now.plus_millis(-limits.grace_millis), Some(false), None);
    let hopeless = overdue(now.plus_millis(-limits.limit_millis), None, Some(false));
    if !records::parked(conn, tenant, unasked)?.is_empty() {
        return Ok(true);
    }
    Ok(!records::parked(conn, tenant, hopeless)?.is_empty()
        && !is_silent(conn, tenant)?
        && !past_hope(conn, tenant, hopeless)?.is_empty())
}

/// Those that have waited too long, without those of which the platform tells nothing for now: their clocks stand still.
fn past_hope(conn: &mut Connection, tenant: &TenantId, hopeless: ParkedFilter) -> Result<Vec<(EntityKey, Row)>> {
    let silent = kind_silences::kinds(conn, tenant)?;
    records::parked_but(conn, tenant, hopeless, &silent)
}

/// Whether the tenant's platform does not answer: until it does again nothing is given up on.
fn is_silent(conn: &mut Connection, tenant: &TenantId) -> Result<bool> {
    Ok(questions::silent_since(conn, tenant)?.is_some())
}

/// Asks for what entities have waited for longer than the grace time. The flag says whether there is more to do.
pub fn ask(conn: &mut Connection, tenant: &TenantId, limits: Limits, rules: &Rules) -> Result<(Turn, bool)> {
    let filter = ParkedFilter {
        since_at_most: rules.now.plus_millis(-limits.grace_millis),
        asked: Some(false),
        given_up: None,
        limit: SLICE,
    };
    outbox::lock_tenants(conn, [tenant])?;
    let waiting = records::parked(conn, tenant, filter)?;
    if waiting.is_empty() {
        return Ok((Turn::default(), false));
    }
    let is_more = waiting.len() as i64 >= SLICE;
    let mut asked = BTreeSet::new();
    let mut nameless = Vec::new();
    for (key, row) in &waiting {
        let lacks_details = || row.record.waits.iter().any(|wait| wait.why == WaitFor::Details);
        if key.kind.is_directory() && !limits.names_can_be_asked && lacks_details() {
            nameless.push(key.clone());
        }
        asked.extend(questions_of(conn, tenant, row)?);
    }
    let keys: Vec<EntityKey> = waiting.into_iter().map(|(key, _)| key).collect();
    records::mark_asked(conn, tenant, &keys)?;
    questions::ask(conn, tenant, &asked, rules.now)?;
    let turn = if nameless.is_empty() { Turn::default() } else { Turn::settle(conn, tenant, &nameless, rules)? };
    Ok((turn, is_more))
}

/// What an entity waits for, as questions: about what is missing, or about what is still in a department that is to go; never
/// about the removed department itself, nor about somebody of another platform, whom no platform can tell to be one of the members.
fn questions_of(conn: &mut Connection, tenant: &TenantId, row: &Row) -> Result<Vec<Question>> {
    let mut asked = Vec::new();
    for wait in row.record.waits.iter().filter(|wait| !wait.on.is_foreign()) {
        match wait.why {
            WaitFor::Leader | WaitFor::Absent => {}
            WaitFor::Emptied => {
                let inside = records::inside_of(conn, tenant, &wait.on.id, BLOCKERS_ASKED)?;
                asked.extend(inside.into_iter().map(|about| question(about, Why::Blocking)));
            }
            WaitFor::Reference | WaitFor::Path | WaitFor::Successor | WaitFor::Details => {
                asked.push(question(wait.on.clone(), Why::Missing));
            }
        }
    }
    Ok(asked)
}

/// A question that any answer answers: nothing was told that it would have to be later than.
fn question(about: EntityKey, why: Why) -> Question {
    Question { about, why, at: UnixMillis(0) }
}

/// Makes dead letters of entities that have waited longer than the limit. They keep waiting, and come back by themselves when
/// what they wait for appears. While their platform does not answer their clocks stand still: whoever notes that it answers again
/// moves them on. Returns how many there were.
pub fn give_up(conn: &mut Connection, tenant: &TenantId, limits: Limits, now: UnixMillis) -> Result<usize> {
    let filter = ParkedFilter {
        since_at_most: now.plus_millis(-limits.limit_millis),
        asked: None,
        given_up: Some(false),
        limit: SLICE,
    };
    outbox::lock_tenants(conn, [tenant])?;
    if is_silent(conn, tenant)? {
        return Ok(0);
    }
    let mut waiting = past_hope(conn, tenant, filter)?;
    let letters: Vec<NewDeadLetter> = waiting.iter().map(|(key, row)| letter(tenant, key, row, now)).collect();
    for (_, row) in &mut waiting {
        row.given_up = true;
    }
    if !waiting.is_empty() {
        records::save(conn, tenant, &waiting)?;
        dead_letters::insert(conn, &letters)?;
        // Whoever asked for a member is told.
        let failed: Vec<form_records::Settled> = waiting.iter().filter_map(|(key, _)| failed(key)).collect();
        form_records::settle(conn, tenant, &failed, now)?;
    }
    Ok(waiting.len())
}

/// What came of a request that was given up on: as of every other one, it is noted at its record. Nobody tried to make the member.
fn failed(key: &EntityKey) -> Option<form_records::Settled> {
    let (form, record) = onboarding::split(&key.id).filter(|_| key.kind == EntityKind::Onboarding)?;
    let why = Complaint::new("department", "a department that it names did not appear in time");
    Some(form_records::Settled {
        form: form.to_owned(),
        record: record.to_owned(),
        state: form_records::State::Failed,
        user_id: None,
        reasons: Some(Complaint::list(&[why])),
        attempts: 0,
    })
}

fn letter(tenant: &TenantId, key: &EntityKey, row: &Row, now: UnixMillis) -> NewDeadLetter {
    let mut waits: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for wait in row.record.waits.iter().filter(|wait| wait.why.holds()) {
        waits.entry(wait.why.as_str()).or_default().push(wait.on.to_string());
    }
    let detail: Vec<String> = waits.iter().map(|(why, on)| format!("{why}: {}", on.join(", "))).collect();
    NewDeadLetter {
        tenant: tenant.clone(),
        stage: Stage::Resolver,
        kind: key.kind.as_str().to_owned(),
        entity: key.id.to_string(),
        reason: Reason::DependencyMissing,
        detail: detail.join("; "),
        content: serde_json::to_string(&row.record).unwrap_or_default(),
        destination: None,
        version: None,
        since: row.parked_since.unwrap_or(now),
    }
}
