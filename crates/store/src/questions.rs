//! What the resolver needs from a platform. Unique per entity: many hints about one are one question. The table is the truth; who
//! asks platforms takes what is due out of it for a while, and only an answer that was applied closes a question.

mod postgres;

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use directory::{Question, Why};

use crate::{
    convert::{ROWS_PER_STATEMENT, by_kind, entity_key, parse, unreadable, unsigned},
    destinations::UnknownName,
    outbox,
    schema::{
        resolver::{questions, silences},
        tenants::tenants,
    },
};

pub use directory::ANSWERS_LATER_BY_MILLIS;

/// An open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenQuestion {
    /// About which entity.
    pub about: EntityKey,
    /// Why it is asked: `hint`, `undecided`, `missing` or `blocking`.
    pub why: String,
    /// When it was first asked.
    pub asked_at: UnixMillis,
}

/// A question that was taken out to be put to the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// About which entity.
    pub about: EntityKey,
    /// Why it is asked.
    pub why: Why,
    /// The newest platform time that the answer has to be later than, by [`ANSWERS_LATER_BY_MILLIS`]; 0 where any answer will do.
    pub about_at: UnixMillis,
    /// When it was first asked, by our clock.
    pub asked_at: UnixMillis,
    /// How often it was asked in vain.
    pub attempts: u32,
    /// When the platform first answered that there is no such entity; see [`note_absent`].
    pub absent_since: Option<UnixMillis>,
}

#[derive(Queryable, QueryableByName)]
#[diesel(table_name = questions)]
struct Row {
    kind: String,
    id: String,
    why: String,
    about_at: i64,
    asked_at: i64,
    attempts: i32,
    absent_since: Option<i64>,
}

impl Row {
    fn into_claimed(self) -> Result<Claimed> {
        Ok(Claimed {
            about: entity_key(&self.kind, &self.id)?,
            why: Why::from_name(&self.why).ok_or_else(|| unreadable(UnknownName))?,
            about_at: UnixMillis(self.about_at),
            asked_at: UnixMillis(self.asked_at),
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            absent_since: self.absent_since.map(UnixMillis),
        })
    }
}

/// Asks. Of a question that is open already the newer time counts: an answer that is on its way, and not late enough for that,
/// leaves it open. What was found absent before counts no more then, since something was told of it. Whatever else it is asked
/// for needs more of an answer than a hint does.
///
/// # Errors
/// Those of the database.
pub fn ask(conn: &mut Connection, tenant: &TenantId, asked: &BTreeSet<Question>, now: UnixMillis) -> Result<()> {
    let mut merged: BTreeMap<&EntityKey, (Why, UnixMillis)> = BTreeMap::new();
    for question in asked {
        let (why, at) = merged.entry(&question.about).or_insert((question.why, question.at));
        *at = (*at).max(question.at);
        if *why == Why::Hint {
            *why = question.why;
        }
    }
    let merged: Vec<(&EntityKey, (Why, UnixMillis))> = merged.into_iter().collect();
    match conn {
        Connection::Sqlite(c) => {
            for piece in merged.chunks(ROWS_PER_STATEMENT) {
                let rows: Vec<_> = piece
                    .iter()
                    .map(|(about, (why, at))| {
                        (
                            questions::tenant.eq(tenant.as_str()),
                            questions::kind.eq(about.kind.as_str()),
                            questions::id.eq(&*about.id),
                            questions::why.eq(why.as_str()),
                            questions::asked_at.eq(now.0),
                            questions::next_attempt.eq(now.0),
                            questions::attempts.eq(0),
                            questions::about_at.eq(at.0),
                        )
                    })
                    .collect();
                let absent_since = "CASE WHEN about_at < excluded.about_at THEN NULL ELSE absent_since END";
                let why = "CASE WHEN why = 'hint' THEN excluded.why ELSE why END";
                diesel::insert_into(questions::table)
                    .values(rows)
                    .on_conflict((questions::tenant, questions::kind, questions::id))
                    .do_update()
                    .set((
                        questions::about_at.eq(sql::<BigInt>("max(about_at, excluded.about_at)")),
                        questions::absent_since.eq(sql::<Nullable<BigInt>>(absent_since)),
                        questions::why.eq(sql::<Text>(why)),
                    ))
                    .execute(c)?;
            }
        }
        Connection::Postgres(c) => {
            postgres::ask(c, tenant.as_str(), now.0, &merged)?;
        }
    }
    Ok(())
}

/// The open questions of a tenant, the oldest first.
pub fn open(conn: &mut Connection, tenant: &TenantId, limit: i64) -> Result<Vec<OpenQuestion>> {
    let rows: Vec<(String, String, String, i64)> = on_backend!(conn, c => questions::table
        .filter(questions::tenant.eq(tenant.as_str()))
        .order((questions::asked_at, questions::kind, questions::id))
        .limit(limit)
        .select((questions::kind, questions::id, questions::why, questions::asked_at))
        .load(c))?;
    rows.into_iter()
        .map(|(kind, id, why, asked_at)| {
            Ok(OpenQuestion { about: entity_key(&kind, &id)?, why, asked_at: UnixMillis(asked_at) })
        })
        .collect()
}

/// How many questions of a tenant are open.
///
/// # Errors
/// Those of the database.
pub fn count_open(conn: &mut Connection, tenant: &TenantId) -> Result<u64> {
    let count: i64 = on_backend!(conn, c => questions::table
        .filter(questions::tenant.eq(tenant.as_str()))
        .count()
        .get_result(c))?;
    Ok(unsigned(count))
}

/// The tenants, those that are not removed, with a question that is due.
///
/// # Errors
/// Those of the database.
pub fn tenants_with_due(conn: &mut Connection, now: UnixMillis) -> Result<Vec<TenantId>> {
    let due: Vec<String> = on_backend!(conn, c => questions::table
        .filter(questions::next_attempt.le(now.0))
        .select(questions::tenant)
        .distinct()
        .load(c))?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let applied = tenants::table.filter(tenants::id.eq_any(due)).filter(tenants::removed_at.is_null());
    let applied: Vec<String> = on_backend!(conn, c => applied.select(tenants::id).order(tenants::id).load(c))?;
    applied.iter().map(|id| parse(id)).collect()
}

/// Takes up to `limit` questions about these kinds that are due, those that have been due for longest, so that nobody else asks the
/// same before `until`. Whoever does not come back leaves them due then.
///
/// # Errors
/// Those of the database.
pub fn claim(
    conn: &mut Connection,
    tenant: &TenantId,
    kinds: &[EntityKind],
    now: UnixMillis,
    until: UnixMillis,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let rows: Vec<Row> = match conn {
        Connection::Sqlite(c) => questions::table
            .filter(questions::tenant.eq(tenant.as_str()))
            .filter(questions::kind.eq_any(kinds))
            .filter(questions::next_attempt.le(now.0))
            .order((questions::next_attempt, questions::kind, questions::id))
            .limit(limit)
            .select((
                questions::kind,
                questions::id,
                questions::why,
                questions::about_at,
                questions::asked_at,
                questions::attempts,
                questions::absent_since,
            ))
            .load(c)?,
        Connection::Postgres(c) => postgres::claim(c, tenant.as_str(), kinds, (now.0, until.0), limit)?,
    };
    let mut claimed = rows.into_iter().map(Row::into_claimed).collect::<Result<Vec<Claimed>>>()?;
    claimed.sort_by(|one, other| (one.asked_at, &one.about).cmp(&(other.asked_at, &other.about)));
    if let Connection::Sqlite(c) = conn {
        let keys: Vec<EntityKey> = claimed.iter().map(|question| question.about.clone()).collect();
        for (kind, ids) in by_kind(&keys) {
            let taken = questions::table
                .filter(questions::tenant.eq(tenant.as_str()))
                .filter(questions::kind.eq(kind))
                .filter(questions::id.eq_any(ids));
            diesel::update(taken).set(questions::next_attempt.eq(until.0)).execute(c)?;
        }
    }
    Ok(claimed)
}

/// Closes the questions about these entities for which an answer, of the platform's time beside it, is late enough, and makes the
/// others due again at once. Returns how many it closed. To be called in the transaction that applies the answers, by whoever has
/// locked the tenant.
///
/// # Errors
/// Those of the database.
pub fn answered(
    conn: &mut Connection,
    tenant: &TenantId,
    answers: &[(EntityKey, UnixMillis)],
    now: UnixMillis,
) -> Result<usize> {
    let mut newest: BTreeMap<&EntityKey, UnixMillis> = BTreeMap::new();
    for (about, at) in answers {
        let newest = newest.entry(about).or_insert(*at);
        *newest = (*newest).max(*at);
    }
    let closed = match conn {
        Connection::Sqlite(c) => close_in_file(c, tenant, &newest)?,
        Connection::Postgres(c) => postgres::close(c, tenant.as_str(), &newest)?,
    };
    let keys: Vec<EntityKey> = newest.into_keys().cloned().collect();
    for (kind, ids) in by_kind(&keys) {
        let left = questions::table
            .filter(questions::tenant.eq(tenant.as_str()))
            .filter(questions::kind.eq(kind))
            .filter(questions::id.eq_any(ids))
            .filter(questions::next_attempt.gt(now.0));
        on_backend!(conn, c => diesel::update(left).set(questions::next_attempt.eq(now.0)).execute(c))?;
    }
    Ok(closed)
}

/// Answers that came together have few times between them.
fn close_in_file(
    c: &mut SqliteConnection,
    tenant: &TenantId,
    newest: &BTreeMap<&EntityKey, UnixMillis>,
) -> QueryResult<usize> {
    let mut by_time: BTreeMap<UnixMillis, Vec<EntityKey>> = BTreeMap::new();
    for (about, at) in newest {
        by_time.entry(*at).or_default().push((*about).clone());
    }
    let mut closed = 0;
    for (at, keys) in by_time {
        for (kind, ids) in by_kind(&keys) {
            let answered = questions::table
                .filter(questions::tenant.eq(tenant.as_str()))
                .filter(questions::kind.eq(kind))
                .filter(questions::id.eq_any(ids))
                .filter(questions::about_at.le(at.plus_millis(-ANSWERS_LATER_BY_MILLIS).0));
            closed += diesel::delete(answered).execute(c)?;
        }
    }
    Ok(closed)
}

/// Puts questions off, each to a time: the platform refused, failed or could not be reached, which may count as an attempt. Locks
/// the tenant, as the resolver does before it asks, so that the two cannot block each other.
///
/// # Errors
/// Those of the database.
pub fn postpone(
    conn: &mut Connection,
    tenant: &TenantId,
    later: &[(EntityKey, UnixMillis)],
    counts_as_attempt: bool,
) -> Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    let later: BTreeMap<&EntityKey, UnixMillis> = later.iter().map(|(about, next)| (about, *next)).collect();
    let attempts = i32::from(counts_as_attempt);
    match conn {
        Connection::Sqlite(c) => postpone_in_file(c, tenant, &later, attempts)?,
        Connection::Postgres(c) => {
            postgres::postpone(c, tenant.as_str(), &later, attempts)?;
        }
    }
    Ok(())
}

/// What is put off together is put off to few times.
fn postpone_in_file(
    c: &mut SqliteConnection,
    tenant: &TenantId,
    later: &BTreeMap<&EntityKey, UnixMillis>,
    attempts: i32,
) -> QueryResult<()> {
    let mut by_time: BTreeMap<UnixMillis, Vec<EntityKey>> = BTreeMap::new();
    for (about, next) in later {
        by_time.entry(*next).or_default().push((*about).clone());
    }
    for (next, keys) in by_time {
        for (kind, ids) in by_kind(&keys) {
            let put_off = questions::table
                .filter(questions::tenant.eq(tenant.as_str()))
                .filter(questions::kind.eq(kind))
                .filter(questions::id.eq_any(ids));
            let values = (questions::next_attempt.eq(next.0), questions::attempts.eq(questions::attempts + attempts));
            diesel::update(put_off).set(values).execute(c)?;
        }
    }
    Ok(())
}

/// Withdraws questions that any answer would do for; those about which something was told meanwhile are due at once instead. Locks the
/// tenant, see [`postpone`].
///
/// # Errors
/// Those of the database.
pub fn withdraw(conn: &mut Connection, tenant: &TenantId, about: &[EntityKey], now: UnixMillis) -> Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    for (kind, ids) in by_kind(about) {
        let those = || {
            questions::table
                .filter(questions::tenant.eq(tenant.as_str()))
                .filter(questions::kind.eq(kind))
                .filter(questions::id.eq_any(ids.clone()))
        };
        on_backend!(conn, c => diesel::delete(those().filter(questions::about_at.eq(0_i64))).execute(c))?;
        on_backend!(conn, c => diesel::update(those()).set(questions::next_attempt.eq(now.0)).execute(c))?;
    }
    Ok(())
}

/// Notes that the platform answered, at `at` by its clock, that there are no such entities; of several such answers the first
/// counts, until something newer is told of the entity. Locks the tenant, see [`postpone`].
///
/// # Errors
/// Those of the database.
pub fn note_absent(conn: &mut Connection, tenant: &TenantId, absent: &[EntityKey], at: UnixMillis) -> Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    for (kind, ids) in by_kind(absent) {
        let unnoted = questions::table
            .filter(questions::tenant.eq(tenant.as_str()))
            .filter(questions::kind.eq(kind))
            .filter(questions::id.eq_any(ids))
            .filter(questions::absent_since.is_null());
        on_backend!(conn, c => diesel::update(unnoted).set(questions::absent_since.eq(at.0)).execute(c))?;
    }
    Ok(())
}

/// Notes since when a tenant's platform does not answer, or that it does again. What is noted already stays: silence begins once.
///
/// # Errors
/// Those of the database.
pub fn set_silent(conn: &mut Connection, tenant: &TenantId, since: Option<UnixMillis>) -> Result<()> {
    match since {
        Some(since) => {
            let row = (silences::tenant.eq(tenant.as_str()), silences::since.eq(since.0));
            on_backend!(conn, c => diesel::insert_into(silences::table).values(row).on_conflict_do_nothing().execute(c))?;
        }
        None => {
            on_backend!(conn, c => diesel::delete(silences::table.find(tenant.as_str())).execute(c))?;
        }
    }
    Ok(())
}

/// Since when a tenant's platform does not answer; `None` while it does.
///
/// # Errors
/// Those of the database.
pub fn silent_since(conn: &mut Connection, tenant: &TenantId) -> Result<Option<UnixMillis>> {
    let query = silences::table.find(tenant.as_str()).select(silences::since);
    let since: Option<i64> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(since.map(UnixMillis))
}
