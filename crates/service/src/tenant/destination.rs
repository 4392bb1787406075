//! `[[destinations]]` of a tenant's file.

use std::collections::BTreeMap;

use common::{DestinationId, Secret};
use serde::Deserialize;
use serde_json::Value;

/// One `[[destinations]]` entry.
#[derive(Debug, Clone)]
pub struct DestinationFile {
    /// Unique within the tenant.
    pub id: DestinationId,
    /// `role = "core"`: the core product, also read for the first sync's comparison.
    pub core: bool,
    /// When it starts, it gets what exists already, parents first.
    pub backfill: bool,
    /// What its kind asks for.
    pub settings: DestinationSettings,
}

impl DestinationFile {
    /// Its kind.
    pub const fn kind(&self) -> DestinationKind {
        self.settings.kind()
    }

    /// Whether it is a core product whose rows can be read, for comparing them.
    pub const fn is_readable_core(&self) -> bool {
        self.core && matches!(self.kind(), DestinationKind::Postgres | DestinationKind::Sqlite)
    }
}

/// The kinds of destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationKind {
    /// Tables of a product in PostgreSQL.
    Postgres,
    /// Tables of a product in SQLite.
    Sqlite,
    /// SCIM 2.0.
    Scim,
    /// Signed webhooks.
    Webhook,
    /// An OA that speaks WeCom's callback protocol.
    WecomCallback,
    /// An OA that speaks DingTalk's callback protocol.
    DingtalkCallback,
    /// Templated HTTP.
    Http,
    /// WeCom itself, for new hires.
    WecomMembers,
}

impl DestinationKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Postgres,
        Self::Sqlite,
        Self::Scim,
        Self::Webhook,
        Self::WecomCallback,
        Self::DingtalkCallback,
        Self::Http,
        Self::WecomMembers,
    ];

    /// The name used in files, tables and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Scim => "scim",
            Self::Webhook => "webhook",
            Self::WecomCallback => "wecom-callback",
            Self::DingtalkCallback => "dingtalk-callback",
            Self::Http => "http",
            Self::WecomMembers => "wecom-members",
        }
    }

    /// Reads the name; `None` when it is no kind of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether changes are delivered to it by now.
    pub const fn is_built(self) -> bool {
        matches!(
            self,
            Self::Postgres | Self::Sqlite | Self::WecomCallback | Self::DingtalkCallback | Self::WecomMembers
        )
    }

    /// Whether it is told of attendance records and approvals. Relays pass on their platform's callbacks about them instead.
    pub const fn takes_records(self) -> bool {
        matches!(self, Self::Postgres | Self::Sqlite | Self::Webhook | Self::Http)
    }
}

/// What each kind asks for.
#[derive(Debug, Clone)]
pub enum DestinationSettings {
    /// `postgres`
    Postgres(PostgresSettings),
    /// `sqlite`
    Sqlite(SqliteSettings),
    /// `scim`
    Scim(ScimSettings),
    /// `webhook`
    Webhook(WebhookSettings),
    /// `wecom-callback`
    WecomCallback(WecomCallbackSettings),
    /// `dingtalk-callback`
    DingtalkCallback(DingtalkCallbackSettings),
    /// `http`
    Http(HttpSettings),
    /// `wecom-members`
    WecomMembers(WecomMembersSettings),
}

impl DestinationSettings {
    /// The kind that these belong to.
    pub const fn kind(&self) -> DestinationKind {
        match self {
            Self::Postgres(_) => DestinationKind::Postgres,
            Self::Sqlite(_) => DestinationKind::Sqlite,
            Self::Scim(_) => DestinationKind::Scim,
            Self::Webhook(_) => DestinationKind::Webhook,
            Self::WecomCallback(_) => DestinationKind::WecomCallback,
            Self::DingtalkCallback(_) => DestinationKind::DingtalkCallback,
            Self::Http(_) => DestinationKind::Http,
            Self::WecomMembers(_) => DestinationKind::WecomMembers,
        }
    }
}

/// A product's tables in PostgreSQL.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresSettings {
    /// `postgres://user:pass@host/db`
    pub url: Secret,
    /// The schema that holds the tables.
    pub schema: String,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self { url: Secret::default(), schema: "core".to_owned() }
    }
}

/// A product's tables in SQLite.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SqliteSettings {
    /// `sqlite://path`
    pub url: Secret,
}

/// A SCIM 2.0 server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScimSettings {
    /// The base address, with `/v2`.
    pub url: String,
    /// Bearer token.
    pub token: Secret,
}

/// A receiver of Standard Webhooks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where to post.
    pub url: String,
    /// `whsec_...`
    pub secret: Secret,
}

/// An OA that speaks WeCom's callback protocol, with a token and key of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WecomCallbackSettings {
    /// The OA's callback address.
    pub url: String,
    /// Signs what it gets.
    pub token: Secret,
    /// Encrypts what it gets: 43 characters.
    pub aes_key: Secret,
    /// The receive id that it expects; the tenant's `corp_id` where the file gives none.
    pub receive_id: String,
    /// The agent id in the envelope; empty: none.
    pub agent_id: String,
    /// Least time between two messages.
    pub spacing_millis: u64,
    /// No two messages carry the same second, for receivers that de-duplicate by it.
    pub distinct_seconds: bool,
}

/// An OA that speaks DingTalk's callback protocol, with a token and key of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DingtalkCallbackSettings {
    /// The OA's callback address.
    pub url: String,
    /// Signs what it gets.
    pub token: Secret,
    /// Encrypts what it gets: 43 characters.
    pub aes_key: Secret,
    /// The owner key that it expects, an AppKey or corp id; the tenant's `client_id` where the file gives none.
    pub receive_id: String,
    /// Least time between two messages.
    pub spacing_millis: u64,
}

/// Any HTTP API, by templates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct HttpSettings {
    /// Where to send.
    pub url: String,
    /// Headers that go with every request; often credentials.
    pub headers: BTreeMap<String, Secret>,
    /// Everything else, until this kind is built.
    #[serde(flatten)]
    pub templates: BTreeMap<String, Value>,
}

/// WeCom itself, for new hires.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WecomMembersSettings {
    /// What to do with a member who is there already.
    pub on_conflict: OnConflict,
}

/// What to do with a member who is there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Take the existing one for this.
    #[default]
    Link,
    /// Take it and write the form's values.
    Update,
    /// Refuse.
    Reject,
}
