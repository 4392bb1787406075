//! How much of what platforms allow is spent, and until when they refuse: one truth for all replicas.
//!
//! What a platform counts together has a row for each limit on it, by the limit's length, and one of length 0 for what holds for it
//! as a whole. What the numbers mean is decided by the caller; here they are locked, read and kept.

use std::collections::{BTreeMap, BTreeSet};

use common::UnixMillis;
use database::{Connection, Result};
use diesel::{
    PgConnection, SqliteConnection,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Text},
    upsert::excluded,
};

use crate::{clock::shared_clock, schema::allowances::allowances};

/// Names a row. They are locked in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// A company's id at the platform, or empty.
    pub company: String,
    /// The name of an interface.
    pub interface: String,
    /// The address that the platform sees, or empty.
    pub egress: String,
    /// The length of the limit in milliseconds; 0 for the allowance as a whole.
    pub per_millis: i64,
}

impl Key {
    /// The row of the same allowance as a whole.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self { per_millis: 0, ..self.clone() }
    }
}

/// What a row holds; all zero is nothing spent and never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Until when all calls together keep the limit busy, in microseconds since the epoch.
    pub total_micros: i64,
    /// Until when back-fill alone does.
    pub backfill_micros: i64,
    /// Until when the platform refuses. Meant for the allowance as a whole.
    pub refused_until: UnixMillis,
    /// How long that pause is, in milliseconds.
    pub refused_millis: i64,
}

/// Rows with their keys.
pub type Rows = BTreeMap<Key, Numbers>;

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = allowances)]
struct Loaded {
    company: String,
    interface: String,
    egress: String,
    per_millis: i64,
    total_micros: i64,
    backfill_micros: i64,
    refused_until: i64,
    refused_millis: i64,
}

impl Loaded {
    fn into_row(self) -> (Key, Numbers) {
        let Self { company, interface, egress, per_millis, .. } = self;
        let numbers = Numbers {
            total_micros: self.total_micros,
            backfill_micros: self.backfill_micros,
            refused_until: UnixMillis(self.refused_until),
            refused_millis: self.refused_millis,
        };
        (Key { company, interface, egress, per_millis }, numbers)
    }
}

/// Locks rows until the transaction ends, makes those that are missing, and returns them with the moment that this is by the
/// clock that all share: the server's, read after the locks are held, so that nobody's `now` is older than what it decides on.
/// In SQLite the write lock is the lock, and `now` is that clock.
///
/// # Errors
/// Those of the database.
pub fn lock(conn: &mut Connection, keys: &BTreeSet<Key>, now: UnixMillis) -> Result<(UnixMillis, Rows)> {
    if let Connection::Postgres(c) = conn {
        lock_on_server(c, keys, now)?;
    }
    let (now, mut rows) = read(conn, keys, now)?;
    for key in keys {
        rows.entry(key.clone()).or_default();
    }
    Ok((now, rows))
}

/// The rows as they are, those that there are, with the moment that this is by the clock that all share.
///
/// # Errors
/// Those of the database.
pub fn read(conn: &mut Connection, keys: &BTreeSet<Key>, now: UnixMillis) -> Result<(UnixMillis, Rows)> {
    let rows = match conn {
        Connection::Sqlite(c) => find_in_file(c, keys)?,
        Connection::Postgres(c) => find_on_server(c, keys)?,
    };
    let (now, _) = shared_clock(conn, now, now)?;
    Ok((now, rows))
}

/// Writes rows that were locked in this transaction; `now` is what [`lock`] returned.
///
/// # Errors
/// Those of the database.
pub fn save(conn: &mut Connection, rows: &Rows, now: UnixMillis) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => save_in_file(c, rows, now)?,
        Connection::Postgres(c) => save_on_server(c, rows, now)?,
    }
    Ok(())
}

/// Forgets rows that nobody used for `unused_millis` and that hold nothing back any more; returns how many. Rows that are in use at
/// this moment stay.
///
/// # Errors
/// Those of the database.
pub fn prune(conn: &mut Connection, now: UnixMillis, unused_millis: i64) -> Result<usize> {
    let (now, _) = shared_clock(conn, now, now)?;
    let (unused_since, micros) = (now.plus_millis(-unused_millis).0, micros(now));
    let gone = match conn {
        Connection::Sqlite(c) => {
            let idle = allowances::table
                .filter(allowances::used_at.lt(unused_since))
                .filter(allowances::total_micros.lt(micros))
                .filter(allowances::backfill_micros.lt(micros))
                .filter(allowances::refused_until.lt(now.0));
            diesel::delete(idle).execute(c)?
        }
        // Whoever takes calls locks rows in another order than they would be deleted in.
        Connection::Postgres(c) => sql_query(
            "DELETE FROM allowances WHERE ctid IN (SELECT ctid FROM allowances
               WHERE used_at < $1 AND total_micros < $2 AND backfill_micros < $2 AND refused_until < $3
               FOR UPDATE SKIP LOCKED)",
        )
        .bind::<BigInt, _>(unused_since)
        .bind::<BigInt, _>(micros)
        .bind::<BigInt, _>(now.0)
        .execute(c)?,
    };
    Ok(gone)
}

const fn micros(at: UnixMillis) -> i64 {
    at.0.saturating_mul(1000)
}

fn find_in_file(c: &mut SqliteConnection, keys: &BTreeSet<Key>) -> QueryResult<Rows> {
    let mut rows = Rows::new();
    for key in keys {
        let query = allowances::table.find((&key.company, &key.interface, &key.egress, key.per_millis));
        let found: Option<Loaded> = query.select(Loaded::as_select()).first(c).optional()?;
        rows.extend(found.map(Loaded::into_row));
    }
    Ok(rows)
}

fn save_in_file(c: &mut SqliteConnection, rows: &Rows, now: UnixMillis) -> QueryResult<()> {
    for (key, numbers) in rows {
        let row = (
            allowances::company.eq(&key.company),
            allowances::interface.eq(&key.interface),
            allowances::egress.eq(&key.egress),
            allowances::per_millis.eq(key.per_millis),
            allowances::total_micros.eq(numbers.total_micros),
            allowances::backfill_micros.eq(numbers.backfill_micros),
            allowances::refused_until.eq(numbers.refused_until.0),
            allowances::refused_millis.eq(numbers.refused_millis),
            allowances::used_at.eq(now.0),
        );
        diesel::insert_into(allowances::table)
            .values(row)
            .on_conflict((allowances::company, allowances::interface, allowances::egress, allowances::per_millis))
            .do_update()
            .set((
                allowances::total_micros.eq(excluded(allowances::total_micros)),
                allowances::backfill_micros.eq(excluded(allowances::backfill_micros)),
                allowances::refused_until.eq(excluded(allowances::refused_until)),
                allowances::refused_millis.eq(excluded(allowances::refused_millis)),
                allowances::used_at.eq(excluded(allowances::used_at)),
            ))
            .execute(c)?;
    }
    Ok(())
}

/// Keys as whole columns, as PostgreSQL takes them: one statement for all rows, since others wait for them meanwhile.
#[derive(Default)]
struct Columns<'a> {
    company: Vec<&'a str>,
    interface: Vec<&'a str>,
    egress: Vec<&'a str>,
    per_millis: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(keys: impl IntoIterator<Item = &'a Key>) -> Self {
        let mut columns = Self::default();
        for key in keys {
            columns.company.push(&key.company);
            columns.interface.push(&key.interface);
            columns.egress.push(&key.egress);
            columns.per_millis.push(key.per_millis);
        }
        columns
    }
}

/// In the order of their keys, which is that of the columns, so that two who lock several cannot block each other. A row that is
/// there is locked although nothing of it is changed.
fn lock_on_server(c: &mut PgConnection, keys: &BTreeSet<Key>, now: UnixMillis) -> QueryResult<()> {
    let columns = Columns::of(keys);
    sql_query(
        "INSERT INTO allowances (company, interface, egress, per_millis,
           total_micros, backfill_micros, refused_until, refused_millis, used_at)
         SELECT new.*, 0, 0, 0, 0, $5 FROM unnest($1, $2, $3, $4) AS new
         ON CONFLICT (company, interface, egress, per_millis) DO UPDATE SET used_at = excluded.used_at WHERE FALSE",
    )
    .bind::<Array<Text>, _>(columns.company)
    .bind::<Array<Text>, _>(columns.interface)
    .bind::<Array<Text>, _>(columns.egress)
    .bind::<Array<BigInt>, _>(columns.per_millis)
    .bind::<BigInt, _>(now.0)
    .execute(c)?;
    Ok(())
}

fn find_on_server(c: &mut PgConnection, keys: &BTreeSet<Key>) -> QueryResult<Rows> {
    let columns = Columns::of(keys);
    let rows: Vec<Loaded> = sql_query(
        "SELECT found.* FROM unnest($1, $2, $3, $4) AS wanted (company, interface, egress, per_millis)
         CROSS JOIN LATERAL
           (SELECT company, interface, egress, per_millis, total_micros, backfill_micros, refused_until, refused_millis
            FROM allowances AS a WHERE a.company = wanted.company AND a.interface = wanted.interface
              AND a.egress = wanted.egress AND a.per_millis = wanted.per_millis LIMIT 1) AS found",
    )
    .bind::<Array<Text>, _>(columns.company)
    .bind::<Array<Text>, _>(columns.interface)
    .bind::<Array<Text>, _>(columns.egress)
    .bind::<Array<BigInt>, _>(columns.per_millis)
    .load(c)?;
    Ok(rows.into_iter().map(Loaded::into_row).collect())
}

fn save_on_server(c: &mut PgConnection, rows: &Rows, now: UnixMillis) -> QueryResult<()> {
    fn column(rows: &Rows, of: fn(&Numbers) -> i64) -> Vec<i64> {
        rows.values().map(of).collect()
    }
    let columns = Columns::of(rows.keys());
    sql_query(
        "INSERT INTO allowances (company, interface, egress, per_millis,
           total_micros, backfill_micros, refused_until, refused_millis, used_at)
         SELECT new.*, $9 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS new
         ON CONFLICT (company, interface, egress, per_millis) DO UPDATE
           SET total_micros = excluded.total_micros, backfill_micros = excluded.backfill_micros,
               refused_until = excluded.refused_until, refused_millis = excluded.refused_millis,
               used_at = excluded.used_at",
    )
    .bind::<Array<Text>, _>(columns.company)
    .bind::<Array<Text>, _>(columns.interface)
    .bind::<Array<Text>, _>(columns.egress)
    .bind::<Array<BigInt>, _>(columns.per_millis)
    .bind::<Array<BigInt>, _>(column(rows, |row| row.total_micros))
    .bind::<Array<BigInt>, _>(column(rows, |row| row.backfill_micros))
    .bind::<Array<BigInt>, _>(column(rows, |row| row.refused_until.0))
    .bind::<Array<BigInt>, _>(column(rows, |row| row.refused_millis))
    .bind::<BigInt, _>(now.0)
    .execute(c)?;
    Ok(())
}
