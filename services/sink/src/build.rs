//! From a tenant's file to destinations that can be used.

use common::{Action, Change, EntityKind, Platform};
use destinations::{BuildError, Destination, Kind, OnConflict, Settings, TenantFacts, sql::Databases};
use service::{
    Tenant,
    tenant::{self, DestinationFile, DestinationSettings},
};
use sha2::{Digest, Sha256};

use crate::platforms::Platforms;

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
    databases: Databases,
    platforms: Option<Platforms>,
}

impl Built {
    /// All of them speak through this client, but for those that write into a platform, which cannot be made.
    pub fn new(http: outbound::Client) -> Self {
        Self { http, databases: Databases::default(), platforms: None }
    }

    /// The same, and those that write into a platform find it by this.
    #[must_use]
    pub fn with_platforms(self, platforms: Platforms) -> Self {
        Self { platforms: Some(platforms), ..self }
    }
}

impl Build for Built {
    fn build(&self, tenant: &Tenant, file: &DestinationFile) -> Result<Destination, BuildError> {
        let mut facts = facts(tenant);
        if file.kind() == tenant::DestinationKind::WecomMembers {
            let section = tenant.file.wecom.as_ref();
            facts.wecom = self.platforms.as_ref().zip(section).map(|(platforms, section)| platforms.wecom(section));
        }
        destinations::build(&tenant.file.id, &settings(tenant, &file.settings), &facts, &self.http, &self.databases)
    }
}

fn facts(tenant: &Tenant) -> TenantFacts {
    let wecom = tenant.file.wecom.as_ref();
    TenantFacts {
        root_name: tenant.file.name.clone(),
        corp_id: wecom.map(|wecom| wecom.corp_id.clone()).unwrap_or_default(),
        employee_number: wecom.map(|wecom| wecom.employee_number.clone()).unwrap_or_default(),
        wecom: None,
    }
}

/// WeCom's id of the company; empty where it has none.
pub(crate) fn wecom_corp_id(tenant: &Tenant) -> String {
    facts(tenant).corp_id
}

/// Whether the mapping of a tenant's form wants ids to be looked at before anybody is created.
fn checks_ids(tenant: &Tenant) -> bool {
    tenant.file.jiandaoyun.as_ref().is_some_and(tenant::JiandaoyunSection::checks_ids)
}

/// What callbacks in DingTalk's protocol name as the company.
fn dingtalk_corp_id(tenant: &Tenant) -> String {
    let dingtalk = tenant.file.dingtalk.as_ref().map(|dingtalk| dingtalk.corp_id.clone());
    dingtalk.unwrap_or_else(|| facts(tenant).corp_id)
}

fn settings(tenant: &Tenant, file: &DestinationSettings) -> Settings {
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
        DestinationSettings::DingtalkCallback(relay) => {
            return Settings::DingtalkCallback {
                url: relay.url.clone(),
                token: relay.token.clone(),
                aes_key: relay.aes_key.clone(),
                receive_id: relay.receive_id.clone(),
                corp_id: dingtalk_corp_id(tenant),
                spacing_millis: relay.spacing_millis,
            };
        }
        DestinationSettings::WecomMembers(members) => {
            let on_conflict = match members.on_conflict {
                tenant::OnConflict::Link => OnConflict::Link,
                tenant::OnConflict::Update => OnConflict::Update,
                tenant::OnConflict::Reject => OnConflict::Reject,
            };
            return Settings::WecomMembers { on_conflict, checks_ids: checks_ids(tenant) };
        }
        DestinationSettings::Scim(_) => Kind::Scim,
        DestinationSettings::Webhook(_) => Kind::Webhook,
        DestinationSettings::Http(_) => Kind::Http,
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
        DestinationSettings::DingtalkCallback(relay) => parts.extend([
            relay.url.clone(),
            relay.token.expose().to_owned(),
            relay.aes_key.expose().to_owned(),
            relay.receive_id.clone(),
            relay.spacing_millis.to_string(),
            dingtalk_corp_id(tenant),
        ]),
        DestinationSettings::WecomMembers(members) => {
            parts.extend([
                format!("{:?}", members.on_conflict),
                checks_ids(tenant).to_string(),
                tenant.file.lane.clone(),
            ]);
            if let Some(wecom) = &tenant.file.wecom {
                let secrets = [&wecom.contact_secret, &wecom.agent_secret].map(|secret| secret.expose().to_owned());
                parts.extend(secrets);
                parts.push(wecom.api_base.clone());
            }
        }
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

/// Where a tenant's directory comes from, for the end-to-end time.
pub(crate) fn directory(tenant: &Tenant) -> Platform {
    tenant.file.directory.unwrap_or(Platform::Wecom)
}

/// Where a change comes from, whosever the directory is: only DingTalk tells of attendance and approvals, and only Jiandaoyun of new hires.
pub(crate) const fn platform(change: &Change, directory: Platform) -> Platform {
    match (&change.action, change.entity.kind) {
        (Action::Callback(callback), _) => callback.platform,
        (_, EntityKind::Attendance | EntityKind::Approval | EntityKind::AttendanceDay) => Platform::Dingtalk,
        (_, EntityKind::Onboarding) => Platform::Jiandaoyun,
        (_, EntityKind::Department | EntityKind::Member | EntityKind::Callback) => directory,
    }
}
