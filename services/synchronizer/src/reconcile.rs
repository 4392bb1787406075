//! The source compared with the mirror: what callbacks missed is published as events, and nothing else.
//!
//! A run pulls the directory, goes through it and the mirror side by side in the order of keys, and publishes the fields that
//! differ. What the mirror has and the source has not is never taken away here: it becomes a question, so that it is looked at
//! again by a second list, and passes the brake ([`crate::removals`]).

mod compare;
mod run;
mod schedule;
mod told;
mod walk;

pub(crate) use run::is_taken_in;
pub(crate) use schedule::{pull_for, schedule};
pub(crate) use walk::walk;
