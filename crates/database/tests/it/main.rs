//! The door, its transactions and its locks, over real files.

mod door;
mod faults;
mod migrations;
mod support;
