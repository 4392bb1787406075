//! One transaction of the resolver: events, or a slice of a release, in; records, waiting rows, questions and changes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use common::{
    Action, Callback, Change, DestinationId, EntityKey, EntityKind, EntityMap, EntitySet, Event, EventBody, Reason,
    TenantId, UnixMillis,
    onboarding::{self, Complaint},
};
use database::{Connection, Result};
use directory::{Effects, Incoming, Question, RefusedRecord, Seen, Session};
use service::Snapshot;
use store::{
    dead_letters::{self, NewDeadLetter, Resolution, Stage},
    form_records,
    keys::{self, EventKey},
    outbox, questions,
    records::{self, Row},
    waiting,
};

/// What a turn needs to know of the world.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The present.
    pub now: UnixMillis,
    /// Facts older than this are folded where they can no longer matter.
    pub horizon: UnixMillis,
    /// The applied tenants; their root departments bear their names until their own are known.
    pub tenants: Arc<Snapshot>,
}

/// What a turn did, after its transaction is committed.
#[derive(Debug, Default)]
pub struct Turn {
    /// The changes of each tenant, as they are to be published.
    pub changes: BTreeMap<TenantId, Vec<outbox::Body>>,
    /// Tenants with released entities that were not looked at yet.
    pub released: BTreeSet<TenantId>,
    /// What came of the events, by tenant.
    pub counts: BTreeMap<TenantId, Counts>,
    /// Events of tenants that are not there, or not any more.
    pub strangers: usize,
}

/// How many events had which outcome.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the outcomes of the metric resolver_events_total")]
pub struct Counts {
    pub applied: u64,
    pub duplicate: u64,
    pub stale: u64,
    pub parked: u64,
    pub released: u64,
}

impl Turn {
    /// Takes a batch of events, of any tenants.
    ///
    /// # Errors
    /// Those of the database; nothing of the batch is kept then.
    pub fn events(conn: &mut Connection, events: &[Event], rules: &Rules) -> Result<Self> {
        let mut by_tenant: BTreeMap<&TenantId, Vec<&Event>> = BTreeMap::new();
        for event in events {
            by_tenant.entry(&event.tenant).or_default().push(event);
        }
        let mut turn = Self::default();
        let versions = outbox::lock_tenants(conn, by_tenant.keys().copied())?;
        for (tenant, events) in by_tenant {
            match versions.get(tenant) {
                Some(version) => turn.tenant_events(conn, tenant, *version, &events, rules)?,
                None => turn.strangers += events.len(),
            }
        }
        Ok(turn)
    }

    /// Works off a slice of what was released: at most `limit` entities.
    ///
    /// # Errors
    /// Those of the database.
    pub fn released(conn: &mut Connection, tenant: &TenantId, limit: usize, rules: &Rules) -> Result<Self> {
        Self::session(conn, tenant, rules, |conn, session| {
            let taken = waiting::take_released(conn, tenant, limit)?;
            for (waiter, released) in taken.waiters {
                session.look_again_without_rows(waiter, released);
            }
            Ok(taken.is_more)
        })
    }

    /// Creates the root department of a tenant that has none yet.
    ///
    /// # Errors
    /// Those of the database.
    pub fn found(conn: &mut Connection, tenant: &TenantId, rules: &Rules) -> Result<Self> {
        Self::session(conn, tenant, rules, |_, _| Ok(false))
    }

    /// Nobody can tell the names of these: their ids are to do.
    ///
    /// # Errors
    /// Those of the database.
    pub fn settle(conn: &mut Connection, tenant: &TenantId, entities: &[EntityKey], rules: &Rules) -> Result<Self> {
        Self::session(conn, tenant, rules, |_, session| {
            entities.iter().for_each(|key| session.settle_for_id(key.clone()));
            Ok(false)
        })
    }

    /// Sends entities again as they are now, each to one destination or to all.
    ///
    /// # Errors
    /// Those of the database.
    pub fn send_again(
        conn: &mut Connection,
        tenant: &TenantId,
        wishes: Vec<(EntityKey, Option<DestinationId>)>,
        rules: &Rules,
    ) -> Result<Self> {
        Self::session(conn, tenant, rules, |_, session| {
            wishes.into_iter().for_each(|(key, destination)| session.send_again(key, destination));
            Ok(false)
        })
    }

    /// A turn of one tenant without events. `fill` says whether there is more to do than it put in.
    fn session(
        conn: &mut Connection,
        tenant: &TenantId,
        rules: &Rules,
        fill: impl FnOnce(&mut Connection, &mut Session) -> Result<bool>,
    ) -> Result<Self> {
        let mut turn = Self::default();
        let versions = outbox::lock_tenants(conn, [tenant])?;
        let Some(version) = versions.get(tenant) else { return Ok(turn) };
        let mut session = open(tenant, *version, rules);
        if fill(conn, &mut session)? {
            turn.released.insert(tenant.clone());
        }
        turn.decide(conn, tenant, *version, session, Vec::new(), rules)?;
        Ok(turn)
    }

    fn tenant_events(
        &mut self,
        conn: &mut Connection,
        tenant: &TenantId,
        version: u64,
        events: &[&Event],
        rules: &Rules,
    ) -> Result<()> {
        let fresh = Fresh::among(conn, tenant, events)?;
        let mut session = open(tenant, version, rules);
        let mut callbacks = Vec::new();
        let mut duplicates = 0;
        let mut answers = Vec::new();
        for (event, is_new) in events.iter().zip(&fresh.is_new) {
            // An answer that says what is known still answers.
            if let EventBody::Directory(seen) = &event.body
                && seen.answer
            {
                answers.push((seen.key(), seen.at));
            }
            match &event.body {
                // A hint is a duplicate only while its question is open, and asking again then changes nothing.
                EventBody::Directory(seen) if *is_new || seen.hint => session.tell(Incoming {
                    observation: seen.clone(),
                    event: event.id.clone(),
                    received_at: event.received_at,
                    traceparent: event.traceparent.clone(),
                }),
                EventBody::Callback(callback) if *is_new => callbacks.push(verbatim(tenant, event, callback)),
                _ => duplicates += 1,
            }
        }
        let left_open = self.decide(conn, tenant, version, session, callbacks, rules)?;
        for (about, at) in &mut answers {
            if left_open.contains(about) {
                *at = UnixMillis(0);
            }
        }
        if !answers.is_empty() {
            // After what this batch asks itself: hints that came along may be older, or newer.
            questions::answered(conn, tenant, &answers, rules.now)?;
        }
        self.counts.entry(tenant.clone()).or_default().duplicate += duplicates;
        keys::remember(conn, tenant, &fresh.keys, rules.now)
    }

    /// Loads what the session needs, lets it decide, and writes what came of it. Returns what was answered in part only.
    fn decide(
        &mut self,
        conn: &mut Connection,
        tenant: &TenantId,
        version: u64,
        mut session: Session,
        callbacks: Vec<Change>,
        rules: &Rules,
    ) -> Result<Vec<EntityKey>> {
        let mut rows: EntityMap<Row> = EntityMap::default();
        loop {
            let missing = session.missing();
            if missing.is_empty() {
                break;
            }
            for (key, mut row) in records::load(conn, tenant, &missing)? {
                // The session has it until `save` puts it back.
                session.load(key.clone(), Some(std::mem::take(&mut row.record)));
                rows.insert(key, row);
            }
            for key in missing {
                if !rows.contains_key(&key) {
                    session.load(key, None);
                }
            }
        }
        let mut effects = session.resolve(rules.horizon);
        self.count(tenant, &effects);
        let mut changes = std::mem::take(&mut effects.changes);
        let left_open = std::mem::take(&mut effects.left_open);
        let versions = newest_versions(&changes, version);
        changes.extend(callbacks);
        save(conn, tenant, &mut rows, effects, &versions, rules.now).map(|any_released| {
            if any_released {
                self.released.insert(tenant.clone());
            }
        })?;
        let mut bodies = outbox::append(conn, tenant, version, &mut changes, rules.now)?;
        if !bodies.is_empty() {
            self.changes.entry(tenant.clone()).or_default().append(&mut bodies);
        }
        Ok(left_open)
    }

    fn count(&mut self, tenant: &TenantId, effects: &Effects) {
        let counts = self.counts.entry(tenant.clone()).or_default();
        counts.released += effects.unparked.len() as u64;
        for seen in &effects.seen {
            match seen {
                Seen::Duplicate => counts.duplicate += 1,
                Seen::Stale => counts.stale += 1,
                Seen::Applied => counts.applied += 1,
                Seen::Parked => counts.parked += 1,
            }
        }
    }
}

/// A session that also creates the root department where there is none: version 1 of every tenant.
fn open(tenant: &TenantId, version: u64, rules: &Rules) -> Session {
    let mut session = Session::new(tenant.clone());
    if version == 0 {
        let name = rules.tenants.get(tenant.as_str()).map_or(tenant.as_str(), |tenant| &tenant.file.name);
        session.found(name, rules.now);
    }
    session
}

/// Which events of a batch are not duplicates, of earlier ones or of each other.
struct Fresh {
    is_new: Vec<bool>,
    keys: Vec<EventKey>,
}

impl Fresh {
    fn among(conn: &mut Connection, tenant: &TenantId, events: &[&Event]) -> Result<Self> {
        let all: Vec<&str> = events.iter().flat_map(|event| keys_of(event)).collect();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let remembered = keys::remembered(conn, tenant, &all)?;
        known.extend(remembered.keys().map(String::as_str));
        let mut fresh = Self { is_new: Vec::with_capacity(events.len()), keys: Vec::new() };
        for event in events {
            let is_new = !keys_of(event).any(|key| known.contains(key));
            for key in keys_of(event) {
                if known.insert(key) {
                    fresh.keys.push(EventKey { key: key.to_owned(), event: event.id.clone() });
                }
            }
            fresh.is_new.push(is_new);
        }
        Ok(fresh)
    }
}

fn keys_of(event: &Event) -> impl Iterator<Item = &str> {
    event.keys.platform.as_deref().into_iter().chain([event.keys.content.as_str()])
}

fn verbatim(tenant: &TenantId, event: &Event, callback: &Callback) -> Change {
    Change {
        tenant: tenant.clone(),
        version: 0,
        entity: EntityKey::new(EntityKind::Callback, &event.id),
        action: Action::Callback(callback.clone()),
        source_time: callback.at,
        received_at: event.received_at,
        traceparent: event.traceparent.clone(),
        refers_to: Vec::new(),
        leaves: Vec::new(),
        first: false,
        only_for: None,
    }
}

/// The newest version of each entity that these changes are about, which get the numbers after `last_version`. A rename is about
/// both ids.
fn newest_versions(changes: &[Change], last_version: u64) -> EntityMap<u64> {
    let mut newest = EntityMap::default();
    for (version, change) in (last_version + 1..).zip(changes) {
        newest.insert(change.entity.clone(), version);
        if let Action::Upsert { renamed_from: Some(former), .. } = &change.action {
            newest.insert(former.clone(), version);
        }
    }
    newest
}

/// Writes everything but the changes. Returns whether somebody outside this turn waits for what was released.
fn save(
    conn: &mut Connection,
    tenant: &TenantId,
    rows: &mut EntityMap<Row>,
    effects: Effects,
    versions: &EntityMap<u64>,
    now: UnixMillis,
) -> Result<bool> {
    let rewaited: EntitySet = effects.waits.iter().map(|change| change.waiter.clone()).collect();
    let told_anew: EntitySet = effects.accepted.iter().cloned().collect();
    let mut saved = Vec::with_capacity(effects.records.len());
    let mut recovered = Vec::new();
    for (key, record) in effects.records {
        let mut row = rows.remove(&key).unwrap_or_default();
        let is_parked = record.is_parked();
        // A request that is corrected waits anew, for what it names now.
        let waits_anew = row.given_up && told_anew.contains(&key);
        if row.given_up && (waits_anew || !is_parked) {
            recovered.push(key.clone());
        }
        if waits_anew {
            (row.parked_since, row.asked, row.given_up) = (None, false, false);
        }
        row.parked_since = if is_parked { row.parked_since.or(Some(now)) } else { None };
        row.asked = row.asked && is_parked && !rewaited.contains(&key);
        row.given_up = row.given_up && is_parked;
        row.version = versions.get(&key).copied().unwrap_or(row.version);
        row.record = record;
        saved.push((key, row));
    }
    records::save(conn, tenant, &saved)?;
    waiting::change(conn, tenant, &effects.waits)?;
    ask(conn, tenant, &effects.questions, now)?;
    if !recovered.is_empty() {
        let how = (Resolution::Applied, now);
        dead_letters::resolve_entities(conn, tenant, Stage::Resolver, None, &recovered, how)?;
    }
    tell_of_records(conn, tenant, &effects.refused, &effects.accepted, now)?;
    reopen(conn, tenant, &effects.unparked, now)?;
    if effects.released.is_empty() { Ok(false) } else { waiting::release(conn, tenant, &effects.released) }
}

/// Records of forms that cannot be made into requests become dead letters, each in place of an older one; those of others are over.
fn tell_of_records(
    conn: &mut Connection,
    tenant: &TenantId,
    refused: &[RefusedRecord],
    accepted: &[EntityKey],
    now: UnixMillis,
) -> Result<()> {
    let end = |conn: &mut Connection, keys: &[EntityKey], how| {
        dead_letters::resolve_entities(conn, tenant, Stage::Mapping, None, keys, (how, now)).map(drop)
    };
    if !accepted.is_empty() {
        end(conn, accepted, Resolution::Applied)?;
    }
    if !refused.is_empty() {
        let keys: Vec<EntityKey> = refused.iter().map(|record| record.entity.clone()).collect();
        end(conn, &keys, Resolution::Superseded)?;
        let letters: Vec<NewDeadLetter> = refused.iter().map(|record| letter(tenant, record, now)).collect();
        dead_letters::insert(conn, &letters)?;
    }
    Ok(())
}

/// Requests that waited and are sent now: those that were given up on meanwhile are on their way again.
fn reopen(conn: &mut Connection, tenant: &TenantId, unparked: &[EntityKey], now: UnixMillis) -> Result<()> {
    let requests = unparked.iter().filter(|key| key.kind == EntityKind::Onboarding);
    let requests: Vec<(&str, &str)> = requests.filter_map(|key| onboarding::split(&key.id)).collect();
    form_records::reopen(conn, tenant, &requests, now)
}

/// It names the record, and what is wrong with which field; nothing that stands in the record.
fn letter(tenant: &TenantId, record: &RefusedRecord, now: UnixMillis) -> NewDeadLetter {
    let complaints = onboarding::complaints(&record.refusal);
    let (form, id) = onboarding::split(&record.entity.id).unwrap_or_default();
    NewDeadLetter {
        tenant: tenant.clone(),
        stage: Stage::Mapping,
        kind: record.entity.kind.as_str().to_owned(),
        entity: record.entity.id.to_string(),
        reason: Reason::InvalidRecord,
        detail: Complaint::told(&complaints),
        content: serde_json::json!({ "form": form, "record": id, "fields": complaints }).to_string(),
        destination: None,
        version: None,
        since: now,
    }
}

fn ask(conn: &mut Connection, tenant: &TenantId, asked: &BTreeSet<Question>, now: UnixMillis) -> Result<()> {
    if asked.is_empty() { Ok(()) } else { questions::ask(conn, tenant, asked, now) }
}
