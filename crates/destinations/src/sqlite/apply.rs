//! A whole batch at once, and one by one where that fails.

use database::{Connection, Constraint};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::{Tables, describe, known, plan::plan, wanted::Wanted, write};
use crate::Outcome;

/// Applies a batch within the open transaction.
///
/// # Errors
/// What has nothing to do with any one row.
pub(super) fn apply(c: &mut Connection, tables: &Tables, batch: &[Wanted]) -> database::Result<Vec<Outcome>> {
    match c.transaction(|c| write_all(c, tables, batch)) {
        Ok(()) => Ok(vec![Outcome::Applied; batch.len()]),
        Err(error) if is_about_rows(&error) => one_by_one(c, tables, batch),
        Err(error) => Err(error),
    }
}

fn write_all(c: &mut Connection, tables: &Tables, batch: &[Wanted]) -> database::Result<()> {
    let mut known = known::load(c, tables, batch)?;
    for segment in plan(batch, &mut known) {
        write::segment(c, tables, &segment)?;
    }
    Ok(())
}

/// In the order of versions, so that what refers to a refused one is found missing it.
fn one_by_one(c: &mut Connection, tables: &Tables, batch: &[Wanted]) -> database::Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for wanted in batch {
        let alone = std::slice::from_ref(wanted);
        outcomes.push(match c.transaction(|c| write_all(c, tables, alone)) {
            Ok(()) => Outcome::Applied,
            Err(error) if is_about_rows(&error) => refusal(c, tables, wanted, &error)?,
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

fn refusal(c: &mut Connection, tables: &Tables, wanted: &Wanted, error: &database::Error) -> database::Result<Outcome> {
    let reason = describe(error);
    Ok(match error.constraint() {
        Some(Constraint::ForeignKey) => match known::missing(c, tables, wanted)? {
            Some(what) => Outcome::Missing { what: Some(what) },
            // A rule of the product's own tables: all that we know of is there.
            None => Outcome::Rejected { reason },
        },
        Some(_) => Outcome::Rejected { reason },
        // Something that the product added refuses it, such as a trigger; whether for ever is not known.
        None => Outcome::Retry { reason, after: None },
    })
}

/// Beginnings of what SQLite says when the fault is not in a row: the file, the schema or our statement.
const NOT_ABOUT_ROWS: [&str; 12] = [
    "attempt to write a readonly database",
    "no such ",
    "table ",
    "out of memory",
    "database ",
    "file is not a database",
    "interrupted",
    "ON CONFLICT clause",
    "foreign key mismatch",
    "cannot ",
    "near ",
    "malformed JSON",
];

/// Whether another batch, or a part of this one, may well pass.
fn is_about_rows(error: &database::Error) -> bool {
    match error {
        database::Error::Constraint { .. } => true,
        database::Error::Query(DieselError::DatabaseError(DatabaseErrorKind::Unknown, information)) => {
            !NOT_ABOUT_ROWS.iter().any(|beginning| information.message().starts_with(beginning))
        }
        _ => false,
    }
}
