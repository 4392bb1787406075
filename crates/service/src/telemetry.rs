//! Log lines.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Environment,
    config::{LogFormat, TelemetryConfig},
};

/// actix tells of every connection that we close without an answer as of a failure; that we log ourselves.
const DEFAULT_FILTER: &str = "info,actix_http=off,actix_server=warn";

/// lapin logs messages that came back with their content. Nobody may switch that on.
const ALWAYS_OFF: &str = "lapin=off";

/// Starts logging to stderr, once per process; a second call changes nothing. `RUST_LOG` in the environment chooses what.
pub fn init(config: &TelemetryConfig, environment: &Environment) {
    let chosen = environment.get("RUST_LOG").and_then(|chosen| EnvFilter::try_new(chosen).ok());
    let filter = chosen.unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
    let filter = match ALWAYS_OFF.parse() {
        Ok(off) => filter.add_directive(off),
        Err(_) => filter,
    };
    let terminal = std::io::stderr().is_terminal();
    let as_text = match config.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let started = if as_text {
        registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(terminal)).try_init()
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging had been started before");
    }
}
