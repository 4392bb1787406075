#![doc = include_str!("../README.md")]

mod destination;
mod factory;
mod settings;
pub mod sql;
mod text_bytes;
pub mod wecom_callback;

pub use destination::{Batch, Destination, Message, Messages, Outcome, Rendered, Unavailable};
pub use factory::{BuildError, build};
pub use settings::{Kind, Settings, Spec, TenantFacts};
