//! What became of the records of forms: who was seen, asked for, created, refused. It is kept for good: a record that made a member makes no
//! second one.

use std::collections::BTreeMap;

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{dsl::count_star, prelude::*};

use crate::{
    convert::{ROWS_PER_STATEMENT, parse, unsigned},
    destinations::UnknownName,
    schema::forms::form_records,
};

/// How a record of a form stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It was read, and asks for nobody yet.
    Seen,
    /// It was told as a request.
    Sent,
    /// The member is there.
    Created,
    /// It cannot be made into a request.
    Refused,
    /// The request was given up on: nobody came of it.
    Failed,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Seen, Self::Sent, Self::Created, Self::Refused, Self::Failed];

    /// The name in the table and in commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Sent => "sent",
            Self::Created => "created",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Whether somebody who waits for it is to be told.
    pub const fn is_outcome(self) -> bool {
        matches!(self, Self::Created | Self::Refused | Self::Failed)
    }
}

impl std::str::FromStr for State {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or(UnknownName)
    }
}

/// A record of a form, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRecord {
    /// The form, `{app_id}/{entry_id}`.
    pub form: String,
    /// The record's id.
    pub record: String,
    /// A hash of what was last mapped out of it; empty where that is not known.
    pub content_hash: String,
    /// How it stands.
    pub state: State,
    /// The id of the member that it made, or was found to be.
    pub user_id: Option<String>,
    /// What is wrong with it, or what is to be known of the member: a JSON list of complaints, see [`common::onboarding`].
    pub reasons: Option<String>,
    /// How often it was tried at the platform.
    pub attempts: u32,
    /// When any of this changed.
    pub updated_at: UnixMillis,
    /// Its outcome is still to be written back into the form.
    pub untold: bool,
}

/// What a poll found of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted<'a> {
    /// The record's id.
    pub record: &'a str,
    /// A hash of what was mapped out of it.
    pub content_hash: &'a str,
    /// [`State::Seen`], [`State::Sent`] or [`State::Refused`].
    pub state: State,
    /// Why it is refused, a JSON list of complaints.
    pub reasons: Option<&'a str>,
}

/// What came of a request at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The form, `{app_id}/{entry_id}`.
    pub form: String,
    /// The record's id.
    pub record: String,
    /// [`State::Created`] or [`State::Failed`].
    pub state: State,
    /// The id of the member that is there now.
    pub user_id: Option<String>,
    /// Why it was given up on, or what is to be known of the member: a JSON list of complaints.
    pub reasons: Option<String>,
    /// How often it was tried in all.
    pub attempts: u32,
}

#[derive(Queryable)]
struct Row {
    form: String,
    record: String,
    content_hash: String,
    state: String,
    user_id: Option<String>,
    reasons: Option<String>,
    attempts: i32,
    updated_at: i64,
    untold: bool,
}

impl Row {
    fn read(self) -> Result<FormRecord> {
        let Self { form, record, content_hash, state, user_id, reasons, attempts, updated_at, untold } = self;
        Ok(FormRecord {
            form,
            record,
            content_hash,
            state: parse(&state)?,
            user_id,
            reasons,
            attempts: u32::try_from(attempts).unwrap_or_default(),
            updated_at: UnixMillis(updated_at),
            untold,
        })
    }
}

const COLUMNS: (
    form_records::form,
    form_records::record,
    form_records::content_hash,
    form_records::state,
    form_records::user_id,
    form_records::reasons,
    form_records::attempts,
    form_records::updated_at,
    form_records::untold,
) = (
    form_records::form,
    form_records::record,
    form_records::content_hash,
    form_records::state,
    form_records::user_id,
    form_records::reasons,
    form_records::attempts,
    form_records::updated_at,
    form_records::untold,
);

/// Notes what a poll found of records of a form. One that made a member stays so: of it only the hash is noted.
///
/// # Errors
/// Those of the database.
pub fn note(conn: &mut Connection, tenant: &TenantId, form: &str, noted: &[Noted<'_>], now: UnixMillis) -> Result<()> {
    let noted = in_order(noted, |one| (form, one.record));
    let ids: Vec<(&str, &str)> = noted.iter().map(|one| (form, one.record)).collect();
    make(conn, tenant, &ids, now)?;
    for one in noted {
        let row = || form_records::table.find((tenant.as_str(), form, one.record));
        let hash = (form_records::content_hash.eq(one.content_hash), form_records::updated_at.eq(now.0));
        on_backend!(conn, c => diesel::update(row()).set(hash).execute(c))?;
        let values = (
            form_records::state.eq(one.state.as_str()),
            form_records::reasons.eq(one.reasons),
            form_records::untold.eq(one.state.is_outcome()),
        );
        let open = row().filter(form_records::state.ne(State::Created.as_str()));
        on_backend!(conn, c => diesel::update(open).set(values).execute(c))?;
    }
    Ok(())
}

/// Notes what came of requests at the platform. One that made a member is not given up on afterwards.
///
/// # Errors
/// Those of the database.
pub fn settle(conn: &mut Connection, tenant: &TenantId, settled: &[Settled], now: UnixMillis) -> Result<()> {
    let settled = in_order(settled, |one| (one.form.as_str(), one.record.as_str()));
    let ids: Vec<(&str, &str)> = settled.iter().map(|one| (one.form.as_str(), one.record.as_str())).collect();
    make(conn, tenant, &ids, now)?;
    for one in settled {
        let row = form_records::table.find((tenant.as_str(), &one.form, &one.record));
        let values = (
            form_records::state.eq(one.state.as_str()),
            form_records::user_id.eq(&one.user_id),
            form_records::reasons.eq(&one.reasons),
            form_records::attempts.eq(i32::try_from(one.attempts).unwrap_or(i32::MAX)),
            form_records::updated_at.eq(now.0),
            form_records::untold.eq(true),
        );
        if one.state == State::Created {
            on_backend!(conn, c => diesel::update(row).set(values).execute(c))?;
        } else {
            let open = row.filter(form_records::state.ne(State::Created.as_str()));
            on_backend!(conn, c => diesel::update(open).set(values).execute(c))?;
        }
    }
    Ok(())
}

/// Notes that requests, by form and record, are sent after all: of those that were given up on something may come again.
///
/// # Errors
/// Those of the database.
pub fn reopen(conn: &mut Connection, tenant: &TenantId, requests: &[(&str, &str)], now: UnixMillis) -> Result<()> {
    for (form, record) in in_order(requests, |request| *request) {
        let failed = form_records::table
            .find((tenant.as_str(), *form, *record))
            .filter(form_records::state.eq(State::Failed.as_str()));
        let values = (
            form_records::state.eq(State::Sent.as_str()),
            form_records::reasons.eq(None::<String>),
            form_records::updated_at.eq(now.0),
            form_records::untold.eq(false),
        );
        on_backend!(conn, c => diesel::update(failed).set(values).execute(c))?;
    }
    Ok(())
}

/// In the order of forms and records, in which everybody locks them: several write them at once.
fn in_order<'a, T>(all: &'a [T], key: impl Fn(&'a T) -> (&'a str, &'a str)) -> Vec<&'a T> {
    let mut sorted: Vec<&T> = all.iter().collect();
    sorted.sort_by_key(|one| key(*one));
    sorted
}

/// Makes the rows that are not there, of forms and records.
fn make(conn: &mut Connection, tenant: &TenantId, ids: &[(&str, &str)], now: UnixMillis) -> Result<()> {
    for piece in ids.chunks(ROWS_PER_STATEMENT) {
        let row = |(form, record): &(&str, &str)| {
            (
                form_records::tenant.eq(tenant.as_str().to_owned()),
                form_records::form.eq((*form).to_owned()),
                form_records::record.eq((*record).to_owned()),
                form_records::content_hash.eq(""),
                form_records::state.eq(State::Seen.as_str()),
                form_records::attempts.eq(0),
                form_records::updated_at.eq(now.0),
                form_records::untold.eq(false),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on_backend!(conn, c => diesel::insert_into(form_records::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// Those of these records of a form that anything is known of, by their ids.
///
/// # Errors
/// Those of the database.
pub fn get_many(
    conn: &mut Connection,
    tenant: &TenantId,
    form: &str,
    records: &[&str],
) -> Result<BTreeMap<String, FormRecord>> {
    let mut found = BTreeMap::new();
    for piece in records.chunks(ROWS_PER_STATEMENT) {
        let those = form_records::table
            .filter(form_records::tenant.eq(tenant.as_str()))
            .filter(form_records::form.eq(form))
            .filter(form_records::record.eq_any(piece))
            .select(COLUMNS);
        let rows: Vec<Row> = on_backend!(conn, c => those.load(c))?;
        for row in rows {
            found.insert(row.record.clone(), row.read()?);
        }
    }
    Ok(found)
}

/// The records of all forms of a tenant, of one state or all, after a form and record, in their order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Connection,
    tenant: &TenantId,
    state: Option<State>,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<FormRecord>> {
    let (form, record) = after.unwrap_or_default();
    let rows: Vec<Row> = on_backend!(conn, c => {
        let behind = form_records::form
            .gt(form)
            .or(form_records::form.eq(form).and(form_records::record.gt(record)));
        let mut query = form_records::table
            .filter(form_records::tenant.eq(tenant.as_str()))
            .filter(behind)
            .order((form_records::form, form_records::record))
            .limit(limit)
            .select(COLUMNS)
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(form_records::state.eq(state.as_str()));
        }
        query.load(c)
    })?;
    rows.into_iter().map(Row::read).collect()
}

/// How many records of a tenant stand how.
///
/// # Errors
/// Those of the database.
pub fn counts(conn: &mut Connection, tenant: &TenantId) -> Result<BTreeMap<State, u64>> {
    let query = form_records::table
        .filter(form_records::tenant.eq(tenant.as_str()))
        .group_by(form_records::state)
        .select((form_records::state, count_star()));
    let rows: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
    rows.iter().map(|(state, count)| Ok((parse(state)?, unsigned(*count)))).collect()
}

/// Records of a form whose outcome is still to be written back into it, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn untold(conn: &mut Connection, tenant: &TenantId, form: &str, limit: i64) -> Result<Vec<FormRecord>> {
    let query = form_records::table
        .filter(form_records::tenant.eq(tenant.as_str()))
        .filter(form_records::form.eq(form))
        // As the index spells it: a value that is bound would hide it.
        .filter(form_records::untold)
        .order(form_records::record)
        .limit(limit)
        .select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// Notes that the outcome of a record was written back into its form as it stands here. One that changed since is still to be, once more
/// if another process wrote it meanwhile: nobody knows whose text the form has.
///
/// # Errors
/// Those of the database.
pub fn note_told(conn: &mut Connection, tenant: &TenantId, told: &FormRecord) -> Result<()> {
    let row = || form_records::table.find((tenant.as_str(), &told.form, &told.record));
    let as_told = row().filter(form_records::updated_at.eq(told.updated_at.0));
    if on_backend!(conn, c => diesel::update(as_told).set(form_records::untold.eq(false)).execute(c))? > 0 {
        return Ok(());
    }
    let outcomes: Vec<&str> = State::ALL.into_iter().filter(|state| state.is_outcome()).map(State::as_str).collect();
    let other = row().filter(form_records::state.eq_any(outcomes));
    on_backend!(conn, c => diesel::update(other).set(form_records::untold.eq(true)).execute(c))?;
    Ok(())
}
