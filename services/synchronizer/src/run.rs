//! Runs: the mirror against the core products. Planned, previewed, braked, applied, undone.
//!
//! A run is a row that remembers what it is at ([`store::runs`]). Whoever holds its lease takes it from step to step; each step can be
//! begun again after a crash, and what a step records is in one transaction with what it does to our tables, so nothing is done
//! twice.
//!
//! | step | what it does |
//! |---|---|
//! | pull | has the source pulled and published as events, see [`Source`] |
//! | settle | waits until the mirror has taken them in |
//! | compare | reads mirror and products, keeps the plan with the rows as they are, asks the brake |
//! | apply | by slices: looks at the rows again, sets links, then publishes changes for this destination only |
//! | deliver | waits until the destinations have taken them |
//! | purge | deletes what was disabled long ago |
//!
//! Destinations that collect ([`store::destinations::State`]) start when all links of their plan are set, at the version of the mirror
//! that was compared: what came since is delivered to them then. So a plan that waited for a person is looked at again first.
//!
//! Changes go through the outbox like all others. What changes while a run is applied is neither lost nor done twice: a slice is
//! written with the tenant locked, from the mirror as it is then, and rows that are not as planned any more are left to the
//! next run.

mod again;
mod apply;
mod deliver;
mod differences;
mod gate;
mod image;
mod judge;
mod plan;
mod products;
mod renames;
mod runner;
mod schedule;
mod sides;
mod source;
mod undo;
mod work;

pub use self::{
    differences::{Difference, differences},
    image::is_nobodys as is_placeholder,
    products::{OpenProduct, Products},
    runner::Runs,
    source::{MirrorOnly, NotYet, Pulled, Source},
    work::Trouble,
};
