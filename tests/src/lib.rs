//! What the end-to-end tests share: OrgBridge as real processes, and reading what it wrote.

mod bridge;
pub mod chaos;
mod core_tables;
mod deployment;
pub mod dingtalk;
mod disk;
mod metrics;
mod process;
mod programs;
mod tenant;

pub use bridge::{Bridge, Setup};
pub use core_tables::{Core, Paper, Papers, as_core_sees};
pub use deployment::{Deployment, Service, Spread};
pub use disk::{Ballast, SmallDisk};
pub use metrics::sum_of;
pub use process::{Process, free_port};
pub use programs::programs;
pub use tenant::{Credentials, DingtalkSetup, HiresSetup};
