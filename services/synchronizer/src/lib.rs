#![doc = include_str!("../README.md")]

mod companies;
mod contacts;
mod desk;
mod details;
mod forms;
mod gauges;
mod ids;
mod in_hand;
mod metrics;
mod publish;
mod pull;
pub mod questions;
mod reconcile;
mod removals;
pub mod run;
mod silence;
mod source;
mod steps;
mod synchronizer;
mod timing;
mod upkeep;

pub use steps::Steps;
pub use synchronizer::{Bell, Synchronizer, run};
pub use timing::Timing;

/// The service's name, also that of its binary.
pub const NAME: &str = "synchronizer";
