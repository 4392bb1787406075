//! DingTalk for end-to-end tests: the platform, an OA that speaks its callback protocol, and what has to come of a company there at
//! the core product.

mod facts;
mod oa;
mod platform;
mod truth;

pub use facts::{fact_in, fact_of};
pub use oa::Oa;
pub use platform::{Platform, company};
pub use truth::{approvals, attendance, comparable, directory, to_the_minute};
