#![doc = include_str!("../README.md")]

mod connection;
mod directory_lock;
mod door;
mod error;
mod faults;
mod migrations;
mod options;
mod pool;

// Linked for its bundled libpq only.
use pq_sys as _;

pub use connection::Connection;
pub use diesel_migrations::EmbeddedMigrations;
pub use directory_lock::{DirectoryLock, DirectoryLockError};
pub use door::Database;
pub use error::{Constraint, Error, Result};
pub use faults::{Fault, Faults, Observer};
pub use migrations::Migrations;
pub use options::{Options, Synchronous};
