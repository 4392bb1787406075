//! What the end-to-end tests share: OrgBridge as real processes, and reading what it wrote.

mod bridge;
pub mod chaos;
mod core_tables;
mod deployment;
mod disk;
mod process;
mod programs;

pub use bridge::{Bridge, Credentials, Setup};
pub use core_tables::{Core, as_core_sees};
pub use deployment::{Deployment, Service, Spread};
pub use disk::{Ballast, SmallDisk};
