//! From settings to something that can be used.

use common::TenantId;
use outbound::{Client, Refusal};

use crate::{
    Destination, Kind, Settings, TenantFacts, dingtalk_callback,
    sql::{Address, BadAddress, BadSchemaName, Databases, SchemaName, SqlTables},
    wecom_callback::{Relay, RelaySettings},
    wecom_members::WecomMembers,
};

/// Settings that no destination can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A kind of the contract that is not built yet.
    #[error("destinations of kind {} are not built yet", .0.as_str())]
    NotBuiltYet(Kind),
    /// The database's address is not one of ours.
    #[error("url: must be sqlite://PATH")]
    DatabaseUrl,
    /// The address of the database's server cannot be used.
    #[error("url: {0}")]
    Server(#[from] BadAddress),
    /// No schema can have this name.
    #[error("schema: {0}")]
    Schema(#[from] BadSchemaName),
    /// The address must not be spoken to.
    #[error("url: {0}")]
    Url(#[from] Refusal),
    /// The token or key cannot be used.
    #[error("token, aes_key: {0}")]
    Keys(String),
    /// Members are written with the tenant's own WeCom, and there is none here.
    #[error("the tenant's WeCom is not at hand here")]
    NoWecom,
}

/// Makes a destination. Nothing is opened or connected to yet; what it opens is shared with others in the same `databases`.
///
/// # Errors
/// The kind is not built yet, or the settings cannot be used.
pub fn build(
    tenant: &TenantId,
    settings: &Settings,
    facts: &TenantFacts,
    http: &Client,
    databases: &Databases,
) -> Result<Destination, BuildError> {
    match settings {
        Settings::Sqlite { url } => {
            if !url.starts_with("sqlite:") {
                return Err(BuildError::DatabaseUrl);
            }
            let tables = SqlTables::in_file(url.clone(), tenant.clone(), facts.clone());
            Ok(Destination::Batch(Box::new(tables.sharing(databases))))
        }
        Settings::Postgres { url, schema } => {
            let address = Address::new(url.expose(), http.guard().clone())?;
            let schema = if schema.is_empty() { SchemaName::default() } else { SchemaName::new(schema.as_str())? };
            let tables = SqlTables::on_server(address, schema, tenant.clone(), facts.clone());
            Ok(Destination::Batch(Box::new(tables.sharing(databases))))
        }
        Settings::WecomCallback { url, token, aes_key, receive_id, agent_id, spacing_millis, distinct_seconds } => {
            let settings = RelaySettings {
                url,
                token,
                aes_key,
                receive_id: if receive_id.is_empty() { &facts.corp_id } else { receive_id },
                agent_id: agent_id.as_deref(),
                spacing_millis: *spacing_millis,
                distinct_seconds: *distinct_seconds,
            };
            Ok(Destination::Messages(Box::new(Relay::new(&settings, http)?)))
        }
        Settings::DingtalkCallback { url, token, aes_key, receive_id, corp_id, spacing_millis } => {
            let settings = dingtalk_callback::RelaySettings {
                url,
                token,
                aes_key,
                receive_id,
                corp_id,
                spacing_millis: *spacing_millis,
            };
            Ok(Destination::Messages(Box::new(dingtalk_callback::Relay::new(&settings, http)?)))
        }
        Settings::WecomMembers { on_conflict, checks_ids } => {
            let client = facts.wecom.clone().ok_or(BuildError::NoWecom)?;
            Ok(Destination::Members(Box::new(WecomMembers::new(client, *on_conflict, *checks_ids))))
        }
        Settings::Other { kind } => Err(BuildError::NotBuiltYet(*kind)),
    }
}
