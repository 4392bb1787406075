//! Applying tenant files: by a command, or from a directory that is watched.

mod directory;
mod previous;
#[cfg(test)]
mod tests;

use common::{TenantId, UnixMillis};
use database::{Connection, Database};
use futures::future::BoxFuture;
use store::{SealError, Sealer, destinations::Declared};

pub use directory::TenantsDirectory;
pub use previous::CallbackPair;
pub(crate) use previous::Replaced;

use crate::tenant::{DestinationFile, DestinationKind, DocumentError, TenantFile};

/// How long the callback keys before a change are honoured.
const PREVIOUS_KEYS_MILLIS: i64 = 10 * 60 * 1000;

/// What applying a file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The tenant's revision now.
    pub revision: i64,
    /// Whether the tenant was new, or had been removed.
    pub created: bool,
    /// Whether anything was different from before.
    pub changed: bool,
}

/// Why a file could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The database did not take it.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The secrets could not be sealed.
    #[error("the tenant's secrets cannot be sealed")]
    Seal(#[from] SealError),
    /// The document could not be made.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Another tenant has this app of DingTalk: each would get only a share of its events (reference dingtalk 1.9).
    #[error(
        "dingtalk.client_id: is the tenant {owner}'s: of one app's events each of two tenants would get only a share"
    )]
    ClientIdTaken {
        /// Whose it is.
        owner: TenantId,
    },
}

/// Creates the tenant or replaces what is stored of it; a file that says nothing new changes nothing. Depends on no platform
/// and no destination. Running processes notice within 2 s.
///
/// # Errors
/// See [`ApplyError`].
pub fn apply<'a>(
    database: &'a Database,
    sealer: &'a Sealer,
    file: &'a TenantFile,
    now: UnixMillis,
) -> BoxFuture<'a, Result<Applied, ApplyError>> {
    Box::pin(async move {
        let (sealer, file) = (sealer.clone(), file.clone());
        database.write("tenants.apply", move |conn| apply_in(conn, &sealer, &file, now)).await
    })
}

/// Marks a tenant as removed; `false` when there is none.
///
/// # Errors
/// Those of the database.
pub fn remove<'a>(database: &'a Database, id: &'a TenantId, now: UnixMillis) -> BoxFuture<'a, database::Result<bool>> {
    Box::pin(async move {
        let id = id.clone();
        database.write("tenants.remove", move |conn| store::tenants::remove(conn, &id, now)).await
    })
}

/// One applied tenant as it was applied; `None` when there is none of that id.
///
/// # Errors
/// Those of the database, and when its secrets do not open.
pub fn load<'a>(
    database: &'a Database,
    sealer: &'a Sealer,
    id: &'a TenantId,
) -> BoxFuture<'a, Result<Option<TenantFile>, ApplyError>> {
    Box::pin(async move {
        let id = id.clone();
        let row = database.read("tenants.get", move |conn| store::tenants::get(conn, &id)).await?;
        match row.filter(|row| row.removed_at.is_none()) {
            Some(row) => open_file(sealer, &row).map(Some).map_err(ApplyError::from),
            None => Ok(None),
        }
    })
}

fn apply_in(conn: &mut Connection, sealer: &Sealer, file: &TenantFile, now: UnixMillis) -> Result<Applied, ApplyError> {
    // Also where nothing else is new: what a former release applied has no owner yet.
    let client_id = file.dingtalk.as_ref().map(|section| section.client_id.as_str());
    if let Some(owner) = store::tenants::claim_client_id(conn, &file.id, client_id)? {
        return Err(ApplyError::ClientIdTaken { owner });
    }
    let stored = store::tenants::get(conn, &file.id)?;
    // What another master key sealed is lost; it must not keep a tenant from being applied anew.
    let before = stored.as_ref().and_then(|row| match open_file(sealer, row) {
        Ok(before) => Some(before),
        Err(error) => {
            tracing::warn!(tenant.id = %row.id, %error, "what was applied before cannot be read and is replaced");
            None
        }
    });
    let live = stored.as_ref().filter(|row| row.removed_at.is_none());
    if let (Some(row), Some(before)) = (live, &before)
        && before == file
    {
        return Ok(Applied { revision: row.revision, created: false, changed: false });
    }
    let data_key = match (&stored, &before) {
        (Some(row), Some(_)) => row.data_key.clone(),
        _ => sealer.new_data_key()?,
    };
    let document = file.to_document(sealer, &data_key)?.to_string();
    let replaced = live.and(before.as_ref()).map(|before| Replaced::between(before, file));
    let previous = match replaced.filter(|replaced| !replaced.is_empty()) {
        Some(replaced) => {
            let still_held = live.and_then(|row| still_held(sealer, row, now)).unwrap_or_default();
            Some(replaced.or(still_held).seal(sealer, &data_key, &file.id)?)
        }
        None => None,
    };
    let declared: Vec<Declared> = file.destinations.iter().map(|destination| declared(file, destination)).collect();
    let new = store::tenants::Apply {
        id: &file.id,
        document: &document,
        data_key: &data_key,
        lane: &file.lane,
        previous_callback: previous.as_deref().map(|sealed| (sealed, now.plus_millis(PREVIOUS_KEYS_MILLIS))),
        destinations: &declared,
    };
    let revision = store::tenants::apply(conn, &new, now)?;
    Ok(Applied { revision, created: live.is_none(), changed: true })
}

fn open_file(sealer: &Sealer, row: &store::tenants::Tenant) -> Result<TenantFile, DocumentError> {
    let document = serde_json::from_str(&row.document)
        .ok()
        .ok_or_else(|| DocumentError::Malformed("it is not JSON".to_owned()))?;
    TenantFile::from_document(&row.id, document, sealer, &row.data_key)
}

fn declared(file: &TenantFile, destination: &DestinationFile) -> Declared {
    Declared {
        id: destination.id.clone(),
        kind: destination.kind().as_str().to_owned(),
        // Of what existed before nobody is to be made a member.
        backfill: (destination.backfill || destination.core) && destination.kind() != DestinationKind::WecomMembers,
        // Without a platform to pull from there is nothing to compare its rows with.
        compared: file.directory.is_some() && destination.is_readable_core(),
    }
}

/// What was replaced before and is honoured yet; nothing where it cannot be read.
fn still_held(sealer: &Sealer, row: &store::tenants::Tenant, now: UnixMillis) -> Option<Replaced> {
    let sealed = row.previous_callback.as_deref().filter(|_| row.previous_until.is_some_and(|until| now < until))?;
    Replaced::open(sealer, &row.data_key, &row.id, sealed).ok()
}
