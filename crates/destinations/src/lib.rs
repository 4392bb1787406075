#![doc = include_str!("../README.md")]

mod destination;
mod factory;
mod links;
mod product;
mod settings;
pub mod sql;
mod text_bytes;
pub mod wecom_callback;

pub use destination::{Batch, Destination, Message, Messages, Outcome, Product, Rendered, Unavailable};
pub use factory::{BuildError, build};
pub use links::{Links, NOBODYS};
pub use product::{CoreDepartment, CoreMember, Counts, Membership, Page, Purged};
pub use settings::{Kind, Settings, Spec, TenantFacts};
