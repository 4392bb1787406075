#![doc = include_str!("../README.md")]

mod api;
mod delivery;
mod embedded;
mod error;
mod group;
mod message;
mod rabbitmq;
mod share;
mod spool;
#[cfg(feature = "suite")]
pub mod suite;

pub use api::{Broker, ConsumeOptions, Failure, Handler};
pub use embedded::Embedded;
pub use error::{Error, Result};
pub use message::{Delivery, Lane, Outgoing};
pub use rabbitmq::{Alone, Members, RabbitMq, RabbitMqOptions};
pub use share::{Share, Shares};
pub use spool::{SpoolOptions, SpoolStats, Spooled};
