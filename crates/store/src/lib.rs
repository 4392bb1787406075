#![doc = include_str!("../README.md")]

mod bulk;
mod clock;
mod convert;
mod migrations;
mod schema;

pub mod allowances;
pub mod approvals;
pub mod dead_letters;
pub mod deliveries;
pub mod destinations;
pub mod failed_pushes;
pub mod form_polls;
pub mod form_records;
pub mod gaps;
pub mod held;
pub mod keys;
pub mod kind_silences;
pub mod links;
pub mod messages;
pub mod outbox;
pub mod people;
pub mod questions;
pub mod quota;
pub mod record_runs;
pub mod records;
pub mod removals;
pub mod repulls;
pub mod runs;
pub mod secrets;
pub mod snapshots;
pub mod taken;
pub mod tenants;
pub mod waiting;
pub mod workers;

pub use migrations::migrations;
pub use secrets::{SealError, Sealer};
