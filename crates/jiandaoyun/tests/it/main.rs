//! The crate from outside.

#![cfg(test)]

mod api;
mod mapping;
mod push;
