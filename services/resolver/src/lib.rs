#![doc = include_str!("../README.md")]

mod backfill;
mod handler;
mod part;
pub mod patience;
mod publisher;
mod requests;
mod service_loop;
mod turn;

/// Its name at the command line, in logs and in readiness.
pub const NAME: &str = "resolver";

pub use service_loop::run;
pub use turn::{Counts, Rules, Turn};
