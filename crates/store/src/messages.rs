//! Messages stored before they are first sent, so that a repeat is the same byte for byte.

use std::collections::BTreeMap;

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{prelude::*, upsert::excluded};

use crate::{
    convert::{ROWS_PER_STATEMENT, signed, unsigned},
    schema::sink::messages,
};

#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
struct NewRow<'a> {
    tenant: &'a str,
    destination: &'a str,
    version: i64,
    message: &'a str,
    created_at: i64,
}

/// Stores messages by the version of the change that each tells.
///
/// # Errors
/// Those of the database.
pub fn put(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    rows: &[(u64, String)],
    now: UnixMillis,
) -> Result<()> {
    let new: Vec<NewRow<'_>> = rows
        .iter()
        .map(|(version, message)| NewRow {
            tenant: tenant.as_str(),
            destination: destination.as_str(),
            version: signed(*version),
            message,
            created_at: now.0,
        })
        .collect();
    for piece in new.chunks(ROWS_PER_STATEMENT) {
        on_backend!(conn, c => diesel::insert_into(messages::table)
            .values(piece)
            .on_conflict((messages::tenant, messages::destination, messages::version))
            .do_update()
            .set(messages::message.eq(excluded(messages::message)))
            .execute(c))?;
    }
    Ok(())
}

/// All messages of a destination that are stored, by version.
///
/// # Errors
/// Those of the database.
pub fn load(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<BTreeMap<u64, String>> {
    let query = messages::table
        .filter(messages::tenant.eq(tenant.as_str()))
        .filter(messages::destination.eq(destination.as_str()))
        .select((messages::version, messages::message));
    let rows: Vec<(i64, String)> = on_backend!(conn, c => query.load(c))?;
    Ok(rows.into_iter().map(|(version, message)| (unsigned(version), message)).collect())
}

/// Removes messages that were answered for good or will never be sent.
///
/// # Errors
/// Those of the database.
pub fn remove(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId, versions: &[u64]) -> Result<()> {
    for piece in versions.chunks(ROWS_PER_STATEMENT) {
        let rows = messages::table
            .filter(messages::tenant.eq(tenant.as_str()))
            .filter(messages::destination.eq(destination.as_str()))
            .filter(messages::version.eq_any(piece.iter().map(|version| signed(*version))));
        on_backend!(conn, c => diesel::delete(rows).execute(c))?;
    }
    Ok(())
}

/// Removes all messages of a destination: its settings changed, and they are made for other ones.
///
/// # Errors
/// Those of the database.
pub fn clear(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<()> {
    let rows = messages::table
        .filter(messages::tenant.eq(tenant.as_str()))
        .filter(messages::destination.eq(destination.as_str()));
    on_backend!(conn, c => diesel::delete(rows).execute(c))?;
    Ok(())
}
