#![doc = include_str!("../README.md")]

mod build;
mod cleanup;
pub mod courier;
mod gate;
mod handler;
mod manager;
mod platforms;
mod sink;
mod timing;
mod worker;

pub use build::{Build, Built};
pub use platforms::Platforms;
pub use sink::{Sink, run};
pub use timing::Timing;

/// The service's name, also that of its binary.
pub const NAME: &str = "sink";
