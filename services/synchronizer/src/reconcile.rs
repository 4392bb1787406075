//! The source compared with the mirror: what callbacks missed is published as events, and nothing else.
//!
//! A run pulls the directory, goes through it and the mirror side by side in the order of keys, and publishes the fields that
//! differ. What the mirror has and the source has not is never taken away here: it becomes a question, so that it is looked at
//! again by a second list, and passes the brake ([`crate::removals`]).
//!
//! When a tenant's first sync is applied, what is due is a run against the products too ([`crate::run`](mod@crate::run)), which begins with such a pull:
//! there is one schedule, and one pull each time.

mod compare;
mod reborn;
mod run;
mod schedule;
mod told;
mod walk;

pub(crate) use run::{held_back, is_taken_in};
pub(crate) use schedule::{begin, is_due, once, pull_for, schedule};
pub(crate) use walk::{step_each, walk};
