#![doc = include_str!("../README.md")]

mod addresses;
mod client;
mod error;
mod governor;
mod guard;

pub use client::{Client, Request, Response};
pub use error::Error;
pub use governor::{
    Allowance, Block, Budget, Closed, Governor, Limit, Pace, Reserved, Spend, Spent, Unlimited, Urgency,
};
pub use guard::{Guard, Lookup, Refusal};
pub use reqwest::{Method, Url, header};
