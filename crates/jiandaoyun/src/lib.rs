#![doc = include_str!("../README.md")]

pub mod api;
mod form;
pub mod mapping;
pub mod push;

pub use callback_crypto::Refusal;
pub use form::Form;
