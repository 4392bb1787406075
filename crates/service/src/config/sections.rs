//! The sections of `orgbridge.toml`, each with its defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use common::Secret;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// `[database]`: where tenants, records and the outbox live.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://path`, or `postgres://user:pass@host/db`. May hold a password.
    pub url: Secret,
    /// Connections of this process.
    pub pool_size: u32,
}

impl DatabaseConfig {
    pub(super) fn in_directory(data_dir: &Path) -> Self {
        Self { url: Secret::new(format!("sqlite://{}", data_dir.join("orgbridge.db").display())), pool_size: 8 }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self::in_directory(Path::new("data"))
    }
}

impl PartialEq for DatabaseConfig {
    fn eq(&self, other: &Self) -> bool {
        self.url.expose() == other.url.expose() && self.pool_size == other.pool_size
    }
}

/// `[broker]`: the durable queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerConfig {
    /// `embedded`, or `amqp://user:pass@host:5672/vhost`. May hold a password.
    pub url: Secret,
    /// Ordered queues per hop and lane.
    pub partitions: u32,
    /// The lanes that this process serves.
    pub lanes: Vec<String>,
    /// Bytes that the gateway may keep on disk while the broker is away.
    pub spool_max_bytes: u64,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            url: Secret::new("embedded"),
            partitions: 16,
            lanes: vec!["shared".to_owned()],
            spool_max_bytes: 1 << 30,
        }
    }
}

impl PartialEq for BrokerConfig {
    fn eq(&self, other: &Self) -> bool {
        self.url.expose() == other.url.expose()
            && (self.partitions, &self.lanes, self.spool_max_bytes)
                == (other.partitions, &other.lanes, other.spool_max_bytes)
    }
}

/// `[callback_gateway]`: what platforms push.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Address to listen on.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Largest body that is taken.
    pub max_body_bytes: usize,
    /// How far a request's timestamp may be from our clock, each way; 0 switches the check off.
    pub max_clock_skew_seconds: u32,
    /// How long a body may take to arrive.
    pub body_timeout_seconds: u64,
    /// Refused requests from one address per minute before they are answered 429.
    pub refused_per_minute: u32,
    /// After SIGTERM: how long the gateway goes on accepting while it says that it is not ready. With the embedded queue, whose
    /// process is the only one, it stops at once.
    pub drain_seconds: u64,
    /// Stream connections that each gateway keeps open for a tenant whose DingTalk pushes over them.
    pub stream_connections: u32,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: local(8080),
            max_body_bytes: 256 * 1024,
            max_clock_skew_seconds: 300,
            body_timeout_seconds: 10,
            refused_per_minute: 3000,
            drain_seconds: 5,
            stream_connections: 1,
        }
    }
}

impl GatewayConfig {
    /// How long a body may take to arrive.
    pub fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_seconds)
    }
}

/// `[console]`: the operators' page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Address to listen on.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The page's address as browsers see it.
    pub public_url: String,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { listen: local(8081), public_url: "http://127.0.0.1:8081".to_owned() }
    }
}

/// `[admin]`: health and metrics of the process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// Address to listen on.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: local(8082) }
    }
}

/// `[resolver]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResolverConfig {
    /// Events per transaction.
    pub batch_size: usize,
    /// How long a missing reference is waited for before it is asked for.
    pub parking_grace_seconds: u64,
    /// After this a parked entity becomes a dead letter.
    pub parking_limit_seconds: u64,
    /// How long an event's keys are remembered.
    pub duplicate_memory_seconds: u64,
}

impl Default for ResolverConfig {
    fn default() -> Self {
        Self {
            batch_size: 256,
            parking_grace_seconds: 30,
            parking_limit_seconds: 86_400,
            duplicate_memory_seconds: 1_209_600,
        }
    }
}

/// `[sink]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SinkConfig {
    /// Changes per write.
    pub batch_size: usize,
    /// After this a change that keeps failing becomes a dead letter.
    pub retry_limit_seconds: u64,
    /// Private or loopback networks that destinations may live in.
    #[serde(deserialize_with = "networks")]
    pub allowed_networks: Vec<IpNet>,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self { batch_size: 256, retry_limit_seconds: 86_400, allowed_networks: Vec::new() }
    }
}

/// `[synchronizer]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynchronizerConfig {
    /// Time between two reconciliations.
    pub reconcile_every_seconds: u64,
    /// Time between two pulls of failed pushes.
    pub failed_pushes_every_seconds: u64,
    /// Share of removals, 0 to 1, above which a run waits for a person, together with `brake_count`.
    pub brake_share: f64,
    /// Number of removals above which a run waits for a person, together with `brake_share`.
    pub brake_count: u64,
    /// Number of removals above which a run waits for a person in any case.
    pub brake_max: u64,
    /// Time between disabling and deleting who left.
    pub delete_after_seconds: u64,
    /// Private or loopback networks that platforms may live in: simulated ones, or a proxy before the real ones.
    #[serde(deserialize_with = "networks")]
    pub allowed_networks: Vec<IpNet>,
}

impl Default for SynchronizerConfig {
    fn default() -> Self {
        Self {
            reconcile_every_seconds: 86_400,
            failed_pushes_every_seconds: 300,
            brake_share: 0.1,
            brake_count: 5,
            brake_max: 200,
            delete_after_seconds: 2_592_000,
            allowed_networks: Vec::new(),
        }
    }
}

/// `[secrets]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// The key that wraps each tenant's data key: 32 bytes, base64.
    pub master_key: MasterKey,
}

impl SecretsConfig {
    pub(super) fn in_directory(data_dir: &Path) -> Self {
        Self { master_key: MasterKey::File { file: data_dir.join("master.key") } }
    }
}

impl Default for SecretsConfig {
    fn default() -> Self {
        Self::in_directory(Path::new("data"))
    }
}

/// Where the master key comes from. A file is read when the process opens, and created then when embedded and absent.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a text, { env = \"NAME\" } or { file = \"path\" }")]
pub enum MasterKey {
    /// In this file.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// The key itself.
    Text(Secret),
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { file }, Self::File { file: other }) => file == other,
            (Self::Text(key), Self::Text(other)) => key.expose() == other.expose(),
            _ => false,
        }
    }
}

/// `[telemetry]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where traces go; empty: nowhere.
    pub otlp_endpoint: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().ok().ok_or_else(|| serde::de::Error::custom("not an address and port such as 127.0.0.1:8080"))
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let network = |text: &String| {
        let single = || text.parse::<std::net::IpAddr>().map(IpNet::from).ok();
        text.parse().ok().or_else(single).ok_or_else(|| serde::de::Error::custom("not a network such as 10.0.0.0/8"))
    };
    texts.iter().map(network).collect()
}

pub(super) fn optional_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}
