//! A whole batch at once, and one by one where that fails.

use database::{Connection, Constraint};
use diesel::result::Error as DieselError;

use super::{Tables, describe, known, plan::plan, wanted::Wanted, write};
use crate::{Links, Outcome};

/// Applies a batch within the open transaction.
///
/// # Errors
/// What has nothing to do with any one row.
pub(super) fn apply(
    c: &mut Connection,
    tables: &Tables,
    batch: &[Wanted],
    links: Links,
) -> database::Result<Vec<Outcome>> {
    tables.dialect.lock(c, &tables.tenant)?;
    let error = match c.transaction(|c| write_all(c, tables, batch, &links)) {
        Ok((outcomes, _)) => return Ok(outcomes),
        Err(error) => error,
    };
    if is_about_rows(c, tables, &error) { one_by_one(c, tables, batch, links) } else { Err(error) }
}

/// Returns the links as they are afterwards, too: renames move them.
fn write_all(
    c: &mut Connection,
    tables: &Tables,
    batch: &[Wanted],
    links: &Links,
) -> database::Result<(Vec<Outcome>, Links)> {
    let mut known = known::load(c, tables, batch, links)?;
    let plan = plan(batch, &mut known);
    for segment in &plan.segments {
        write::segment(c, tables, segment)?;
    }
    Ok((plan.outcomes, known.links))
}

/// In the order of versions, so that what refers to a refused one is found missing it.
fn one_by_one(
    c: &mut Connection,
    tables: &Tables,
    batch: &[Wanted],
    mut links: Links,
) -> database::Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for wanted in batch {
        let alone = std::slice::from_ref(wanted);
        match c.transaction(|c| write_all(c, tables, alone, &links)) {
            Ok((outcome, moved)) => {
                outcomes.extend(outcome);
                links = moved;
            }
            Err(error) => outcomes.push(refusal(c, tables, wanted, &links, error)?),
        }
    }
    Ok(outcomes)
}

/// What an error means for the one change that was tried.
///
/// # Errors
/// The error itself, where it has nothing to do with the change.
fn refusal(
    c: &mut Connection,
    tables: &Tables,
    wanted: &Wanted,
    links: &Links,
    error: database::Error,
) -> database::Result<Outcome> {
    if !is_about_rows(c, tables, &error) {
        return Err(error);
    }
    let reason = describe(&error);
    Ok(match error.constraint() {
        Some(Constraint::ForeignKey) => match known::missing(c, tables, wanted, links)? {
            Some(what) => Outcome::Missing { what: Some(what) },
            // A rule of the product's own tables: all that we know of is there.
            None => Outcome::Rejected { reason },
        },
        Some(_) => Outcome::Rejected { reason },
        // Something that the product added refuses it, such as a trigger; whether for ever is not known.
        None => Outcome::Retry { reason, after: None },
    })
}

/// Whether another batch, or a part of this one, may well pass.
pub(super) fn is_about_rows(c: &mut Connection, tables: &Tables, error: &database::Error) -> bool {
    match error {
        database::Error::Constraint { .. } => true,
        database::Error::Query(DieselError::DatabaseError(_, information))
        | database::Error::Refused(DieselError::DatabaseError(_, information)) => {
            tables.dialect.is_about_rows(information.message()).unwrap_or_else(|| write::passes_without_rows(c, tables))
        }
        _ => false,
    }
}
