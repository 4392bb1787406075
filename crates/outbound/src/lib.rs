#![doc = include_str!("../README.md")]

mod addresses;
mod client;
mod error;
mod governor;
mod guard;
mod platform_clock;
mod tokens;

pub use client::{Client, Request, Response, Upgrade, install_cryptography};
pub use error::Error;
pub use governor::{
    Allowance, Block, Budget, Closed, Governor, Limit, Pace, Reserved, Spend, Spent, Unlimited, Urgency,
};
pub use guard::{Guard, Lookup, Refusal};
pub use platform_clock::{Moment, PlatformClock, answered_at, date_of};
pub use reqwest::{Method, Upgraded, Url, header};
pub use tokens::{Granted, Token, Tokens};
