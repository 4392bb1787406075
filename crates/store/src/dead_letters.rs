//! Dead letters: what was given up on, with its reason and its full content.

use common::{DestinationId, EntityKey, Reason, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{dsl::count_star, prelude::*};

use crate::{
    convert::{ROWS_PER_STATEMENT, by_kind, parse, signed, unreadable, unsigned},
    destinations::UnknownName,
    schema::sink::dead_letters,
};

/// Who gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The gateway.
    Gateway,
    /// The resolver.
    Resolver,
    /// The sink.
    Sink,
    /// Whoever makes requests out of the records of forms.
    Mapping,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gateway, Self::Resolver, Self::Sink, Self::Mapping];

    /// The name in tables, commands and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Resolver => "resolver",
            Self::Sink => "sink",
            Self::Mapping => "mapping",
        }
    }
}

impl std::str::FromStr for Stage {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name).ok_or(UnknownName)
    }
}

/// How a dead letter ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// What was missing appeared, or the entity arrived in a later version.
    Applied,
    /// A newer dead letter of the same entity took its place.
    Superseded,
    /// A person had it tried again.
    Replayed,
    /// A person threw it away.
    Discarded,
}

impl Resolution {
    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

/// Something that is given up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who gave up.
    pub stage: Stage,
    /// The kind of entity, or `event` where it is not known.
    pub kind: String,
    /// The entity's id; empty where it is not known.
    pub entity: String,
    /// Why.
    pub reason: Reason,
    /// More about why, for people; without personal data.
    pub detail: String,
    /// All of it: the change's or event's JSON, or the bytes that could not be read, in base64.
    pub content: String,
    /// Which destination did not take it, of a change.
    pub destination: Option<DestinationId>,
    /// The version of a change.
    pub version: Option<u64>,
    /// Since when.
    pub since: UnixMillis,
}

/// A dead letter as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// A short id for people.
    pub id: String,
    /// What was given up on.
    pub letter: NewDeadLetter,
    /// How and when it ended, if it did.
    pub resolved: Option<(String, UnixMillis)>,
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = dead_letters, treat_none_as_default_value = false)]
struct Row {
    id: String,
    tenant: String,
    stage: String,
    kind: String,
    entity: String,
    reason: String,
    detail: String,
    content: String,
    destination: Option<String>,
    version: Option<i64>,
    since: i64,
    resolved_at: Option<i64>,
    resolution: Option<String>,
}

impl Row {
    fn new(id: &str, letter: &NewDeadLetter) -> Self {
        Self {
            id: id.to_owned(),
            tenant: letter.tenant.as_str().to_owned(),
            stage: letter.stage.as_str().to_owned(),
            kind: letter.kind.clone(),
            entity: letter.entity.clone(),
            reason: letter.reason.as_str().to_owned(),
            detail: letter.detail.clone(),
            content: letter.content.clone(),
            destination: letter.destination.as_ref().map(|id| id.as_str().to_owned()),
            version: letter.version.map(signed),
            since: letter.since.0,
            resolved_at: None,
            resolution: None,
        }
    }

    fn read(self) -> Result<DeadLetter> {
        let letter = NewDeadLetter {
            tenant: parse(&self.tenant)?,
            stage: parse(&self.stage)?,
            kind: self.kind,
            entity: self.entity,
            reason: Reason::from_name(&self.reason).ok_or(UnknownName).map_err(unreadable)?,
            detail: self.detail,
            content: self.content,
            destination: self.destination.as_deref().map(parse).transpose()?,
            version: self.version.map(unsigned),
            since: UnixMillis(self.since),
        };
        Ok(DeadLetter { id: self.id, letter, resolved: self.resolution.zip(self.resolved_at.map(UnixMillis)) })
    }
}

/// Letters and digits that are not mistaken for each other when read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_LENGTH: usize = 10;

/// 50 random bits: a million letters share one with a chance of 1 in 2,000.
fn new_id() -> String {
    let mut bytes = [0u8; ID_LENGTH];
    rand::fill(&mut bytes);
    bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(*byte & 31u8)).copied()).map(char::from).collect()
}

/// Stores dead letters and returns their ids in the same order.
///
/// # Errors
/// Those of the database.
pub fn insert(conn: &mut Connection, letters: &[NewDeadLetter]) -> Result<Vec<String>> {
    let ids: Vec<String> = letters.iter().map(|_| new_id()).collect();
    let rows: Vec<Row> = ids.iter().zip(letters).map(|(id, letter)| Row::new(id, letter)).collect();
    for piece in rows.chunks(ROWS_PER_STATEMENT) {
        on_backend!(conn, c => diesel::insert_into(dead_letters::table).values(piece).execute(c))?;
    }
    Ok(ids)
}

/// The open dead letters of one tenant or of all, oldest first.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Connection, tenant: Option<&TenantId>) -> Result<Vec<DeadLetter>> {
    let open =
        dead_letters::table.filter(dead_letters::resolved_at.is_null()).order((dead_letters::since, dead_letters::id));
    let rows: Vec<Row> = match tenant {
        Some(tenant) => on_backend!(conn, c => open.filter(dead_letters::tenant.eq(tenant.as_str())).load(c))?,
        None => on_backend!(conn, c => open.load(c))?,
    };
    rows.into_iter().map(Row::read).collect()
}

/// The open dead letters of a tenant, of one reason or all, from a moment on; for `replay --all`.
///
/// # Errors
/// Those of the database.
pub fn find(
    conn: &mut Connection,
    tenant: &TenantId,
    reason: Option<Reason>,
    since: Option<UnixMillis>,
) -> Result<Vec<DeadLetter>> {
    let mut letters = list(conn, Some(tenant))?;
    letters.retain(|dead| {
        reason.is_none_or(|reason| dead.letter.reason == reason) && since.is_none_or(|since| dead.letter.since >= since)
    });
    Ok(letters)
}

/// One dead letter, also one that has ended.
///
/// # Errors
/// Those of the database.
pub fn show(conn: &mut Connection, id: &str) -> Result<Option<DeadLetter>> {
    let row: Option<Row> = on_backend!(conn, c => dead_letters::table.find(id).first(c).optional())?;
    row.map(Row::read).transpose()
}

/// Ends open dead letters by id; returns how many were open.
///
/// # Errors
/// Those of the database.
pub fn resolve(conn: &mut Connection, ids: &[String], how: Resolution, now: UnixMillis) -> Result<usize> {
    let mut resolved = 0;
    for piece in ids.chunks(ROWS_PER_STATEMENT) {
        let open =
            dead_letters::table.filter(dead_letters::id.eq_any(piece)).filter(dead_letters::resolved_at.is_null());
        let values = (dead_letters::resolved_at.eq(now.0), dead_letters::resolution.eq(how.as_str()));
        resolved += on_backend!(conn, c => diesel::update(open).set(values).execute(c))?;
    }
    Ok(resolved)
}

/// Throws one away; `false` when there is no open one of that id.
///
/// # Errors
/// Those of the database.
pub fn discard(conn: &mut Connection, id: &str, now: UnixMillis) -> Result<bool> {
    Ok(resolve(conn, &[id.to_owned()], Resolution::Discarded, now)? > 0)
}

/// Ends the open dead letters of entities at a stage; of the sink, at one destination. Returns how many there were.
///
/// # Errors
/// Those of the database.
pub fn resolve_entities(
    conn: &mut Connection,
    tenant: &TenantId,
    stage: Stage,
    destination: Option<&DestinationId>,
    keys: &[EntityKey],
    how: (Resolution, UnixMillis),
) -> Result<usize> {
    let mut found: Vec<String> = Vec::new();
    for (kind, ids) in by_kind(keys) {
        let open = dead_letters::table
            .filter(dead_letters::tenant.eq(tenant.as_str()))
            .filter(dead_letters::stage.eq(stage.as_str()))
            .filter(dead_letters::kind.eq(kind))
            .filter(dead_letters::entity.eq_any(ids))
            .filter(dead_letters::resolved_at.is_null())
            .select(dead_letters::id);
        let ids: Vec<String> = match destination {
            Some(id) => on_backend!(conn, c => open.filter(dead_letters::destination.eq(id.as_str())).load(c))?,
            None => on_backend!(conn, c => open.filter(dead_letters::destination.is_null()).load(c))?,
        };
        found.extend(ids);
    }
    resolve(conn, &found, how.0, how.1)
}

/// How many are open, by tenant and stage.
///
/// # Errors
/// Those of the database.
pub fn counts(conn: &mut Connection) -> Result<Vec<(TenantId, Stage, u64)>> {
    let query = dead_letters::table
        .filter(dead_letters::resolved_at.is_null())
        .group_by((dead_letters::tenant, dead_letters::stage))
        .select((dead_letters::tenant, dead_letters::stage, count_star()));
    let rows: Vec<(String, String, i64)> = on_backend!(conn, c => query.load(c))?;
    rows.iter().map(|(tenant, stage, count)| Ok((parse(tenant)?, parse(stage)?, unsigned(*count)))).collect()
}

/// Forgets those that ended before a moment.
///
/// # Errors
/// Those of the database.
pub fn prune(conn: &mut Connection, before: UnixMillis) -> Result<usize> {
    let old = dead_letters::table.filter(dead_letters::resolved_at.lt(before.0));
    Ok(on_backend!(conn, c => diesel::delete(old).execute(c))?)
}
