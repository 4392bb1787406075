//! What the contact-sync secret writes (reference wecom 3.3 and 3.4). A write is checked whole before anything changes.

pub(super) mod departments;
mod member_fields;
pub(super) mod members;

use super::refusal::Refusal;
use crate::Company;

/// Ids of departments are 32-bit integers.
fn department_id(id: i64) -> Option<u64> {
    (1..=i64::from(i32::MAX)).contains(&id).then(|| id.unsigned_abs())
}

/// A sort value is in [0, 2^32).
fn sort_value(order: i64) -> Result<u64, Refusal> {
    u32::try_from(order).map(u64::from).map_err(|_error| Refusal::of(40035))
}

/// Whether one more fits directly into a department (81001).
fn has_room(company: &Company, department: &str, node_limit: usize) -> bool {
    // Mostly the whole company would fit.
    if company.member_count() + company.department_count() < node_limit {
        return true;
    }
    let members = company.roster().members_of(department).len();
    members + company.tree().children(department).count() < node_limit
}
