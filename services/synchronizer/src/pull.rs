//! The whole directory of a tenant, pulled page by page into the store: what is in memory is one page, or one department.
//!
//! Ids come first, and they alone say who is there. Details follow, as an app sees them. Each step
//! is written in one transaction with where the next one begins, so a run that was cut off goes on there. A page or department that does not
//! answer makes the run incomplete: it may add and change, and never removes.

pub(crate) mod row;
mod steps;

pub(crate) use steps::{Puller, Step};
