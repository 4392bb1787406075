//! Applying tenant files: by a command, or from a directory that is watched.

mod directory;
#[cfg(test)]
mod tests;

use common::{Secret, TenantId, UnixMillis};
use database::{Connection, Database};
use serde::{Deserialize, Serialize};
use store::{SealError, Sealer, destinations::Declared};

pub use directory::TenantsDirectory;

use crate::tenant::{DestinationFile, DocumentError, TenantFile, associated_data};

/// How long the callback keys before a change are honoured.
const PREVIOUS_KEYS_MILLIS: i64 = 10 * 60 * 1000;
const PREVIOUS_PATH: &str = "previous_callback";

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
}

/// A token and a key, as they are stored after they were replaced.
pub(crate) struct CallbackPair {
    pub(crate) token: Secret,
    pub(crate) aes_key: Secret,
}

/// Creates the tenant or replaces what is stored of it; a file that says nothing new changes nothing. Depends on no platform
/// and no destination. Running processes notice within 2 s.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply(
    database: &Database,
    sealer: &Sealer,
    file: &TenantFile,
    now: UnixMillis,
) -> Result<Applied, ApplyError> {
    let (sealer, file) = (sealer.clone(), file.clone());
    database.write("tenants.apply", move |conn| apply_in(conn, &sealer, &file, now)).await
}

/// Marks a tenant as removed; `false` when there is none.
///
/// # Errors
/// Those of the database.
pub async fn remove(database: &Database, id: &TenantId, now: UnixMillis) -> database::Result<bool> {
    let id = id.clone();
    database.write("tenants.remove", move |conn| store::tenants::remove(conn, &id, now)).await
}

/// One applied tenant as it was applied; `None` when there is none of that id.
///
/// # Errors
/// Those of the database, and when its secrets do not open.
pub async fn load(database: &Database, sealer: &Sealer, id: &TenantId) -> Result<Option<TenantFile>, ApplyError> {
    let id = id.clone();
    let row = database.read("tenants.get", move |conn| store::tenants::get(conn, &id)).await?;
    match row.filter(|row| row.removed_at.is_none()) {
        Some(row) => open_file(sealer, &row).map(Some).map_err(ApplyError::from),
        None => Ok(None),
    }
}

fn apply_in(conn: &mut Connection, sealer: &Sealer, file: &TenantFile, now: UnixMillis) -> Result<Applied, ApplyError> {
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
    let replaced = live.and(before.as_ref()).and_then(|before| replaced_pair(before, file));
    let previous = replaced.map(|pair| seal_pair(sealer, &data_key, &file.id, &pair)).transpose()?;
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
        backfill: destination.backfill || destination.core,
        // Without a platform to pull from there is nothing to compare its rows with.
        compared: file.wecom.is_some() && destination.is_readable_core(),
    }
}

/// The keys of before, if they were replaced by others.
fn replaced_pair(before: &TenantFile, after: &TenantFile) -> Option<CallbackPair> {
    let pair = |file: &TenantFile| {
        let wecom = file.wecom.as_ref()?;
        let set = !wecom.callback_token.is_empty();
        set.then(|| CallbackPair { token: wecom.callback_token.clone(), aes_key: wecom.callback_aes_key.clone() })
    };
    let (old, new) = (pair(before)?, pair(after)?);
    let same = old.token.expose() == new.token.expose() && old.aes_key.expose() == new.aes_key.expose();
    (!same).then_some(old)
}

/// The pair as text inside the seal.
#[derive(Serialize, Deserialize)]
struct PairText {
    token: String,
    aes_key: String,
}

fn seal_pair(sealer: &Sealer, data_key: &str, tenant: &TenantId, pair: &CallbackPair) -> Result<String, SealError> {
    let text = PairText { token: pair.token.expose().to_owned(), aes_key: pair.aes_key.expose().to_owned() };
    // Two texts: there is nothing here that JSON cannot say.
    let text = Secret::new(serde_json::to_string(&text).unwrap_or_default());
    sealer.seal(data_key, &associated_data(tenant, PREVIOUS_PATH), text.expose())
}

pub(crate) fn open_pair(
    sealer: &Sealer,
    data_key: &str,
    tenant: &TenantId,
    sealed: &str,
) -> anyhow::Result<CallbackPair> {
    let text = sealer.open(data_key, &associated_data(tenant, PREVIOUS_PATH), sealed)?;
    let PairText { token, aes_key } = serde_json::from_str(text.expose())?;
    Ok(CallbackPair { token: Secret::new(token), aes_key: Secret::new(aes_key) })
}
