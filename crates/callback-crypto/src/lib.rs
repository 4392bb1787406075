#![doc = include_str!("../README.md")]

mod frame;
mod keys;
pub mod query;
mod refusal;
mod utf8;

pub use keys::{DecryptError, KeyError, Keys, Message};
pub use refusal::Refusal;
