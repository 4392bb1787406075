//! Questions: what the resolver needs from the platform, answered with the fewest calls.
//!
//! Once in a while, and when somebody rings, the questions that are due are claimed, tenant by tenant. [`coalesce()`] says
//! which calls answer them; what is answered is published as events; the resolver closes the questions when it takes
//! those. A claim lasts for a time only: whatever is lost on the way is asked again.

pub mod absence;
mod ask;
mod classify;
pub mod coalesce;
pub(crate) mod early;
mod known;
mod round;
mod settle;
mod watch;

pub(crate) use classify::{AskedAs, Meant, classify};
pub use coalesce::{Call, Plan, Wanted, coalesce};
pub(crate) use watch::{once, watch};
