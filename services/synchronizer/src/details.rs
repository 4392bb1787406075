//! Attendance, approvals and failed pushes of DingTalk: what its contacts do not tell, and what costs a part of the month's quota.
//!
//! A callback only says that something is different, so a member's day or an approval becomes a question like any other
//! ([`questions`](crate::questions)). Days are asked about in one of three ways, the cheapest that shows what is to be expected ([`day::Way`]):
//! their punches, many members in one call; their results, the same; or all of one day, where somebody corrected it or an approval applies to
//! it. Each day is looked at again later, since results are late and are amended ([`looks`]).
//!
//! Members are told under the ids of the tenant's directory. Where that is another platform's, people are matched ([`people`]), and what is
//! recorded of somebody whom nobody knows waits under a name that says so.

mod app;
mod approval;
mod approvals;
mod batches;
mod calls;
mod compared;
mod day;
mod days;
mod difference;
mod failed;
mod failure;
mod gather;
mod known;
mod looks;
mod meter;
mod people;
mod retold;
mod silence;
mod tell;
mod watch;

pub(crate) use app::App;
pub(crate) use meter::{Meters, QuotaMeter};
pub(crate) use watch::{begin, once, tend, watch};
