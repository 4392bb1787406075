//! How a tenant describes its destinations.

use std::fmt;

use common::{DestinationId, Secret};
use serde::{Deserialize, Serialize, de::IgnoredAny};

/// The kinds of destinations of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tables in PostgreSQL.
    Postgres,
    /// Tables in a SQLite file.
    Sqlite,
    /// SCIM 2.0.
    Scim,
    /// Standard Webhooks with CloudEvents bodies.
    Webhook,
    /// WeCom's callback protocol, to an OA that speaks it.
    WecomCallback,
    /// DingTalk's callback protocol, to an OA that speaks it.
    DingtalkCallback,
    /// Templated HTTP.
    Http,
    /// New members of WeCom itself.
    WecomMembers,
}

impl Kind {
    /// The name used in configuration, tables and metrics.
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
}

/// One destination as a tenant described it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its id within the tenant.
    pub id: DestinationId,
    /// The kind; always that of the settings.
    pub kind: Kind,
    /// It is the core product: also read for the first sync's comparison.
    pub role_core: bool,
    /// When it starts, it gets what exists already.
    pub backfill: bool,
    /// The rest.
    pub settings: Settings,
}

/// What one kind of destination needs to know. Read from a table with the key `kind` and that kind's own keys; those
/// that all kinds share (`id`, `role`, `backfill`) are taken out before. An unknown key is an error.
#[derive(Clone, Deserialize)]
#[serde(from = "Table")]
pub enum Settings {
    /// Tables in a SQLite file.
    Sqlite {
        /// `sqlite://PATH`.
        url: String,
    },
    /// Tables in PostgreSQL.
    Postgres {
        /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
        url: Secret,
        /// The schema that holds the tables; empty: `core`.
        schema: String,
    },
    /// WeCom's callback protocol, to an OA that speaks it.
    WecomCallback {
        /// The OA's callback address; it may have a query of its own.
        url: String,
        /// The token that the OA checks signatures with.
        token: Secret,
        /// The key that the OA decrypts with, 43 characters.
        aes_key: Secret,
        /// Who messages are for, as the OA expects it; empty: the tenant's `corp_id`.
        receive_id: String,
        /// The `AgentID` that the OA expects; none is sent when absent.
        agent_id: Option<String>,
        /// The least time between two messages, for an OA that cannot keep up.
        spacing_millis: u64,
        /// No two messages carry the same `CreateTime`, for an OA that de-duplicates by it.
        distinct_seconds: bool,
    },
    /// DingTalk's callback protocol, to an OA that speaks it.
    DingtalkCallback {
        /// The OA's callback address; it may have a query of its own.
        url: String,
        /// The token that the OA checks signatures with.
        token: Secret,
        /// The key that the OA decrypts with, 43 characters.
        aes_key: Secret,
        /// The owner key that the OA expects, an AppKey or corp id.
        receive_id: String,
        /// What messages name as the company.
        corp_id: String,
        /// The least time between two messages, for an OA that cannot keep up.
        spacing_millis: u64,
    },
    /// New members of WeCom itself, written with the tenant's own secrets.
    WecomMembers {
        /// What to do about somebody who is there already.
        on_conflict: OnConflict,
        /// Whether somebody who is there already is looked for before anybody is written.
        checks_ids: bool,
    },
    /// A kind of the contract that is not built yet: accepted, and named in a warning.
    Other {
        /// Which.
        kind: Kind,
    },
}

impl Settings {
    /// The kind of destination.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Sqlite { .. } => Kind::Sqlite,
            Self::Postgres { .. } => Kind::Postgres,
            Self::WecomCallback { .. } => Kind::WecomCallback,
            Self::DingtalkCallback { .. } => Kind::DingtalkCallback,
            Self::WecomMembers { .. } => Kind::WecomMembers,
            Self::Other { kind } => *kind,
        }
    }
}

/// Shows the kind only: addresses may hold secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("kind", &self.kind().as_str()).finish_non_exhaustive()
    }
}

/// What a destination needs to know of its tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantFacts {
    /// The name of the root department until its own is known: the tenant's name.
    pub root_name: String,
    /// WeCom's id of the company.
    pub corp_id: String,
    /// The name of the extended attribute that holds the employee number; empty when there is none.
    pub employee_number: String,
    /// Its WeCom, for what writes there; `None` where it has none, or where nothing is to be written.
    pub wecom: Option<wecom::api::Client>,
}

/// The keys of each kind, as the contract has them.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "keys of kinds that are not built yet are only checked for their names and types")]
enum Table {
    Sqlite {
        url: String,
    },
    WecomCallback {
        url: String,
        token: Secret,
        aes_key: Secret,
        #[serde(default)]
        receive_id: String,
        #[serde(default)]
        agent_id: Option<String>,
        #[serde(default)]
        spacing_millis: u64,
        #[serde(default)]
        distinct_seconds: bool,
    },
    Postgres {
        url: Secret,
        #[serde(default)]
        schema: String,
    },
    Scim {
        url: Secret,
        token: Secret,
    },
    Webhook {
        url: Secret,
        secret: Secret,
    },
    DingtalkCallback {
        url: String,
        token: Secret,
        aes_key: Secret,
        receive_id: String,
        #[serde(default)]
        corp_id: String,
        #[serde(default)]
        spacing_millis: u64,
    },
    Http(IgnoredAny),
    WecomMembers {
        #[serde(default)]
        on_conflict: OnConflict,
    },
}

/// What to do about a member who is there already. Nobody is taken for somebody else: where that can be seen, both must be the same person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Take it for the one, as it is.
    #[default]
    Link,
    /// Take it for the one, and change it to be as it was asked for.
    Update,
    /// Refuse.
    Reject,
}

impl From<Table> for Settings {
    fn from(table: Table) -> Self {
        let kind = match table {
            Table::Sqlite { url } => return Self::Sqlite { url },
            Table::Postgres { url, schema } => return Self::Postgres { url, schema },
            Table::WecomCallback { url, token, aes_key, receive_id, agent_id, spacing_millis, distinct_seconds } => {
                return Self::WecomCallback {
                    url,
                    token,
                    aes_key,
                    receive_id,
                    agent_id,
                    spacing_millis,
                    distinct_seconds,
                };
            }
            Table::DingtalkCallback { url, token, aes_key, receive_id, corp_id, spacing_millis } => {
                return Self::DingtalkCallback { url, token, aes_key, receive_id, corp_id, spacing_millis };
            }
            Table::Scim { .. } => Kind::Scim,
            Table::Webhook { .. } => Kind::Webhook,
            Table::Http(_) => Kind::Http,
            Table::WecomMembers { on_conflict } => return Self::WecomMembers { on_conflict, checks_ids: false },
        };
        Self::Other { kind }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(table: Value) -> Result<Settings, String> {
        serde_json::from_value(table).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_the_contract_is_accepted() {
        for (kind, table) in [
            (Kind::Postgres, json!({"url": "postgres://h/db", "schema": "core"})),
            (Kind::Sqlite, json!({"url": "sqlite://core.db"})),
            (Kind::Scim, json!({"url": "https://h/scim", "token": "t"})),
            (Kind::Webhook, json!({"url": "https://h/", "secret": "whsec_x"})),
            (Kind::WecomCallback, json!({"url": "https://h/", "token": "t", "aes_key": "k", "receive_id": "ww1"})),
            (Kind::DingtalkCallback, json!({"url": "https://h/", "token": "t", "aes_key": "k", "receive_id": "d"})),
            (Kind::Http, json!({"url": "https://h/", "anything": {"goes": 1}})),
            (Kind::WecomMembers, json!({"on_conflict": "update"})),
        ] {
            let mut table = table;
            table["kind"] = json!(kind.as_str());
            assert_eq!(read(table).map(|settings| settings.kind()), Ok(kind));
        }
    }

    #[test]
    fn unknown_and_missing_keys_are_refused_and_secrets_do_not_print() {
        assert!(read(json!({"kind": "sqlite", "url": "sqlite://x", "role": "core"})).unwrap_err().contains("role"));
        assert!(read(json!({"kind": "wecom-callback", "url": "https://h/"})).unwrap_err().contains("token"));
        let nobodys = json!({"kind": "dingtalk-callback", "url": "https://h/", "token": "t", "aes_key": "k"});
        assert!(read(nobodys).unwrap_err().contains("receive_id"));
        assert!(read(json!({"kind": "wecom-members", "on_conflict": "guess"})).unwrap_err().contains("guess"));
        assert!(read(json!({"kind": "carrier-pigeon"})).unwrap_err().contains("carrier-pigeon"));
        let relay =
            json!({"kind": "wecom-callback", "url": "https://h/?k=canary", "token": "canary", "aes_key": "canary"});
        assert!(!format!("{:?}", read(relay).unwrap()).contains("canary"));
    }
}
