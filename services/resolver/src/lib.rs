#![doc = include_str!("../README.md")]

mod backfill;
mod handler;
mod patience;
mod publisher;
mod requests;
mod service_loop;
mod turn;

pub use service_loop::run;
pub use turn::{Counts, Rules, Turn};
