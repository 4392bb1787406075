//! What the end-to-end tests share: OrgBridge as real processes, and reading what it wrote.

mod bridge;
mod core_tables;
mod deployment;
mod process;
mod programs;

pub use bridge::{Bridge, Setup};
pub use core_tables::{Core, as_core_sees};
pub use deployment::{Deployment, Service, Spread};
