#![doc = include_str!("../README.md")]

mod effects;
mod life;
pub mod plan;
mod record;
mod resolve;
mod session;

#[cfg(test)]
mod tests;

pub use effects::{Effects, Question, Seen, WaitChange, Why};
pub use record::{Fact, Record, Sent, Told, Wait, WaitFor};
pub use session::{Session, Told as Incoming};
