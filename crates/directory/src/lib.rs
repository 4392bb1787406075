#![doc = include_str!("../README.md")]

mod effects;
mod life;
pub mod plan;
mod record;
mod resolve;
mod session;

#[cfg(test)]
mod tests;

/// An answer has to be later than what it is asked about by so many milliseconds: what a platform tells and what it pushes may lag so
/// much behind each other, since times may be whole seconds and an answer's is rounded down.
pub const ANSWERS_LATER_BY_MILLIS: i64 = 2000;

pub use effects::{Effects, Question, RefusedRecord, Seen, WaitChange, Why};
pub use record::{Fact, Record, Sent, Told, Wait, WaitFor};
pub use session::{Session, Told as Incoming};
