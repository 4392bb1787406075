//! Destinations: how far each one is, who sends to it, and how it fares.

mod facts;
mod lease;

pub use facts::{Backlog, Position, Watched, backlog, lowest_positions, watch};
pub use lease::{
    Lease, Progress, acquire, advance, failed, free_leases, handshaken, holds, release, renew, set_fingerprint,
};

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    convert::{parse, signed, unreadable, unsigned},
    links, runs,
    schema::{
        sink::{attempts, destinations, held, messages, taken},
        tenants::tenants,
    },
};

/// A destination as a tenant's file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its id within the tenant.
    pub id: DestinationId,
    /// Its kind as in the file: `sqlite`, `wecom-callback`, ...
    pub kind: String,
    /// Whether it is to get what exists already when it is added later: `backfill = true` or `role = "core"`.
    pub backfill: bool,
    /// Whether it may hold rows of its own that can be compared with the directory. It collects until that is known, see
    /// [`State::Collecting`].
    pub compared: bool,
}

/// A destination's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id within the tenant.
    pub id: DestinationId,
    /// Its kind.
    pub kind: String,
    /// The highest version with nothing open below it here.
    pub position: u64,
    /// The version after which it started.
    pub started_version: u64,
    /// What an operator wants of it.
    pub state: State,
    /// Whether it waits for its back-fill.
    pub backfill: Option<Backfill>,
    /// Tells one set of settings from another; empty before the first sender.
    pub fingerprint: String,
    /// Grows when a person changed what is held for it: its sender then reads that again.
    pub touched: i64,
    /// When its handshake first succeeded.
    pub handshake_at: Option<UnixMillis>,
    /// The platform second of the last message sent, for receivers that tell messages apart by it.
    pub last_second: Option<i64>,
    /// The last failure of the destination as a whole, and since when it fails; `None` while it is fine.
    pub last_error: Option<(String, UnixMillis)>,
    /// When it last took something.
    pub last_success_at: Option<UnixMillis>,
}

/// What an operator wants of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum State {
    /// Changes are delivered.
    #[default]
    Active,
    /// Changes collect until it is resumed.
    Paused,
    /// Changes collect until a core product of the tenant is known to hold no rows of its own, or a sync with it is applied.
    Collecting,
}

/// How a destination that was added later gets what existed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backfill {
    /// Nothing is delivered until the back-fill's changes exist, see [`backfilled`].
    Wanted,
    /// They exist.
    Done,
}

impl State {
    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Collecting => "collecting",
        }
    }
}

impl std::str::FromStr for State {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Active, Self::Paused, Self::Collecting].into_iter().find(|s| s.as_str() == name).ok_or(UnknownName)
    }
}

impl Backfill {
    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Done => "done",
        }
    }
}

impl std::str::FromStr for Backfill {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Wanted, Self::Done].into_iter().find(|b| b.as_str() == name).ok_or(UnknownName)
    }
}

/// A row holds a name that this release does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name in the database is unknown to this release")]
pub struct UnknownName;

#[derive(Queryable)]
struct Row {
    tenant: String,
    id: String,
    kind: String,
    position: i64,
    started_version: i64,
    state: String,
    backfill: Option<String>,
    fingerprint: String,
    touched: i64,
    _lease_owner: Option<String>,
    _lease_until: i64,
    _fence: i64,
    handshake_at: Option<i64>,
    last_second: Option<i64>,
    last_error: Option<String>,
    failing_since: Option<i64>,
    last_success_at: Option<i64>,
    _created_at: i64,
}

impl Row {
    fn read(self) -> Result<Destination> {
        Ok(Destination {
            tenant: parse(&self.tenant)?,
            id: parse(&self.id)?,
            kind: self.kind,
            position: unsigned(self.position),
            started_version: unsigned(self.started_version),
            state: self.state.parse().map_err(unreadable)?,
            backfill: self.backfill.as_deref().map(parse).transpose()?,
            fingerprint: self.fingerprint,
            touched: self.touched,
            handshake_at: self.handshake_at.map(UnixMillis),
            last_second: self.last_second,
            last_error: self.last_error.zip(self.failing_since.map(UnixMillis)),
            last_success_at: self.last_success_at.map(UnixMillis),
        })
    }
}

/// Makes the rows of a tenant's destinations what its file says: missing ones are added at the tenant's last version, those
/// that are named no more, or have another kind now, are forgotten with all that was kept for them (dead letters stay).
/// Adding what is there already changes nothing. What comes with a product of which nobody knows yet what is in it, or while one
/// waits for that, collects as it does.
///
/// # Errors
/// Those of the database.
pub fn declare(conn: &mut Connection, tenant: &TenantId, declared: &[Declared], now: UnixMillis) -> Result<()> {
    let known = list(conn, Some(tenant))?;
    for one in &known {
        if !declared.iter().any(|new| new.id == one.id && new.kind == one.kind) {
            forget(conn, tenant, &one.id)?;
        }
    }
    let is_unknown = |new: &Declared| {
        let row = known.iter().find(|one| one.id == new.id && one.kind == new.kind);
        new.compared && row.is_none_or(|row| row.state == State::Collecting)
    };
    let collects = declared.iter().any(is_unknown);
    let state = if collects { State::Collecting } else { State::Active };
    let query = tenants::table.find(tenant.as_str()).select(tenants::last_version);
    let last: i64 = on_backend!(conn, c => query.first(c).optional())?.unwrap_or_default();
    for new in declared {
        let backfill = (new.backfill && last > 0).then_some(Backfill::Wanted.as_str());
        let row = (
            destinations::tenant.eq(tenant.as_str()),
            destinations::id.eq(new.id.as_str()),
            destinations::kind.eq(&new.kind),
            destinations::position.eq(last),
            destinations::started_version.eq(last),
            destinations::state.eq(state.as_str()),
            destinations::backfill.eq(backfill),
            destinations::created_at.eq(now.0),
            // Higher than any fence that a former row of this name gave.
            destinations::fence.eq(now.0),
        );
        on_backend!(conn, c =>
            diesel::insert_into(destinations::table).values(row).on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

fn forget(conn: &mut Connection, of: &TenantId, destination: &DestinationId) -> Result<()> {
    let (tenant, id) = (of.as_str(), destination.as_str());
    macro_rules! clear {
        ($table:ident) => {{
            let rows = $table::table.filter($table::tenant.eq(tenant)).filter($table::destination.eq(id));
            on_backend!(conn, c => diesel::delete(rows).execute(c))?;
        }};
    }
    // The row first, which its sender locks first too: what that is writing is then there to be cleared.
    on_backend!(conn, c => diesel::delete(destinations::table.find((tenant, id))).execute(c))?;
    clear!(held);
    clear!(taken);
    clear!(messages);
    clear!(attempts);
    links::clear(conn, of, destination)?;
    runs::forget_destination(conn, of, destination)
}

/// The destinations of one tenant or of all.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Connection, tenant: Option<&TenantId>) -> Result<Vec<Destination>> {
    let all = destinations::table.order((destinations::tenant, destinations::id));
    let rows: Vec<Row> = match tenant {
        Some(tenant) => on_backend!(conn, c => all.filter(destinations::tenant.eq(tenant.as_str())).load(c))?,
        None => on_backend!(conn, c => all.load(c))?,
    };
    rows.into_iter().map(Row::read).collect()
}

/// One destination.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, tenant: &TenantId, id: &DestinationId) -> Result<Option<Destination>> {
    let query = destinations::table.find((tenant.as_str(), id.as_str()));
    let row: Option<Row> = on_backend!(conn, c => query.first(c).optional())?;
    row.map(Row::read).transpose()
}

/// Pauses or resumes; `false` when there is no such destination. One that collects goes on collecting: only a sync ends that.
///
/// # Errors
/// Those of the database.
pub fn set_state(conn: &mut Connection, tenant: &TenantId, id: &DestinationId, state: State) -> Result<bool> {
    let target = destinations::table
        .find((tenant.as_str(), id.as_str()))
        .filter(destinations::state.ne(State::Collecting.as_str()));
    let changed = on_backend!(conn, c =>
        diesel::update(target).set(destinations::state.eq(state.as_str())).execute(c))?;
    Ok(changed > 0 || get(conn, tenant, id)?.is_some())
}

/// Tells the sender of a destination that a person changed what is held for it.
///
/// # Errors
/// Those of the database.
pub fn touch(conn: &mut Connection, tenant: &TenantId, id: &DestinationId) -> Result<()> {
    let target = destinations::table.find((tenant.as_str(), id.as_str()));
    on_backend!(conn, c =>
        diesel::update(target).set(destinations::touched.eq(destinations::touched + 1)).execute(c))?;
    Ok(())
}

/// The destinations that wait for their back-fill. Those that collect do not yet: a product that holds rows gets none, since a
/// sync tells what it lacks.
///
/// # Errors
/// Those of the database.
pub fn backfills_wanted(conn: &mut Connection) -> Result<Vec<(TenantId, DestinationId)>> {
    let query = destinations::table
        .filter(destinations::backfill.eq(Backfill::Wanted.as_str()))
        .filter(destinations::state.ne(State::Collecting.as_str()))
        .select((destinations::tenant, destinations::id));
    let rows: Vec<(String, String)> = on_backend!(conn, c => query.load(c))?;
    rows.iter().map(|(tenant, id)| Ok((parse(tenant)?, parse(id)?))).collect()
}

/// The back-fill of a destination exists: changes `only_for` it (with `first` set, parents first) have the versions after
/// `after`. It goes on from there: what came before is in them. To be called in the transaction that appends them,
/// with the tenant locked, so that every ordinary change comes either before `after` or behind the back-fill.
///
/// # Errors
/// Those of the database.
pub fn backfilled(conn: &mut Connection, tenant: &TenantId, id: &DestinationId, after: u64) -> Result<()> {
    let target = destinations::table.find((tenant.as_str(), id.as_str()));
    let values = (
        destinations::backfill.eq(Backfill::Done.as_str()),
        destinations::position.eq(signed(after)),
        destinations::started_version.eq(signed(after)),
    );
    on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    Ok(())
}
