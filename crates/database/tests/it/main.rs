//! The door, its transactions and its locks, over real files.

mod door;
#[cfg(test)]
mod faults;
mod migrations;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;
