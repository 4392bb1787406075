//! The configuration of a process: `orgbridge.toml`, then the environment.
//!
//! Built-in defaults < file < `ORGBRIDGE__SECTION__KEY`. An unknown key, a wrong type or a value out of range is refused,
//! all of them at once. Components take their own section, never the whole.

mod load;
mod sections;
#[cfg(test)]
mod tests;
mod validate;

use std::path::PathBuf;

use serde::Deserialize;

pub use sections::{
    AdminConfig, BrokerConfig, ConsoleConfig, DatabaseConfig, GatewayConfig, LogFormat, MasterKey, ResolverConfig,
    SecretsConfig, SinkConfig, SynchronizerConfig, TelemetryConfig,
};

pub(crate) use validate::{is_http_url, is_lane};

/// The documented sample, which is also the default: a test compares it with [`Config::default`].
pub const SAMPLE: &str = include_str!("../default.toml");

/// Everything in `orgbridge.toml`. What each key means and its range is in `default.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Directory of the embedded database, queue and keys. Relative paths start where the process was started.
    pub data_dir: PathBuf,
    /// Directory of tenant files to apply; `None` when there is none.
    #[serde(deserialize_with = "sections::optional_path")]
    pub tenants_dir: Option<PathBuf>,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[broker]`
    pub broker: BrokerConfig,
    /// `[callback_gateway]`
    pub callback_gateway: GatewayConfig,
    /// `[console]`
    pub console: ConsoleConfig,
    /// `[admin]`
    pub admin: AdminConfig,
    /// `[resolver]`
    pub resolver: ResolverConfig,
    /// `[sink]`
    pub sink: SinkConfig,
    /// `[synchronizer]`
    pub synchronizer: SynchronizerConfig,
    /// `[secrets]`
    pub secrets: SecretsConfig,
    /// `[telemetry]`
    pub telemetry: TelemetryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self::in_directory(PathBuf::from("data"))
    }
}

impl Config {
    /// The defaults with all files of the process in one directory.
    pub fn in_directory(data_dir: PathBuf) -> Self {
        Self {
            tenants_dir: None,
            database: DatabaseConfig::in_directory(&data_dir),
            broker: BrokerConfig::default(),
            callback_gateway: GatewayConfig::default(),
            console: ConsoleConfig::default(),
            admin: AdminConfig::default(),
            resolver: ResolverConfig::default(),
            sink: SinkConfig::default(),
            synchronizer: SynchronizerConfig::default(),
            secrets: SecretsConfig::in_directory(&data_dir),
            telemetry: TelemetryConfig::default(),
            data_dir,
        }
    }
}
