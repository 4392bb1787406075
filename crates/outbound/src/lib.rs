#![doc = include_str!("../README.md")]

mod addresses;
mod client;
mod error;
mod guard;

pub use client::{Client, Request, Response};
pub use error::Error;
pub use guard::{Guard, Lookup, Refusal};
pub use reqwest::{Method, Url, header};
