//! What the end-to-end tests share: a real `orgbridge serve`, and reading what it wrote.

mod bridge;
mod core_tables;

pub use bridge::{Bridge, Setup};
pub use core_tables::{as_core_sees, count_core, read_core};
