//! How each sort of dead letter is tried again.
//!
//! - *A change that a destination did not take*: a wish for the entity, as it is now, under a new version; the resolver carries
//!   it out. A verbatim callback has no record to be rendered from, so the very change is appended to the outbox again.
//! - *An entity whose dependency did not come*: it still waits and comes back by itself. Its clocks start anew, so that the
//!   platform is asked again, and a person again after the limit.
//! - *An event that could not be processed*: its turn is taken here, in the transaction that ends the letter. Publishing it to
//!   the queue instead would be wrong: the embedded queue admits one process only (see [`broker::Embedded`]), and a
//!   crash between the two would double or lose it. A turn locks the tenant like any other, and the outbox is swept by whoever serves.
//! - *A record of a form that no request can be made of*: only a correction ends its letter, of the record or of the mapping.

use std::{collections::BTreeSet, sync::Arc};

use common::{Action, Change, EntityKey, EntityKind, Event, Reason, TenantId, UnixMillis};
use database::{Connection, Database};
use resolver::{Rules, Turn};
use service::Snapshot;
use store::{
    dead_letters::{self, DeadLetter, Resolution, Stage},
    outbox, records,
};

use super::Desk;
use crate::{Language, texts};

/// Entities of a release that are looked at in one transaction.
const SLICE: usize = 500;

/// Why a dead letter stays one.
#[derive(Debug)]
pub(super) enum Kept {
    /// Its content is none that we can read.
    Unreadable,
    /// What it is about is to be corrected where it comes from.
    Uncorrected,
    /// Its tenant is not applied.
    NoTenant(TenantId),
    /// The database did not take it.
    Database(database::Error),
}

impl Kept {
    /// Why, for people.
    pub(super) fn told(&self, language: Language) -> String {
        match self {
            Self::Unreadable => texts::unreadable_letter(language),
            Self::Uncorrected => texts::uncorrected_letter(language),
            Self::NoTenant(tenant) => texts::letter_without_tenant(language, tenant),
            Self::Database(error) => error.to_string(),
        }
    }
}

impl From<database::Error> for Kept {
    fn from(error: database::Error) -> Self {
        Self::Database(error)
    }
}

/// Tries dead letters again.
pub(super) struct Replayer {
    database: Database,
    rules: Rules,
}

impl Replayer {
    pub(super) fn new(desk: &Desk, tenants: Arc<Snapshot>) -> Self {
        let now = desk.now();
        // Nothing is folded here: that is left to who knows how long keys are remembered.
        Self { database: desk.database.clone(), rules: Rules { now, horizon: UnixMillis(0), tenants } }
    }

    /// Tries one again, in one transaction with ending it.
    pub(super) async fn replay(&self, dead: DeadLetter) -> Result<(), Kept> {
        let rules = self.rules.clone();
        let once_more = move |conn: &mut Connection| -> Result<BTreeSet<TenantId>, Kept> {
            // In the order in which the resolver locks them; and ended first, so that of two who replay the same one only one does.
            outbox::lock_tenants(conn, [&dead.letter.tenant])?;
            if dead_letters::resolve(conn, std::slice::from_ref(&dead.id), Resolution::Replayed, rules.now)? == 0 {
                return Ok(BTreeSet::new());
            }
            once_more(conn, &dead, &rules)
        };
        let released = self.database.write("dead.replay", once_more).await?;
        for tenant in released {
            self.work_off(&tenant).await?;
        }
        Ok(())
    }

    /// A resolver would take up what a turn of ours released, but only after a moment, and only where one runs.
    async fn work_off(&self, tenant: &TenantId) -> Result<(), Kept> {
        loop {
            let (of, rules) = (tenant.clone(), self.rules.clone());
            let slice = move |conn: &mut Connection| Turn::released(conn, &of, SLICE, &rules);
            if !self.database.write("dead.release", slice).await?.released.contains(tenant) {
                return Ok(());
            }
        }
    }
}

/// Returns the tenants with something released.
fn once_more(conn: &mut Connection, dead: &DeadLetter, rules: &Rules) -> Result<BTreeSet<TenantId>, Kept> {
    let letter = &dead.letter;
    let entity = || letter.kind.parse::<EntityKind>().ok().map(|kind| EntityKey::new(kind, &letter.entity));
    let versions = outbox::lock_tenants(conn, [&letter.tenant])?;
    let last_version = *versions.get(&letter.tenant).ok_or_else(|| Kept::NoTenant(letter.tenant.clone()))?;
    match (letter.stage, letter.reason, entity()) {
        (Stage::Resolver, Reason::DependencyMissing, Some(key)) => wait_again(conn, &letter.tenant, key, rules.now)?,
        (Stage::Sink, _, Some(key)) if key.kind == EntityKind::Callback => {
            let change: Change = serde_json::from_str(&letter.content).or(Err(Kept::Unreadable))?;
            if !matches!(change.action, Action::Callback(_)) {
                return Err(Kept::Unreadable);
            }
            let mut changes = [Change { only_for: letter.destination.clone(), ..change }];
            outbox::append(conn, &letter.tenant, last_version, &mut changes, rules.now)?;
        }
        (Stage::Sink, _, Some(key)) => {
            outbox::request_replay(conn, &letter.tenant, letter.destination.as_ref(), &[key], rules.now)?;
        }
        (Stage::Resolver | Stage::Gateway, _, _) => {
            let event = Event::from_cloud_event(letter.content.as_bytes()).or(Err(Kept::Unreadable))?;
            return Ok(Turn::events(conn, &[event], rules)?.released);
        }
        (Stage::Sink, _, None) => return Err(Kept::Unreadable),
        (Stage::Mapping, _, _) => return Err(Kept::Uncorrected),
    }
    Ok(BTreeSet::new())
}

fn wait_again(conn: &mut Connection, tenant: &TenantId, key: EntityKey, now: UnixMillis) -> database::Result<()> {
    let mut rows = records::load(conn, tenant, &[key])?;
    rows.retain(|(_, row)| row.parked_since.is_some());
    for (_, row) in &mut rows {
        row.parked_since = Some(now);
        row.asked = false;
        row.given_up = false;
    }
    records::save(conn, tenant, &rows)
}
