#![doc = include_str!("../README.md")]

mod destination;
pub mod dingtalk_callback;
mod factory;
mod links;
mod product;
mod relay;
mod settings;
pub mod sql;
mod text_bytes;
pub mod wecom_callback;
pub mod wecom_members;

pub use destination::{
    Batch, Destination, How, Members, Message, Messages, Outcome, Product, Rendered, Unavailable, Written, Wrote,
};
pub use factory::{BuildError, build};
pub use links::{Links, NOBODYS};
pub use product::{CoreDepartment, CoreMember, Counts, Membership, Page, Purged};
pub use settings::{Kind, OnConflict, Settings, Spec, TenantFacts};
