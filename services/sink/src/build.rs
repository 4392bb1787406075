//! From a tenant's file to destinations that can be used.

use common::Platform;
use destinations::{BuildError, Destination, Kind, Settings, TenantFacts};
use service::{
    Tenant,
    tenant::{DestinationFile, DestinationSettings},
};
use sha2::{Digest, Sha256};

/// Makes destinations out of a tenant's file.
pub trait Build: Send + Sync + 'static {
    /// Makes one. Nothing is connected to yet.
    ///
    /// # Errors
    /// Its kind is not built yet, or its settings cannot be used.
    fn build(&self, tenant: &Tenant, file: &DestinationFile) -> Result<Destination, BuildError>;
}

/// The kinds of the `destinations` crate.
pub struct Built {
    http: outbound::Client,
}

impl Built {
    /// All of them speak through this client.
    pub const fn new(http: outbound::Client) -> Self {
        Self { http }
    }
}

impl Build for Built {
    fn build(&self, tenant: &Tenant, file: &DestinationFile) -> Result<Destination, BuildError> {
        destinations::build(&tenant.file.id, &settings(&file.settings), &facts(tenant), &self.http)
    }
}

fn facts(tenant: &Tenant) -> TenantFacts {
    let wecom = tenant.file.wecom.as_ref();
    TenantFacts {
        root_name: tenant.file.name.clone(),
        corp_id: wecom.map(|wecom| wecom.corp_id.clone()).unwrap_or_default(),
        employee_number: wecom.map(|wecom| wecom.employee_number.clone()).unwrap_or_default(),
    }
}

fn settings(file: &DestinationSettings) -> Settings {
    let kind = match file {
        DestinationSettings::Sqlite(sqlite) => return Settings::Sqlite { url: sqlite.url.expose().to_owned() },
        DestinationSettings::Postgres(postgres) => {
            return Settings::Postgres { url: postgres.url.clone(), schema: postgres.schema.clone() };
        }
        DestinationSettings::WecomCallback(relay) => {
            return Settings::WecomCallback {
                url: relay.url.clone(),
                token: relay.token.clone(),
                aes_key: relay.aes_key.clone(),
                receive_id: relay.receive_id.clone(),
                agent_id: Some(relay.agent_id.clone()).filter(|id| !id.is_empty()),
                spacing_millis: relay.spacing_millis,
                distinct_seconds: relay.distinct_seconds,
            };
        }
        DestinationSettings::Scim(_) => Kind::Scim,
        DestinationSettings::Webhook(_) => Kind::Webhook,
        DestinationSettings::DingtalkCallback(_) => Kind::DingtalkCallback,
        DestinationSettings::Http(_) => Kind::Http,
        DestinationSettings::WecomMembers(_) => Kind::WecomMembers,
    };
    Settings::Other { kind }
}

/// Tells one set of settings from another without telling what they are. Whatever a stored message is made with is in it.
pub(crate) fn fingerprint(tenant: &Tenant, file: &DestinationFile) -> String {
    let facts = facts(tenant);
    let mut parts = vec![file.kind().as_str().to_owned(), facts.root_name, facts.corp_id, facts.employee_number];
    match &file.settings {
        DestinationSettings::Sqlite(sqlite) => parts.push(sqlite.url.expose().to_owned()),
        DestinationSettings::Postgres(postgres) => {
            parts.extend([postgres.url.expose().to_owned(), postgres.schema.clone()]);
        }
        DestinationSettings::WecomCallback(relay) => parts.extend([
            relay.url.clone(),
            relay.token.expose().to_owned(),
            relay.aes_key.expose().to_owned(),
            relay.receive_id.clone(),
            relay.agent_id.clone(),
            relay.spacing_millis.to_string(),
            relay.distinct_seconds.to_string(),
        ]),
        _ => {}
    }
    let mut hash = Sha256::new();
    for part in &parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = hex::encode(hash.finalize());
    text.truncate(32);
    text
}

/// Where a tenant's changes come from, for the end-to-end time.
pub(crate) fn platform(tenant: &Tenant) -> Platform {
    tenant.file.directory.unwrap_or(Platform::Wecom)
}
