//! What is read from the company. Rows borrow from it and are written out while it is locked: nothing is copied.

pub(super) mod departments;
pub(super) mod members;
pub(super) mod pages;

/// An id as a number; all ids of departments are.
fn number(id: &str) -> u64 {
    id.parse().unwrap_or_default()
}
