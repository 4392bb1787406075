#![doc = include_str!("../README.md")]

pub mod admin;
mod allocator;
mod book;
mod clock;
pub mod config;
mod context;
#[cfg(feature = "crash-points")]
mod crash;
pub mod depths;
mod governor;
mod health;
mod layers;
mod master_key;
mod members;
mod metrics;
mod open;
pub mod process;
mod supervise;
pub mod telemetry;
pub mod tenant;
pub mod tenants;
pub mod traces;

pub use book::{PreviousCallback, Snapshot, Tenant, TenantBook};
pub use clock::SystemClock;
pub use config::Config;
pub use context::{Context, Parts, new_instance};
pub use governor::StoreGovernor;
pub use health::{Health, Readiness};
pub use layers::{Environment, Problem};
pub use metrics::Metrics;
pub use open::{Inhabitants, open, open_by, open_rabbitmq, open_store};
pub use supervise::{Running, supervise};
pub use tenant::TenantFile;
pub use traces::Traces;
