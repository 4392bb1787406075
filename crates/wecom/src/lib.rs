#![doc = include_str!("../README.md")]

pub mod api;
mod crypto;
mod envelope;
mod event;
mod query;
mod relay;
pub mod render;
mod xml;

pub use api::{ApiError, Client};
pub use callback_crypto::Refusal;
pub use crypto::{CallbackKeys, DecryptError, KeyError};
pub use envelope::Envelope;
pub use event::normalise;
pub use query::Query;
pub use relay::{Sealed, echo_request, seal};
